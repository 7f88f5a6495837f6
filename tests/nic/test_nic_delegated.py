"""Delegated sends of `tcp:` ports, with a stand-in for Onload in the process and without one."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from port_rigs import numbered, pcap, udp_frame
from tcp_rig import Venue

from nic.port import PortError, UriError
from nic.tcp import DelegatedSends, delegated_sends

REPOSITORY = Path(__file__).parents[2]
DOUBLES = Path(__file__).with_name("doubles")
SESSION = """
import sys
from nic.port import open_port
from nic.tcp import delegated_sends
with open_port(sys.argv[1]) as port:
    results = [port.send(b"order %d" % number) for number in range(5)]
    results.append(port.send(bytes(1461)))
    print(results, *delegated_sends(port.handle), port.stats()[5:])
"""


@pytest.fixture
def venue() -> Iterator[Venue]:
    with Venue() as made:
        yield made


@pytest.fixture
def capture(tmp_path: Path) -> Path:
    """A replay takes frames and counts them: it stands for the way out."""
    path = tmp_path / "a.pcap"
    path.write_bytes(pcap([udp_frame(payload) for payload in numbered(1)]))
    return path


def test_under_onload_messages_leave_as_frames(venue: Venue, capture: Path, tmp_path: Path) -> None:
    compiler = shutil.which("gcc") or shutil.which("clang")
    if compiler is None:
        pytest.skip("no C compiler on this machine")
    library = tmp_path / "onload.so"
    command = [compiler, "-shared", "-fPIC", "-O1", f"-I{DOUBLES}", str(DOUBLES / "onload.c")]
    subprocess.run([*command, "-o", str(library)], check=True)
    made = subprocess.run(
        [sys.executable, "-c", SESSION, venue.uri(delegated=f"replay:{capture}")],
        env=os.environ | {"LD_PRELOAD": str(library), "PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert made.stdout == "[0, 0, 0, 0, 0, 0] True 5 0 1 0 (6, 1496, 0)\n"
    venue.far = venue.listener.accept()[0]
    sent = b"".join(b"order %d" % number for number in range(5)) + bytes(1461)
    assert venue.read(len(sent)) == sent


def test_without_onload_sends_are_plain_and_the_port_says_so(venue: Venue, capture: Path) -> None:
    for way_out in (f"replay:{capture}", "1", "efvi:eth9"):
        with venue.connect(delegated=way_out, device="lo") as port:
            assert port.last_error == "delegated: not run under Onload, sends are plain"
            assert port.send(b"order") == 0
            assert venue.read(5) == b"order"
            assert delegated_sends(port.handle) == DelegatedSends(False, 0, 0, 0, 0)
    with venue.connect(delegated=0) as port:
        assert port.last_error == ""


def test_what_is_no_way_out_is_refused(venue: Venue) -> None:
    with pytest.raises(UriError, match="option delegated=eth0: eth0: expected scheme:target"):
        venue.connect(delegated="eth0")


@pytest.mark.parametrize(
    ("options", "failure", "reason"),
    [
        ({"delegated": "1"}, UriError, "delegated=1 needs a device"),
        ({"delegated": "nosuch:eth0"}, UriError, "unknown scheme nosuch"),
        ({"delegated": "efvi:eth0"}, PortError, "delegated sends: efvi is not available: "),
        ({"delegated": "replay:/nosuch.pcap"}, UriError, "no file matches /nosuch.pcap"),
    ],
)
def test_under_onload_a_way_out_that_does_not_open_is_named(
    venue: Venue,
    monkeypatch: pytest.MonkeyPatch,
    options: dict[str, str],
    failure: type[Exception],
    reason: str,
) -> None:
    import nic.tcp

    class UnderOnload:
        def __getattr__(self, name: str) -> object:
            return (lambda: 1) if name == "swp_onload_present" else getattr(real, name)

    real = nic.tcp.lib
    if options["delegated"] == "efvi:eth0":
        from nic.port import BACKENDS

        if BACKENDS["efvi"].open is not None:
            pytest.skip("ef_vi is built here")
    monkeypatch.setattr(nic.tcp, "lib", UnderOnload())
    with pytest.raises(failure, match=reason):
        venue.connect(**options)
