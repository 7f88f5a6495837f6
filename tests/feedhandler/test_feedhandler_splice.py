"""Holds and images as sentences: what the stream does, what its books say, who hears of it."""

from __future__ import annotations

import random

import numpy as np
import pytest
from splice_rig import ASKED, SPLICE, A, B, Server, SpliceRig, Truth

from feedhandler.lines import splicewire as wire
from feedhandler.lines.image import Image
from feedhandler.lines.layout import (
    ABORTED,
    BEGUN,
    FAILED,
    LIVE,
    NOT_HEARD,
    NOT_WANTED,
    OTHER_SESSION,
    OVERFLOWED,
    PART_DAMAGED,
    PART_MISSING,
    RECOVERED,
    RECOVERING,
    REFUSED,
    SNAPSHOT,
    SPLICED,
    STALE,
    TOO_NEW,
    TOO_OLD,
    UNKNOWN,
    WAITING,
)
from feedhandler.lines.setup import LineOptions
from feedhandler.lines.splice import abort, hold, splice_packets
from feedhandler.transports.xdp import REFRESH_ONLY

ITCH, PITCH, NYSE, MEMX = "nasdaq_itch50", "cboe_pitch", "nyse_integrated", "memx_memoir"
LATER_NS = 1_000_000
OPTIONS = LineOptions(window_ns=50_000)
ASKING = LineOptions(window_ns=50_000, recovery_ns=1 << 40)


class Scene:
    """A venue's packets, some of which are sent on a rig; the truth is checked behind each."""

    def __init__(self, rig, server):
        self.rig, self.server = rig, server
        self.packets = server.truth.packets

    def live(self, *numbers, line=A):
        """Packets of the venue by number."""
        for number in numbers:
            self.rig.send(line, self.packets[number][2])
            self.server.truth.check(self.rig)

    def later(self, number):
        """A packet that comes when all windows are over."""
        self.rig.send(A, self.packets[number][2], LATER_NS)
        self.server.truth.check(self.rig)

    def splice(self, *payloads):
        """Splice packets, one after the other."""
        for payload in payloads:
            self.rig.send(SPLICE, payload)
            self.server.truth.check(self.rig)

    def last(self, number):
        """The last sequence of a packet."""
        first, count, _ = self.packets[number]
        return first + count - 1

    def image(self, number, serial=1, **more):
        """The splice packets of an image behind a packet."""
        return splice_packets(self.server.image(self.last(number), **more), serial)

    def live_and_right(self):
        """All books are those of the truth, and live."""
        following = int(self.rig.stream["expected"])
        return self.rig.state == LIVE and all(
            self.rig.trusted(key) and self.rig.book(key) == self.server.truth.at(key, following)
            for key in self.server.truth.keys
        )


@pytest.fixture
def scene(request):
    """A venue and a rig; parameters: feed name, options, room."""
    name, options, *room = getattr(request, "param", (ITCH, OPTIONS))
    with SpliceRig(name, options, **(room[0] if room else {})) as rig:
        yield Scene(rig, Server(name, 5, count=60))


def stale(scene):
    """Packets 10 to 12 are lost for good; the next to come is 16."""
    scene.live(*range(10), 13, 14)
    scene.later(15)
    assert scene.rig.state == STALE
    scene.rig.events()


def test_a_stale_stream_holds_takes_an_image_and_is_live_behind_it(scene):
    stale(scene)
    scene.splice(hold(0, 1))
    assert scene.rig.state == SNAPSHOT
    scene.live(16, 17, 18)
    assert scene.rig.stream["held"] == 3
    begin, *parts = scene.image(17)
    scene.splice(begin)
    assert scene.rig.books.order_count() == 0 and scene.rig.state == SNAPSHOT
    scene.splice(*parts)
    assert scene.live_and_right() and scene.rig.stream["held"] == 0
    following = scene.last(18) + 1
    assert scene.rig.events() == [(SPLICED, scene.last(17) + 1, 1), (RECOVERED, following, 0)]
    scene.live(19, 19, 20)
    assert scene.live_and_right()


