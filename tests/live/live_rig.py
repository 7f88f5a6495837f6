"""Venues and a live run as processes, in two network namespaces or on loopback."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pyroute2
from pyroute2 import netns
from routed_rig import SAMPLES

PLAIN = "import sys; from console.main import main; sys.exit(main())"
INSIDE = "import sys; from pyroute2 import netns; netns.setns(sys.argv.pop(1)); " + PLAIN
REHEARSAL = Path(__file__).resolve().parents[2] / "console" / "live" / "rehearsal"
PASSWORD = "s3cretpw"  # as long as MEO has room for
DEADLINE_S = 300.0
PREFIX = "swtest-"
GROUPS_ON = ("233.210.1.1", 30001)


@dataclass(frozen=True)
class Place:
    """Where the two sides are.

    Attributes:
        venue_host: the address that venues send from and listen at.
        own_host, interface: of the router's side.
        venue_namespace, namespace: empty: that of the test.
    """

    venue_host: str = "127.0.0.1"
    own_host: str = "127.0.0.1"
    interface: str = "lo"
    venue_namespace: str = ""
    namespace: str = ""


def why_no_namespaces() -> str:
    """Why the test cannot make network namespaces; empty: it can."""
    if os.geteuid() != 0:
        return "making network namespaces wants root"
    name = PREFIX + uuid.uuid4().hex[:8]
    try:
        netns.create(name)
        netns.remove(name)
    except Exception as error:
        return f"no network namespaces: {error}"
    return ""


def why_no_loopback() -> str:
    """Why no multicast comes back on loopback; empty: it does."""
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as back,
    ):
        try:
            out.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton("127.0.0.1"))
            back.bind(GROUPS_ON)
            member = socket.inet_aton(GROUPS_ON[0]) + socket.inet_aton("127.0.0.1")
            back.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, member)
            back.settimeout(2)
            out.sendto(b"?", GROUPS_ON)
            back.recv(10)
        except OSError as error:
            return f"no multicast on loopback: {error}"
    return ""


@contextmanager
def two_namespaces() -> Iterator[Place]:
    """Two fresh namespaces with a cable between them; gone afterwards, whatever happens."""
    stem = uuid.uuid4().hex[:6]
    names = [f"{PREFIX}{stem}-{side}" for side in ("venue", "router")]
    links = [f"swv{stem}", f"swr{stem}"]
    hosts = ["10.91.0.1", "10.91.0.2"]
    with ExitStack() as stack:
        for name in names:
            netns.create(name)
            stack.callback(netns.remove, name)
        with pyroute2.IPRoute() as ip:
            ip.link("add", ifname=links[0], kind="veth", peer=links[1])
            for link, name in zip(links, names, strict=True):
                (index,) = ip.link_lookup(ifname=link)
                ip.link("set", index=index, net_ns_fd=name)
        for link, name, host in zip(links, names, hosts, strict=True):
            with pyroute2.NetNS(name) as inside:
                (index,) = inside.link_lookup(ifname=link)
                inside.addr("add", index=index, address=host, prefixlen=24)
                inside.link("set", index=index, state="up")
                inside.link("set", index=inside.link_lookup(ifname="lo")[0], state="up")
        yield Place(hosts[0], hosts[1], links[1], *names)


def _events_in(folder: Path) -> list[str]:
    with suppress(FileNotFoundError):
        lines = (folder / "events.jsonl").read_bytes().split(b"\n")
        return [str(json.loads(line)["text"]) for line in lines[:-1]]
    return []


class Process:
    """A `sweepwire` command in a namespace; its output goes to a file."""

    def __init__(self, namespace: str, arguments: list[str], output: Path) -> None:
        start = [INSIDE, namespace] if namespace else [PLAIN]
        environment = {**os.environ, "ALFA_PASSWORD": PASSWORD, "PYTHONUNBUFFERED": "1"}
        self.output = output
        with output.open("wb") as file:
            self._process = subprocess.Popen(
                [sys.executable, "-c", *start, *arguments],
                stdout=file,
                stderr=subprocess.STDOUT,
                env=environment,
            )

    @property
    def running(self) -> bool:
        """Whether it has not ended."""
        return self._process.poll() is None

    def send(self, number: int) -> None:
        """Sends a signal."""
        self._process.send_signal(number)

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Tells it to end; its exit code."""
        if self.running:
            self._process.send_signal(number)
        return self.wait()

    def wait(self) -> int:
        """Waits for its end; its exit code."""
        try:
            return self._process.wait(DEADLINE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            raise

    def kill(self) -> None:
        """Ends it, if it is still there."""
        if self.running:
            self._process.kill()
            self._process.wait()

    def text(self) -> str:
        """What it wrote."""
        return self.output.read_text(errors="replace")


class Desk:
    """A folder with the files of both sides, and both processes.

    Args:
        folder: fresh.
        place: where they run.
        venue: lines at the end of the venues' file.
        before_s: from the venues' start to the opening.
        shards: names of the loops; none: there is one, and it has no name.
    """

    def __init__(
        self, folder: Path, place: Place, venue: str, before_s: float, shards: tuple[str, ...] = ()
    ) -> None:
        self.folder, self.place, self.shards = folder, place, shards
        for path in REHEARSAL.glob("*.toml"):
            text = path.read_text().replace('"127.0.0.1:', f'"{place.venue_host}:')
            text = text.replace('host = "127.0.0.1"', f'host = "{place.venue_host}"')
            text = text.replace('interface = "127.0.0.1"', f'interface = "{place.own_host}"')
            text = text.replace("socket:lo?rcvbuf=4MiB", f"socket:{place.interface}")
            text = text.replace("[[sessions]]", "[[sessions]]\nmost_retry_ms = 300")
            (folder / path.name).write_text(text)
        given = (folder / "venue.toml").read_text().partition("[[accounts]]")[0]
        given = given.replace("before_s = 5.0", f"before_s = {before_s}")
        (folder / "venue.toml").write_text(given + venue)
        (folder / "parents.toml").write_text("")
        day = time.strftime("%Y-%m-%d", time.gmtime(time.time() - 5 * 3600))
        lines = (SAMPLES / "channels.toml").read_text().splitlines()
        dated = [f'date = "{day}"' if line.startswith("date") else line for line in lines]
        (folder / "channels.toml").write_text("\n".join(dated))
        self.processes: list[Process] = []

    def start_run(self) -> Process:
        """Starts the live run."""
        settings = "sharded.toml" if self.shards else "live.toml"
        given = ["run", "--config", str(self.folder / settings)]
        return self._start(self.place.namespace, given, "run.out")

    def start_venues(self) -> Process:
        """Starts the venues."""
        given = ["venue", "run", "--config", str(self.folder / "venue.toml")]
        given += ["--out", str(self.folder / "venues")]
        return self._start(self.place.venue_namespace, given, "venue.out")

    def parent(self, *arguments: str) -> int:
        """`sweepwire parent`, from a process in no namespace of theirs; its exit code."""
        given = ["parent", *arguments, "--control", str(self.folder / "control.sock")]
        return Process("", given, self.folder / "parent.out").wait()

    def _start(self, namespace: str, arguments: list[str], name: str) -> Process:
        made = Process(namespace, arguments, self.folder / name)
        self.processes.append(made)
        return made

    @property
    def results(self) -> Path:
        """What the run writes."""
        return self.folder / "results"

    def events(self, shard: str = "") -> list[str]:
        """What the run told so far, all its loops or one."""
        folders = [shard] if shard else [*self.shards] or [""]
        return [line for name in folders for line in _events_in(self.results / name)]

    def count(self, *words: str) -> int:
        """Lines of the run that have all these words."""
        return sum(all(word in line for word in words) for line in self.events())

    def wait(self, until: Callable[[], bool], what: str) -> None:
        """Waits for something that comes, however slow the machine is."""
        deadline_s = time.monotonic() + DEADLINE_S
        while not until():
            ended = [one.output.name for one in self.processes if not one.running]
            assert not ended, f"{ended} ended before: {what}\n{self.said()}"
            assert time.monotonic() < deadline_s, f"never: {what}\n{self.said()}"
            time.sleep(0.05)

    def said(self) -> str:
        """What both processes wrote."""
        return "\n".join(f"--- {one.output.name}\n{one.text()}" for one in self.processes)

    def close(self) -> None:
        """Ends what still runs."""
        for one in self.processes:
            one.kill()
