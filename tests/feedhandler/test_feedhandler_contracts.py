"""Names of futures contracts, whose year is one digit."""

from __future__ import annotations

from datetime import date

import pytest

from feedhandler.contracts import (
    MONTHS,
    Contract,
    contract_of,
    front_contract,
    parse_contract,
    why_expired,
)

NEAR = date(2026, 3, 16)


@pytest.mark.parametrize(
    ("text", "root", "year", "month"),
    [
        ("ESZ6", "ES", 2026, 12),
        ("esh7", "ES", 2027, 3),
        ("ESZ5", "ES", 2025, 12),
        ("ESU4", "ES", 2034, 9),
        ("ESZ26", "ES", 2026, 12),
        ("M2KM6", "M2K", 2026, 6),
        ("NQF30", "NQ", 2030, 1),
        ("6EZ6", "6E", 2026, 12),
    ],
)
def test_a_name_means_a_contract_near_a_day(text, root, year, month):
    assert parse_contract(text, NEAR) == Contract(root, year, month)


def test_names_are_read_back_for_ten_years():
    for year in range(2025, 2035):
        for month in range(1, 13):
            made = Contract("ES", year, month)
            assert parse_contract(made.name(), NEAR) == made
            assert parse_contract(made.name(2), NEAR) == made
    assert Contract("ES", 2026, 12).name() == f"ES{MONTHS[11]}6"


@pytest.mark.parametrize("text", ["", "ES", "Z6", "ESA6", "ESZ", "ESZ126", "ES Z6"])
def test_what_is_no_name_is_said_in_one_line(text):
    with pytest.raises(ValueError, match='expected a contract like "ESZ6"'):
        parse_contract(text, NEAR)


def test_the_last_day_is_the_third_friday_or_the_one_before():
    assert Contract("ES", 2026, 12).last_day == date(2026, 12, 18)
    assert Contract("NQ", 2026, 6).last_day == date(2026, 6, 19)
    assert Contract("ES", 2008, 3).last_day == date(2008, 3, 20)  # the Friday was Good Friday
    with pytest.raises(ValueError, match="CL: no rule"):
        _ = Contract("CL", 2026, 12).last_day
    with pytest.raises(ValueError, match="ES: month"):
        Contract("ES", 2026, 13)


def test_the_front_contract_changes_behind_its_last_day():
    days = {
        "2026-03-16": "ESH6",
        "2026-03-20": "ESH6",
        "2026-03-21": "ESM6",
        "2026-12-18": "ESZ6",
        "2026-12-19": "ESH7",
    }
    found = {day: front_contract("ES", date.fromisoformat(day)).name() for day in days}
    assert found == days


OVER = "ESH6: its last trading day was 2026-03-20; ESM6 is the front contract"


@pytest.mark.parametrize(
    ("text", "day", "said"),
    [
        ("ESH6", "2026-03-20", ""),
        ("ESH6", "2026-03-21", OVER),
        ("6EH6", "2026-03-31", ""),
        ("6EH6", "2026-04-01", "6EH6: its month, 2026-03, is over on 2026-04-01"),
        ("KOZ", "2026-03-21", ""),
        ("174969", "2026-03-21", ""),
    ],
)  # fmt: skip
def test_why_a_contract_cannot_be_traded(text, day, said):
    assert why_expired(text, date.fromisoformat(day)) == said


def test_what_is_no_contract_has_none():
    assert contract_of("ESH6", NEAR) == Contract("ES", 2026, 3)
    assert contract_of("ESH6-ESM6", NEAR) is None
