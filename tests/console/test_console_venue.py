"""`sweepwire venue run`: venues as a process of their own."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from console.main import run
from feedhandler.channelfile import load_channels

START = "import sys; from console.main import main; sys.exit(main())"
CONFIG = """
venues = ["nasdaq", "iex", "dark"]
symbols = 2
before_s = 0.2
seconds = {seconds}
first_port = {port}
"""


def multicast_on_loopback() -> bool:
    """Whether a datagram to a group can be sent from loopback."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as end:
        try:
            end.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton("127.0.0.1"))
            end.sendto(b"", ("233.210.1.1", 30001))
        except OSError:
            return False
    return True


def config(folder: Path, seconds: float) -> Path:
    """A file with ports that nobody has just now."""
    with socket.create_server(("127.0.0.1", 0)) as end:
        port = min(end.getsockname()[1], 60_000)
    path = folder / "venues.toml"
    path.write_text(CONFIG.format(seconds=seconds, port=port + 1))
    return path


@pytest.mark.skipif(not multicast_on_loopback(), reason="no multicast on loopback")
def test_a_session_is_played_to_its_end(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    channels = tmp_path / "channels.toml"
    given = ["venue", "run", "--config", str(config(tmp_path, 1.0)), "--channels", str(channels)]
    assert run(given) == 0
    shown = capfd.readouterr().out
    assert "OUCH" in shown and "nasdaq_itch50@5.0 233.210.1.1 233.210.1.2" in shown
    assert {row.name for row in load_channels(channels).channels} == {"nasdaq", "iex"}


@pytest.mark.skipif(not multicast_on_loopback(), reason="no multicast on loopback")
def test_a_signal_ends_it(tmp_path: Path) -> None:
    given = ["venue", "run", "--config", str(config(tmp_path, 600.0))]
    with subprocess.Popen(
        [sys.executable, "-c", START, *given],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    ) as process:
        assert process.stdout is not None
        assert "venue" in process.stdout.readline()
        process.send_signal(signal.SIGTERM)
        rest = process.stdout.read()
    assert process.returncode == 0 and "messages" in rest


def test_a_port_that_is_taken_is_named(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as end:
        port = end.getsockname()[1]
        path = tmp_path / "venues.toml"
        path.write_text(CONFIG.format(seconds=1.0, port=port))
        assert run(["venue", "run", "--config", str(path)]) == 2
    assert f"127.0.0.1:{port}" in capfd.readouterr().err
