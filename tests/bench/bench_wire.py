"""From the wire to the wire: a multicast datagram in, a UDP order out, over a veth pair; and what a
packet costs that already waits.

One core sends and measures, the other runs the loop. Sender and measurer are the same for all, an
AF_XDP port in the namespace at the other end, so that little of what is measured is theirs. Wants
root for its namespaces, and two cores.

`run(quick)` returns rows of a name and figures named with their unit.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
from numba import njit

from nic.call import call_release, call_rx_burst, call_tx, read_tsc
from nic.clock import Clock
from nic.layout import DESCRIPTOR_BYTES, DESCRIPTOR_DTYPE
from nic.port import BACKENDS, Port, PortError, datagram_cookie, ipv4_number, open_port
from nic.raw import load_u64le, store_u64le

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "nic"))

from port_rigs import GROUP, HEADERS_BYTES, UDP_PORT  # noqa: E402
from veth import RECEIVER_IP, SENDER_IP, SENDER_MAC, Link, inside, veth_link  # noqa: E402

ROUNDS, BURST = 5, 64
WARM_UP = 200
ORDER_PORT, ORDER_BYTES, MESSAGE_BYTES = 31_002, 64, 64
LAST = np.uint64(2**64 - 1)
LIMIT_S, GAP_S = 20.0, 20e-6  # the first loop of its kind is compiled meanwhile
DRAINED = 1000
DPDK = {"af_packet": "net_af_packet71,iface=rx0", "af_xdp": "net_af_xdp72,iface=rx0"}
DPDK_OPTIONS = "eal=--no-huge --no-pci --no-shconf -m 256&ring=1024"
MEASURER = "xdp:tx0?mode=copy&attach=generic"

Row = dict[str, Any]
Loop = Callable[[Port | None], int]


@njit(nogil=True)
def drain_waiting(rx_burst, release, port, descriptors, reads):
    """(frames, ticks) of taking all that waits; `reads`: also their first and their last bytes."""
    frames = 0
    seen = np.uint64(0)
    begun = read_tsc()
    while True:
        count = call_rx_burst(rx_burst, port, descriptors, BURST)
        if count <= 0:
            return frames, read_tsc() - begun, seen
        for index in range(count if reads else 0):
            frame = load_u64le(descriptors + DESCRIPTOR_BYTES * index)
            seen ^= load_u64le(frame + 12) ^ load_u64le(frame + HEADERS_BYTES + MESSAGE_BYTES - 8)
        call_release(release, port, descriptors, count)
        frames += count


@njit(nogil=True)
def echo(rx_burst, release, tx, port, descriptors, order, order_bytes, cookie):
    """Looks at the number in each message and sends an order that has it; the last one ends it."""
    count = 0
    number = np.uint64(0)
    while number != LAST:
        got = call_rx_burst(rx_burst, port, descriptors, BURST)
        for index in range(got):
            payload = load_u64le(descriptors + DESCRIPTOR_BYTES * index) + HEADERS_BYTES
            number = load_u64le(payload)
            store_u64le(order, number)
            call_tx(tx, port, order, order_bytes, cookie)
            count += 1
        if got > 0:
            call_release(release, port, descriptors, got)
    return count


@njit(nogil=True)
def measure(functions, port, message, cookie, descriptors, ticks, limit_ticks, gap_ticks, last):
    """Sends len(ticks) messages, one after the answer to the other, and notes how long each took.

    Returns how many were answered. `functions` are the addresses of tx, rx_burst and release.
    """
    for index in range(len(ticks)):
        store_u64le(message, np.uint64(index) if index < len(ticks) - 1 else last)
        begun = read_tsc()
        call_tx(functions[0], port, message, MESSAGE_BYTES, cookie)
        while True:
            got = call_rx_burst(functions[1], port, descriptors, BURST)
            now = read_tsc()
            if got > 0:
                break
            if now - begun > limit_ticks:
                return index
        ticks[index] = now - begun
        call_release(functions[2], port, descriptors, got)
        while read_tsc() - now < gap_ticks:
            pass
    return len(ticks)


def echo_library() -> Any:
    """The bare C loops, compiled; None without a compiler."""
    if shutil.which("gcc") is None:
        return None
    path = Path(tempfile.mkdtemp()) / "echo.so"
    command = ["gcc", "-O3", "-march=native", "-shared", "-fPIC", f"-I{HERE.parents[1]}/nic/csrc"]
    subprocess.run([*command, "-o", str(path), str(HERE / "wire_echo.c")], check=True)
    return ctypes.CDLL(str(path))


def kernel_loop(port: Port) -> Callable[[], int]:
    """The loop as the compiled kernel of every backend."""
    descriptors, order = np.zeros(BURST, DESCRIPTOR_DTYPE), np.zeros(ORDER_BYTES, np.uint8)
    names = ("rx_burst", "release", "tx")
    functions = tuple(port.ops[name] for name in names)
    cookie = datagram_cookie(SENDER_IP, ORDER_PORT)
    tail = (descriptors.ctypes.data, order.ctypes.data, ORDER_BYTES, cookie)

    def work() -> int:
        port.thread_init()
        return int(echo(*functions, port.handle, *tail)) + 0 * len(descriptors) * len(order)

    return work


def c_loop(library: Any, port: Port) -> Callable[[], int]:
    """The loop in C over a port."""
    order = ctypes.create_string_buffer(ORDER_BYTES)
    cookie = ctypes.c_uint64(datagram_cookie(SENDER_IP, ORDER_PORT))
    table, handle = ctypes.c_void_p(port.ops_address), ctypes.c_void_p(port.handle)
    return lambda: int(library.echo_port(table, handle, cookie, order, ORDER_BYTES))


def socket_loop(library: Any, link: Link, flags: int, stack: ExitStack) -> Callable[[], int]:
    """The loop in C over two plain sockets."""

    def work() -> tuple[socket.socket, socket.socket]:
        receiver, sender = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2))
        receiver.bind((GROUP, UDP_PORT))
        index = socket.if_nametoindex("rx0")
        membership = struct.pack("4s4si", socket.inet_aton(GROUP), bytes(4), index)
        receiver.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, membership)
        return receiver, sender

    receiver, sender = (stack.enter_context(made) for made in inside(link.receiver, work))
    order = ctypes.create_string_buffer(ORDER_BYTES)
    to = (ctypes.c_uint32(ipv4_number(SENDER_IP)), ctypes.c_uint16(ORDER_PORT))
    handles = (receiver.fileno(), sender.fileno())
    return lambda: int(library.echo_sockets(*handles, flags, *to, order, ORDER_BYTES))


def run_loop(work: Callable[[], int], core: int) -> threading.Thread:
    """Starts a loop on a core of its own."""

    def pinned() -> None:
        os.sched_setaffinity(0, {core})
        work()

    thread = threading.Thread(target=pinned, daemon=True)
    thread.start()
    time.sleep(0.02)
    return thread


class Measurer:
    """The other end of the wire."""

    def __init__(self, link: Link, count: int) -> None:
        self.port = link.open(link.sender, MEASURER, (SENDER_IP, ORDER_PORT, 0))
        self.clock = Clock()
        self.count = count
        self.message = np.zeros(MESSAGE_BYTES, np.uint8)
        self.descriptors = np.zeros(BURST, DESCRIPTOR_DTYPE)
        names = ("tx", "rx_burst", "release")
        self.functions = np.array([self.port.ops[name] for name in names], np.uint64)

    def ask(self, count: int) -> np.ndarray[Any, Any]:
        """ns that each of `count` messages took to come back as an order; the last ends the loop.

        Raises RuntimeError where one did not.
        """
        ticks = np.zeros(count, np.uint64)
        limits = tuple(np.uint64(span_s * self.clock.tick_hz) for span_s in (LIMIT_S, GAP_S))
        cookie = datagram_cookie(GROUP, UDP_PORT)
        descriptors = self.descriptors.ctypes.data
        ends = (self.port.handle, self.message.ctypes.data, cookie, descriptors)
        answered = measure(self.functions, *ends, ticks, *limits, LAST)
        if answered != count:
            raise RuntimeError(f"message {answered} of {count} was not answered")
        return ticks.astype(float) * 1e9 / self.clock.tick_hz

    def ask_to_end(self) -> None:
        """Ends a loop that lost a message, so that its port can be closed."""
        self.message[:8] = 255
        for _ in range(100):
            self.port.send(self.message.tobytes(), datagram_cookie(GROUP, UDP_PORT))
            time.sleep(0.001)

    def time(self, work: Callable[[], int], cores: tuple[int, int]) -> np.ndarray[Any, Any]:
        """The times of one loop on the second core, without those of the warm-up."""
        before = os.sched_getaffinity(0)
        os.sched_setaffinity(0, {cores[0]})
        try:
            thread = run_loop(work, cores[1])
            try:
                taken = self.ask(WARM_UP + self.count)[WARM_UP:]
            except RuntimeError:
                self.ask_to_end()
                raise
            thread.join()
        finally:
            os.sched_setaffinity(0, before)
        return taken


def loops(
    link: Link, library: Any, dpdk: dict[str, str]
) -> dict[str, Callable[[ExitStack], Callable[[], int]]]:
    """Every contestant: what opens it, to be closed by the stack that it is given."""

    def port(stack: ExitStack, uri: str) -> Port:
        return stack.enter_context(link.open(link.receiver, uri, (GROUP, UDP_PORT, 0)))

    xdp = {name: f"xdp:rx0?mode=copy&attach={name}" for name in ("native", "generic")}
    found = {
        "blocking sockets, C": lambda stack: socket_loop(library, link, 0, stack),
        "spinning sockets, C": lambda stack: socket_loop(library, link, socket.MSG_DONTWAIT, stack),
        "spinning sockets, port": lambda stack: kernel_loop(port(stack, "socket:rx0")),
    }
    for name, uri in xdp.items():
        found[f"xdp {name}, C"] = lambda stack, uri=uri: c_loop(library, port(stack, uri))
        found[f"xdp {name}, port"] = lambda stack, uri=uri: kernel_loop(port(stack, uri))
    for name, uri in dpdk.items():
        found[f"dpdk {name}, C"] = lambda stack, uri=uri: c_loop(library, port(stack, uri))
        found[f"dpdk {name}, port"] = lambda stack, uri=uri: kernel_loop(port(stack, uri))
    return found


def dpdk_uris(link: Link) -> tuple[dict[str, str], dict[str, str]]:
    """DPDK's devices over rx0 that can be had here, and why others cannot, by name."""
    reason = BACKENDS["dpdk"].missing(Path("/"))
    if reason is not None:
        return {}, dict.fromkeys(DPDK, reason)
    # The EAL's own threads stay outside the namespaces, which could not be removed else.
    open_port(f"dpdk:net_null70?{DPDK_OPTIONS}").close()
    found, missing = {}, {}
    for name, device in DPDK.items():
        addresses = f"source={RECEIVER_IP}:4000&gateway_mac={SENDER_MAC}"
        uri = f"dpdk:{device}?{DPDK_OPTIONS}&{addresses}"
        try:
            link.open(link.receiver, uri, (GROUP, UDP_PORT, 0)).close()
        except PortError as error:
            missing[name] = str(error)
        else:
            found[name] = uri
    return found, missing


