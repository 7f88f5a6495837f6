"""Answers written by forms are read as the actions they mean; mutated ones are counted."""

from __future__ import annotations

import functools
from collections.abc import Iterator

import numpy as np
import pytest
from entry_kernels import run_fill
from entry_rig import MOST, NUMBERS, Router, constants, kinds, watched
from guarded_memory import Guarded
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from feedhandler import actions as a
from feedhandler.protocols import liquidity as f
from feedhandler.registry import versions
from feedhandler.streampieces import decode_piece
from router import tables as t
from router.entry.formlayout import WORDS_DTYPE
from router.entry.forms import REPLIES, Form
from router.entry.layout import UP
from router.entry.protocols import PROTOCOLS

ROOM = 256
DOLLAR = 100_000_000
KINDS = {
    "accepted": a.ACCEPTED,
    "executed": a.EXECUTED,
    "canceled": a.CANCELED,
    "rejected": a.REJECTED,
    "replaced": a.REPLACED,
    "replace rejected": a.REJECTED,
    "cancel rejected": a.CANCEL_REJECTED,
}
MEMORY = Guarded(1 << 14)


@pytest.fixture(scope="module")
def router() -> Iterator[Router]:
    with Router() as made:
        yield made


@functools.cache
def replies(protocol: str) -> dict[str, Form]:
    """What the venues of a protocol answer."""
    return PROTOCOLS[protocol].reply_forms(constants(protocol))


def said(protocol: str, name: str, **words: int) -> bytes:
    """An answer of a venue; asserts that the plain decoder finds no fault with it."""
    form, given_, out = replies(protocol)[name], np.zeros(1, WORDS_DTYPE), np.zeros(ROOM, np.uint8)
    for word, value in words.items():
        given_[word] = value
    with watched(form.image, given_, out):
        length = run_fill(form.address, given_.ctypes.data, out.ctypes.data)
    assert length == form.length
    made = out[:length].tobytes()
    assert decode_piece(versions(PROTOCOLS[protocol].feed)[0], made).clean
    return made


def wire_names(protocol: str) -> dict[str, int]:
    """Numbers of orders that any protocol can name."""
    return {"token": 4711, "old_token": 4710, "symbol": PROTOCOLS[protocol].symbol("AAPL", 1)}


@pytest.mark.parametrize("name", REPLIES)
@pytest.mark.parametrize("protocol", PROTOCOLS)
@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_an_answer_is_the_action_it_means(
    router: Router, protocol: str, name: str, data: st.DataObject
) -> None:
    cents = data.draw(st.integers(1, 10**7))
    shares, leaves = data.draw(st.integers(1, 10**6)), data.draw(st.integers(1, 10**6))
    words = {
        **wire_names(protocol),
        "token": data.draw(st.integers(1, (1 << 32) - 1)),
        "side": data.draw(st.sampled_from([a.BUY, a.SELL])),
        "price": cents * DOLLAR // 100,
        "quantity": shares,
        "leaves": leaves,
        "liquidity": data.draw(st.integers(1, 5)),
        "execution": data.draw(st.integers(1, 1 << 62)),
        "reason": data.draw(st.sampled_from(sorted(PROTOCOLS[protocol].reasons.values()))),
        "venue_order": data.draw(st.integers(1, 1 << 62)),
        "time_ns": 1_700_000_000 * 10**9,
        "day_ns": 3_600 * 10**9,
        "sequence": 1,
    }
    (action,) = router.hear(protocol, said(protocol, name, **words))
    kind = KINDS[name]
    if protocol in ("boe", "meo") and name == "replace rejected":
        kind = a.CANCEL_REJECTED
    assert (action["kind"], action["order_id"]) == (kind, words["token"])
    if name == "executed":
        assert (action["price"], action["quantity"]) == (words["price"], shares)
        assert (action["aux"], action["unit"]) == (words["execution"], words["liquidity"])
    if name == "replaced":
        assert (action["aux"], action["quantity"]) == (words["old_token"], leaves)
    if name == "accepted":
        assert (action["aux"], action["price"]) == (words["venue_order"], words["price"])
    if name in ("accepted", "replaced") and protocol not in ("boe", "meo"):
        assert action["side"] == words["side"]
    if kind == a.REJECTED or (kind == a.CANCELED and protocol != "pillar"):
        assert action["aux"] == words["reason"]
    if name == "canceled":
        assert action["quantity"] == (0 if protocol in ("boe", "pillar", "meo") else shares)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_answers_mean_the_same_wherever_they_are_cut(router: Router, protocol: str) -> None:
    words = {**wire_names(protocol), "side": a.BUY, "price": DOLLAR, "quantity": 3, "leaves": 3}
    stream = b"".join(said(protocol, name, **words) for name in REPLIES)
    router.sessions.connect(NUMBERS[protocol], router.ports[0])  # type: ignore[arg-type]
    wanted = kinds(router.hear(protocol, stream))
    assert len(wanted) == len(REPLIES)
    for cut in range(len(stream) + 1):
        assert kinds(router.hear(protocol, stream, cuts=[cut])) == wanted
    assert kinds(router.hear(protocol, stream, cuts=range(1, len(stream)))) == wanted


