"""Live sessions in the compiled loop: heartbeats, losses, what becomes of orders, coming back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from live_loop_rig import MS, SECOND, LoopRig
from loop_kernels import run_set_timer

from feedhandler.protocols.ouch50 import INBOUND, OUTBOUND
from feedhandler.transports.soupbintcp import HEADER_BYTES, SOUPBINTCP, wrap
from feedhandler.transports.transport import read_message
from nic.layout import RX_END, RX_ERROR
from nic.regions import allowed
from router.entry import layout as e
from router.tables import DOWN_ASKED, DOWN_FEED, DOWN_SESSION, ENTER, INTENT_TIMER, REPLACE, TAKES

BEAT = SOUPBINTCP["R"].encode()
SERVER_BEAT = SOUPBINTCP["H"].encode()
VENUE = "nasdaq"
AGAIN, BROKEN_PIPE = -11, -32


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[LoopRig]:
    with LoopRig(tmp_path) as made:
        made.run.sessions.set_beats(made.number(VENUE), BEAT, 800 * MS, 5 * SECOND)
        yield made


def accepted(token: int) -> bytes:
    """The venue has an order."""
    given = {
        "user_ref_num": token, "side": "B", "quantity": 100, "symbol": "KOZ", "price": 10_000,
        "time_in_force": "0", "display": "Y", "order_reference_number": 7, "capacity": "P",
        "inter_market_sweep_eligibility": "N", "cross_type": "N", "order_state": "L",
    }  # fmt: skip
    return wrap("S", OUTBOUND["A"].encode(given))


def canceled(token: int) -> bytes:
    """The venue took off what was left."""
    given = {"user_ref_num": token, "quantity": 100, "cancel_order_reason": "U"}
    return wrap("S", OUTBOUND["C"].encode(given))


def messages(data: bytes) -> list[tuple[str, int]]:
    """Codes and order names of what was sent to an OUCH venue, heartbeats left out."""
    made, at = [], 0
    while at < len(data):
        end = at + 2 + int.from_bytes(data[at : at + 2], "big")
        if data[at + 2 : at + 3] == b"U":
            record, values = read_message(INBOUND, data, at + HEADER_BYTES, end)
            made.append((str(record.code), int(str(values["user_ref_num"]))))
        at = end
    return made


def gone(rig: LoopRig, venue: str = VENUE) -> bool:
    """Whether the loop has let go of the session's port and nothing is routed to its venue."""
    number = rig.number(venue)
    down = int(rig.tables.venues[number]["down"]) & DOWN_SESSION
    return not rig.commands.is_up(number) and down != 0


def test_a_heartbeat_leaves_after_silence_and_not_before(rig: LoopRig) -> None:
    port = rig.up(VENUE)
    rig.tick(700 * MS)
    assert port.sent() == b""
    rig.tick(100 * MS)
    assert port.sent() == BEAT
    rig.tick(700 * MS)
    assert port.sent() == b"" and int(rig.session(VENUE)["beats"]) == 1


def test_a_heartbeat_that_finds_no_room_waits_and_a_broken_port_is_given_up(rig: LoopRig) -> None:
    port = rig.up(VENUE)
    port.refuses(AGAIN)
    rig.tick(800 * MS)
    assert not gone(rig)
    port.refuses(0)
    rig.tick(1 * MS)
    assert port.sent() == BEAT
    port.refuses(BROKEN_PIPE)
    rig.tick(800 * MS)
    assert gone(rig) and rig.told()[-1] == (rig.number(VENUE), e.FAILED, 0)


def test_a_venue_that_says_nothing_is_lost_and_one_that_beats_is_not(rig: LoopRig) -> None:
    port = rig.up(VENUE)
    for _ in range(6):
        rig.now_ns += SECOND
        port.says((rig.now_ns, SERVER_BEAT))
        rig.tick()
    assert not gone(rig) and port.released == 6
    rig.tick(5 * SECOND - 1)
    assert not gone(rig)
    rig.tick(1)
    assert gone(rig) and rig.told()[-1] == (rig.number(VENUE), e.SILENT, 0)


