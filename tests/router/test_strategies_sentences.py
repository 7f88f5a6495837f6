"""What each strategy wants, as sentences: a parent, what happens to it, what is wanted then."""

from __future__ import annotations

from strategy_rig import OPEN_NS, SECOND, a_desk, an_order

from router.strategies.dark_then_lit import DRY
from router.strategies.settings import DarkThenLit, Iceberg, Post, Pov, Sweep, Twap

MINUTE = 60 * SECOND
END = OPEN_NS + 10 * MINUTE


def test_a_day_sweep_takes_whenever_the_market_offers() -> None:
    with a_desk(an_order(Sweep(), limit=1_025_000_000)) as desk:
        said = desk.says()
        assert (said.style, said.quantity, said.limit, said.next_ns) == (
            "take", 1000, 1_025_000_000, 0,
        )  # fmt: skip
        desk.fills(400)
        assert (desk.says().style, desk.says().quantity) == ("take", 600)
        desk.fills(600)
        assert (desk.says().style, desk.says().quantity, desk.says().done) == ("wait", 0, False)


def test_an_ioc_sweep_gives_up_what_its_first_sweep_did_not_get() -> None:
    with a_desk(an_order(Sweep(), tif="ioc")) as desk:
        assert (desk.says().style, desk.row["phase"]) == ("take", 1)
        desk.opens(700, 2)
        said = desk.says()
        assert (said.style, said.quantity, said.done) == ("take", 700, False)
        desk.ends(500)
        assert desk.says().done


def test_an_ioc_sweep_that_finds_nothing_is_over_at_the_next_look() -> None:
    with a_desk(an_order(Sweep(), tif="ioc")) as desk:
        assert desk.says().next_ns == desk.now
        said = desk.says()
        assert (said.style, said.quantity, said.done) == ("wait", 0, True)


def test_nothing_is_wanted_before_the_start_and_all_given_up_at_the_end() -> None:
    with a_desk(an_order(Sweep(), start_ns=OPEN_NS + SECOND, end_ns=END)) as desk:
        said = desk.says(OPEN_NS + SECOND - 1)
        assert (said.style, said.quantity, said.next_ns) == ("wait", 0, OPEN_NS + SECOND)
        said = desk.says(OPEN_NS + SECOND)
        assert (said.style, said.quantity, said.next_ns) == ("take", 1000, END)
        assert not desk.says(END - 1).done
        assert desk.says(END).done


def test_the_dark_is_asked_until_it_is_dry_then_the_rest_is_taken() -> None:
    with a_desk(an_order(DarkThenLit(), tif="ioc")) as desk:
        assert (desk.says().style, desk.says().quantity) == ("dark first", 1000)
        desk.opens(1000)
        assert desk.says().style == "dark first"
        desk.ends(300)
        assert (desk.says().style, desk.says().quantity) == ("dark first", 700)
        desk.row["phase"] = DRY
        said = desk.says()
        assert (said.style, said.quantity) == ("take", 700)


def test_orders_in_the_dark_are_out_before_the_rest_is_taken() -> None:
    with a_desk(an_order(DarkThenLit(patience_ns=5 * SECOND))) as desk:
        assert (desk.says().style, desk.says().next_ns) == ("dark first", OPEN_NS + 5 * SECOND)
        desk.opens(1000)
        assert desk.says(OPEN_NS + 5 * SECOND - 1).style == "dark first"
        said = desk.says(OPEN_NS + 5 * SECOND)
        assert (said.style, said.quantity) == ("wait", 0)
        desk.ends(200)
        assert (desk.says().style, desk.says().quantity) == ("take", 800)
        assert (desk.says().style, desk.says().quantity) == ("take", 800)
        assert not desk.says(OPEN_NS + MINUTE).done


def test_rounds_go_through_dark_and_lit_and_an_ioc_parent_gives_up_behind_the_last() -> None:
    with a_desk(an_order(DarkThenLit(rounds=2), tif="ioc")) as desk:
        styles = []
        for _ in range(2):
            styles.append(desk.says().style)
            desk.row["phase"] = DRY
            styles.append(desk.says().style)
            desk.opens(100)
            styles.append(desk.says().style)
            desk.ends(100)
        assert styles[:2] == ["dark first", "take"]
        assert styles[3:5] == ["dark first", "take"]
        assert desk.says().done
        assert desk.row["cum"] == 200


def test_a_new_round_has_its_own_patience() -> None:
    with a_desk(an_order(DarkThenLit(rounds=2, patience_ns=SECOND))) as desk:
        desk.says()
        desk.says(OPEN_NS + SECOND)
        said = desk.says(OPEN_NS + 3 * SECOND)
        assert (said.style, said.next_ns) == ("dark first", OPEN_NS + 4 * SECOND)


def test_posting_rests_then_takes_behind_its_patience() -> None:
    with a_desk(an_order(Post(take_after_ns=MINUTE), end_ns=END)) as desk:
        said = desk.says()
        assert (said.style, said.quantity, said.shown) == ("passive", 1000, 0)
        assert said.next_ns == OPEN_NS + MINUTE
        desk.fills(100)
        assert desk.says(OPEN_NS + MINUTE - 1).style == "passive"
        said = desk.says(OPEN_NS + MINUTE)
        assert (said.style, said.quantity, said.next_ns) == ("take", 900, END)