def test_the_codes_of_liquidity_are_those_of_the_feeds() -> None:
    names = (f.UNKNOWN, f.ADDED, f.REMOVED, f.ADDED_HIDDEN, f.MIDPOINT, f.AUCTION)
    assert names == (
        t.UNKNOWN_LIQUIDITY,
        t.ADDED,
        t.REMOVED,
        t.ADDED_HIDDEN,
        t.AT_MIDPOINT,
        t.IN_AUCTION,
    )


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_an_unknown_message_is_counted_and_the_next_one_read(router: Router, protocol: str) -> None:
    good = said(protocol, "canceled", **wire_names(protocol), quantity=1)
    bad = bytearray(good)
    bad[{"boe": 4, "pillar": 32, "meo": 12}.get(protocol, 3)] = 0xFE
    contexts = router.tables.block["session_contexts"]
    contexts["faults"] = 0
    made = router.hear(protocol, bytes(bad) + good)
    assert (kinds(made), router.faults(protocol)) == (["canceled"], {"unknown_message": 1})


def hear_guarded(router: Router, protocol: str, piece: bytes) -> None:
    """Gives a session bytes that end where memory does."""
    at, number = 0, NUMBERS[protocol]
    while at < len(piece):
        rest = piece[at:]
        place = MEMORY.at_end(rest)
        with watched(router.tables.block, router.out, (place, len(rest))):
            count = router.receive(
                router.tables.address,
                number,
                place,
                len(rest),
                router.now_ns,
                int(router.out.ctypes.data),
                MOST,
            )
        taken = int(router.session(protocol)["consumed"])
        assert 0 <= count <= MOST
        assert 0 < taken <= len(rest)
        at += taken


@pytest.mark.parametrize("protocol", PROTOCOLS)
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_mutated_answers_are_read_within_their_bounds(
    router: Router, protocol: str, data: st.DataObject
) -> None:
    words = {**wire_names(protocol), "side": a.BUY, "price": DOLLAR, "quantity": 3}
    names = data.draw(st.lists(st.sampled_from(REPLIES), min_size=1, max_size=4))
    stream = bytearray(b"".join(said(protocol, name, **words) for name in names))
    for _ in range(data.draw(st.integers(0, 8))):
        stream[data.draw(st.integers(0, len(stream) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(stream)))
    del stream[cut : cut + data.draw(st.integers(0, 3))]
    number = NUMBERS[protocol]
    router.sessions.connect(number, router.ports[number])  # type: ignore[arg-type]
    router.sessions.set_state(number, UP)
    cut = data.draw(st.integers(0, len(stream)))
    hear_guarded(router, protocol, bytes(stream[:cut]))
    hear_guarded(router, protocol, bytes(stream[cut:]))
