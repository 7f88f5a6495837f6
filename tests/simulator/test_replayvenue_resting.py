"""Orders that rest at a replayed venue: their place in the queue, and what fills them."""

from __future__ import annotations

from replayvenue_rig import CENT, B, Floor, S, action, lit, model

from feedhandler import actions as a
from feedhandler.books.layout import STALE
from router.tables import ADDED, NOT_SHOWN, POST_ONLY


def test_executions_ahead_come_first() -> None:
    with Floor() as floor:
        ahead = floor.add(0, B, 1000, 300)
        token = floor.enter(B, 200, 1000)
        floor.wait(500)
        behind = floor.add(0, B, 1000, 400)
        floor.execute(0, ahead, 300)
        assert floor.said(token) == ["accepted 200 at 1000"]
        floor.execute(0, behind, 150)
        assert floor.said(token)[1:] == ["executed 150 at 1000, 50 left"]
        floor.execute(0, behind, 150)
        assert floor.said(token)[2:] == ["executed 50 at 1000, 0 left"]
        assert floor.heard[-1][2]["liquidity"] == ADDED


def test_shares_that_are_no_longer_shown_are_not_ahead() -> None:
    with Floor() as floor:
        first = floor.add(0, B, 1000, 300)
        token = floor.enter(B, 200, 1000)
        floor.wait(500)
        last = floor.add(0, B, 1000, 100)
        floor.delete(0, first)  # 100 are shown, so no more than 100 are ahead
        floor.execute(0, last, 100)
        floor.trade(0, 1000, 60)
        assert floor.said(token)[1:] == ["executed 60 at 1000, 140 left"]


def test_cancels_count_as_ahead_in_proportion_where_a_venue_says_so() -> None:
    venue = lit(0, cancels_ahead=1.0)
    with Floor([venue]) as floor:
        floor.add(0, B, 1000, 300)
        token = floor.enter(B, 200, 1000)
        floor.wait(500)
        behind = floor.add(0, B, 1000, 300)
        floor.delete(0, behind)  # half of the 600 is ahead, so is half of what is canceled
        floor.trade(0, 1000, 200)
        assert floor.said(token)[1:] == ["executed 50 at 1000, 150 left"]


def test_a_trade_through_the_price_fills_all() -> None:
    with Floor() as floor:
        floor.add(0, B, 1000, 300)
        worse = floor.add(0, B, 999, 100)
        token = floor.enter(B, 200, 1000)
        floor.wait(500)
        floor.execute(0, worse, 1)
        assert floor.said(token)[1:] == ["executed 200 at 1000, 0 left"]


def test_an_offer_that_crosses_us_meets_us_and_is_ours() -> None:
    with Floor() as floor:
        token = floor.enter(B, 200, 1000)
        floor.wait(500)
        floor.add(0, S, 999, 150)
        assert floor.said(token)[1:] == ["executed 150 at 1000, 50 left"]
        taker = floor.enter(B, 10, 999, 1)
        assert floor.said(taker)[1:] == ["canceled 10: ioc remainder"]


def test_two_orders_of_ours_share_an_execution() -> None:
    with Floor() as floor:
        shown = floor.add(0, S, 1000, 500)
        first, second = floor.enter(S, 100, 1000), floor.enter(S, 100, 1000)
        floor.wait(500)
        floor.execute(0, shown, 500)
        assert floor.said(first)[1:] == floor.said(second)[1:] == []
        late = floor.add(0, S, 1000, 150)
        floor.execute(0, late, 150)
        assert floor.said(first)[1:] == ["executed 100 at 1000, 0 left"]
        assert floor.said(second)[1:] == ["executed 50 at 1000, 50 left"]


def test_a_reserve_order_goes_to_the_back_with_every_slice() -> None:
    with Floor() as floor:
        token = floor.enter(S, 300, 1000, shown=100)
        floor.wait(500)
        shown = floor.add(0, S, 1000, 400)
        floor.execute(0, shown, 150)
        assert floor.said(token)[1:] == ["executed 100 at 1000, 200 left"]
        floor.execute(0, shown, 250)
        late = floor.add(0, S, 1000, 80)
        floor.execute(0, late, 80)
        assert floor.said(token)[2:] == ["executed 80 at 1000, 120 left"]


def test_a_hidden_order_is_filled_by_unseen_trades_alone() -> None:
    with Floor() as floor:
        shown = floor.add(0, B, 1000, 100)
        token = floor.enter(B, 100, 1000, flags=NOT_SHOWN)
        floor.wait(500)
        floor.execute(0, shown, 100)
        floor.trade(0, 1000, 70)
        assert floor.said(token)[1:] == ["executed 70 at 1000, 30 left"]


def test_post_only_orders_that_would_take_are_refused_or_moved() -> None:
    venues = [lit(0), lit(1, post_only="slide")]
    with Floor(venues) as floor:
        for venue in (0, 1):
            floor.add(venue, S, 1001, 100)
        refused = floor.enter(B, 100, 1002, flags=POST_ONLY)
        moved = floor.enter(B, 100, 1002, port=1, flags=POST_ONLY)
        stands = floor.enter(B, 100, 1000, flags=POST_ONLY)
        assert floor.said(refused) == ["rejected: would take"]
        assert floor.said(moved) == ["accepted 100 at 1000"]
        assert floor.said(stands) == ["accepted 100 at 1000"]


