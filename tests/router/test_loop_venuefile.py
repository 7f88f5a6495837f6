"""Venues from a file: the one that comes along, one line for whatever is wrong, the rows."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from nic.configfile import ConfigError
from router import tables
from router.tablespace import RouterTables, Sizes
from router.venuefile import RATES, RoutedVenue, Tier, fill_venues, load_venues
from simulator.matching.model import shipped_models

GOOD = {"name": '"nasdaq"', "quotes": '"nasdaq"', "protocol": '"ouch50"'}
SMALL = Sizes(
    accounts=1, venues=3, instruments=1, parents=1, children=1, tokens=1, intents=1, timers=1,
    executions=16, log_lines=16,
)  # fmt: skip


def row_of(**keys: str | None) -> str:
    """A venue as TOML: a good one, with these keys otherwise; None leaves a key out."""
    given = {key: value for key, value in {**GOOD, **keys}.items() if value is not None}
    return "[[venues]]\n" + "".join(f"{key} = {value}\n" for key, value in given.items())


def written(folder: Path, content: str) -> Path:
    """A file with that content."""
    path = folder / "venues.toml"
    path.write_text(content)
    return path


def read(folder: Path, content: str) -> tuple[RoutedVenue, ...]:
    """The venues of a file with that content."""
    return load_venues(written(folder, content))


@pytest.fixture
def made() -> Iterator[RouterTables]:
    with RouterTables(SMALL) as space:
        yield space


def test_the_file_that_comes_along_costs_what_the_simulated_venues_charge() -> None:
    models, compared = shipped_models(), 0
    for venue in load_venues():
        model = models.get(venue.name)
        if model is None:
            assert venue.dark
            continue
        assert [tier.from_shares for tier in venue.fees] == [t.from_shares for t in model.fees]
        for ours, theirs in zip(venue.fees, model.fees, strict=True):
            for name in RATES:
                assert getattr(ours, name) == getattr(theirs, name), (venue.name, name)
        assert venue.dark == model.dark
        compared += 1
    assert compared == sum(not model.dark for model in models.values())


def test_the_dark_venue_that_comes_along_costs_what_the_dark_model_charges() -> None:
    (dark,) = [venue for venue in load_venues() if venue.dark]
    model = shipped_models()["dark_midpoint"]
    for ours, theirs in zip(dark.fees, model.fees, strict=True):
        assert ours.midpoint == theirs.midpoint


def test_ticks_and_lots_of_lit_venues_are_those_of_their_models() -> None:
    models = shipped_models()
    for venue in load_venues():
        if venue.name in models:
            bands = models[venue.name].ticks
            assert (venue.small_tick, venue.tick) == tuple(band.tick for band in bands)


def test_what_is_left_out_takes_its_usual_value(tmp_path: Path) -> None:
    (venue,) = read(tmp_path, row_of())
    assert venue == RoutedVenue(name="nasdaq", quotes="nasdaq", protocol="ouch50")
    assert venue.fees == (Tier(),) and venue.protected and not venue.dark


TIERS = "[[venues.fees]]\nfrom_shares = {}\n"
WRONG = [
    ("", "venues: "),
    ("venues = []", "venues: expected at least one"),
    ("[[venues]]\n", "venues[0]."),
    (row_of(name=None), "venues[0].name: "),
    (row_of(protocol=None), "venues[0].protocol: "),
    (row_of(protocol='"fix"'), "venues[0].protocol: "),
    (row_of(name='""'), "name: expected 1 to 16 bytes, got ''"),
    (row_of(name='"seventeen-letters"'), "name: expected 1 to 16 bytes"),
    (row_of(name="7"), "venues[0].name: "),
    (row_of(quotes=None), "venue nasdaq: quotes: expected the name of its feed, or dark"),
    (row_of(colour='"red"'), "venues[0].colour: "),
    (row_of(lot="0"), "venues[0].lot: "),
    (row_of(least="0"), "venues[0].least: "),
    (row_of(tick="0"), "venues[0].tick: "),
    (row_of(latency_ns="-1"), "venues[0].latency_ns: "),
    (row_of(latency_ns="1.5"), "venues[0].latency_ns: "),
    (row_of(dark='"yes"'), "venues[0].dark: "),
    (row_of() + row_of(), "venues: a name is there twice"),
    (row_of() + TIERS.format(5), "venue nasdaq: fees: from_shares must rise from 0"),
    (
        row_of() + TIERS.format(0) + TIERS.format(9) + TIERS.format(9),
        "venue nasdaq: fees: from_shares must rise from 0",
    ),
    (
        row_of() + "".join(TIERS.format(at) for at in range(5)),
        "venue nasdaq: fees: expected 1 to 4 tiers",
    ),
    (row_of(fees="[]"), "venue nasdaq: fees: expected 1 to 4 tiers"),
    (
        row_of() + TIERS.format(0) + "removed = { per_share = 10_000_001 }",
        "per_share, per_notional: expected at most 10000000",
    ),
    (
        row_of() + TIERS.format(0) + "added = { per_notional = -10_000_001 }",
        "per_share, per_notional: expected at most 10000000",
    ),
    (row_of() + TIERS.format(0) + "taken = { per_share = 1 }", "venues[0].fees[0].taken: "),
    (row_of() + "[[orders]]\n", "orders: "),
    ("venues = 3", "venues: "),
    ("[[venues]\n", "not TOML: "),
]


@pytest.mark.parametrize(("content", "line"), WRONG)
def test_whatever_is_wrong_is_one_line(tmp_path: Path, content: str, line: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, content)
    said = str(caught.value)
    assert said.startswith(f"{tmp_path / 'venues.toml'}: ")
    assert line in said and "\n" not in said


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nowhere.toml: cannot open: No such file"):
        load_venues(tmp_path / "nowhere.toml")


def filled(made: RouterTables, tmp_path: Path, content: str, **quoting: int) -> None:
    """Writes the venues of a file into tables."""
    fill_venues(made, read(tmp_path, content), quoting, tmp_path / "venues.toml")


def test_rows_have_what_the_file_says(made: RouterTables, tmp_path: Path) -> None:
    first = row_of(lot="10", least="20", latency_ns="30", tick="40", small_tick="50")
    fees = TIERS.format(0) + "removed = { per_share = 7, per_notional = 8 }\n"
    fees += TIERS.format(900) + "added = { per_share = -9 }\n"
    second = row_of(name='"b"', quotes='"book"', iso="false", hidden="false", post_only="false")
    filled(made, tmp_path, first + fees + second, nasdaq=5, book=2)
    row, other = made.venues[0], made.venues[1]
    assert made.head["venue_count"] == 2
    assert (row["name"], row["quotes"], row["session"], row["down"]) == (b"nasdaq", 5, 0, 0)
    names = ("lot", "least", "latency_ns", "tick", "small_tick", "tier_count")
    assert [int(row[name]) for name in names] == [10, 20, 30, 40, 50, 2]
    assert [int(row[name]) for name in ("takes_iso", "takes_hidden", "takes_post_only")] == [1] * 3
    assert row["tiers"]["from_shares"].tolist() == [0, 900, 0, 0]
    assert row["tiers"]["removed"].tolist()[:2] == [(7, 8), (0, 0)]
    assert row["tiers"]["added"].tolist()[:2] == [(0, 0), (-9, 0)]
    assert (other["session"], other["quotes"]) == (1, 2)
    assert [int(other[name]) for name in ("takes_iso", "takes_hidden", "takes_post_only")] == [
        0
    ] * 3
    routed = made.block["routed"]
    assert (int(routed[5]), int(routed[2])) == (0, 1)
    assert sorted(set(routed.tolist())) == [-1, 0, 1]


def test_a_venue_without_its_feed_is_switched_off(made: RouterTables, tmp_path: Path) -> None:
    filled(made, tmp_path, row_of(), other=0)
    assert (made.venues[0]["down"], made.venues[0]["quotes"]) == (tables.DOWN_ASKED, -1)
    assert (made.block["routed"] == -1).all()


def test_a_dark_venue_needs_no_feed(made: RouterTables, tmp_path: Path) -> None:
    filled(made, tmp_path, row_of(dark="true", quotes=None), nasdaq=0)
    row = made.venues[0]
    assert (row["dark"], row["down"], row["quotes"]) == (1, 0, -1)


def test_two_venues_cannot_show_the_same_quotes(made: RouterTables, tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        filled(made, tmp_path, row_of() + row_of(name='"b"'), nasdaq=0)
    line = "venues.toml: venues[1].quotes: 'nasdaq' is there twice"
    assert str(caught.value).endswith(line)


def test_there_is_room_for_so_many(made: RouterTables, tmp_path: Path) -> None:
    rows = "".join(row_of(name=f'"v{n}"', quotes=f'"q{n}"') for n in range(4))
    with pytest.raises(ConfigError, match=r"venues.toml: venues: there is room for 3"):
        filled(made, tmp_path, rows)


def test_answers_and_breakers_have_safe_defaults_and_can_be_switched_off(
    tmp_path: Path, made: RouterTables
) -> None:
    off = row_of(name='"off"', quotes=None, dark="true", answer_ms="0", breaker="{ failures = 0 }")
    fill_venues(made, read(tmp_path, row_of() + off), {"nasdaq": 0}, tmp_path)
    usual, other = made.venues[:2]
    assert (usual["answer_ns"], usual["breaker_failures"]) == (2_000_000_000, 25)
    assert (usual["breaker_window_ns"], usual["breaker_rest_ns"]) == (10**9, 5 * 10**9)
    assert other["answer_ns"] == other["breaker_failures"] == 0


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"answer_ms": "-1"}, "venues[0].answer_ms: "),
        ({"breaker": "{ failures = 0.5 }"}, "venues[0].breaker.failures: "),
        ({"breaker": "{ rest = 1 }"}, "venues[0].breaker.rest: unknown key"),
    ],
)
def test_a_wrong_breaker_is_one_line(tmp_path: Path, keys: dict[str, str], said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, row_of(**keys))
    assert said in str(caught.value) and "\n" not in str(caught.value)
