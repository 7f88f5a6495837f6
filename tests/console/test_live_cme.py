"""A CME channel in the files of `sweepwire run`: its groups are read, and a driver hears them."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
from live_loop_rig import ENVIRONMENT, START, rehearsal

from console.live.books import BooksDesk
from console.live.run import LiveRun
from console.live.setup import LiveSetup, is_injected, read_live
from console.loops import make_state
from console.recoverycme import CmeDriver
from feedhandler.commands import Commands
from feedhandler.lines.cmerecoverer import IDLE
from feedhandler.stateblock import LoopOptions
from nic.configfile import ConfigError
from nic.injectport import InjectPort

CHANNELS = """
[[channels]]
name = "cme"
feed = "cme_mdp3"
line = "{line}"
group = "233.210.9.{number}"
port = 30001
"""
RECOVERY = """
[[recovery]]
channel = "cme"
interface = "127.0.0.1"
refresh = "233.210.9.3:30001"
refresh_b = "233.210.9.4:30001"
definitions = "233.210.9.5:30001"
"""


def with_cme(folder: Path, recovery: str = RECOVERY) -> LiveSetup:
    """The rehearsal's files, with a CME channel."""
    rehearsal(folder)
    for name, more in (
        ("channels.toml", "".join(CHANNELS.format(line="AB"[n - 1], number=n) for n in (1, 2))),
        ("live.toml", recovery),
    ):
        path = folder / name
        path.write_text(path.read_text() + more)
    return read_live(folder / "live.toml", START, ENVIRONMENT)


def test_the_groups_of_the_loops_are_read(tmp_path: Path) -> None:
    setup = with_cme(tmp_path)
    found = setup.recoveries["cme"].settings
    assert found.refresh == ("233.210.9.3", 30001) and found.refresh_b == ("233.210.9.4", 30001)
    assert found.definitions == ("233.210.9.5", 30001) and found.definitions_b is None
    lines = {c.line: c.address for c in setup.plan(START).channels if c.name == "cme"}
    assert sorted(lines) == ["A", "B", "R", "S"] and lines["S"] is not None
    assert is_injected(lines["S"])


def test_a_group_that_is_none_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"recovery\[5\].*definitions_b: expected HOST:PORT"):
        with_cme(tmp_path, RECOVERY + 'definitions_b = "here"\n')


def test_a_driver_hears_them_beside_the_loop(tmp_path: Path) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        joined = socket.inet_aton("233.210.9.3") + socket.inet_aton("127.0.0.1")
        try:
            one.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, joined)
        except OSError as error:
            pytest.skip(f"no multicast on loopback: {error}")
    setup = with_cme(tmp_path)
    plan, said = setup.plan(START), list[str]()
    with LiveRun(setup, plan) as run:
        inject = InjectPort(lambda: START)
        heads = {n: run.book_address(channel) for n, channel in enumerate(plan.channels)}
        rows, lines, options = run.venue_rows(), run.lines, LoopOptions()
        block = make_state(plan, [inject], options, None, 0.0, heads, rows, lines)
        desk = BooksDesk(run, block, Commands(block), inject, lambda: START, said.append)
        (driver,) = [one for one in desk.drivers.values() if isinstance(one, CmeDriver)]
        desk.step(START)
        assert len(desk.drivers) == 6 and said == []
        assert driver.feed.name == "cme_mdp3" and driver.recoverer.state == IDLE
        assert driver.recoverer.is_live is not None and not driver.recoverer.is_live(1)
        desk.close()
        block.close()