def test_a_cancel_that_a_fill_overtakes_is_refused() -> None:
    with Floor() as floor:
        token = floor.enter(B, 100, 1000)
        floor.wait(500)
        floor.cancel(token)
        floor.now_ns += 50  # the cancel is on its way
        floor.trade(0, 999, 10)
        assert floor.said(token)[1:] == [
            "executed 100 at 1000, 0 left",
            "cancel rejected: unknown order",
        ]


def test_a_silent_venue_does_not_answer_a_late_cancel() -> None:
    with Floor([lit(0, late_cancels="silent")]) as floor:
        token = floor.enter(B, 100, 1000)
        floor.wait(500)
        floor.cancel(token)
        floor.wait(500)
        floor.cancel(token)
        assert floor.said(token)[1:] == ["canceled 100: by owner"]
        assert floor.sim.counters["ignored"] == 1


def test_a_replace_to_fewer_shares_keeps_its_place_where_the_venue_says_so() -> None:
    venues = [lit(0), lit(1, model=model(size_down="loses"))]
    with Floor(venues) as floor:
        tokens, behind = [], []
        for venue in (0, 1):
            old = floor.enter(B, 300, 1000, port=venue)
            floor.wait(500)
            behind.append(floor.add(venue, B, 1000, 100))
            tokens.append(floor.replace(old, 200, 1000, port=venue))
            floor.wait(500)
        for venue in (0, 1):
            floor.execute(venue, behind[venue], 100)
        assert floor.said(tokens[0]) == ["replaced 200 at 1000", "executed 100 at 1000, 100 left"]
        assert floor.said(tokens[1]) == ["replaced 200 at 1000"]


def test_a_replaced_order_may_take() -> None:
    with Floor() as floor:
        floor.add(0, S, 1001, 100)
        old = floor.enter(B, 300, 1000)
        floor.wait(500)
        token = floor.replace(old, 300, 1001)
        assert floor.said(token) == ["replaced 300 at 1001", "executed 100 at 1001, 200 left"]
        floor.cancel(old)
        assert floor.said(old)[-1] == "cancel rejected: unknown order"


def test_a_replace_to_what_is_executed_already_cancels_the_rest() -> None:
    with Floor() as floor:
        old = floor.enter(B, 300, 1000)
        floor.wait(500)
        floor.trade(0, 1000, 100)
        floor.replace(old, 100, 1000)
        assert floor.said(old)[1:] == ["executed 100 at 1000, 200 left", "canceled 200: by owner"]


def test_orders_are_refused_for_what_is_wrong_with_them() -> None:
    with Floor() as floor:
        cases = {
            "unknown instrument": {"instrument": 9},
            "bad price": {"price": 10 * 1_000_000 + 1},
            "bad quantity": {"quantity": 0},
            "bad side": {"side": 3},
        }
        for reason, words in cases.items():
            token = floor.enter(B, 100, 1000, **words)
            assert floor.said(token) == [f"rejected: {reason}"]


def test_halted_and_closed_instruments_are_not_traded_but_orders_can_be_canceled() -> None:
    with Floor() as floor:
        standing = floor.enter(B, 100, 1000)
        floor.wait(500)
        floor.status(0, a.STATUS_HALTED)
        halted = floor.enter(B, 100, 1000)
        floor.cancel(standing)
        assert floor.said(halted) == ["rejected: halted"]
        assert floor.said(standing)[1:] == ["canceled 100: by owner"]
        floor.status(0, a.STATUS_CLOSED)
        closed = floor.enter(B, 100, 1000)
        assert floor.said(closed) == ["rejected: closed"]


def test_shares_executed_in_the_feed_are_those_we_took_first() -> None:
    with Floor() as floor:
        shown = floor.add(0, S, 1001, 500)
        floor.enter(B, 300, 1001, 1)
        floor.wait(500)
        floor.execute(0, shown, 200)  # 300 shown, of which 100 are ours
        token = floor.enter(B, 500, 1001, 1)
        assert floor.said(token)[1] == "executed 200 at 1001, 300 left"


def test_what_was_taken_is_forgotten_with_its_level_and_with_time() -> None:
    with Floor(forget_ns=10_000) as floor:
        shown = floor.add(0, S, 1001, 500)
        floor.enter(B, 500, 1001, 1)
        floor.wait(500)
        floor.delete(0, shown)
        floor.add(0, S, 1001, 100)
        token = floor.enter(B, 100, 1001, 1)
        assert floor.said(token)[1] == "executed 100 at 1001, 0 left"
        floor.wait(20_000)
        later = floor.enter(B, 100, 1001, 1)
        assert floor.said(later)[1] == "executed 100 at 1001, 0 left"


