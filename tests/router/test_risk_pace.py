"""Sentences about how many orders there are, how fast they come, and orders that come twice."""

from __future__ import annotations

import pytest
from risk_rig import CENT, DOLLAR, PLAIN, Rig, changed

from router.risk.layout import PACE_BYTES, REASONS, risk_sections
from router.tables import CANCEL, CLOSES, REPLACE

MS, SECOND = 1_000_000, 1_000_000_000
STEP = 62_500_000  # a bucket


@pytest.fixture
def rig(tmp_path):
    made = Rig(tmp_path, PLAIN)
    yield made
    made.close()


def send_many(rig, count, **fields):
    return [rig.send(**fields) for _ in range(count)]


def test_orders_a_second_of_an_account(rig):
    rig.limits(changed(alpha={"orders_per_second": 3}))
    assert send_many(rig, 4) == ["passed"] * 3 + ["account order rate"]
    assert rig.says(account=2) == "passed"
    rig.now += SECOND
    assert rig.says() == "account order rate"  # no second has more than three in it
    rig.now += STEP
    assert rig.says() == "passed"


def test_the_window_slides(rig):
    rig.limits(changed(alpha={"orders_per_second": 2}))
    assert rig.send() == "passed"
    rig.now += SECOND // 2
    assert send_many(rig, 2) == ["passed", "account order rate"]
    rig.now += SECOND // 2 + STEP
    assert send_many(rig, 2) == ["passed", "account order rate"]


def test_no_second_ever_has_more_orders_than_the_limit(rig):
    rig.limits(changed(alpha={"orders_per_second": 5}))
    sent = []
    for _ in range(400):
        rig.now += 17_777_777
        if rig.send() == "passed":
            sent.append(rig.now)
    worst = max(sum(start <= time < start + SECOND for time in sent) for start in sent)
    assert worst == 5


def test_time_that_goes_back_does_not_make_room(rig):
    rig.limits(changed(alpha={"orders_per_second": 2}))
    assert send_many(rig, 2) == ["passed"] * 2
    rig.now -= 3 * SECOND
    assert rig.says() == "account order rate"


def test_an_order_of_an_earlier_time_counts_in_the_later_bucket_that_took_its_place(rig):
    rig.limits(changed(alpha={"orders_per_second": 3}))
    assert send_many(rig, 2) == ["passed"] * 2
    rig.now -= 17 * STEP
    assert rig.send() == "passed"
    rig.now += 17 * STEP
    assert rig.says() == "account order rate"


def test_orders_a_second_of_a_venue_are_of_all_accounts(rig):
    rig.limits(changed(north={"orders_per_second": 2}))
    assert [rig.send(account=1), rig.send(account=2)] == ["passed"] * 2
    assert (rig.says(account=1), rig.says(venue=1)) == ("venue order rate", "passed")


def test_orders_a_second_of_all(rig):
    rig.limits(changed(overall={"orders_per_second": 2}))
    assert [rig.send(account=1), rig.send(account=2, venue=1)] == ["passed"] * 2
    assert rig.says(account=2, venue=2) == "order rate of all"


def test_replaces_count_and_cancels_do_not(rig):
    rig.limits(changed(alpha={"orders_per_second": 1}))
    rig.child()
    assert rig.send(kind=CANCEL, child=1) == "passed"
    assert rig.send(kind=REPLACE, child=1, quantity=50, price=10 * DOLLAR) == "passed"
    assert rig.says() == rig.replaces() == "account order rate"
    assert rig.cancels() == "passed"


def test_refused_orders_do_not_count_for_rates_but_by_reason(rig):
    rig.limits(changed(alpha={"orders_per_second": 1}))
    assert send_many(rig, 3, quantity=0) == ["quantity not positive"] * 3
    assert rig.says() == "passed"
    refused = rig.tables.block["gate"][0]["refused"]
    assert int(refused[REASONS.index("quantity not positive")]) == int(refused.sum()) == 3
    assert int(rig.tables.head["reject_count"]) == 3


