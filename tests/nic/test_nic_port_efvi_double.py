"""The double of libciul notices misuse: else tests over it would prove nothing about the calls."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from efvi_double import DOUBLE_SOURCES, DOUBLES

CASES = {
    "nothing_wrong": "",
    "time_after_next_poll": "timestamp of a frame that is not of the latest poll",
    "post_twice": "buffer 3 was posted twice",
    "post_unregistered": "a receive buffer that is not registered, or in two pages, was posted",
    "post_across_pages": "a receive buffer that is not registered, or in two pages, was posted",
    "post_too_many": "receive ring overfilled",
    "filter_before_buffers": "a filter was added before the first buffer was posted",
    "poll_one": "ef_eventq_poll of 1 events",
    "ctpio_twice": "a CTPIO send before the fallback of the last one",
    "send_before_fallback": "a send before the fallback of a CTPIO send",
    "fallback_alone": "a fallback without a CTPIO send",
    "fallback_differs": "the fallback is not the frame that was sent by CTPIO",
    "ctpio_beyond_ring": "CTPIO without a descriptor for its fallback",
    "ctpio_lengths": "CTPIO of 100 bytes in parts of 99",
    "same_send_twice": "send 7 is still under way",
    "write_under_send": "buffer 7 was written while its send was under way",
    "unbundle_twice": "an event was unbundled twice",
    "send_runt": "a frame of 59 bytes was sent",
    "send_unregistered": "a frame that is not registered, or in two pages, was sent",
    "release_twice": "packet 0 was released, and is not the reader's",
    "read_after_release": "packet 0 is not the reader's",
    "free_while_held": "packet 0 was still held when its interface was freed",
    "unregister_under_vi": "memory was unregistered under a virtual interface",
    "free_domain_first": "the domain was freed under a virtual interface",
    "close_driver_first": "the driver was closed under a domain",
}


@pytest.fixture(scope="module")
def misuse(tmp_path_factory: pytest.TempPathFactory) -> Path:
    compiler = shutil.which("gcc") or shutil.which("clang")
    if compiler is None:
        pytest.skip("no C compiler on this machine")
    binary = tmp_path_factory.mktemp("misuse") / "misuse"
    sources = [str(DOUBLES / name) for name in (*DOUBLE_SOURCES, "misuse.c")]
    command = [compiler, "-std=gnu11", "-O0", "-Wall", "-Wextra", "-Werror", f"-I{DOUBLES}"]
    built = subprocess.run(
        [*command, *sources, "-o", str(binary)], capture_output=True, text=True, check=False
    )
    assert built.returncode == 0, built.stderr
    return binary


@pytest.mark.parametrize("case", CASES)
def test_misuse_is_told(misuse: Path, case: str) -> None:
    run = subprocess.run([misuse, case], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == CASES[case]