@pytest.mark.parametrize("scene", [(ITCH, ASKING), (MEMX, ASKING)], indirect=True)
def test_who_joins_late_is_live_from_the_image_on(scene):
    scene.live(30, 31)
    assert scene.rig.state == UNKNOWN
    scene.later(32)
    assert scene.rig.state == RECOVERING
    scene.splice(*scene.image(31))
    assert scene.live_and_right()
    scene.live(33, 34, line=B)
    assert scene.live_and_right()


def test_an_image_ahead_of_the_lines_is_live_at_once_and_what_it_has_is_passed_over(scene):
    stale(scene)
    scene.splice(*scene.image(20))
    assert scene.live_and_right() and scene.rig.stream["expected"] == scene.last(20) + 1
    scene.live(*range(16, 24))
    assert scene.live_and_right() and scene.rig.stream["expected"] == scene.last(23) + 1


def test_an_image_may_end_within_a_packet_that_is_held(scene):
    stale(scene)
    number = next(n for n in range(17, 40) if scene.packets[n][1] > 1)
    scene.splice(hold(0, 1))
    scene.live(*range(16, number + 1))
    middle = scene.server.image(scene.packets[number][0])
    scene.splice(*splice_packets(middle, 1))
    assert scene.live_and_right() and scene.rig.stream["overlaps"] == 1


def test_an_image_older_than_what_comes_next_is_refused(scene):
    stale(scene)
    scene.live(16, 17)
    scene.splice(*scene.image(15, 3))
    assert scene.rig.events() == [(REFUSED, TOO_OLD, 3)]
    assert scene.rig.state == STALE and scene.rig.stream["images"] == 0
    scene.splice(*scene.image(17, 4))
    assert scene.live_and_right()


def test_an_image_within_the_hole_leaves_the_rest_of_it_to_be_asked_for():
    with SpliceRig(ITCH, ASKING) as rig:
        scene = Scene(rig, Server(ITCH, 5, count=60))
        scene.live(*range(10), 16)
        scene.later(17)
        assert rig.state == RECOVERING
        scene.splice(*scene.image(12))
        assert rig.state == RECOVERING and rig.stream["held"] == 2
        assert not any(map(rig.trusted, scene.server.truth.keys))
        scene.live(13, 14, 15, line=ASKED)
        assert scene.live_and_right()


def test_a_second_gap_while_an_image_comes_is_a_gap_behind_it(scene):
    stale(scene)
    scene.splice(hold(0, 1))
    scene.live(16, 17)
    *most, last = scene.image(17)
    scene.splice(*most)
    scene.live(20, 21)
    scene.splice(last)
    assert scene.rig.state == WAITING and not any(map(scene.rig.trusted, scene.server.truth.keys))
    scene.live(18, 19, line=B)
    assert scene.live_and_right()


def test_a_second_gap_that_nothing_fills_makes_the_stream_stale_again(scene):
    stale(scene)
    scene.splice(hold(0, 1), *scene.image(17))
    scene.live(20)
    scene.later(21)
    assert scene.rig.state == STALE and scene.rig.stream["gaps"] == 2
    scene.splice(*scene.image(21, 2))
    assert scene.live_and_right()


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (lambda made: [*made[:4], abort(0, 1)], ABORTED),
        (lambda made: made[:3] + made[4:], PART_MISSING),
        (lambda made: made[:-2] + made[-1:], PART_MISSING),
        (lambda made: [*made[:3], made[3][:-1], *made[4:]], PART_DAMAGED),
        (lambda made: [*made[:3], made[3][:64] + bytes(20), *made[4:]], PART_DAMAGED),
    ],
)
def test_an_image_that_is_not_whole_leaves_the_stream_stale(scene, spoil, why):
    stale(scene)
    scene.splice(hold(0, 1))
    scene.live(16, 17)
    made = spoil(scene.image(17, most=2))
    if why == PART_DAMAGED and len(made[3]) == 84:  # an empty packet is no harm: cut its header
        made[3] = made[3][:70]
    scene.splice(*made)
    assert scene.rig.state == STALE and scene.rig.stream["held"] == 0
    assert not any(map(scene.rig.trusted, scene.server.truth.keys))
    assert scene.rig.events() == [(FAILED, why, 1)]
    scene.live(18)
    scene.splice(*scene.image(18, 2))
    assert scene.live_and_right()


