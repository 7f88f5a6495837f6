"""Opens `replay:` ports: capture files, merged by time, read in place from their memory maps.

`replay:FILE[,FILE…]` where FILE may be a pattern (`*`, `[…]`, `**`); options:

* `speed` `max` (no pacing, the default), `real` (1) or a factor: capture seconds a second
* `loop` how many times the captures are played; 0 for ever; the times of later passes go on
* `trailer` `metawatch`, `exablaze` or `exablaze-counter`: frames' times come from these capture
  trailers where one is found
* `ring` how many frames may be unreleased at a time
* `preload` 1 reads the files into memory before the first packet
"""

from __future__ import annotations

import glob
import mmap
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import numpy as np

from captures.errors import CaptureError
from captures.image import Bytes
from captures.source import open_image
from nic._core import ffi, lib
from nic.backend import OpenBackend, PortError
from nic.clock import Clock
from nic.uri import OptionReader, PortUri, choice, integer, read_options

_SPEED_ONE = 1 << 16
_SPEED_HIGHEST = 1e6
# enum swc_trailer_kind
_TRAILERS = {"none": 0, "metawatch": 1, "exablaze": 2, "exablaze-counter": 4}


def _read_speed(text: str) -> int:
    """A speed as capture seconds a second times 65536; 0 for no pacing."""
    if text in ("max", "real"):
        return 0 if text == "max" else _SPEED_ONE
    try:
        speed = round(float(text) * _SPEED_ONE)
    except (ValueError, OverflowError):
        speed = 0
    if not 1 <= speed <= _SPEED_HIGHEST * _SPEED_ONE:
        raise ValueError("expected max, real or a factor from 0.0001 to 1000000")
    return speed


OPTIONS: dict[str, OptionReader] = {
    "speed": _read_speed,
    "loop": integer(0, 2**63 - 1),
    "trailer": choice(_TRAILERS),
    "ring": integer(1, 2**31),
    "preload": integer(0, 1),
}


def _matches(pattern: str) -> list[Path]:
    """The file of that very name, else the files that match, by name."""
    if Path(pattern).is_file():
        return [Path(pattern)]
    names = glob.glob(pattern, recursive=True)  # noqa: PTH207 - Path.glob refuses absolute ones
    return [Path(name) for name in sorted(names) if Path(name).is_file()]


def find_files(uri: PortUri) -> list[Path]:
    """The files that an address names, each once, patterns in order of name. Raises UriError."""
    found: dict[Path, None] = {}
    for part in uri.target.split(","):
        pattern = unquote(part)
        files = _matches(pattern)
        if not files:
            raise uri.fail(f"no file matches {pattern}")
        found.update(dict.fromkeys(files))
    return list(found)


def open_capture(path: Path, *, preload: bool) -> Bytes:
    """The capture's bytes in memory, expanded if need be. Raises PortError naming the file."""
    try:
        image, damage = open_image(path, str(path))
    except CaptureError as error:
        raise PortError(str(error)) from None
    if damage is not None:
        raise PortError(str(damage))
    if preload:
        np.add.reduce(image.data[:: mmap.PAGESIZE], dtype=np.uint64)  # touches every page once
    return image.data


def _fill_images(paths: list[Path], captures: list[Bytes], keep: list[Any]) -> Any:
    images = ffi.new("swp_image[]", len(paths))
    for image, path, data in zip(images, paths, captures, strict=True):
        name = ffi.new("char[]", str(path).encode())
        image.base, image.size_bytes = ffi.cast("void *", data.ctypes.data), len(data)
        image.name = name
        keep += [data, name]  # an array holds the map that it lies in
    keep.append(images)
    return images


def open_replay(uri: PortUri) -> OpenBackend:
    """Maps the captures and opens a port over them. Raises UriError or PortError."""
    values = read_options(uri, OPTIONS)
    paths = find_files(uri)
    captures = [open_capture(path, preload=bool(values.get("preload"))) for path in paths]
    keep: list[Any] = []
    speed_q16 = values.get("speed", 0)
    config = ffi.new("swp_replay_config *")
    config.images, config.image_count = _fill_images(paths, captures, keep), len(paths)
    config.ring_count = values.get("ring", 4096)
    config.speed_q16 = speed_q16
    config.repeat_count = values.get("loop", 1)
    config.trailer_kinds = values.get("trailer", 0)
    if speed_q16:
        clock = Clock()
        keep.append(clock)
        config.clock = ffi.cast("swp_clock *", clock.address)
    handle, reason = ffi.new("void **"), ffi.new("char[]", lib.SWP_ERROR_TEXT_BYTES)
    if lib.swp_replay_open(config, handle, reason) < 0:
        raise PortError(f"{uri.text}: {ffi.string(reason).decode(errors='replace')}")
    regions = tuple((int(data.ctypes.data), len(data)) for data in captures)
    return OpenBackend(lib.swp_replay_ops(), handle[0], regions, keep)