def wire_rows(link: Link, quick: bool) -> list[Row]:
    """Wire to wire, the contestants taking turns."""
    library, count = echo_library(), 500 if quick else 4000
    cores = tuple(sorted(os.sched_getaffinity(0)))[:2]
    if library is None or len(cores) < 2:
        return []
    dpdk, missing = dpdk_uris(link)
    measurer, makers = Measurer(link, count), loops(link, library, dpdk)
    taken: dict[str, list[Any]] = {name: [] for name in makers}
    with measurer.port:
        for turn in range(2 if quick else ROUNDS + 1):
            for name, make in makers.items():
                with ExitStack() as stack:
                    times = measurer.time(make(stack), (cores[0], cores[1]))
                if turn:  # the first one compiles
                    taken[name].append(times)
    rows = [wire_row(name, taken) for name in taken]
    return rows + [
        {"name": f"wire to wire, dpdk {name}", "note": missing[name]} for name in missing
    ]


def wire_row(name: str, taken: dict[str, list[Any]]) -> Row:
    """One contestant's figures, and its median beside others of the same run."""
    p50_ns, p99_ns = np.percentile(np.concatenate(taken[name]), [50, 99]).tolist()
    row = {"name": f"wire to wire, {name}", "p50_us": p50_ns / 1000, "p99_us": p99_ns / 1000}
    others = {"spinning_port": "spinning sockets, port", "spinning_c": "spinning sockets, C"}
    if name.startswith(("xdp", "dpdk")):
        others["bare_c"] = name.replace("port", "C")
    for column, other in others.items():
        if other != name:
            row[f"ratio_to_{column}"] = p50_ns / float(np.median(np.concatenate(taken[other])))
    return row