def test_nothing_is_watched_without_orders_and_memories() -> None:
    with Floor(forget_ns=1_000) as floor:
        floor.add(0, S, 1001, 500)
        assert int(floor.sim.head["watched"]) == 0
        floor.enter(B, 100, 1001, 1)
        floor.wait(500)
        assert int(floor.sim.head["watched"]) == 1
        floor.wait(5_000)
        floor.packet(0, action(a.CLOCK))
        assert int(floor.sim.head["watched"]) == 0


def test_an_auction_that_crossed_nothing_trades_through_nobody() -> None:
    with Floor() as floor:
        token = floor.enter(B, 100, 1000)
        floor.wait(500)
        floor.trade(0, 0, 0)
        floor.trade(0, 999, 0)
        assert floor.said(token) == ["accepted 100 at 1000"]


def test_a_partial_execution_and_the_rest_of_an_order_in_one_packet_count_once() -> None:
    with Floor() as floor:
        first = floor.add(0, B, 1000, 300)
        second = floor.add(0, B, 1000, 300)
        token = floor.enter(B, 100, 1000)
        floor.wait(500)
        floor.packet(
            0, action(a.EXECUTE, order_id=first, quantity=200), action(a.DELETE, order_id=first)
        )
        floor.execute(0, second, 300)  # all that was ahead, and nothing more
        assert floor.said(token)[1:] == []
        floor.trade(0, 1000, 100)
        assert floor.said(token)[1:] == ["executed 100 at 1000, 0 left"]


def test_levels_that_are_said_whole_are_canceled_when_they_shrink_and_meet_us_when_they_grow() -> (
    None
):
    with Floor() as floor:
        bid = {"side": B, "key": 1, "price": 1000 * CENT}
        floor.packet(0, action(a.LEVEL, **bid, quantity=300))
        token = floor.enter(B, 200, 1000)
        floor.wait(500)
        floor.packet(0, action(a.LEVEL, **bid, quantity=100))
        floor.trade(0, 1000, 150)  # 100 were left ahead
        assert floor.said(token)[1:] == ["executed 50 at 1000, 150 left"]
        floor.packet(0, action(a.LEVEL, **{**bid, "side": S}, quantity=100))
        assert floor.said(token)[2:] == ["executed 100 at 1000, 50 left"]


def test_a_moved_top_forgets_what_was_taken_of_the_old_one() -> None:
    with Floor() as floor:
        offer = {"side": S, "key": 1, "quantity": 300}
        floor.packet(0, action(a.TOP, **offer, price=1001 * CENT))
        floor.enter(B, 300, 1001, 1)
        floor.wait(500)
        floor.packet(0, action(a.TOP, **offer, price=1002 * CENT))
        floor.packet(0, action(a.TOP, **offer, price=1001 * CENT))
        token = floor.enter(B, 300, 1001, 1)
        assert floor.said(token)[1] == "executed 300 at 1001, 0 left"


def test_an_emptied_book_forgets_what_was_taken() -> None:
    with Floor() as floor:
        for clear in (action(a.CLEAR, key=1), action(a.CLEAR, flags=a.ALL)):
            floor.add(0, S, 1001, 300)
            token = floor.enter(B, 300, 1001, 1)
            assert floor.said(token)[1] == "executed 300 at 1001, 0 left"
            floor.packet(0, clear)
            assert int(floor.sim.venue_row(0)["taken_count"]) == 0


def test_nothing_is_taken_from_a_book_that_is_not_live() -> None:
    with Floor() as floor:
        floor.add(0, S, 1001, 300)
        floor.books[0].tops["trust"][1] = STALE
        floor.market.refresh(floor.now_ns)
        assert floor.said(floor.enter(B, 300, 1001, 1))[1:] == ["canceled 300: ioc remainder"]


def test_an_execution_of_what_came_behind_us_in_one_packet_is_ours() -> None:
    with Floor() as floor:
        floor.add(0, B, 1000, 300)
        token = floor.enter(B, 200, 1000)
        floor.wait(500)
        new = {"side": B, "key": 1, "price": 1000 * CENT, "order_id": 900}
        floor.packet(
            0,
            action(a.ADD, **new, quantity=100),
            action(a.REPLACE, order_id=900, aux=901, price=1000 * CENT, quantity=100),
            action(a.EXECUTE, order_id=901, quantity=50),
        )
        assert floor.said(token)[1:] == ["executed 50 at 1000, 150 left"]


def test_a_modified_order_leaves_its_price_or_shrinks_in_place() -> None:
    with Floor() as floor:
        first, second = floor.add(0, B, 1000, 300), floor.add(0, B, 1000, 200)
        token = floor.enter(B, 200, 1000)
        floor.wait(500)
        floor.packet(0, action(a.MODIFY, order_id=first, price=a.NO_PRICE, quantity=100))
        floor.packet(0, action(a.MODIFY, order_id=second, price=999 * CENT, quantity=200))
        floor.trade(0, 1000, 150)  # 100 are still ahead
        assert floor.said(token)[1:] == ["executed 50 at 1000, 150 left"]
        offer = floor.add(0, S, 1005, 100)
        floor.packet(0, action(a.MODIFY, order_id=offer, price=1000 * CENT, quantity=100))
        assert floor.said(token)[2:] == ["executed 100 at 1000, 50 left"]
