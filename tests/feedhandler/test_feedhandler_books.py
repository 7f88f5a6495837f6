"""What becomes of orders, levels and tops: small scenarios, each held against the slow model."""

from book_rig import SMALL, B, Pair, S, act, add

from feedhandler import actions as a
from feedhandler.books.sizes import Sizes
from feedhandler.books.views import BookViews


def test_orders_queue_at_their_level_and_the_best_is_on_top():
    with Pair() as pair:
        pair.apply(add(1, B, 100, 10, sequence=1), add(2, B, 101, 20, sequence=2))
        pair.apply(add(3, B, 101, 30, sequence=3), add(4, S, 105, 40, sequence=4))
        assert pair.side(B) == [(101, 50, 2), (100, 10, 1)]
        assert pair.side(S) == [(105, 40, 1)]
        assert pair.top() == (101, 50, 105, 40)
        assert pair.queue() == [(2, 1), (3, 2), (1, 1), (4, 1)]


def test_an_execution_takes_shares_and_then_the_order():
    with Pair() as pair:
        pair.apply(add(1, B, 100, 10), act(a.EXECUTE, order_id=1, quantity=4, key=1))
        assert pair.side(B) == [(100, 6, 1)]
        pair.apply(act(a.EXECUTE_PRICE, order_id=1, quantity=6, price=99, key=1))
        assert pair.side(B) == []
        assert pair.top() == (0, 0, 0, 0)
        assert pair.book.order_count() == 0
        assert pair.book.faults() == {}


def test_a_replaced_order_goes_to_the_back():
    with Pair() as pair:
        pair.apply(add(1, S, 100, 10, sequence=1), add(2, S, 100, 10, sequence=2))
        pair.apply(act(a.REPLACE, order_id=1, aux=3, price=100, quantity=5, key=1, sequence=3))
        assert pair.queue() == [(2, 1), (3, 2)]
        assert pair.side(S) == [(100, 15, 2)]


def test_a_modified_order_keeps_its_place_when_the_venue_says_so():
    with Pair() as pair:
        pair.apply(add(1, S, 100, 10, sequence=1), add(2, S, 100, 10, sequence=2))
        smaller = {"order_id": 1, "price": a.NO_PRICE, "quantity": 5, "key": 1}
        pair.apply(act(a.MODIFY, **smaller, flags=a.KEEPS_PRIORITY, sequence=3))
        assert pair.queue() == [(1, 1), (2, 2)]
        pair.apply(act(a.MODIFY, **smaller, sequence=4))
        assert pair.queue() == [(2, 1), (1, 2)]
        pair.apply(act(a.MODIFY, order_id=2, price=101, quantity=7, key=1, sequence=5))
        assert pair.side(S) == [(100, 5, 1), (101, 7, 1)]
        assert pair.top() == (0, 0, 100, 5)


def test_attribution_stays_with_the_order():
    with Pair() as pair:
        pair.apply(add(1, B, 100, 10, aux=77, flags=a.ATTRIBUTED))
        pair.apply(act(a.REPLACE, order_id=1, aux=2, price=101, quantity=5, key=1))
        assert pair.book.orders(1)["attribution"].tolist() == [77]


def test_levels_and_quotes_of_venues_without_orders():
    with Pair() as pair:
        pair.apply(act(a.LEVEL, side=B, price=100, quantity=7, key=1))
        pair.apply(act(a.LEVEL, side=B, price=101, quantity=5, key=1))
        assert pair.side(B) == [(101, 5, 0), (100, 7, 0)]
        pair.apply(act(a.LEVEL, side=B, price=101, quantity=0, key=1))
        assert pair.top() == (100, 7, 0, 0)
        pair.apply(act(a.TOP, side=S, price=105, quantity=9, key=2))
        pair.apply(act(a.TOP, side=S, price=104, quantity=3, key=2))
        assert pair.side(S, 2) == [(104, 3, 0)]
        pair.apply(act(a.TOP, side=S, price=104, quantity=0, key=2))
        assert pair.top(2) == (0, 0, 0, 0)


def test_a_clear_empties_an_instrument_or_all_of_a_unit():
    with Pair() as pair:
        pair.apply(add(1, B, 100, 1, key=1, unit=3), add(2, S, 101, 1, key=1, unit=3))
        pair.apply(add(3, B, 100, 1, key=2, unit=3), add(4, B, 100, 1, key=3, unit=4))
        pair.apply(act(a.CLEAR, key=1, unit=3))
        assert [pair.side(B, n) for n in (1, 2, 3)] == [[], [(100, 1, 1)], [(100, 1, 1)]]
        pair.apply(act(a.CLEAR, flags=a.ALL, unit=3))
        assert [pair.side(B, n) for n in (1, 2, 3)] == [[], [], [(100, 1, 1)]]
        assert pair.book.order_count() == 1


