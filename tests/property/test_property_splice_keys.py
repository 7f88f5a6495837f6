"""Images of single instruments, and messages that say everything: live one by one, never wrong."""

from __future__ import annotations

import random

import pytest
from splice_rig import ASKED, SPLICE, TOPS, A, B, Server, SpliceRig

from feedhandler.lines.layout import LIVE, RECOVERING, SNAPSHOT, STALE, WAITING
from feedhandler.lines.setup import LineOptions
from feedhandler.lines.splice import hold, release, splice_packets
from feedhandler.transports.packets import write_packet

NAMES = ["nasdaq_itch50", "cboe_pitch", "nyse_integrated", "memx_memoir", "iex_deepplus"]
LATER_NS = 1_000_000
OPTIONS = LineOptions(window_ns=50_000)


class Run:
    """A stream that has lost packets 20 to 23 and goes on packet by packet."""

    def __init__(self, rig, server, chance):
        self.rig, self.server, self.chance = rig, server, chance
        self.next = 0
        for _ in range(20):
            self.live()
        self.next = 24
        self.live()
        self.live(LATER_NS)
        assert rig.state == STALE

    def live(self, later_ns=10_000):
        """The venue's next packet."""
        self.rig.send(A, self.server.truth.packets[self.next][2], later_ns)
        self.server.truth.check(self.rig)
        self.next += 1

    def splice(self, *payloads):
        """Splice packets with a live one here and there."""
        for payload in payloads:
            self.rig.send(SPLICE, payload)
            self.server.truth.check(self.rig)
            if self.chance.random() < 0.2:
                self.live()

    def images(self, keys, serial):
        """Images of some keys, each of its own moment."""
        for key in keys:
            at = int(self.rig.stream["expected"]) - 1
            newest = self.server.truth.packets[self.next][0] + 2
            sequence = self.chance.randint(at, newest)
            self.splice(*splice_packets(self.server.image(sequence, key=key), serial))

    def right(self, keys):
        """These are live and right, no others are."""
        following = int(self.rig.stream["expected"])
        for key in self.server.truth.keys:
            assert self.rig.trusted(key) == (key in keys), key
            if key in keys:
                assert self.rig.book(key) == self.server.truth.at(key, following)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("empty", [False, True])
def test_a_stream_is_live_when_all_its_instruments_have_had_an_image(name, empty):
    for seed in range(6):
        chance = random.Random(f"{name}{empty}{seed}")
        server = Server(name, seed, count=120)
        with SpliceRig(name, OPTIONS) as rig:
            run = Run(rig, server, chance)
            keys = server.truth.keys
            chance.shuffle(keys)
            run.splice(hold(rig.unit, 1, empty=empty))
            assert rig.state == SNAPSHOT
            run.images(keys, serial=1)
            rig.send(SPLICE, release(rig.unit, 1, complete=True))
            server.truth.check(rig)
            for _ in range(5):
                run.live()
            assert rig.state == LIVE
            run.right(keys)


