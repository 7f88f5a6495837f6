"""What only a tape says, bands and halts, holds orders back at all venues until it is lifted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from routed_rig import CENT, Desk, Files, write_files
from tape_rig import CTS, SECOND, limits, plan, taped_day

from console.runreport.results import Results
from feedhandler.actions import BUY, SELL, STATUS_HALTED, STATUS_PAUSED, STATUS_TRADING
from nic.regions import allowed
from router.orders.states import EVENT
from router.risk.entries import judged
from router.risk.layout import REASONS
from router.tables import ENTER, LOCATED, SHORT

SYMBOLS = tuple(plan().symbols)
MIDDLES = {"KOZ": 30.04, "NEV": 154.02, "SAT": 89.86, "VUS": 40.66}  # about, in those seconds
FROM_S, LIFTED_S, START_S = 0.5, 2.0, 1.0
TAPES = ("utp", "cta", "cts")
STRATEGIES = {
    "sweep": "",
    "dark_then_lit": "patience_ms = 50\n",
    "post": "take_after_ms = 100\nend = 2.9\n",
    "iceberg": "shown = 100\nend = 2.9\n",
    "twap": "end = 2.9\n",
    "pov": "rate = 0.1\nend = 2.9\n",
}
WIDE = (0.8, 1.2)


def parents(side: str, symbols: tuple[str, ...] = SYMBOLS) -> str:
    """A parent of each strategy in each symbol, with limits two hundredths off the middle."""
    off = 1.02 if side == "buy" else 0.98
    located = "" if side == "buy" else "located = true\n"
    return "".join(
        f'[[parents]]\nname = "{strategy}-{symbol}"\nsymbol = "{symbol}"\nside = "{side}"\n'
        f'quantity = 300\nlimit = "{MIDDLES[symbol] * off:.2f}"\nstrategy = "{strategy}"\n'
        f'account = "desk"\nstart = {START_S}\n{more}{located}'
        for symbol in symbols
        for strategy, more in STRATEGIES.items()
    )


def files_of(folder: Path, side: str) -> Files:
    """The files of a run."""
    return write_files(folder, parents(side), limits())


def near(symbol: str, part: float) -> int:
    """A part of the middle, on a cent, 1e-8 units."""
    return round(MIDDLES[symbol] * part * 100) * CENT


def cts_state(time_ns: int, symbol: str, **values: Any) -> bytes:
    """A trading status message of CTS."""
    seconds, nanoseconds = divmod(time_ns, SECOND)
    return CTS.protocol["TS"].encode(
        security_symbol=symbol, seconds=seconds, nanoseconds=nanoseconds, **values
    )


def bands(tape: str, symbol: str, low: float, high: float) -> bytes:
    """Price bands around the middle as a tape says them."""
    lower, upper = near(symbol, low), near(symbol, high)
    time_ns = taped_day().open_ns
    if tape != "cts":
        message: bytes = taped_day().dialect(tape).bands(time_ns, symbol, lower, upper)
        return message
    return cts_state(
        time_ns,
        symbol,
        limit_up_limit_down_luld_indicator="B",
        high_indication_price_upper_limit_price_band=upper // 100,
        low_indication_price_lower_limit_price_band=lower // 100,
    )


def state(tape: str, symbol: str, status: int) -> bytes:
    """A halt, a pause or their end as a tape says it."""
    time_ns = taped_day().open_ns
    if tape != "cts":
        message: bytes | None = taped_day().dialect(tape).state(time_ns, symbol, status)
        assert message is not None
        return message
    codes = {STATUS_HALTED: ("2", "D"), STATUS_PAUSED: ("2", "M"), STATUS_TRADING: ("3", "")}
    security_status, halt_reason = codes[status]
    return cts_state(time_ns, symbol, security_status=security_status, halt_reason=halt_reason)


def seconds_of(rows: np.ndarray, field: str = "time_ns") -> np.ndarray:
    """Seconds after the open."""
    return (rows[field] - taped_day().open_ns) / SECOND


def sent_between(results: Results, first_s: float, last_s: float) -> np.ndarray:
    """Children that were sent within a span."""
    rows = results.children
    when = seconds_of(rows, "sent_ns")
    return rows[(rows["sent_ns"] != 0) & (when > first_s) & (when < last_s)]


def asked_between(results: Results, first_s: float, last_s: float, symbol: str) -> np.ndarray:
    """Prices that orders and replaces in a symbol asked for within a span; 0: without a price."""
    events = results.child_events
    when, kinds = seconds_of(events), np.isin(events["event"], (EVENT.sent, EVENT.ask_replace))
    events = events[kinds & (when > first_s) & (when < last_s)]
    of = results.children_of(events["child"])["instrument"]
    prices: np.ndarray = events["price"][of == number_of(results, symbol)]
    return prices[prices != 0]


def number_of(results: Results, symbol: str) -> int:
    """An instrument's number."""
    return {name: number for number, name in results.names.instruments.items()}[symbol]


