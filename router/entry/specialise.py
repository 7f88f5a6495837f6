"""The part of the loop that reads what venues answer, for the protocols that are in use.

Writing orders needs no code of a protocol's own: the forms are data.
"""

from __future__ import annotations

from collections.abc import Sequence
from types import ModuleType
from typing import Final

from feedhandler.registry import versions
from nic import kernelcache
from router.entry.protocols import PROTOCOLS

NUMBERS: Final = {name: number for number, name in enumerate(PROTOCOLS)}
IMPORTS: Final = """
import numpy as np
from numba import njit

from nic.kernelref import KernelRef
from router.entry.inbound import receive_by
"""
BODY: Final = """

@njit(nogil=True)
def decode_answers(protocol, data, length, context, out):
{choices}
    return np.int64(0)


DECODE_ANSWERS = KernelRef(decode_answers)


@njit(nogil=True)
def receive(router, session, data, length, now, out, most):
    return receive_by(router, session, data, length, now, out, most, DECODE_ANSWERS)
"""
ENTRY: Final = '''

@njit(nogil=True, cache=True)
def run_receive(router, session, data, length, now, out, most):
    """`receive`, for calls from Python."""
    return receive(router, session, data, length, now, out, most)
'''


def source_for(protocols: Sequence[str]) -> tuple[str, str]:
    """Imports and body of a module with `receive` for some protocols, see `inbound.receive_by`.

    Args:
        protocols: names in `PROTOCOLS`, each once.

    Raises:
        ValueError: naming a protocol that is none of them.
    """
    imports, choices = [IMPORTS], []
    for name in protocols:
        if name not in NUMBERS:
            raise ValueError(f"no order protocol {name!r}: there are {', '.join(NUMBERS)}")
        feed, number = versions(PROTOCOLS[name].feed)[0], NUMBERS[name]
        for path, alias in ((feed.walk, f"answers_{number}"), (feed.message, f"answer_{number}")):
            module, _, kernel = path.partition(":")
            imports.append(f"from {module} import {kernel} as {alias}")
        imports.append(f"ANSWER_{number} = KernelRef(answer_{number})")
        call = f"answers_{number}(data, length, context, out, ANSWER_{number})"
        choices += [f"    if protocol == {number}:", f"        return np.int64({call})"]
    return "\n".join(imports), BODY.format(choices="\n".join(choices))


def build(protocols: Sequence[str]) -> ModuleType:
    """A module with `receive` for some protocols, and `run_receive` that Python may call."""
    imports, body = source_for(protocols)
    names = ", ".join(protocols)
    head = f'"""Answers of: {names}. Written by router.entry.specialise; never edited."""\n'
    return kernelcache.generated_module("entry", head + imports + "\n" + body + ENTRY)