def test_patience_counts_from_the_later_of_start_and_arrival() -> None:
    order = an_order(Post(take_after_ns=MINUTE), start_ns=OPEN_NS + MINUTE)
    with a_desk(order) as desk:
        assert desk.says(OPEN_NS + MINUTE).next_ns == OPEN_NS + 2 * MINUTE
    with a_desk(order, arrived_ns=OPEN_NS + 5 * MINUTE) as desk:
        assert desk.says().next_ns == OPEN_NS + 6 * MINUTE


def test_posting_ends_by_giving_up_or_by_taking() -> None:
    with a_desk(an_order(Post(), end_ns=END)) as desk:
        assert desk.says(END - 1).style == "passive"
        assert desk.says(END).done
    with a_desk(an_order(Post(finish="take", finish_ns=2 * SECOND), end_ns=END)) as desk:
        assert desk.says(END - 2 * SECOND - 1).next_ns == END - 2 * SECOND
        said = desk.says(END - 2 * SECOND)
        assert (said.style, said.quantity, said.next_ns) == ("take", 1000, END)
        assert desk.says(END).done


def test_posting_without_an_end_rests_for_ever() -> None:
    with a_desk(an_order(Post())) as desk:
        said = desk.says(OPEN_NS + 100 * MINUTE)
        assert (said.style, said.next_ns, said.done) == ("passive", 0, False)


def test_an_iceberg_rests_with_all_and_shows_a_part() -> None:
    with a_desk(an_order(Iceberg(shown=200, finish="take"), end_ns=END)) as desk:
        said = desk.says()
        assert (said.style, said.quantity, said.shown) == ("passive", 1000, 200)
        desk.fills(950)
        assert (desk.says().quantity, desk.says().shown) == (50, 200)
        said = desk.says(END - SECOND)
        assert (said.style, said.shown) == ("take", 0)


def test_a_twap_rests_first_and_takes_what_is_missing_by_too_much() -> None:
    twap = Twap(slices=10, tolerance=20_000_000, lot=1)
    with a_desk(an_order(twap, start_ns=OPEN_NS, end_ns=END)) as desk:
        said = desk.says()
        assert (said.style, said.quantity) == ("passive", 100)
        # 20 may be missing: at 21 of 1,000 shares, 12.6 of 600 s, it is too much.
        assert said.next_ns == OPEN_NS + 12_600_000_000
        assert desk.says(said.next_ns - 1).style == "passive"
        said = desk.says(said.next_ns)
        assert (said.style, said.quantity, said.next_ns) == ("take", 21, OPEN_NS + MINUTE)
        desk.fills(21)
        assert (desk.says().style, desk.says().quantity) == ("passive", 79)
        desk.fills(79)
        said = desk.says()
        assert (said.style, said.quantity, said.next_ns) == ("wait", 0, OPEN_NS + MINUTE)
        assert (desk.says(OPEN_NS + MINUTE).style, desk.says().quantity) == ("passive", 100)


def test_a_schedule_takes_all_in_its_last_stretch() -> None:
    twap = Twap(slices=10, tolerance=1_000_000_000, lot=1)
    with a_desk(an_order(twap, start_ns=OPEN_NS, end_ns=END)) as desk:
        assert desk.says(END - 6 * SECOND - 1).style == "passive"
        assert desk.says().next_ns == END - 6 * SECOND
        said = desk.says(END - 6 * SECOND)
        assert (said.style, said.quantity, said.next_ns) == ("take", 1000, END)
        assert desk.says(END).done


def test_a_parent_that_comes_late_follows_the_rest_of_its_schedule() -> None:
    twap = Twap(slices=10, tolerance=0, lot=1)
    order = an_order(twap, start_ns=OPEN_NS, end_ns=END)
    with a_desk(order, arrived_ns=OPEN_NS + 5 * MINUTE) as desk:
        assert (desk.says().style, desk.says().quantity) == ("passive", 200)
        said = desk.says(OPEN_NS + 8 * MINUTE)
        assert (said.style, said.quantity) == ("take", 600)


def test_what_is_due_comes_in_lots_but_for_the_last() -> None:
    twap = Twap(slices=4, tolerance=1_000_000_000, lot=100, finish="cancel")
    with a_desk(an_order(twap, quantity=250, start_ns=OPEN_NS, end_ns=END)) as desk:
        due = [desk.says(OPEN_NS + 150 * SECOND * number + 1).quantity for number in range(4)]
        assert due == [0, 100, 100, 250]


def test_pov_keeps_its_part_of_all_volume() -> None:
    with a_desk(an_order(Pov(rate=200_000_000, tolerance=500_000_000))) as desk:
        desk.row["arrival_volume"] = desk.instrument["volume"] = 5000
        said = desk.says()
        assert (said.style, said.quantity, said.next_ns) == ("wait", 0, OPEN_NS + SECOND)
        desk.instrument["volume"] += 1000  # of others: 250 of ours make a fifth of 1,250
        assert (desk.says().style, desk.says().quantity) == ("passive", 200)
        desk.fills(200)
        assert (desk.says().style, desk.says().quantity) == ("wait", 0)
        desk.instrument["volume"] += 2800  # 3,800 of others: 950
        said = desk.says()
        assert (said.style, said.quantity) == ("take", 700)
        desk.instrument["volume"] += 10_000
        assert desk.says().quantity == 800


def test_pov_has_no_more_than_its_most_open() -> None:
    with a_desk(an_order(Pov(rate=500_000_000, most=300), end_ns=END)) as desk:
        desk.instrument["volume"] = 900
        assert (desk.says().style, desk.says().quantity) == ("take", 300)
        assert desk.says(END - 1).next_ns == END
        assert desk.says(END).done