def test_an_image_with_the_same_order_twice_is_not_believed(scene):
    stale(scene)
    _, *parts, _ = scene.image(17, most=2)
    inner = tuple(part[wire.SPLICE_BYTES :] for part in [*parts, parts[-1]])
    scene.splice(*splice_packets(Image(0, scene.last(17), inner), 1))
    assert scene.rig.events() == [(FAILED, PART_DAMAGED, 1)] and scene.rig.state == STALE


@pytest.mark.parametrize("scene", [(PITCH, OPTIONS)], indirect=True)
def test_an_image_of_another_unit_is_not_believed(scene):
    stale(scene)
    made = scene.server.image(scene.last(17))
    other = tuple(one[:3] + b"\2" + one[4:] for one in made.datagrams)
    scene.splice(*splice_packets(Image(1, made.sequence, other), 1))
    assert scene.rig.events() == [(FAILED, PART_DAMAGED, 1)] and scene.rig.state == STALE


@pytest.mark.parametrize("scene", [(ITCH, LineOptions(window_ns=50_000, slots=4))], indirect=True)
def test_without_room_to_hold_more_the_hold_is_dropped_and_the_stream_is_stale(scene):
    stale(scene)
    scene.splice(hold(0, 7))
    first = int(scene.rig.stream["expected"])
    scene.live(16, 17, 18, 19)
    assert scene.rig.state == SNAPSHOT and scene.rig.stream["held"] == 4
    scene.live(20)
    assert scene.rig.state == STALE and scene.rig.stream["held"] == 0
    assert scene.rig.stream["expected"] == scene.last(20) + 1
    assert scene.rig.events() == [(OVERFLOWED, first, 7)]
    scene.splice(hold(0, 8), *scene.image(20, 9))
    assert scene.live_and_right()


def test_an_overflow_amid_an_image_ends_it():
    options = LineOptions(window_ns=50_000, buffer_packets=3)
    with SpliceRig(ITCH, options) as rig:
        scene = Scene(rig, Server(ITCH, 5, count=60))
        stale(scene)
        begin, *rest = scene.image(16)
        scene.splice(begin, rest[0])
        scene.live(16, 17, 18, 19)
        assert rig.state == STALE
        scene.splice(*rest[1:])
        assert rig.state == STALE and rig.stream["bad_splices"] == len(rest) - 1
        assert not any(map(rig.trusted, scene.server.truth.keys))


def test_an_answer_that_fills_the_hole_while_an_image_is_awaited_is_enough():
    with SpliceRig(ITCH, ASKING) as rig:
        scene = Scene(rig, Server(ITCH, 5, count=60))
        scene.live(*range(10), 12)
        scene.later(13)
        scene.splice(hold(0, 1))
        assert rig.state == SNAPSHOT
        scene.live(10, line=ASKED)
        assert rig.state == SNAPSHOT
        scene.live(11, line=ASKED)
        assert scene.live_and_right()
        rig.events()
        scene.splice(*scene.image(13))
        assert scene.live_and_right() and rig.events() == [(REFUSED, NOT_WANTED, 1)]


def test_a_hold_given_up_goes_back_to_what_was_before():
    with SpliceRig(ITCH, ASKING) as rig:
        scene = Scene(rig, Server(ITCH, 5, count=60))
        scene.live(*range(10), 12)
        scene.later(13)
        scene.splice(hold(0, 1), abort(0, 1))
        assert rig.state == RECOVERING and rig.stream["held"] == 2
        scene.live(10, 11, line=ASKED)
        assert scene.live_and_right()