def test_answers_move_orders_at_the_time_they_came(rig: LoopRig) -> None:
    port, child = rig.up(VENUE), rig.order(VENUE)
    came_ns = rig.now_ns + 3 * MS
    port.says((came_ns, accepted(rig.token(child))))
    rig.step()
    assert rig.state(child) == "new"
    assert int(rig.tables.children[child]["heard_ns"]) == came_ns
    port.says((came_ns - MS, canceled(rig.token(child))))  # a slower clock
    rig.step()
    assert rig.state(child) == "canceled"
    assert int(rig.tables.children[child]["last_ns"]) == came_ns, "time never goes back"


@pytest.mark.parametrize(("code", "event"), [(RX_END, e.ENDED), (RX_ERROR, e.FAILED)])
def test_orders_of_a_lost_session_are_unknown_but_for_those_that_never_left(
    rig: LoopRig, code: int, event: int
) -> None:
    port = rig.up(VENUE)
    sent, heard, late = rig.order(VENUE), rig.order(VENUE), rig.waiting(VENUE)
    other = rig.order("memx")
    port.says((rig.now_ns, accepted(rig.token(heard))))
    port.ends(code)
    rig.step()
    assert gone(rig)
    assert [rig.state(n) for n in (sent, heard, late)] == ["unknown", "unknown", "pending new"]
    assert rig.state(other) == "pending new"
    assert rig.told()[-1] == (rig.number(VENUE), event, 2)


def test_what_the_venue_says_of_the_end_or_in_no_words_at_all_loses_the_session(
    rig: LoopRig,
) -> None:
    port = rig.up(VENUE)
    port.says((rig.now_ns, SOUPBINTCP["Z"].encode()))
    rig.step()
    assert gone(rig) and rig.told()[-1][1] == e.LOGGED_OUT
    port = rig.up("bzx")
    port.says((rig.now_ns, bytes(10)))
    rig.step()
    assert gone(rig, "bzx") and rig.told()[-1][1] == e.UNREADABLE
    for venue in (VENUE, "bzx"):
        rig.up(venue)
        assert rig.told()[-1] == (rig.number(venue), e.CAME_UP, 0)


def lose(rig: LoopRig) -> None:
    """The session is lost."""
    rig.ports[VENUE].ends(RX_END)
    rig.step()
    assert gone(rig)


def test_what_was_missed_comes_in_pieces_and_what_never_arrived_is_told(rig: LoopRig) -> None:
    port, number = rig.up(VENUE), rig.number(VENUE)
    one, two, three = (rig.order(VENUE) for _ in range(3))
    port.says((rig.now_ns, accepted(rig.token(one)) + accepted(rig.token(two))))
    rig.step()
    lose(rig)
    login = SOUPBINTCP["A"].encode(session="1", sequence_number=3)
    missed = login + canceled(rig.token(one))
    for at in range(0, len(missed), 7):
        assert rig.commands.heard(number, missed[at : at + 7], first=at == 0)
        rig.step()
    assert rig.commands.lost(number, rig.token(three), ENTER)
    rig.up(VENUE)
    assert [rig.state(n) for n in (one, two, three)] == ["canceled", "new", "rejected"]
    context = rig.tables.block["session_contexts"][number]
    assert int(context["next_sequence"]) == 4


def test_a_replace_that_never_arrived_leaves_the_order_as_it_was(rig: LoopRig) -> None:
    port, child = rig.up(VENUE), rig.order(VENUE)
    port.says((rig.now_ns, accepted(rig.token(child))))
    rig.step()
    token = rig.orders.ask_replace(child, 200, 0, rig.now_ns)
    assert token != 0
    lose(rig)
    assert rig.commands.lost(rig.number(VENUE), token, REPLACE)
    rig.up(VENUE)
    assert rig.state(child) == "new" and int(rig.tables.children[child]["quantity"]) == 100


