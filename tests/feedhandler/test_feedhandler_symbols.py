"""Spellings of securities, and one number for a security at all venues."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedhandler.actions import ACTION_DTYPE, SYMBOL, TEST_SYMBOL
from feedhandler.consolidated.layout import LEFT_OUT, NO_INSTRUMENT
from feedhandler.registry import versions
from feedhandler.symbology import ISSUES, MARKS, Convention, Security, canonical, parse
from feedhandler.symbols import SymbolMaster, convention_of
from feedhandler.wire.access import key_of

# Nasdaq, CQS, CMS: rows of the published table.
TABLE = [
    ("BRK.A", "BRK/A", "BRK A"),
    ("BRK.A", "BRK.A", "BRK A"),
    ("BAC-", "BACp", "BAC PR"),
    ("BAC-L", "BACpL", "BAC PRL"),
    ("F-$", "Fp/WD", "F PRWD"),
    ("F$", "F/WD", "F WD"),
    ("LVWR+", "LVWR.WS", "LVWR WS"),
    ("F+A", "F/WS/A", "F WSA"),
    ("F*", "F/CL", "F CL"),
    ("F.A*", "F/A/CL", "F ACL"),
    ("F-*", "Fp/CL", "F PRCL"),
    ("F-A*", "FpA/CL", "F PRACL"),
    ("F-A#", "FpAw", "F PRAWI"),
    ("F!", "F/EC", "F EC"),
    ("F@", "F/PP", "F PP"),
    ("F%", "F/CV", "F CV"),
    ("F%*", "F/CV/CL", "F CVCL"),
    ("F.A%", "F/A/CV", "F ACV"),
    ("F-A%", "FpA/CV", "F PRACV"),
    ("F-A$", "FpA/WD", "F PRAWD"),
    ("JENA^", "JENAr", "JENA RT"),
    ("AAC=", "AAC/U", "AAC U"),
    ("F#", "Fw", "F WI"),
    ("F^#", "Frw", "F RTWI"),
    ("F-#", "Fpw", "F PRWI"),
    ("F.A#", "F/Aw", "F AWI"),
    ("F+#", "F/WSw", "F WSWI"),
    ("F~", "F/TEST", "F TEST"),
    ("GOOGL", "GOOGL", "GOOGL"),
]


@pytest.mark.parametrize("nasdaq, cqs, cms", TABLE)
def test_the_published_table_is_followed_in_every_direction(nasdaq, cqs, cms):
    texts = {Convention.NASDAQ: nasdaq, Convention.CQS: cqs, Convention.CMS: cms}
    for convention, text in texts.items():
        found = parse(text, convention)
        assert found is not None
        assert found.spell(Convention.NASDAQ) == nasdaq
        assert found.spell(Convention.CQS) == cqs.replace("/", ".")
        assert found.spell(Convention.CMS) == cms
    assert canonical(cms, Convention.NYSE) == canonical(cqs, Convention.NYSE) == nasdaq


SECURITIES = st.builds(
    Security,
    st.from_regex("[A-Z]{1,5}", fullmatch=True),
    st.sampled_from(["", *ISSUES]),
    st.sampled_from(["", *"ABCJLPRTVWZ"]),
    st.lists(st.sampled_from(list(MARKS)), max_size=2, unique=True).map(tuple),
)


@given(security=SECURITIES, convention=st.sampled_from(list(Convention)[:3]))
def test_what_is_spelt_is_read_back(security, convention):
    if security.issue in ("rights", "units") and security.letter:
        return
    assert parse(security.spell(convention), convention) == security


@pytest.mark.parametrize(
    "text, convention",
    [("", Convention.NASDAQ), ("BRKp", Convention.NASDAQ), ("BRK?", Convention.CQS),
     ("BRK.A", Convention.CMS), ("BRK 1", Convention.CMS), ("1ABC", Convention.CQS)],
)  # fmt: skip
def test_a_spelling_of_no_rule_stays_as_it_is(text, convention):
    assert parse(text, convention) is None
    assert canonical(f"{text}  ", convention) == text


@given(text=st.text(max_size=16), convention=st.sampled_from(list(Convention)))
def test_any_text_is_taken(text, convention):
    name = canonical(text, convention)
    assert canonical(name, Convention.NASDAQ) == name


def symbol(key, text, suffix="", lot=100, flags=0):
    row = np.zeros(1, ACTION_DTYPE)
    row["kind"], row["key"], row["order_id"] = SYMBOL, key, key_of(text)
    row["aux"], row["quantity"], row["flags"] = key_of(suffix) if suffix else 0, lot, flags
    return row


@pytest.fixture
def master():
    made = SymbolMaster()
    made.add_venue(0, Convention.NASDAQ)
    made.add_venue(1, Convention.CMS)
    made.add_venue(2, Convention.NYSE)
    made.add_venue(3, Convention.CQS)
    return made


def test_one_security_has_one_number_at_all_venues(master):
    assert master.learn_actions(0, symbol(17, "BRK.A", lot=1)) == 1
    master.learn_actions(1, symbol(4, "BRK", "A", lot=1))
    master.learn_actions(2, symbol(900, "BRK A", lot=1))
    master.learn(3, 5, "BRK/A")
    number = master.find("BRK.A")
    keys = [(0, 17), (1, 4), (2, 900), (3, 5)]
    assert [master.by_key(*key) for key in keys] == [number] * 4
    assert master.find("BRK A") == master.find("BRK/A") == number == 1
    assert (master.name_of(1), master.instrument(1).lot) == ("BRK.A", 1)
    assert master.find("BRKA") == NO_INSTRUMENT


def test_a_symbol_of_more_than_8_bytes_is_put_together(master):
    row = symbol(3, "ABCDEFGH")
    row["aux"] = int.from_bytes(b" PR", "little")
    master.learn_actions(2, row)
    assert master.name_of(1) == "ABCDEFGH-"


def test_text_keys_speak_for_themselves(master):
    number = master.learn_key(0, key_of("AAPL"))
    assert master.learn_key(0, key_of("AAPL")) == number == master.number_of("AAPL")


def test_test_securities_are_left_out_at_all_venues(master):
    first = master.learn(0, 1, "ZZZ")
    assert first == 1
    master.learn_actions(1, symbol(2, "ZZZ", flags=TEST_SYMBOL))
    assert master.by_key(0, 1) == master.by_key(1, 2) == LEFT_OUT
    assert master.learn(0, 3, "ZVZZT") == LEFT_OUT
    assert master.learn(3, 4, "F/TEST") == LEFT_OUT
    assert master.learn(0, 5, "NEXT") == 2


def test_a_key_can_go_to_another_security(master):
    master.learn(0, 1, "OLD")
    master.learn(0, 1, "NEW")
    assert master.name_of(master.by_key(0, 1)) == "NEW"
    assert master.instrument(master.number_of("OLD")).keys == set()


def test_a_full_master_refuses_and_counts():
    master = SymbolMaster(room=1)
    assert [master.learn(0, 1, "A"), master.learn(0, 2, "B")] == [1, NO_INSTRUMENT]
    assert (len(master), master.refused) == (1, 1)


def test_each_feed_has_its_convention():
    names = {"nasdaq_itch50": "NASDAQ", "cboe_pitch": "NASDAQ", "iex_deep": "NASDAQ"}
    names |= {"memx_memoir": "CMS", "nyse_integrated": "NYSE"}
    assert {name: convention_of(versions(name)[0]).name for name in names} == names