def test_nothing_is_held_of_a_stream_that_lacks_nothing(scene):
    scene.live(0, 1, 2)
    scene.splice(hold(0, 1), *scene.image(2, 2))
    assert scene.live_and_right()
    assert scene.rig.events() == [(REFUSED, NOT_WANTED, 1), (REFUSED, NOT_WANTED, 2)]
    scene.live(4)
    scene.splice(hold(0, 3))
    assert scene.rig.events() == [(REFUSED, NOT_WANTED, 3)] and scene.rig.state == WAITING


def test_a_hold_before_the_first_packet_of_the_day_is_no_harm(scene):
    scene.splice(hold(0, 1), *scene.image(2, 2))
    assert scene.rig.state == SNAPSHOT and scene.rig.events() == [(REFUSED, NOT_HEARD, 2)]
    scene.live(0, 1)
    assert scene.live_and_right()


def test_images_of_another_session_or_from_the_far_future_are_refused(scene):
    stale(scene)
    image = scene.server.image(scene.last(17))
    session = int(scene.rig.stream["session"])
    for serial, (own, sequence) in enumerate(
        [(session + 1, image.sequence), (session, 1 << 40), (session, image.sequence)], 1
    ):
        made = Image(0, sequence, image.datagrams, session=own)
        scene.splice(*splice_packets(made, serial))
    refused = [(REFUSED, OTHER_SESSION, 1), (REFUSED, TOO_NEW, 2)]
    assert scene.rig.events()[:2] == refused and scene.live_and_right()


def in_session(server, session):
    """The packets of a server as of another session."""
    return [(f, n, session + payload[10:]) for f, n, payload in server.truth.packets]


def test_a_new_session_amid_an_image_ends_it_and_starts_with_empty_books(scene):
    stale(scene)
    begin, *rest = scene.image(17)
    scene.splice(hold(0, 1), begin, *rest[:3])
    new = Server(ITCH, 9, count=20)
    truth = Truth(ITCH, in_session(new, b"SAMPLE0002"))
    scene.rig.send(A, truth.packets[0][2])
    truth.check(scene.rig)
    assert scene.rig.state == LIVE and scene.rig.events() == [(BEGUN, 1, 0), (RECOVERED, 1, 0)]
    for payload in rest[3:]:
        scene.rig.send(SPLICE, payload)
        truth.check(scene.rig)
    for _, _, payload in truth.packets[1:]:
        scene.rig.send(B, payload)
        truth.check(scene.rig)
    assert scene.rig.state == LIVE and all(map(scene.rig.trusted, truth.keys))
    assert scene.rig.stream["bad_splices"] == len(rest) - 3


@pytest.mark.parametrize("scene", [(ITCH, OPTIONS, {"orders": 12})], indirect=True)
def test_books_that_a_full_table_made_stale_are_live_again_when_the_image_had_room(scene):
    truth, rig = scene.server.truth, scene.rig
    scene.live(*range(30))
    keys = truth.keys
    assert rig.state == LIVE and not all(map(rig.trusted, keys))
    rig.books.grow(orders=512)
    scene.live(33)
    scene.later(34)
    scene.splice(hold(0, 1), *scene.image(34))
    assert scene.live_and_right()


@pytest.mark.parametrize("scene", [(ITCH, OPTIONS, {"orders": 12})], indirect=True)
def test_a_new_session_ends_what_a_full_table_did(scene):
    scene.live(*range(30))
    assert not all(map(scene.rig.trusted, scene.server.truth.keys))
    truth = Truth(ITCH, in_session(Server(ITCH, 9, count=3), b"SAMPLE0002"))
    for _, _, payload in truth.packets:
        scene.rig.send(A, payload)
        truth.check(scene.rig)
    assert scene.rig.state == LIVE and all(map(scene.rig.trusted, scene.server.truth.keys))


@pytest.mark.parametrize("scene", [(ITCH, OPTIONS, {"orders": 12})], indirect=True)
def test_books_that_an_image_has_no_room_for_stay_stale_and_no_others(scene):
    stale(scene)
    server, rig = scene.server, scene.rig
    counts = {
        n: sum(len(server.truth.at(key, scene.last(n) + 1)[0]) for key in server.truth.keys)
        for n in range(20, 60)
    }
    number = max(counts, key=counts.__getitem__)
    scene.splice(*scene.image(number))
    assert rig.state == LIVE
    following = scene.last(number) + 1
    keys = server.truth.keys
    right = [key for key in keys if rig.book(key) == server.truth.at(key, following)]
    assert [key for key in keys if rig.trusted(key)] == right
    assert 0 < len(right) < len(keys)