def send_paced(sender: Port, count: int) -> None:
    """The softirq behind a veth loses what it cannot take at once."""
    payload, cookie = bytes(MESSAGE_BYTES), datagram_cookie(GROUP, UDP_PORT)
    for number in range(count):
        sender.send(payload, cookie)
        if number % 100 == 99:
            time.sleep(0.002)


def drain_row(link: Link, uri: str, rounds: int) -> Row:
    """The lowest cost of a 64-byte datagram that already waits in a ring or a socket."""
    costs: dict[bool, list[float]] = {False: [], True: []}
    tick_hz, descriptors = Clock().tick_hz, np.zeros(BURST, DESCRIPTOR_DTYPE)
    with (
        link.open(link.sender, "socket:tx0") as sender,
        link.open(link.receiver, uri, (GROUP, UDP_PORT, 0)) as port,
    ):
        functions = (port.ops["rx_burst"], port.ops["release"], port.handle)
        for turn in range(2 * rounds):
            send_paced(sender, DRAINED)
            reads = bool(turn % 2)
            frames, ticks, _ = drain_waiting(*functions, descriptors.ctypes.data, reads)
            if frames != DRAINED:
                raise RuntimeError(f"{uri}: {frames} of {DRAINED} frames waited")
            costs[reads].append(float(ticks) / tick_hz * 1e9 / frames)
    row = {"name": f"drain, {uri}", "ns_per_packet": min(costs[False])}
    return row | {"ns_per_packet_read": min(costs[True])}


def run(quick: bool) -> list[Row]:
    """All rows; none where the machine may not make namespaces or has no AF_XDP."""
    if os.geteuid() != 0 or BACKENDS["xdp"].missing(Path("/")) is not None:
        return []
    if not Clock().has_tsc:
        return []
    rounds = 5 if quick else 40
    with veth_link() as link:
        link.know_neighbours()
        uris = ["socket:rx0?rcvbuf=4MiB"]
        uris += [f"xdp:rx0?mode=copy&attach={attach}" for attach in ("native", "generic")]
        return [*(drain_row(link, uri, rounds) for uri in uris), *wire_rows(link, quick)]