@pytest.mark.parametrize("tape", TAPES)
@pytest.mark.parametrize("side", ["buy", "sell_short"])
def test_no_order_beyond_a_band_leaves_until_it_is_wider(
    tmp_path: Path, tape: str, side: str
) -> None:
    day, narrow = taped_day(), (0.8, 0.9999) if side == "buy" else (1.0001, 1.2)
    said = [(FROM_S, tape, bands(tape, name, *narrow)) for name in SYMBOLS]
    said += [(LIFTED_S, tape, bands(tape, name, *WIDE)) for name in SYMBOLS]
    files = files_of(tmp_path, side)
    held = day.replay(files, [day.told(tmp_path / "held.pcap", said)])
    free = day.replay(files, [day.told(tmp_path / "free.pcap", [])])
    beyond: dict[tuple[str, float], int] = {}
    for symbol in SYMBOLS:
        edge = near(symbol, narrow[1 if side == "buy" else 0])
        for name, results in (("held", held), ("free", free)):
            for first_s, last_s in ((FROM_S, LIFTED_S), (LIFTED_S, 3.0)):
                prices = asked_between(results, first_s, last_s, symbol)
                worse = prices > edge if side == "buy" else prices < edge
                beyond[name, first_s] = beyond.get((name, first_s), 0) + int(worse.sum())
    assert beyond["held", FROM_S] == 0 < beyond["free", FROM_S]
    assert beyond["held", LIFTED_S] > 0
    stopped = held.gates[held.gates["reason"] == REASONS.index("price band")]
    assert len(stopped) > 0 and (seconds_of(stopped) < LIFTED_S + 0.001).all()
    outside = stopped["seen"] > stopped["allowed"]
    assert (outside if side == "buy" else ~outside).all()
    assert not (free.gates["reason"] == REASONS.index("price band")).any()


@pytest.mark.parametrize("status", [STATUS_HALTED, STATUS_PAUSED])
@pytest.mark.parametrize("tape", TAPES)
def test_nothing_is_sent_in_a_halt_and_orders_go_on_behind_it(
    tmp_path: Path, tape: str, status: int
) -> None:
    day, (halted, *others) = taped_day(), SYMBOLS
    said = [(FROM_S, tape, state(tape, halted, status))]
    said += [(LIFTED_S, tape, state(tape, halted, STATUS_TRADING))]
    found = day.replay(files_of(tmp_path, "buy"), [day.told(tmp_path / "tape.pcap", said)])
    during, behind = sent_between(found, FROM_S, LIFTED_S), sent_between(found, LIFTED_S, 3.0)
    number = number_of(found, halted)
    assert not (during["instrument"] == number).any()
    assert {number_of(found, name) for name in others} == set(during["instrument"].tolist())
    mine = behind[behind["instrument"] == number]
    assert mine["cum"].sum() > 0 and len(set(mine["venue"].tolist())) > 1


def verdicts(desk: Desk, symbol: str, side: int, price: int) -> dict[str, str]:
    """What the gate would say now to an order at each venue that orders can go to."""
    tables, made = desk.tables, {}
    for number, venue in enumerate(desk.run.setup.venues):
        if tables.venues[number]["down"]:
            continue
        row = tables.block["intents"][:1]
        kept = row.copy()
        row[:] = np.zeros((), row.dtype)
        plain = {"kind": ENTER, "account": 1, "quantity": 100, "instrument": desk.number(symbol)}
        flags = 0 if side == BUY else SHORT | LOCATED
        more = {"venue": number, "side": side, "price": price, "flags": flags}
        for name, value in {**plain, **more}.items():
            row[0][name] = value
        with allowed(tables.block, *desk.run.market.blocks):
            address = tables.block.section_address("intents")
            made[venue.name] = REASONS[judged(tables.address, address, desk.now_ns)[0]]
        row[:] = kept
    return made


@pytest.mark.parametrize("tape", TAPES)
def test_the_gate_knows_bands_and_halts_of_the_tape_at_every_venue(
    tmp_path: Path, tape: str
) -> None:
    day, symbol = taped_day(), SYMBOLS[0]
    said = [
        (0.5, tape, bands(tape, symbol, 0.999, 1.001)),
        (1.0, tape, bands(tape, symbol, *WIDE)),
        (1.5, tape, state(tape, symbol, STATUS_PAUSED)),
        (2.0, tape, state(tape, symbol, STATUS_TRADING)),
    ]
    late = parents("buy", (symbol,)).replace(f"start = {START_S}", "start = 2.8")
    files = write_files(tmp_path, late, limits())
    orders = [(BUY, near(symbol, 1.002)), (SELL, near(symbol, 0.998)), (BUY, near(symbol, 1.0005))]
    with day.desk(files, [day.told(tmp_path / "tape.pcap", said)]) as desk:
        for seconds, wanted in (
            (0.3, ["passed"] * 3),
            (0.6, ["price band", "price band", "passed"]),
            (1.1, ["passed"] * 3),
            (1.6, ["market halted"] * 3),
            (2.1, ["passed"] * 3),
        ):
            desk.until(seconds)
            for (side, price), reason in zip(orders, wanted, strict=True):
                found = verdicts(desk, symbol, side, price)
                assert set(found) == {"nasdaq", "bzx", "dark"}
                assert set(found.values()) == {reason}, (seconds, found)