@pytest.mark.parametrize("name", NAMES)
def test_instruments_without_an_image_stay_stale_and_a_loss_makes_all_stale(name):
    for seed in range(6):
        chance = random.Random(f"{name}{seed} some")
        server = Server(name, seed, count=120)
        with SpliceRig(name, OPTIONS) as rig:
            run = Run(rig, server, chance)
            keys = server.truth.keys
            chance.shuffle(keys)
            some = keys[:2]
            run.splice(hold(rig.unit, 1))
            run.images(some, serial=1)
            rig.send(SPLICE, release(rig.unit, 1, complete=chance.random() < 0.5))
            for _ in range(5):
                run.live()
            assert rig.state == STALE
            run.right(some)
            late = server.truth.packets[run.next][2]
            run.next += 1
            run.live()
            assert rig.state == WAITING
            run.right(some)
            rig.send(B, late)
            assert rig.state == STALE
            run.right(some)
            run.splice(hold(rig.unit, 2))
            assert rig.state == SNAPSHOT
            run.right([])
            run.images(keys[2:], serial=2)
            rig.send(SPLICE, release(rig.unit, 2, complete=True))
            for _ in range(5):
                run.live()
            assert rig.state == LIVE
            run.right(keys)
            run.next += 2
            run.live()
            run.live(LATER_NS)
            assert rig.state == STALE
            run.right([])


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("complete", [False, True])
def test_a_hole_that_all_images_have_is_not_waited_for(name, complete):
    server = Server(name, 7, count=120)
    with SpliceRig(name, LineOptions(window_ns=50_000, recovery_ns=10**12)) as rig:
        for number in [*range(20), *range(24, 30)]:
            rig.send(A, server.truth.packets[number][2])
        assert rig.state == RECOVERING
        rig.send(SPLICE, hold(rig.unit, 1, empty=True))
        for key in server.truth.keys[: None if complete else 1]:
            for payload in splice_packets(server.image(int(rig.stream["top"]) - 1, key=key), 1):
                rig.send(SPLICE, payload)
                server.truth.check(rig)
        rig.send(SPLICE, release(rig.unit, 1, complete=complete))
        server.truth.check(rig)
        assert rig.state == (LIVE if complete else STALE)
        for number in range(30, 40):
            rig.send(A, server.truth.packets[number][2])
            server.truth.check(rig)
        assert rig.stream["expected"] == server.truth.packets[40][0]
        assert all(rig.trusted(key) == complete for key in server.truth.keys[1:])


@pytest.mark.parametrize("name", NAMES)
def test_a_hole_that_images_of_others_have_is_still_one_for_who_was_live_alone(name):
    server = Server(name, 3, count=120)
    options = LineOptions(window_ns=50_000, recovery_ns=10**6)
    with SpliceRig(name, options) as rig:
        run, keys = Run.__new__(Run), server.truth.keys
        run.rig, run.server, run.chance, run.next = rig, server, random.Random(3), 0
        for _ in range(20):
            run.live()
        run.next = 24
        run.live()
        run.live(LATER_NS)
        run.live(2 * LATER_NS)
        assert rig.state == STALE
        run.splice(hold(rig.unit, 1))
        run.images(keys[:1], serial=1)
        rig.send(SPLICE, release(rig.unit, 1, complete=False))
        for _ in range(6):
            run.live()
        run.right(keys[:1])
        first = run.next
        run.next += 3
        run.live()
        run.live(LATER_NS)
        assert rig.state == RECOVERING
        rig.send(SPLICE, hold(rig.unit, 2))
        for key in keys[1:]:
            for payload in splice_packets(server.image(int(rig.stream["top"]) - 1, key=key), 2):
                rig.send(SPLICE, payload)
        rig.send(SPLICE, release(rig.unit, 2, complete=True))
        server.truth.check(rig)
        assert rig.state == SNAPSHOT
        for number in range(first, first + 3):
            rig.send(ASKED, server.truth.packets[number][2])
            server.truth.check(rig)
        assert rig.state == LIVE
        run.right(keys)


def test_a_loss_behind_images_of_some_makes_these_stale_again():
    server = Server(NAMES[0], 3, count=120)
    with SpliceRig(NAMES[0], OPTIONS) as rig:
        run = Run(rig, server, random.Random(3))
        run.splice(hold(0, 1))
        run.images(server.truth.keys[:1], serial=1)
        rig.send(SPLICE, release(0, 1, complete=False))
        for _ in range(4):
            run.live()
        run.right(server.truth.keys[:1])
        run.next += 1
        run.live()
        run.live(LATER_NS)
        run.right([])
        for _ in range(4):
            run.live()
        run.right([])


def key_of(symbol):
    """The key of a symbol: its text."""
    return int.from_bytes(symbol.ljust(8).encode(), "little")


