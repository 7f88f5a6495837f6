"""Orders that take what a replayed venue shows."""

from __future__ import annotations

from replayvenue_rig import INBOUND_NS, OUTBOUND_NS, B, Floor, S

from router.tables import DAY, FOK, IOC, REMOVED


def test_an_ioc_takes_two_levels_and_the_rest_is_canceled() -> None:
    with Floor() as floor:
        floor.add(0, S, 1001, 300)
        floor.add(0, S, 1002, 200)
        floor.add(0, S, 1004, 500)
        floor.enter(B, 700, 1002, IOC)
        assert floor.said() == [
            "accepted 700 at 1002",
            "executed 300 at 1001, 400 left",
            "executed 200 at 1002, 200 left",
            "canceled 200: ioc remainder",
        ]
        assert {words["liquidity"] for _, _, words in floor.heard if words["execution"]} == {
            REMOVED
        }


def test_what_was_taken_is_not_there_a_second_time() -> None:
    with Floor() as floor:
        floor.add(0, S, 1001, 300)
        floor.enter(B, 200, 1001, IOC)
        floor.wait(500)
        second = floor.enter(B, 200, 1001, IOC)
        assert floor.said(second) == [
            "accepted 200 at 1001",
            "executed 100 at 1001, 100 left",
            "canceled 100: ioc remainder",
        ]


def test_answers_come_after_both_ways() -> None:
    with Floor() as floor:
        floor.add(0, S, 1001, 300)
        sent = floor.now_ns
        floor.enter(B, 300, 1001, DAY)
        floor.said()
        assert [time for time, _, _ in floor.heard] == [sent + INBOUND_NS + OUTBOUND_NS] * 2


def test_fok_is_all_or_nothing() -> None:
    with Floor() as floor:
        floor.add(0, S, 1001, 300)
        first = floor.enter(B, 301, 1001, FOK)
        second = floor.enter(B, 300, 1001, FOK)
        assert floor.said(first) == ["accepted 301 at 1001", "canceled 301: fok not filled"]
        assert floor.said(second) == ["accepted 300 at 1001", "executed 300 at 1001, 0 left"]
