"""Venue models as files, what is drawn from a seed, and the README's example."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from venue_rig import Floor

from nic.configfile import ConfigError, parse
from simulator.matching.model import Latency, Tick, Troubles, VenueModel, shipped_models
from simulator.matching.sampler import Speed, Way

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "simulator" / "README.md").read_text()
LATENCY = Latency(base_ns=1000, jitter_ns=400, spread=0.5)
SECOND = 1_000_000_000


def test_the_shipped_models_are_venues() -> None:
    models = shipped_models()
    lit = {"nasdaq", "bx", "bzx", "edgx", "nyse", "arca", "memx", "iex"}
    assert set(models) == lit | {"dark_midpoint", "dark_conditional"}
    assert {name for name, model in models.items() if not model.dark} == lit
    for model in models.values():
        with Floor(model, instruments=1):
            pass
    taker, maker = models["bx"].fees[0].removed, models["bx"].fees[0].added
    assert taker.per_share < 0 < maker.per_share


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('name = "x"\n[[fees]]\nfrom_shares = 5', "fees: from_shares: expected 0 first"),
        ('name = "x"\nticks = []', "ticks: expected 1 to 8"),
        ('name = "x"\nkind = "grey"', "kind"),
        ('name = "x"\nkinds = "lit"', "kinds"),
        ('name = "x"\n[[fees]]\nadded = { per_share = 20_000_000 }', "per_share"),
    ],
)
def test_what_is_wrong_with_a_model_is_said(text: str, told: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(told)):
        parse(text, VenueModel, "venue.toml")


def test_ticks_go_by_price_band() -> None:
    with pytest.raises(ValueError, match="ascending"):
        VenueModel(name="x", ticks=(Tick(100), Tick(100)))


def test_latencies_are_those_of_the_model() -> None:
    times = np.arange(20_000) * 1_000_000
    taken = Way(LATENCY, seed=5).pass_all(times) - times
    assert taken.min() >= 1000
    assert abs(np.median(taken) - 1400) < 20
    ninety = 1000 + 400 * np.exp(0.5 * 1.2816)
    assert abs(np.percentile(taken, 90) - ninety) < 0.03 * ninety


def test_a_seed_gives_the_same_day_again_wherever_it_is_cut() -> None:
    times = np.arange(1000) * 3000
    whole, pieces, other = Way(LATENCY, 1), Way(LATENCY, 1), Way(LATENCY, 2)
    cut = np.concatenate([pieces.pass_all(part) for part in np.array_split(times, 7)])
    made = whole.pass_all(times)
    assert np.array_equal(made, cut)
    assert not np.array_equal(made, other.pass_all(times))


def test_no_message_overtakes_another() -> None:
    out = Way(Latency(jitter_ns=5000, spread=1.0), 3).pass_all(np.arange(5000) * 10)
    assert (np.diff(out) >= 0).all()


def test_messages_beyond_the_capacity_queue() -> None:
    way = Way(Latency(), 1, messages_per_second=3_000_000)
    out = way.pass_all(np.full(3_000_001, SECOND))
    assert out[0] == SECOND and abs(int(out[-1]) - 2 * SECOND) <= 4_000_000
    assert way.pass_all(np.array([5 * SECOND]))[0] == 5 * SECOND


def test_spikes_come_as_often_as_said() -> None:
    way = Way(Latency(base_ns=10, spike_chance=0.02, spike_ns=500), 9)
    times = np.arange(50_000) * 1000
    spiked = way.pass_all(times) - times > 500
    assert 0.017 < spiked.mean() < 0.023


def test_troubles_are_drawn_by_seed() -> None:
    model = VenueModel(name="x", troubles=Troubles(reject_chance=0.1, disconnect_chance=0.0))
    one, other = Speed(model, 4), Speed(model, 4)
    rejects = one.rejects(20_000)
    assert 0.09 < rejects.mean() < 0.11
    assert np.array_equal(rejects, other.rejects(20_000))
    assert not one.disconnects(1000).any()


def test_the_example_of_the_readme_runs() -> None:
    block = re.search(r"```python\n(.*?)```", README, re.DOTALL)
    assert block is not None
    names: dict[str, object] = {}
    exec(compile(block[1], "README", "exec"), names)
    assert names["bid"] == 10_000_000_000


def test_times_since_the_epoch_pass_as_others_do() -> None:
    epoch_ns = 1_795_610_596 * SECOND
    times = np.arange(1, 1_001) * 20_000
    early, late = Way(LATENCY, 4, 400_000), Way(LATENCY, 4, 400_000)
    assert np.array_equal(early.pass_all(times), late.pass_all(times + epoch_ns) - epoch_ns)
