"""Damaged captures under the address and undefined-behaviour sanitizers, in a driver of its own.

`SWEEPWIRE_FUZZ` sets the number of mutations (20,000), `SWEEPWIRE_FUZZ_SEED` their seed.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from captures_made import every_format, with_trailers

from captures.build_capture import C_SOURCES

SANITIZERS = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"]


def compiler() -> str:
    found = shutil.which("gcc") or shutil.which("cc")
    if found is None:
        pytest.skip("no C compiler")
    return found


def build(repository: Path, folder: Path, sources: list[str]) -> Path:
    driver = folder / "fuzz_capture"
    fuzz = repository / "captures" / "csrc" / "fuzz" / "fuzz_capture.c"
    include = f"-I{repository / 'captures' / 'csrc'}"
    command = [compiler(), "-g", "-O1", "-std=gnu11", *SANITIZERS, include, "-o", str(driver)]
    subprocess.run([*command, str(fuzz), *sources], check=True)
    return driver


def crafted_seeds(folder: Path) -> list[str]:
    paths = []
    for name, data in {**every_format(), **with_trailers()}.items():
        path = folder / f"seed-{name}"
        path.write_bytes(data)
        paths.append(str(path))
    return paths


def test_damaged_captures(repository: Path, tmp_path: Path) -> None:
    real = sorted((repository.parent / "shared" / "real").glob("*/*.pcap"))
    seeds = crafted_seeds(tmp_path) + [str(path) for path in real]
    driver = build(repository, tmp_path, [str(repository / source) for source in C_SOURCES])
    runs = os.environ.get("SWEEPWIRE_FUZZ", "20000")
    seed = os.environ.get("SWEEPWIRE_FUZZ_SEED", "1")
    done = subprocess.run(
        [str(driver), seed, runs, *seeds], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert f"{len(seeds)} files" in done.stdout
    assert f"{runs} mutations" in done.stdout


@pytest.mark.parametrize(
    ("file", "sound", "broken"),
    [
        ("capture.c", "if (left - PCAP_RECORD_BYTES < caplen)", "if (left < caplen)"),
        ("pcapng.c", "if (left < b->bytes)", "if (left + 4 < b->bytes)"),
        ("erf.c", "if (left < r.record_bytes)", "if (left + 2 < r.record_bytes)"),
        ("trailer.c", "left >= KEY_FRAME_BYTES && ", ""),
        ("capture.c", "cursor->packet_count += (uint64_t)count;", "cursor->packet_count++;"),
    ],
)
def test_the_driver_notices(
    repository: Path, tmp_path: Path, file: str, sound: str, broken: str
) -> None:
    """The driver must fail on a cursor that looks too far, or it proves nothing."""
    folder = tmp_path / "csrc"
    shutil.copytree(repository / "captures" / "csrc", folder)
    text = (folder / file).read_text()
    assert text.count(sound) == 1
    (folder / file).write_text(text.replace(sound, broken))
    driver = build(repository, tmp_path, [str(folder / Path(s).name) for s in C_SOURCES])
    done = subprocess.run(
        [str(driver), "1", "20000", *crafted_seeds(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert "ERROR" in done.stderr or "fuzz_capture:" in done.stderr
