"""Which symbols are whose: in words, in the tables that kernels read, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feedhandler.shards.config import Shard, Shards, check_channels, check_machine, load_shards
from feedhandler.shards.owning import owner_of, root_of
from feedhandler.shards.rules import Ownership, ownership, root_text, word_of
from feedhandler.symbology import Convention, parse
from nic.configfile import ConfigError
from nic.regions import allowed

NAMES = ("east", "west", "north")


def owned(*rules: list[str]) -> Ownership:
    """Who has what, for as many shards as there are lists."""
    return ownership(NAMES[: len(rules)], rules)


def by_kernel(rule: Ownership, symbol: str) -> int:
    """What the loop makes of the first eight bytes of a symbol's text."""
    text = int.from_bytes(symbol.encode("latin-1")[:8].ljust(8), "little", signed=True)
    with allowed(rule.block):
        return int(owner_of(rule.block.section_address("rule"), root_of(text)))


def test_names_go_first_then_parts_then_the_rest() -> None:
    rule = owned(["AAPL", "BRK.A"], ["0/2"], ["1/2"])
    assert rule.owner("AAPL") == rule.owner("BRK.B") == rule.owner("BRK A") == 0
    others = {symbol: rule.owner(symbol) for symbol in ("A", "AAPLX", "MSFT", "F", "TSLA", "IBM")}
    assert set(others.values()) == {1, 2}


def test_ranges_are_by_first_letters() -> None:
    rule = owned(["A-MB"], ["MC-Z"])
    assert [rule.owner(name) for name in ("A", "M", "MA", "MBZ", "MC", "N", "ZZZZ")] == [
        *[0] * 4,
        *[1] * 3,
    ]


def test_the_rest_has_what_nobody_else_has_and_a_text_without_letters_is_the_first_ones() -> None:
    rule = owned(["B-C"], ["rest"])
    assert [rule.owner(name) for name in ("A", "B", "CZ", "D", "", "7X")] == [1, 0, 0, 1, 0, 0]


RULES = [
    [["A-M"], ["N-Z"]],
    [["AAPL", "X-Z"], ["rest"]],
    [["0/3", "GE"], ["1/3", "A-C"], ["2/3"]],
    [["0/2", "C"], ["1/4"], ["rest", "CAB"]],
    [["A-Z"]],
    [["0/1"]],
    [["rest"]],
]
LETTERS = st.text("ABCGEMNXZ", max_size=9)
TAILS = st.sampled_from(["", ".A", "-A", " PR", "p", "+", "/WS", "~", "7"])


@settings(max_examples=200)
@given(rules=st.sampled_from(RULES), letters=LETTERS, tail=TAILS)
def test_kernels_and_people_agree(rules: list[list[str]], letters: str, tail: str) -> None:
    rule = owned(*rules)
    owner = by_kernel(rule, letters + tail)
    assert owner == rule.owner(letters + tail) and 0 <= owner < len(rules)


@given(letters=st.text("ABZ", min_size=1, max_size=5), mark=st.sampled_from(["", "A", "PR", "WS"]))
def test_every_venue_spells_the_root_alike(letters: str, mark: str) -> None:
    security = parse(f"{letters} {mark}" if mark else letters, Convention.CMS)
    assert security is not None
    spelt = {root_text(security.spell(way)) for way in Convention}
    assert spelt == {letters[:8]}


def test_words_compare_as_texts() -> None:
    texts = sorted(["A", "AA", "AB", "B", "BAAAAAAA", "Z"])
    assert sorted(texts, key=word_of) == texts


WRONG = [
    ([["A-M"], ["M-Z"]], 'M would belong to both east ("A-M") and west ("M-Z")'),
    ([["MSFT", "rest"], ["A-Z"]], 'MSFT would belong to both west ("A-Z") and east ("MSFT")'),
    ([["AAPL"], ["AAPL", "rest"]], 'AAPL would belong to both east ("AAPL") and west ("AAPL")'),
    ([["BRK.A"], ["BRK.B", "rest"]], 'BRK would belong to both east ("BRK.A") and west ("BRK.B")'),
    ([["0/2"], ["2/4", "rest"]], 'east ("0/2") and west ("2/4") have some in common'),
    ([["rest"], ["rest"]], 'both east and west have "rest"'),
    ([["0/2"], ["1/2"], ["rest"]], 'north: there is no rest: east ("0/2") and west ("1/2")'),
    ([["A-L"], ["N-Z"]], 'nobody has M, behind east ("A-L") and before west ("N-Z")'),
    ([["A-M"], ["NA-Z"]], 'nobody has N, behind east ("A-M") and before west ("NA-Z")'),
    ([["A-M"], ["N-Y"]], 'nobody has Z, behind west ("N-Y")'),
    ([["B-M"], ["N-Z"]], 'nobody has A, before east ("B-M")'),
    ([["0/3"], ["1/3"]], 'east ("0/3") and west ("1/3") do not have all that is left'),
    ([["B-A"], ["rest"]], 'shard east: symbols: "B-A": expected a symbol, a range'),
    ([["aapl"], ["rest"]], 'shard east: symbols: "aapl": expected a symbol'),
    ([["3/2"], ["rest"]], 'shard east: symbols: "3/2": expected n/m'),
    ([["0/4096"], ["1/4095", "rest"]], "have some in common"),
]


