"""What another process may ask a live run, and the answers: about parents, and nothing else.

A request is one JSON object, a packet of the control socket (`controlsocket.py`), and so is its
answer. `do` says what is wanted.

    send      text, form: the parents of a TOML or CSV text are entered; of several loops, the ones
              whose symbols this loop has
    change    action, names: "cancel", "suspend" or "resume" of parents
    replace   name, quantity, limit: another whole quantity, another limit (1e-8 units; 0: none)
    list      first: parents by number from there on
"""

from __future__ import annotations

from typing import Annotated, Final, Literal

import msgspec

REQUEST_BYTES: Final = 1 << 16
MOST_NAMES: Final = 256
MOST_ROWS: Final = 100  # of one answer
CANCEL: Final = "cancel"
SUSPEND: Final = "suspend"
RESUME: Final = "resume"
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=24)]
Names = Annotated[list[Name], msgspec.Meta(min_length=1, max_length=MOST_NAMES)]
Amount = Annotated[int, msgspec.Meta(ge=0, le=(1 << 63) - 1)]


class Request(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="do"):
    """Any of those below."""


class Send(Request, frozen=True, tag="send"):
    """Parents as a file has them."""

    text: str
    form: Literal["toml", "csv"] = "toml"


class Change(Request, frozen=True, tag="change"):
    """What is to become of parents."""

    action: Literal["cancel", "suspend", "resume"]
    names: Names


class Replace(Request, frozen=True, tag="replace"):
    """Another quantity (executed shares included), another limit, or both."""

    name: Name
    quantity: Amount | None = None
    limit: Amount | None = None


class List(Request, frozen=True, tag="list"):
    """Which parents there are."""

    first: Annotated[int, msgspec.Meta(ge=1, le=1 << 31)] = 1


AnyRequest = Send | Change | Replace | List


class Row(msgspec.Struct, frozen=True):
    """A parent; quantities are shares."""

    number: int
    name: str
    symbol: str
    side: str
    quantity: int
    executed: int
    open: int
    state: str


class Answer(msgspec.Struct, frozen=True):
    """What came of a request.

    Attributes:
        error: one line; empty: there is none. What is in `done` was done all the same.
        done: names of the parents that the loop was told of.
        unknown: names that no parent of this loop has.
        rows: of `list`.
        more: where the next list begins; 0: that was all.
    """

    error: str = ""
    done: list[str] = []
    unknown: list[str] = []
    rows: list[Row] = []
    more: int = 0


_decoder: Final = msgspec.json.Decoder(AnyRequest)


def request_in(data: bytes) -> AnyRequest:
    """The request of a packet. Raises ValueError, one line."""
    if len(data) > REQUEST_BYTES:
        raise ValueError(f"expected at most {REQUEST_BYTES} bytes")
    try:
        return _decoder.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(" ".join(str(error).split())) from None
