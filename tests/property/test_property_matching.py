"""Any sequence of commands leaves a venue as the slow one has it, and what must hold holds."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from slow_venue import SlowVenue
from tape_rules import Tape
from venue_rig import REPORT_NAMES, Floor, as_dict, command
from venue_traffic import MODELS, Ledger, traffic

from feedhandler import actions as a
from simulator.matching import records as r
from simulator.matching.venue import Exchange

ROOMS = {"orders": 40, "slices": 30, "owners": 4}
SEEDS = range(12)
COMMANDS = 250


def same_records(floor: Floor, slow: SlowVenue) -> None:
    """The last command's records are the slow venue's, in its order; empties those."""
    assert floor.public.tolist() == slow.out.public
    assert floor.reports[list(REPORT_NAMES)].tolist() == slow.out.reports
    slow.out.public.clear()
    slow.out.reports.clear()


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("seed", SEEDS)
def test_every_command_does_what_the_slow_venue_does(name: str, seed: int) -> None:
    model = MODELS[name]
    slow, ledger = SlowVenue(model, 2, **ROOMS), Ledger()
    with Floor(model, **ROOMS) as floor:
        rows = traffic(seed, COMMANDS, model.kind == "conditional")
        for number in range(len(rows)):
            one = rows[number : number + 1]
            floor.submit(one)
            slow.submit(as_dict(one))
            try:
                same_records(floor, slow)
            except AssertionError as error:
                raise AssertionError(f"at command {number}: {as_dict(one)}") from error
            ledger.read(floor.reports)
            assert ledger.open == {key: order.leaves for key, order in slow.orders.items()}


@pytest.mark.parametrize("name", ["itch", "kept", "strict"])
def test_displayed_orders_trade_by_price_and_time_and_never_stay_crossed(name: str) -> None:
    model, executions, hidden = MODELS[name], 0, 0
    for seed in range(100, 106):
        tapes = {1: Tape(), 2: Tape()}
        with Exchange(model, 2, **ROOMS) as exchange:
            rows = traffic(seed, 500)
            for number in range(len(rows)):
                public, _ = submitted(exchange, rows[number : number + 1])
                for instrument, tape in tapes.items():
                    tape.read(public[public["key"] == instrument])
                    assert not tape.crossed()
        executions += sum(tape.executions for tape in tapes.values())
        hidden += sum(tape.hidden_trades for tape in tapes.values())
    assert executions > 100 and hidden > 10


def submitted(
    exchange: Exchange, rows: NDArray[np.void]
) -> tuple[NDArray[np.void], NDArray[np.void]]:
    """The records of some commands, kept."""
    public, reports = exchange.submit(rows)
    return public.copy(), reports.copy()


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("cut", [1, 7, 100])
def test_where_a_batch_is_cut_changes_nothing(name: str, cut: int) -> None:
    rows = traffic(77, 700, MODELS[name].kind == "conditional")
    with Exchange(MODELS[name], 2, **ROOMS) as whole, Exchange(MODELS[name], 2, **ROOMS) as pieces:
        public, reports = submitted(whole, rows)
        made = [submitted(pieces, rows[at : at + cut]) for at in range(0, len(rows), cut)]
        assert np.concatenate([some for some, _ in made]).tobytes() == public.tobytes()
        assert np.concatenate([some for _, some in made]).tobytes() == reports.tobytes()


def test_output_that_does_not_fit_at_once_is_given_whole() -> None:
    rows = traffic(78, 700)
    with Exchange(MODELS["itch"], 2, **ROOMS) as one, Exchange(MODELS["itch"], 2, **ROOMS) as other:
        public, reports = submitted(one, rows)
        other.head["public_room"] = other.head["report_room"] = 600
        small = submitted(other, rows)
        assert small[0].tobytes() == public.tobytes()
        assert small[1].tobytes() == reports.tobytes()


@pytest.mark.parametrize("name", MODELS)
def test_every_accepted_order_ends_exactly_once(name: str) -> None:
    ledger = Ledger()
    with Exchange(MODELS[name], 2, **ROOMS) as exchange:
        rows = traffic(79, 2000, MODELS[name].kind == "conditional")
        ledger.read(submitted(exchange, rows)[1])
        assert len(ledger.open) == exchange.live_orders()
        ledger.read(submitted(exchange, command(r.SESSION, flags=a.STATUS_CLOSED))[1])
        assert ledger.open == {} and exchange.live_orders() == 0
        assert len(ledger.ended) > 100 and set(ledger.ended.values()) == {1}


@pytest.mark.parametrize("name", MODELS)
def test_shares_are_conserved(name: str) -> None:
    """Each trade has two sides of as many shares at one price, and is told in public once."""
    with Exchange(MODELS[name], 2, **ROOMS) as exchange:
        rows = traffic(80, 2000, MODELS[name].kind == "conditional")
        public, reports = submitted(exchange, rows)
        fills = reports[reports["kind"] == r.EXECUTED]
        buys, sells = fills[fills["side"] == a.BUY], fills[fills["side"] == a.SELL]
        columns = ["aux", "price", "quantity"]
        assert len(fills) > 20
        assert sorted(buys[columns].tolist()) == sorted(sells[columns].tolist())
        counted = public[public["flags"] & a.NOT_PRINTABLE == 0]
        counted = counted[np.isin(counted["kind"], (a.TRADE, a.EXECUTE))]
        assert counted["quantity"].sum() == buys["quantity"].sum()
        total = sum(exchange.executed_shares(owner) for owner in range(1, 4))
        assert total == fills["quantity"].sum()