def test_open_orders(rig):
    rig.limits(changed(alpha={"open_orders": 2}, overall={"open_orders": 5}))
    rig.child()
    rig.tables.accounts[1]["open_orders"] = 1
    assert rig.says() == "passed"
    rig.tables.accounts[1]["open_orders"] = 2
    assert rig.says() == rig.says(flags=CLOSES) == "open orders"
    assert rig.replaces() == "passed"
    rig.tables.head["open_count"] = 5
    assert rig.says(account=2) == "open orders of all"
    rig.tables.head["open_count"] = 4
    assert rig.says(account=2) == "passed"


def test_the_same_order_again_within_the_window(rig):
    rig.limits(changed(overall={"duplicate_ms": 10}))
    assert rig.send() == "passed"
    rig.now += 10 * MS - 1
    assert rig.says() == "duplicate order"
    for other in ({"quantity": 101}, {"price": 10 * DOLLAR + CENT}, {"venue": 1}, {"account": 2}):
        assert rig.says(**other) == "passed"
    assert rig.says(instrument=2) == "passed"
    rig.now += 1
    assert rig.says() == "passed"


def test_a_duplicate_that_was_refused_does_not_start_the_window_anew(rig):
    rig.limits(changed(overall={"duplicate_ms": 10}))
    assert rig.send() == "passed"
    rig.now += 9 * MS
    assert rig.send() == "duplicate order"
    rig.now += MS
    assert rig.send() == "passed"


def test_other_orders_between_do_not_hide_a_duplicate(rig):
    rig.limits(changed(overall={"duplicate_ms": 10}))
    assert rig.send() == "passed"
    assert {rig.send(quantity=101 + n) for n in range(63)} == {"passed"}
    assert rig.says() == "duplicate order"
    assert rig.send(quantity=99) == "passed"  # 64 are remembered here
    assert rig.says() == "passed"


def test_no_window_lets_the_same_order_pass_again(rig):
    assert send_many(rig, 3) == ["passed"] * 3


def test_a_memory_of_no_power_of_two_is_refused():
    with pytest.raises(ValueError, match="seen_orders: expected a power of two, got 48"):
        risk_sections(1, 1, 1, 48)


def test_cancels_beside_new_orders_of_the_last_minute(rig):
    rig.limits(changed(alpha={"cancel_percent": 50, "cancel_from": 4}))
    rig.child()
    for _ in range(3):
        assert rig.send() == rig.send(kind=CANCEL, child=1) == "passed"
    assert rig.send() == "passed"  # the fourth order: from now on it counts
    assert rig.says() == "cancel ratio"
    assert rig.replaces() == rig.cancels() == rig.says(account=2) == "passed"
    rig.now += 60 * SECOND + 4 * SECOND
    assert rig.says() == "passed"


def test_half_as_many_cancels_as_orders_are_within_fifty_percent(rig):
    rig.limits(changed(alpha={"cancel_percent": 50, "cancel_from": 2}))
    rig.child()
    assert [*send_many(rig, 2), rig.send(kind=CANCEL, child=1), rig.says()] == ["passed"] * 4
    assert [rig.send(kind=CANCEL, child=1), rig.says()] == ["passed", "cancel ratio"]


def test_counts_outlive_a_change_of_limits(rig):
    rig.limits(changed(alpha={"orders_per_second": 2}))
    assert send_many(rig, 2) == ["passed"] * 2
    rig.limits(changed(alpha={"orders_per_second": 2}))
    assert rig.says() == "account order rate"


def test_before_the_first_limits_nothing_is_remembered(tmp_path):
    rig = Rig(tmp_path)
    rig.child()
    assert (rig.send(), rig.send(kind=CANCEL, child=1)) == ("no limits, no trading", "passed")
    assert not rig.tables.block["gate_accounts"].view("u1").any()
    assert len(rig.tables.block["gate_accounts"].view("u1")) == 4 * PACE_BYTES
    assert int(rig.tables.head["reject_count"]) == 1
    rig.close()
