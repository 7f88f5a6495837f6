"""The C of the ports under the address and undefined-behaviour sanitizers."""

from __future__ import annotations

import os
import re
import shutil
import struct
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from port_rigs import FIRST_NS, numbered, pcap, udp_frame

from nic.build_core import PORT_SOURCES

REPOSITORY = Path(__file__).parents[2]
FLAGS = ["-std=gnu11", "-O1", "-g", "-fno-omit-frame-pointer", "-Wall", "-Wextra", "-Werror=vla"]
MEMORY = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-pthread"]
THREADS = ["-fsanitize=thread", "-pthread"]
TCP = ["tcp.c", "tcp_send.c", "tcp_open.c", "delegated.c"]
DOUBLES = Path(__file__).with_name("doubles")
# What a driver is compiled with: these, or with none given all ports and the captures' reader.
SOURCES = {
    "tcp_driver": TCP,
    "delegated_driver": TCP,
    "handoff_driver": ["handoff.c", "handoff_pump.c"],
}
Build = Callable[[str, list[str]], Path]


def folded_pcapng() -> bytes:
    """A section, an interface and a few enhanced packets."""
    out = struct.pack("<IIIHHqI", 0x0A0D0D0A, 28, 0x1A2B3C4D, 1, 0, -1, 28)
    out += struct.pack("<IIHHII", 1, 20, 1, 0, 0, 20)
    for number, payload in enumerate(numbered(6)):
        frame = udp_frame(payload)
        stamp_us = FIRST_NS // 1000 + number
        size = 32 + len(frame) + -len(frame) % 4
        head = (6, size, 0, stamp_us >> 32, stamp_us & 0xFFFFFFFF, len(frame), len(frame))
        out += struct.pack("<IIIIIII", *head) + frame + bytes(-len(frame) % 4)
        out += struct.pack("<I", size)
    return out


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> Build:
    """Compiles a driver with the ports' sources under sanitizers; gives the binary."""
    compiler = shutil.which("gcc") or shutil.which("clang")
    if compiler is None:
        pytest.skip("no C compiler on this machine")
    folder = tmp_path_factory.mktemp("sanitized")
    return lambda name, flags: build_driver([compiler, *FLAGS, *flags], name, folder / name)


def build_driver(compiler: list[str], name: str, binary: Path) -> Path:
    folders = [REPOSITORY / "nic" / "csrc", REPOSITORY / "captures" / "csrc"]
    sources = [Path(__file__).with_name(f"{name}.c")]
    sources += [folders[0] / source for source in SOURCES.get(name, PORT_SOURCES)]
    sources += [] if name in SOURCES else sorted(folders[1].glob("*.c"))
    if name == "delegated_driver":
        folders, sources = [*folders, DOUBLES], [*sources, DOUBLES / "onload.c"]
    command = [*compiler, *(f"-I{folder}" for folder in folders)]
    command += [*map(str, sources), "-o", str(binary)]
    built = subprocess.run(command, capture_output=True, text=True, check=False)
    if built.returncode and re.search("cannot find.*[at]san", built.stderr):
        pytest.skip("the compiler has no sanitizer libraries")
    assert built.returncode == 0, built.stderr
    return binary


def run_driver(*command: Path) -> tuple[int, str]:
    """Exit code and what it wrote on standard error."""
    run = subprocess.run(
        [*map(str, command)],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"ASAN_OPTIONS": "detect_leaks=1"},
    )
    return run.returncode, run.stderr


def test_no_access_goes_astray(build: Build, tmp_path: Path) -> None:
    plain, sections = tmp_path / "a.pcap", tmp_path / "b.pcapng"
    plain.write_bytes(pcap([udp_frame(payload) for payload in numbered(6)], snaplen=100))
    sections.write_bytes(folded_pcapng())
    assert run_driver(build("port_driver", MEMORY), plain, sections) == (0, "")


def test_no_access_of_a_tcp_port_goes_astray(build: Build) -> None:
    assert run_driver(build("tcp_driver", [*MEMORY, "-Wl,--wrap=send"])) == (0, "")


@pytest.mark.parametrize("flags", [MEMORY, THREADS], ids=["memory", "threads"])
def test_the_two_sides_of_a_handoff_keep_apart(build: Build, flags: list[str]) -> None:
    assert run_driver(build("handoff_driver", flags)) == (0, "")


def test_delegated_sends_keep_to_the_rules_of_onload(build: Build) -> None:
    """-rdynamic: the stand-in is found at run time, as Onload is."""
    assert run_driver(build("delegated_driver", [*MEMORY, "-rdynamic", "-ldl"])) == (0, "")