class Quotes:
    """A TOPS stream by message; the truth is the last quote of each symbol."""

    def __init__(self, rig):
        self.rig, self.sequence = rig, 1
        self.truth = {}

    def say(self, symbol, bid, *, code="Q", flags=0, lost=False, later_ns=10_000, line=A):
        """The next message, which may be lost."""
        values = {"timestamp": 10**18, "symbol": symbol}
        if code == "Q":
            values |= {"quote_update_flags": flags, "bid_price": bid, "bid_size": 100}
            values |= {"ask_price": bid + 100, "ask_size": 200}
            self.truth[symbol] = bid
        else:
            values |= {"size": 100, "price": bid, "trade_id": 1}
        header = {**TOPS.header, "send_time": 10**18 + self.sequence}
        header[TOPS.transport.sequence] = self.sequence
        payload = write_packet(TOPS.transport, [TOPS.protocol[code].encode(values)], header)
        self.sequence += 1
        if not lost:
            self.rig.send(line, payload, later_ns)
        return payload

    def live(self):
        """The symbols whose books are live, all of which have to be right."""
        found = []
        for symbol, bid in self.truth.items():
            if self.rig.trusted(key_of(symbol)):
                number = self.rig.books.instrument(key_of(symbol))
                assert int(self.rig.books.tops["bid"][number]) == bid * 10_000, symbol
                found.append(symbol)
        return "".join(found)


@pytest.mark.parametrize("recovery_ns", [0, 200_000])
def test_a_symbol_is_live_again_with_its_first_quote_behind_the_loss(recovery_ns):
    options = LineOptions(window_ns=50_000, recovery_ns=recovery_ns)
    with SpliceRig("iex_tops", options) as rig:
        quotes = Quotes(rig)
        for symbol in "ABC":
            quotes.say(symbol, 100)
        assert quotes.live() == "ABC" and rig.state == LIVE
        quotes.say("B", 110, lost=True)
        quotes.say("A", 120, later_ns=10)
        assert rig.state == WAITING
        quotes.say("C", 100, code="T", later_ns=100_000)
        if recovery_ns:
            assert rig.state == RECOVERING and quotes.live() == ""
            quotes.say("C", 100, code="T", later_ns=300_000)
        assert rig.state == STALE and quotes.live() == "A"
        quotes.say("B", 130, flags=0x80)
        assert quotes.live() == "A"
        quotes.say("B", 130)
        assert quotes.live() == "AB"
        late = quotes.say("A", 140, lost=True)
        quotes.say("C", 150)
        assert rig.state == WAITING
        rig.send(B, late)
        assert rig.state == STALE and quotes.live() == "ABC"
        quotes.say("A", 160, lost=True)
        quotes.say("A", 170)
        quotes.say("C", 180, later_ns=100_000)
        quotes.say("C", 190, later_ns=300_000)
        assert quotes.live() == "AC" and rig.state == STALE


def test_quotes_of_a_stale_stream_are_never_wrong_while_they_are_live():
    for seed in range(20):
        chance = random.Random(f"{seed} quotes")
        options = LineOptions(window_ns=50_000, recovery_ns=chance.choice((0, 100_000)))
        with SpliceRig("iex_tops", options) as rig:
            quotes, waiting, right = Quotes(rig), [], {}
            for _ in range(150):
                symbol, bid = chance.choice("ABCDE"), chance.randint(1, 900)
                lost = chance.random() < 0.15
                at = quotes.sequence
                payload = quotes.say(symbol, bid, lost=True)
                right[at + 1] = dict(quotes.truth)
                if lost:
                    waiting.append(payload)
                else:
                    rig.send(A, payload, chance.randint(0, 40_000))
                if waiting and chance.random() < 0.2:
                    rig.send(B, waiting.pop())
                following = int(rig.stream["expected"])
                quotes.truth, now = right.get(following, {}), quotes.truth
                quotes.live()
                quotes.truth = now
