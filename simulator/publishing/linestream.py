"""What arrives on a line: the packets sent, later by the way they took, and what went wrong.

All that is random is a function of seed, line and the packet's number on the line, so that the cut
of a stream into calls changes nothing.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from feedhandler.registry import versions
from simulator.publishing.faults import BILLION, NO_FAULTS, Fault, FaultPlan
from simulator.publishing.lines import Line
from simulator.publishing.packets import Packets, join
from simulator.publishing.resets import Reset

FRAME_BYTES: Final = 42 + 4 + 20  # headers, frame check sequence, preamble and gap
Numbers = NDArray[np.int64]


@dataclass(frozen=True)
class Arriving:
    """Packets on their way.

    Attributes:
        packets: their times are those of arrival.
        numbers: of each on its line, as it was sent, from 0.
        sent_ns: when the venue sent each.
    """

    packets: Packets
    numbers: Numbers
    sent_ns: Numbers

    def __len__(self) -> int:
        return len(self.packets)

    def take(self, places: NDArray[Any]) -> Arriving:
        """Some of them, in the order given."""
        return Arriving(self.packets.take(places), self.numbers[places], self.sent_ns[places])

    def compact(self) -> Arriving:
        """The same without the payloads of others."""
        return Arriving(self.packets.compact(), self.numbers, self.sent_ns)

    def at(self, times_ns: Numbers) -> Arriving:
        """The same at other times, by time; of equal times the order stays."""
        rows = self.packets.rows.copy()
        rows["time_ns"] = times_ns
        changed = Arriving(Packets(rows, self.packets.data), self.numbers, self.sent_ns)
        return changed.take(np.argsort(times_ns, kind="stable"))

    @property
    def times_ns(self) -> Numbers:
        """When they arrive."""
        times: Numbers = self.packets.rows["time_ns"]
        return times


def scattered(seed: int, numbers: Numbers) -> NDArray[np.uint64]:
    """A 64-bit hash of every number (the finaliser of splitmix64)."""
    mixed = numbers.astype(np.uint64) + np.uint64(seed % (1 << 64))
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        mixed = (mixed ^ (mixed >> np.uint64(shift))) * np.uint64(factor)
    return mixed ^ (mixed >> np.uint64(31))


def seed_of(*parts: object) -> int:
    """A seed by words and numbers."""
    text = ".".join(map(str, parts)).encode()
    return zlib.crc32(text) << 32 | zlib.adler32(text)


class LineStream:
    """A line between a venue and us.

    Args:
        line: which.
        plan: what goes wrong on it.
        midnight_ns: of the session, for the times in the plan.
        seed: of the jitter.

    `carry` gives what is certain to have arrived; what is delayed comes with a later call, or with
    `flush`.
    """

    def __init__(
        self, line: Line, plan: FaultPlan = NO_FAULTS, midnight_ns: int = 0, seed: int = 0
    ) -> None:
        self.line, self.midnight_ns = line, midnight_ns
        self.faults = [
            (fault, seed_of(plan.seed, number, "" if fault.kind == "gap" else line.name))
            for number, fault in enumerate(plan.faults)
            if fault.line in ("both", line.name)
        ]
        self._jitter_seed = seed_of(seed, line.venue.name, line.name)
        self._ahead = max([f.count for f, _ in self.faults if f.kind == "reorder"], default=0)
        self._number, self._last_ns = 0, 0
        self._waiting: list[Arriving] = []  # arrived in time, not yet looked at
        self._late: list[Arriving] = []  # changed, but to arrive later
        self._held_ns = dict.fromkeys(range(len(self.faults)), 0)
        feed = versions(line.venue.feed)[0]
        self._resets = {
            number: Reset(feed)
            for number, (fault, _) in enumerate(self.faults)
            if fault.kind == "reset"
        }

    def carry(self, packets: Packets) -> Packets:
        """What has arrived by the time the last of these packets would."""
        if len(packets) == 0:
            return packets
        arriving = self._arrive(packets)
        if not self.faults:
            return arriving.packets
        self._waiting.append(arriving)
        return self._release(self._ahead)

    def flush(self) -> Packets:
        """All that is still on its way; nothing comes behind it."""
        made = [self._release(0)] if self._waiting else []
        if self._late:
            made.append(sorted_by_time(joined(self._late)).packets)
            self._late = []
        return join(made)

    def _arrive(self, packets: Packets) -> Arriving:
        """Later by delay and jitter; nothing overtakes."""
        numbers = np.arange(self._number, self._number + len(packets), dtype=np.int64)
        sent = packets.rows["time_ns"].astype(np.int64)
        times = sent + self.line.delay_ns
        if self.line.venue.jitter_ns:
            most = np.uint64(self.line.venue.jitter_ns + 1)
            times += (scattered(self._jitter_seed, numbers) % most).astype(np.int64)
        times = np.maximum(np.maximum.accumulate(times), self._last_ns)
        self._number, self._last_ns = self._number + len(packets), int(times[-1])
        rows = packets.rows.copy()
        rows["time_ns"] = times
        return Arriving(Packets(rows, packets.data), numbers, sent)

    def _release(self, ahead: int) -> Packets:
        """Looks at what waits, all but the last `ahead`, and gives what has arrived by then."""
        whole = joined(self._waiting)
        ready = max(0, len(whole) - ahead)
        places = np.arange(len(whole))
        self._waiting = [whole.take(places[ready:]).compact()] if ready < len(whole) else []
        if ready == 0:
            return join([])
        known_ns = int(whole.times_ns[ready - 1])
        changed = self._changed(whole.take(places[:ready]), whole.times_ns)
        everything = sorted_by_time(joined([*self._late, changed]))
        arrived = everything.times_ns <= known_ns
        self._late = [everything.take(np.flatnonzero(~arrived)).compact()]
        return everything.take(np.flatnonzero(arrived)).packets

    def _changed(self, arriving: Arriving, times_ns: Numbers) -> Arriving:
        first = int(arriving.numbers[0])
        for number, (fault, seed) in enumerate(self.faults):
            if fault.kind == "reset":
                arriving = self._reset(number, fault, arriving)
            elif len(arriving):
                hit = self._hit(fault, seed, arriving)
                arriving = self._one(number, fault, seed, arriving, hit, (first, times_ns))
        return arriving

    def _hit(self, fault: Fault, seed: int, arriving: Arriving) -> NDArray[np.bool_]:
        """Which packets a fault concerns."""
        hit = np.ones(len(arriving), np.bool_)
        if fault.from_s is not None:
            hit &= arriving.sent_ns >= self._time_ns(fault.from_s)
        if fault.to_s is not None:
            hit &= arriving.sent_ns < self._time_ns(fault.to_s)
        if fault.rate < 1:
            limit = np.uint64(int(fault.rate * (1 << 53)))
            hit &= (scattered(seed, arriving.numbers) >> np.uint64(11)) < limit
        return hit

    def _time_ns(self, seconds: float) -> int:
        return self.midnight_ns + round(seconds * BILLION)

    def _one(
        self,
        number: int,
        fault: Fault,
        seed: int,
        arriving: Arriving,
        hit: NDArray[np.bool_],
        whole: tuple[int, Numbers],
    ) -> Arriving:
        """One fault done to the packets it hits."""
        if fault.kind in ("loss", "gap", "down"):
            return arriving.take(np.flatnonzero(~hit))
        if fault.kind == "corrupt":
            return corrupted(arriving, hit, seed, fault.count)
        if fault.kind == "duplicate":
            return duplicated(arriving, hit, fault)
        if fault.kind == "reorder":
            return held_back(arriving, hit, fault.count, *whole)
        times, wire_ns = arriving.times_ns.copy(), np.zeros(len(arriving), np.int64)
        if fault.kind == "delay":
            times[hit] += fault.delay_ns
        else:
            times[hit] = -(-times[hit] // fault.delay_ns) * fault.delay_ns
            wire_ns = wire_ns_of(arriving.packets.rows["length"])
        times = one_behind_another(np.maximum(times, self._held_ns[number]), wire_ns)
        self._held_ns[number] = int(times[-1] + wire_ns[-1])
        return arriving.at(times)

    def _reset(self, number: int, fault: Fault, arriving: Arriving) -> Arriving:
        """Sequences from 1 on again."""
        assert fault.from_s is not None
        behind = arriving.sent_ns >= self._time_ns(fault.from_s)
        packets, places = self._resets[number].apply(arriving.packets, arriving.sent_ns, behind)
        return Arriving(packets, arriving.numbers[places], arriving.sent_ns[places])


def joined(parts: list[Arriving]) -> Arriving:
    """Several runs, one behind the other."""
    numbers = [part.numbers for part in parts]
    sent = [part.sent_ns for part in parts]
    packets = join([part.packets for part in parts])
    return Arriving(packets, np.concatenate(numbers), np.concatenate(sent))


def sorted_by_time(arriving: Arriving) -> Arriving:
    """By time; of equal times the order stays."""
    return arriving.take(np.argsort(arriving.times_ns, kind="stable"))


def duplicated(arriving: Arriving, hit: NDArray[np.bool_], fault: Fault) -> Arriving:
    """Copies of packets, each `delay_ns` behind the one before."""
    copies = np.where(hit, fault.count + 1, 1)
    more = arriving.take(np.repeat(np.arange(len(arriving)), copies))
    starts = np.repeat(np.cumsum(copies) - copies, copies)
    return more.at(more.times_ns + (np.arange(len(more)) - starts) * fault.delay_ns)


def held_back(
    arriving: Arriving, hit: NDArray[np.bool_], count: int, first: int, times_ns: Numbers
) -> Arriving:
    """Packets behind the `count` that were sent next; `times_ns` are those from `first` on."""
    places = np.minimum(arriving.numbers - first + count, len(times_ns) - 1)
    times = np.where(hit, np.maximum(times_ns[places] + 1, arriving.times_ns), arriving.times_ns)
    return arriving.at(times)


def wire_ns_of(lengths: NDArray[np.int32]) -> Numbers:
    """How long payloads take on a wire of 10 Gb/s, with all that is around them."""
    taken: Numbers = (lengths.astype(np.int64) + FRAME_BYTES) * 4 // 5
    return taken


def one_behind_another(times_ns: Numbers, wire_ns: Numbers) -> Numbers:
    """Times at which packets can come over one wire, at the earliest."""
    ends = np.cumsum(wire_ns)
    starts = ends - wire_ns
    times: Numbers = np.maximum.accumulate(times_ns - starts) + starts
    return times


def corrupted(arriving: Arriving, hit: NDArray[np.bool_], seed: int, count: int) -> Arriving:
    """Packets with other bytes at `count` places, in copies of their own."""
    rows, data = arriving.packets.rows.copy(), [arriving.packets.data]
    end = len(arriving.packets.data)
    for place in np.flatnonzero(hit & (rows["length"] > 0)).tolist():
        offset, length = int(rows[place]["offset"]), int(rows[place]["length"])
        payload = arriving.packets.data[offset : offset + length].copy()
        first = int(arriving.numbers[place]) * 2 * count
        chosen = scattered(seed + 1, np.arange(first, first + 2 * count))
        where = np.unique(chosen[:count] % np.uint64(length)).astype(np.int64)
        payload[where] ^= (
            chosen[count : count + len(where)] % np.uint64(255) + np.uint64(1)
        ).astype(np.uint8)
        rows[place]["offset"] = end
        data.append(payload)
        end += length
    return Arriving(Packets(rows, np.concatenate(data)), arriving.numbers, arriving.sent_ns)