def test_statuses_and_price_tests():
    with Pair() as pair:
        pair.apply(act(a.STATUS, key=1, aux=a.STATUS_TRADING), act(a.RESTRICT, key=1, aux=1))
        row = pair.book.best(1)
        assert (row["status"], row["restricted"]) == (a.STATUS_TRADING, 1)
        assert pair.book.trust(1) == "live"
        pair.apply(act(a.STATUS, key=1, aux=a.STATUS_HALTED))
        assert pair.book.trust(1) == "halted"


def test_impossible_orders_are_counted_and_mark_their_book():
    with Pair() as pair:
        pair.apply(add(1, B, 100, 10), add(1, B, 100, 10))
        pair.apply(act(a.DELETE, order_id=9, key=1), act(a.EXECUTE, order_id=9, quantity=1, key=1))
        pair.apply(act(a.EXECUTE, order_id=1, quantity=11, key=1))
        pair.apply(add(2, B, a.NO_PRICE, 10), add(3, B, 100, 0), add(4, 0, 100, 10))
        pair.apply(add(5, B, 100, 10, key=99))
        assert pair.book.faults() == {
            "duplicate_order": 1,
            "unknown_order": 2,
            "over_reduced": 1,
            "bad_price": 1,
            "bad_quantity": 1,
            "bad_side": 1,
            "unknown_instrument": 1,
        }
        assert pair.model.top(1).fault == "duplicate_order"
        assert pair.book.order_count() == 0


def test_the_id_of_free_slots_is_no_order():
    with Pair() as pair:
        pair.apply(add(-1, B, 100, 10), add(1, B, 100, 10))
        for kind in (a.DELETE, a.EXECUTE, a.REDUCE, a.REPLACE, a.MODIFY):
            pair.apply(act(kind, order_id=-1, quantity=1, price=100, aux=2, key=1))
        assert pair.book.faults() == {"duplicate_order": 1, "unknown_order": 5}
        assert pair.side(B) == [(100, 10, 1)]


def test_a_crossed_book_is_a_fault_only_while_trading_and_outside_events():
    with Pair() as pair:
        pair.apply(add(1, B, 100, 1), add(2, S, 100, 1))
        assert pair.book.faults() == {}
        pair.apply(act(a.STATUS, key=2, aux=a.STATUS_TRADING))
        pair.apply(act(a.LEVEL, side=B, price=100, quantity=1, key=2))
        pair.apply(act(a.LEVEL, side=S, price=99, quantity=1, key=2, flags=a.EVENT_OPEN))
        assert pair.book.faults() == {}
        pair.apply(act(a.LEVEL, side=B, price=100, quantity=2, key=2))
        assert pair.book.faults() == {"crossed": 1}


def test_full_tables_are_refused_and_make_the_book_stale():
    for sizes, fault in (
        (Sizes(orders=3, levels=9, instruments=4), "orders_full"),
        (Sizes(orders=9, levels=3, instruments=4), "levels_full"),
        (Sizes(orders=9, levels=9, instruments=4, chunk_bytes=64, windows=0), "chunks_full"),
    ):
        with Pair(sizes) as pair:
            pair.apply(*(add(n, B, 100 + n, 10) for n in range(5)))
            refused = pair.book.faults()
            assert list(refused) == [fault]
            assert pair.book.trust(1) == "stale"
            assert len(pair.side(B)) == 5 - refused[fault]


def test_text_keys_get_numbers_as_they_come():
    with Pair(Sizes(orders=9, levels=9, instruments=4, named=True)) as pair:
        aapl, spy = (int.from_bytes(s.ljust(8), "little") for s in (b"AAPL", b"SPY"))
        pair.apply(add(1, B, 100, 1, key=spy), add(2, B, 101, 1, key=aapl))
        assert (pair.book.instrument(spy), pair.book.instrument(aapl)) == (1, 2)
        assert pair.book.instrument(5) is None
        pair.apply(act(a.STATUS, flags=a.ALL, aux=a.STATUS_TRADING))
        pair.apply(add(3, B, 1, 1, key=5), add(4, B, 1, 1, key=6), add(5, B, 1, 1, key=spy))
        assert pair.book.faults() == {"unknown_instrument": 1}


def test_ladders_deeper_than_a_first_look():
    with Pair(Sizes(orders=600, levels=600, instruments=4)) as pair:
        for n in range(300):
            pair.apply(add(n, S, 1000 + (7 * n) % 300, 1), whole=False)
        assert [price for price, _, _ in pair.side(S)] == list(range(1000, 1300))
        assert pair.book.ladder(1, S, most=3)["price"].tolist() == [1000, 1001, 1002]


def test_a_venue_without_actions_is_empty():
    with Pair(SMALL) as pair:
        views: BookViews = pair.book
        assert views.active() == []
        assert views.orders(1).size == 0
        assert pair.top() == (0, 0, 0, 0)