@pytest.mark.parametrize("scene", [(NYSE, OPTIONS)], indirect=True)
def test_the_venues_own_refreshes_touch_no_book(scene):
    stale(scene)
    before, orders = scene.rig.book(1), scene.rig.books.order_count()
    for image in scene.server.image(scene.last(17)).datagrams:
        refresh = image[:2] + bytes([REFRESH_ONLY]) + image[3:]
        scene.rig.send(B, refresh)
    assert scene.rig.stream["refreshes"] > 3 and scene.rig.state == STALE
    assert (scene.rig.book(1), scene.rig.books.order_count()) == (before, orders)


def garbage(chance, serial):
    """A splice packet that nobody in his right mind sends."""
    row = np.zeros(1, wire.SPLICE_DTYPE)
    row["magic"] = wire.MAGIC if chance.random() < 0.95 else chance.getrandbits(63)
    row["kind"] = chance.choice((1, 2, 2, 3, 3, 3, 3, 4, 5, 6, 0, 7, -1, 1 << 62))
    row["serial"] = chance.choice((serial, serial, 0, -1, 1 << 62))
    row["unit"] = chance.choice((0, 0, 0, 0, 1, 255, 256, -1))
    row["sequence"] = chance.choice((0, -1, 10, 20, 30, 40, (1 << 63) - 1, -(1 << 63)))
    row["key"], row["session"] = chance.choice((0, 1, 1 << 40, -1)), chance.choice((0, 0, 0, 5))
    row["number"] = chance.choice((0, 0, 1, 2, -1, (1 << 31) - 1))
    row["flags"] = chance.choice((0, 0, 1, 2, 4, 7, -1))
    made = row.tobytes() + chance.randbytes(chance.choice((0, 0, 5, 30, 200)))
    return made[: chance.randrange(len(made))] if chance.random() < 0.1 else made


@pytest.mark.parametrize("name", [ITCH, PITCH, NYSE])
def test_garbage_on_the_line_of_splices_is_counted_and_a_true_image_mends_it(name):
    for seed in range(3):
        chance = random.Random(f"{name}{seed} garbage")
        with SpliceRig(name, OPTIONS) as rig:
            scene = Scene(rig, Server(name, 5, count=60))
            for number in [*range(10), *range(13, 50)]:
                rig.send(A, scene.packets[number][2])
                for _ in range(10):
                    rig.send(SPLICE, garbage(chance, number + 1))
            rows = rig.block["streams"]
            assert rows["bad_splices"].sum() > 100
            assert rows["lines"]["packets"][:, SPLICE].sum() == 470
            rig.send(A, scene.packets[52][2])
            rig.send(A, scene.packets[53][2], LATER_NS)
            assert rig.state in (STALE, SNAPSHOT)
            scene.splice(hold(rig.unit, 77), *scene.image(55, 78))
            assert scene.live_and_right()


@pytest.mark.parametrize("name", [ITCH, PITCH, NYSE])
def test_images_cut_and_mixed_up_never_make_a_wrong_book_live(name):
    for seed in range(4):
        chance = random.Random(f"{name}{seed} mixed")
        with SpliceRig(name, OPTIONS) as rig:
            scene = Scene(rig, Server(name, seed, count=60))
            scene.live(*range(10))
            for number in range(13, 50):
                scene.live(number)
                real = scene.image(number + chance.randint(-1, 4), number)
                for _ in range(chance.randint(0, 6)):
                    one = chance.choice([*real, hold(rig.unit, number)])
                    if chance.random() < 0.3:
                        one = one[: chance.randrange(len(one))]
                    scene.splice(one)
            assert rig.stream["images"] == 0 and rig.stream["bad_splices"] > 20
