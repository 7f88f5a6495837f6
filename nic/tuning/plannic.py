"""Planned for a NIC: queues, rings and how long it holds interrupts back."""

from __future__ import annotations

from collections.abc import Iterator

from nic.tuning.knob import Group, Knob, TuneError
from nic.tuning.wish import Look

# In this order: drivers refuse a fixed time while they choose it themselves.
_ADAPTIVE = ("adaptive-rx", "adaptive-tx")
_AT_ONCE = ("rx-usecs", "tx-usecs")


def nic_knobs(look: Look) -> Iterator[Knob]:
    """Settings of the interface asked for, as far as its driver has them."""
    name, nics = look.wish.interface, look.places.nics
    if name is None or Group.NIC not in look.wish.groups:
        return
    if nics is None:
        look.notes.append(
            f"{name}: rings, channels and coalescing are only asked on a real machine"
        )
        return
    yield from _channels(look, name, _section(look, name, "channels"))
    for end in ("rx", "tx"):
        most = _section(look, name, "ring").get(f"{end}-max")
        if most:
            yield from _knob(look, "nic-ring", name, f"ring/{end}", most)
    has = _section(look, name, "coalesce")
    for names, kind in ((_ADAPTIVE, "nic-adaptive"), (_AT_ONCE, "nic-coalesce")):
        for number in names:
            if number in has:
                yield from _knob(look, kind, name, f"coalesce/{number}", 0)


def _knob(look: Look, kind: str, interface: str, number: str, wanted: int) -> Iterator[Knob]:
    place = f"ethtool:{interface}/{number}"
    return look.knob(kind, place, str(wanted), f"{interface} {number.rpartition('/')[2]}")


def _section(look: Look, interface: str, section: str) -> dict[str, int]:
    nics = look.places.nics
    try:
        found = None if nics is None else nics.read_section(interface, section)
    except OSError as error:
        look.notes.append(f"{interface} {section}: {error.strerror}")
        return {}
    said = f"{interface} {section}: the device does not have it"
    if found is None and said not in look.notes:
        look.notes.append(said)
    return found or {}


def _channels(look: Look, interface: str, has: dict[str, int]) -> Iterator[Knob]:
    wanted = look.wish.channels
    if wanted is None:
        return
    names = ("combined",) if has.get("combined-max") else ("rx", "tx")
    for name in names:
        most = has.get(f"{name}-max", 0)
        if most and not 1 <= wanted <= most:
            raise TuneError(f"{interface}: {wanted} channels: expected 1 to {most}")
        if most:
            yield from _knob(look, "nic-channels", interface, f"channels/{name}", wanted)