@pytest.mark.parametrize(("rules", "line"), WRONG)
def test_overlaps_and_holes_name_both_shards(rules: list[list[str]], line: str) -> None:
    with pytest.raises(ValueError, match=r"shard|symbols") as caught:
        owned(*rules)
    assert line in str(caught.value) and "\n" not in str(caught.value)


def test_a_name_may_fill_what_ranges_leave() -> None:
    assert owned(["A-M", "N"], ["NA-Z"]).owner("N") == 0


SHARD = '[[shards]]\nname = "{}"\ncore = {}\nsymbols = {}\nshare = {}\n'
FINE = SHARD.format("east", 0, '["A-M"]', 0.5) + SHARD.format("west", 1, '["N-Z"]', 0.5)
BAD = [
    ("", "shards.toml: shards: missing"),
    ("shards = []\n", "shards.toml: shards: "),
    (FINE.replace("core = 1", "core = 0"), "shards[0] (east) and shards[1] (west) have the same"),
    (FINE.replace('"west"', '"east"'), "shards[0] and shards[1] have the same name, east"),
    (FINE.replace("share = 0.5", "share = 0.6"), "share: expected 1 at most in all, found 0.6 (e"),
    (FINE.replace("N-Z", "M-Z"), 'M would belong to both east ("A-M") and west ("M-Z")'),
    (FINE.replace("N-Z", "O-Z"), 'nobody has N, behind east ("A-M") and before west ("O-Z")'),
    (FINE + "colour = 1\n", "shards[1].colour: unknown key"),
    (FINE.replace("share = 0.5", "share = 1.5"), "shards[0].share: expected"),
    (FINE.replace('["A-M"]', "[]"), "shards[0].symbols: expected at least one"),
]


@pytest.mark.parametrize(("text", "line"), BAD)
def test_a_bad_file_is_one_line(tmp_path: Path, text: str, line: str) -> None:
    path = tmp_path / "shards.toml"
    path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        load_shards(path)
    said = str(caught.value)
    assert said.startswith(str(path)) and line in said and "\n" not in said


def test_the_example_of_the_page_can_be_read(repository: Path, tmp_path: Path) -> None:
    page = (repository / "feedhandler" / "README.md").read_text()
    (text,) = [part for part in page.split("```toml\n")[1:] if part.startswith("[[shards]]")]
    path = tmp_path / "shards.toml"
    path.write_text(text.partition("```")[0])
    shards = load_shards(path)
    check_channels(shards, ["nasdaq", "cboe 1", "nyse"], path)
    assert shards.names == ["east", "west"] and shards.owners.owner("MSFT") == 0


def test_tenths_make_a_whole() -> None:
    parts = [Shard(name=f"s{n}", core=n, symbols=(f"{n}/10",), share=0.1) for n in range(10)]
    assert sum(shard.part for shard in Shards(shards=tuple(parts)).shards) == 1


def shards_of(*channels: tuple[str, ...]) -> Shards:
    """Shards that read these channels."""
    rules = [(f"{n}/{len(channels)}",) for n in range(len(channels))]
    return Shards(
        shards=tuple(
            Shard(name=NAMES[n], core=n, symbols=rules[n], channels=names)
            for n, names in enumerate(channels)
        )
    )


def test_every_channel_is_read_and_every_pattern_reads_one() -> None:
    known = ["nasdaq", "bzx 1", "bzx 2", "nasdaq"]
    check_channels(shards_of(("*",), ("bzx *",)), known, "f")
    with pytest.raises(ConfigError, match=r"f: channels: channel 'nasdaq' is read by none.*east"):
        check_channels(shards_of(("bzx*",), ("bzx 2",)), known, "f")
    with pytest.raises(ConfigError, match=r"shards\[1\].channels: shard west: \"nyse\" is none"):
        check_channels(shards_of(("*",), ("nyse",)), known, "f")


def test_a_core_that_is_not_there_is_named() -> None:
    far = Shards(shards=(Shard(name="a", core=4000, symbols=("rest",)),))
    with pytest.raises(ConfigError, match="f: shards: core 4000 is not online"):
        check_machine(far, "f")