def test_a_cancel_waits_for_the_session_and_leaves_when_it_is_back(rig: LoopRig) -> None:
    port, parent = rig.up(VENUE), rig.parent()
    child = rig.order(VENUE, parent, flags=TAKES)
    port.says((rig.now_ns, accepted(rig.token(child))))
    rig.step()
    lose(rig)
    assert rig.parents.cancel_parent(parent)
    rig.step()
    assert messages(port.sent()) == [] and rig.state(child) == "unknown"
    port = rig.up(VENUE)
    assert messages(port.sent()) == [("X", rig.token(child))]
    port.says((rig.now_ns, canceled(rig.token(child))))
    rig.step()
    assert rig.state(child) == "canceled" and int(rig.tables.head["open_count"]) == 0


def test_a_kill_while_the_session_is_away_cancels_when_it_is_back(rig: LoopRig) -> None:
    port, child = rig.up(VENUE), rig.order(VENUE, rig.parent(), flags=TAKES)
    port.says((rig.now_ns, accepted(rig.token(child))))
    rig.step()
    lose(rig)
    assert rig.parents.kill()
    rig.step()
    assert messages(port.sent()) == [] and rig.state(child) == "unknown"
    port = rig.up(VENUE)
    assert messages(port.sent()) == [("X", rig.token(child))]


def leaves_at(rig: LoopRig, child: int, later_ns: int) -> None:
    """An order that waits is due then, and that time comes."""
    due_ns = rig.now_ns + later_ns
    with allowed(rig.tables.block):
        assert run_set_timer(rig.tables.address, due_ns, INTENT_TIMER, child) == 1
    rig.tick(later_ns)


def test_an_order_that_waited_gets_a_name_above_those_that_left_before_it(rig: LoopRig) -> None:
    port, other = rig.up(VENUE), rig.up("bzx")
    early, late = rig.waiting(VENUE), rig.waiting(VENUE)
    first, second = rig.token(early), rig.token(late)
    leaves_at(rig, late, MS)
    leaves_at(rig, early, MS)
    names = [name for code, name in messages(port.sent()) if code == "O"]
    assert names[0] == second and names[1] > second
    assert rig.token(early) == names[1] != first
    one, two = rig.waiting("bzx"), rig.waiting("bzx")
    kept = rig.token(one)
    leaves_at(rig, two, MS)
    leaves_at(rig, one, MS)
    assert rig.token(one) == kept, "BOE takes names in any order"
    assert other.sent() != b""


def test_an_order_that_waits_for_a_lost_session_is_refused_on_the_spot(rig: LoopRig) -> None:
    rig.up(VENUE)
    child = rig.waiting(VENUE)
    lose(rig)
    leaves_at(rig, child, MS)
    assert rig.state(child) == "rejected"


def test_boe_units_are_remembered_for_the_next_login(rig: LoopRig) -> None:
    from feedhandler.protocols.cboe_boe import CBOE_BOE

    port, child = rig.up("bzx"), rig.order("bzx")
    name = f"{rig.token(child):015d}"
    given = {"matching_unit": 2, "sequence_number": 9, "cl_ord_id": name, "order_id": 5}
    port.says((rig.now_ns, CBOE_BOE[0x25].encode(given) + CBOE_BOE[0x09].encode()))
    rig.step()
    assert rig.state(child) == "new"
    units = rig.tables.block["session_units"].reshape(-1, e.UNITS)[rig.number("bzx")]
    assert units[2] == 9 and units.sum() == 9


def test_a_venue_whose_feed_is_silent_gets_no_orders(rig: LoopRig) -> None:
    rig.up(VENUE)
    row, number = rig.tables.venues[rig.number(VENUE)], rig.number(VENUE)
    assert rig.parents.venue_down(number)
    rig.step()
    for silent, down in ((True, DOWN_ASKED | DOWN_FEED), (False, DOWN_ASKED)):
        assert rig.commands.feed(number, silent=silent)
        rig.step()
        assert int(row["down"]) == down


def test_the_control_side_can_take_a_session_away(rig: LoopRig) -> None:
    rig.up(VENUE)
    assert rig.commands.down(rig.number(VENUE))
    rig.step()
    assert gone(rig) and rig.told()[-1][1] == e.ASKED
