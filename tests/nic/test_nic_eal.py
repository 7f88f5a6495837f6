"""DPDK's environment in processes of its own: how it starts, what it says, how it ends."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from dpdk_rig import EAL, DpdkRig

from nic.backend import PortError
from nic.eal import ENVIRONMENT, environment_arguments, full_arguments, read_arguments

ROOT = Path(__file__).parents[2]
needs_dpdk = pytest.mark.skipif(DpdkRig.why_not() is not None, reason=str(DpdkRig.why_not()))


def run(*lines: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """A process of these lines, with `open_port` and `EAL` at hand."""
    head = f"from nic.port import open_port\nimport os, threading, time\nEAL = {EAL!r}\n"
    return subprocess.run(
        [sys.executable, "-c", head + "\n".join(lines)],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        timeout=60,
        env={**os.environ, **environment},
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ()),
        ("-l 1  --no-huge", ("-l", "1", "--no-huge")),
        ("--vdev='net_pcap0,rx_pcap=a b' # a comment", ("--vdev=net_pcap0,rx_pcap=a b",)),
    ],
)
def test_arguments_are_split_as_a_shell_does(text: str, expected: tuple[str, ...]) -> None:
    assert read_arguments(text) == expected


def test_arguments_come_from_a_file_or_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "eal"
    path.write_text("# a NIC\n-a 0000:01:00.0\n--huge-dir /mnt/huge\n")
    expected = ("-a", "0000:01:00.0", "--huge-dir", "/mnt/huge")
    assert read_arguments(f"@{path}") == expected
    monkeypatch.delenv(ENVIRONMENT, raising=False)
    assert environment_arguments() is None
    monkeypatch.setenv(ENVIRONMENT, f"@{path}")
    assert environment_arguments() == expected
    monkeypatch.setenv(ENVIRONMENT, "'")
    with pytest.raises(PortError, match=r"SWEEPWIRE_EAL='.*No closing quotation"):
        environment_arguments()


def test_one_core_and_no_telemetry_unless_told_otherwise() -> None:
    added = full_arguments(["--no-huge", "--log-level=8"])
    assert added[1].startswith("--lcores=0@(") and added[2] == "--no-telemetry"
    for cores in (["-l", "1"], ["-l1"], ["-c3"], ["--lcores=0@1"]):
        assert full_arguments(["--telemetry", *cores]) == ["sweepwire", "--telemetry", *cores]


@needs_dpdk
def test_wrong_arguments_are_one_clear_error_and_the_end_of_it() -> None:
    done = run(
        "for eal in ('--frobnicate', EAL):",
        "    try:",
        "        open_port(f'dpdk:net_null0?eal={eal}')",
        "    except OSError as error:",
        "        print(error)",
    )
    first, second = done.stdout.splitlines()
    assert "EAL arguments '--frobnicate': rte_eal_init: Invalid argument" in first
    assert "unrecognized option '--frobnicate'" in first
    assert "failed to start before; a new process may try again" in second
    assert (done.stderr, done.returncode) == ("", 0)


@needs_dpdk
def test_devices_of_the_arguments_can_be_opened_again_and_again() -> None:
    done = run(
        "for target in ('0', 'net_null0', '0') * 3:",
        "    with open_port(f'dpdk:{target}?filter=0') as port:",
        "        assert len(port.poll()) == 64 and port.send(bytes(60)) == 0",
        "        held = len(port.poll())",
        "    print(port, held)",
        SWEEPWIRE_EAL=f"{EAL} --vdev=net_null0",
    )
    assert [line.split()[-1] for line in done.stdout.splitlines()] == ["64"] * 9
    assert (done.stderr, done.returncode) == ("", 0)


@needs_dpdk
@pytest.mark.parametrize("ending", ["", "os._exit(0)", "port.close()"])
def test_a_process_ends_well_whatever_its_ports_do(ending: str) -> None:
    done = run(
        "port = open_port(f'dpdk:net_null0?filter=0&eal={EAL}')",
        "other = open_port('dpdk:net_null1?filter=0')",
        "poll = lambda: [other.poll() for _ in iter(int, 1)]",
        "port.thread_init(); port.poll()",
        "threading.Thread(target=poll, daemon=True).start()" if ending == "" else "other.close()",
        ending,
    )
    assert (done.stdout, done.stderr, done.returncode) == ("", "", 0)


@needs_dpdk
def test_dpdk_s_threads_take_no_signals_and_nobody_is_pinned() -> None:
    done = run(
        "cores = os.sched_getaffinity(0)",
        "open_port(f'dpdk:net_null0?eal={EAL} -l 0').close()",
        "assert os.sched_getaffinity(0) == cores",
        "for task in os.listdir('/proc/self/task'):",
        "    if int(task) == os.getpid(): continue",
        "    status = open(f'/proc/self/task/{task}/status').read().splitlines()",
        "    facts = dict(line.split(':', 1) for line in status)",
        "    blocked = int(facts['SigBlk'], 16)",
        "    print(facts['Name'].strip(), blocked >> 1 & 1, blocked >> 14 & 1)",
    )
    threads = [line for line in done.stdout.splitlines() if "eal" in line]
    assert threads and all(line.endswith(" 1 1") for line in threads)
    assert (done.stderr, done.returncode) == ("", 0)


@needs_dpdk
def test_the_log_goes_to_stderr_where_it_is_asked_for() -> None:
    done = run("open_port(f'dpdk:net_null0?eal={EAL} --log-level=8').close()")
    assert "EAL: " in done.stderr and (done.stdout, done.returncode) == ("", 0)
