"""The parameters' file: the default one is whole, and what is wrong in one is said in a line."""

from __future__ import annotations

from pathlib import Path

import pytest

import simulator.flow
from nic.configfile import ConfigError
from simulator.flow.settings import load_settings

DEFAULT = Path(simulator.flow.__file__).with_name("default.toml").read_text()


def test_the_default_market_is_read():
    settings = load_settings()
    assert sum(venue.share for venue in settings.venues) == pytest.approx(1)
    assert sum(one.share for one in settings.lifetimes) == pytest.approx(1)
    assert settings.activity.branching == pytest.approx(0.72)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("zipf_exponent", "zipf_exponents", "activity.zipf_exponents: unknown key"),
        ("lock = 0.004", "lock = 1.5", "placement.lock: expected `float` <= 1.0"),
        ("tick = 0.01", 'tick = "cent"', "prices.tick: expected"),
        ("branching = 0.22", "branching = 0.6", "branching adds up to 1.1, expected below 1"),
        ("least = 4.0", "least = 0.1", "expected 40 ticks <= least"),
        ('kind = "dark"\n', 'kind = "dark"\nlistings = 0.1\n', "a dark venue lists nothing"),
        ('name = "bx"', 'name = "iex"', "expected every name once"),
        ("owners = 40", "owners = 900", "orders.owners: expected"),
        ("lot = 100", "lot = 1", "lot: expected 2 or more"),
        ("hidden = 0.027", "hidden = 0.99 ", "add up to more than 1"),
    ],
)
def test_what_is_wrong_is_named(tmp_path, old, new, said):
    assert old in DEFAULT
    path = tmp_path / "flow.toml"
    path.write_text(DEFAULT.replace(old, new, 1))
    with pytest.raises(ConfigError) as error:
        load_settings(path)
    assert str(path) in str(error.value)
    assert said.replace("`", "") in str(error.value)
