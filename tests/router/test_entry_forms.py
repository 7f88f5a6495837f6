"""Forms write what the protocols' plain encoders write, and read it back."""

from __future__ import annotations

import functools

import msgspec
import numpy as np
import pytest
from entry_kernels import run_fill, run_read, run_recognise
from entry_rig import constants, watched
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from slow_entry import MOST_TOKEN, message, sayable

from feedhandler.actions import BUY, SELL
from router import tables as t
from router.entry.formlayout import ROUND_UP_BYTES, WORDS, WORDS_DTYPE
from router.entry.forms import ORDERS, Form, Move, make_form
from router.entry.protocols import PROTOCOLS

ROOM = 256
DOLLAR = 100_000_000


@functools.cache
def forms(protocol: str) -> dict[str, Form]:
    """The orders of a protocol in one instrument."""
    given = msgspec.structs.replace(constants(protocol), symbol="AAPL", symbol_id=1)
    return PROTOCOLS[protocol].order_forms(given)


def row(words: dict[str, int]) -> np.ndarray:
    """A row of words."""
    made = np.zeros(1, WORDS_DTYPE)
    for name, value in words.items():
        made[name] = value
    return made


def written(form: Form, words: dict[str, int]) -> bytes | None:
    """What the kernel writes, None where it cannot be said; asserts that it keeps to its room."""
    out, given = np.full(ROOM, 0xEE, np.uint8), row(words)
    with watched(form.image, given, (int(out.ctypes.data), form.length + ROUND_UP_BYTES)):
        length = run_fill(form.address, given.ctypes.data, out.ctypes.data)
    assert length in (0, form.length)
    assert (out[form.length + ROUND_UP_BYTES :] == 0xEE).all()
    return out[:length].tobytes() if length else None


def read_back(form: Form, data: bytes) -> dict[str, int] | None:
    """The words that the kernel reads, None where it is another message."""
    raw, made = np.frombuffer(data, np.uint8).copy(), row({"reason": 77})
    with watched(form.image, raw, made):
        if not run_read(form.address, raw.ctypes.data, len(raw), made.ctypes.data):
            return None
    return {name: int(made[name][0]) for name in WORDS}


def words_of(protocol: str) -> st.SearchStrategy[dict[str, int]]:
    """Words of orders, a few of them beyond what the protocol can say."""
    shares = st.one_of(st.sampled_from([0, 1, 100, (1 << 32) - 1, 1 << 32]), st.integers(0, 10**6))
    cents = st.integers(0, 25_000_000).map(lambda n: n * DOLLAR // 100)
    price = st.one_of(cents, cents, st.integers(0, 1 << 50), st.sampled_from([0, 10_000]))
    token = st.one_of(st.integers(0, MOST_TOKEN[protocol] - 1), st.just(MOST_TOKEN[protocol]))
    flags = st.lists(st.sampled_from([1, 2, 4, 8, 16, 32]), max_size=3).map(lambda x: sum({*x}))
    return st.fixed_dictionaries(
        {
            "token": token,
            "old_token": token,
            "side": st.sampled_from([BUY, SELL, SELL]),
            "quantity": shares,
            "price": price,
            "tif": st.sampled_from([t.DAY, t.DAY, t.IOC, t.FOK, t.GTC]),
            "flags": flags,
            "minimum": shares,
            "shown": st.one_of(st.just(0), shares),
            "sequence": st.integers(0, (1 << 32) - 1),
            "sent_ns": st.integers(0, 1 << 62),
        }
    )


def meant(protocol: str, words: dict[str, int]) -> int:
    """The flags that can be read off an order."""
    flags = words["flags"]
    if flags & t.SHORT_EXEMPT:
        flags &= ~t.SHORT
    if flags & t.MIDPOINT and protocol not in ("boe", "meo"):
        flags &= ~t.NOT_SHOWN
    return flags


@pytest.mark.parametrize("name", ORDERS)
@pytest.mark.parametrize("protocol", PROTOCOLS)
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_a_form_writes_what_the_plain_encoder_does(
    protocol: str, name: str, data: st.DataObject
) -> None:
    words, form = data.draw(words_of(protocol)), forms(protocol)[name]
    wanted = message(protocol, name, words)
    assert written(form, words) == wanted
    if wanted is None:
        return
    found = read_back(form, wanted)
    assert found is not None
    said = [w for w in ("quantity", "price", "sequence", "sent_ns") if found[w]]
    assert all(found[word] == words[word] for word in said)
    assert found["reason"] == 0
    if name != "enter" and name != "enter full":
        assert found["old_token"] == words["old_token"]
    if name.startswith("enter"):
        terms = {w: words[w] for w in ("token", "side", "tif", "quantity", "price")}
        assert {w: found[w] for w in terms} == terms
        assert found["flags"] == meant(protocol, words)
        assert found["symbol"] == PROTOCOLS[protocol].symbol("AAPL", 1)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_every_choice_is_sayable_or_not_as_the_rules_say(protocol: str) -> None:
    form = forms(protocol)["enter"]
    base = {"token": 1, "quantity": 100, "minimum": 0, "shown": 0, "sequence": 1, "sent_ns": 1}
    for number in range(1 << 10):
        words = {
            **base,
            "old_token": 0,
            "flags": number & 63,
            "side": SELL if number >> 6 & 1 else BUY,
            "tif": number >> 7 & 3,
            "price": 0 if number >> 9 else 10 * DOLLAR,
        }
        made = written(form, words)
        assert (made is not None) == sayable(protocol, words)
        assert made == message(protocol, "enter", words)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_venue_recognises_each_order(protocol: str) -> None:
    known, words = forms(protocol), {"token": 9, "old_token": 8, "side": BUY, "quantity": 1}
    alike = protocol in ("ouch42", "meo")  # nothing tells a full order without more from another
    names = [n for n in ORDERS if not alike or not n.endswith("full")]
    addresses, made = np.array([known[n].address for n in names], np.int64), row({})
    images = [known[name].image for name in names]
    for number, name in enumerate(names):
        raw = written(known[name], {**words, "price": DOLLAR})
        assert raw is not None
        data = np.frombuffer(raw, np.uint8).copy()
        with watched(addresses, made, data, *images):
            found = run_recognise(
                addresses.ctypes.data, len(names), data.ctypes.data, len(data), made.ctypes.data
            )
        assert found == number


@pytest.mark.parametrize("protocol", PROTOCOLS)
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_any_bytes_can_be_read_or_not(protocol: str, data: st.DataObject) -> None:
    form = forms(protocol)[data.draw(st.sampled_from(ORDERS))]
    raw = bytearray(form.template)
    for _ in range(data.draw(st.integers(0, 6))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(raw)))
    found = read_back(form, bytes(raw))
    assert found is None or all(value >= 0 for word, value in found.items() if word != "symbol")
    assert cut == len(raw) or not cut or read_back(form, bytes(raw[:cut])) is None


def test_a_field_that_the_message_does_not_have_is_named() -> None:
    form = forms("ouch50")["cancel"]
    with pytest.raises(ValueError, match="no field 'nothing'"):
        make_form(form.name, lambda values: form.template, {}, [Move("nothing", "token")], ())


def test_tokens_that_protocols_can_name() -> None:
    assert {name: item.most_token + 1 for name, item in PROTOCOLS.items()} == MOST_TOKEN
