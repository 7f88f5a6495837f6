"""`sweepwire auction SYMBOL`: what venues said of a symbol's auctions, and what came of them."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from captures import merge_captures
from console.book import price_text
from console.bookplan import book_plan
from console.packetplan import packet_actions
from console.people import time_text
from console.plan import Plan
from console.screen import console, count, table
from console.symbolkeys import keys_of
from feedhandler.auctions import AuctionResult, AuctionUpdate, auctions_of
from feedhandler.datagrams import datagrams

app = typer.Typer(add_completion=False)
SIDES = ("", "buy", "sell")
PRICES = ("reference", "near", "far", "indicative", "price")
UPDATE_COLUMNS = (
    *("time", "venue", "auction", "side", ">imbalance", ">market", ">paired"),
    *(">reference", ">near", ">far", ">indicative"),
)
FINAL_COLUMNS = (
    *("venue", "auction", ">time", ">price", ">shares", ">last paired", ">last imbalance"),
    *("side", ">last reference", ">last near"),
)


@dataclass(frozen=True)
class Told:
    """What a venue said, and when its packet came where its own time is not known."""

    venue: str
    ts_ns: int
    said: AuctionUpdate | AuctionResult


@app.command()
def auction(
    symbol: Annotated[str, typer.Argument(help="The symbol, in any spelling: BRK.A, BRK A.")],
    files: Annotated[
        list[Path], typer.Argument(help="Captures, merged by time.", exists=True, dir_okay=False)
    ],
    channels: Annotated[
        Path | None, typer.Option(help="Channel map (TOML): which feed comes where.")
    ] = None,
    feed: Annotated[str, typer.Option(help="Every datagram is of this feed.")] = "",
    json: Annotated[bool, typer.Option("--json", help="JSON Lines in place of tables.")] = False,
) -> int:
    """Show a symbol's auctions over time, venue by venue, and what each traded.

    Imbalances of NYSE (Integrated and Imbalances), Nasdaq, Cboe and IEX are one kind of record. Of
    two lines of a channel the first is read. Exit code 1: the captures tell of no auction.
    """
    plan = book_plan(files, channels, feed)
    keys = keys_of(symbol, plan, files)
    if not keys:
        raise typer.BadParameter(f"no venue in these captures names {symbol}")
    found = list(told_of(plan, files, keys))
    if json:
        _write(symbol, found)
    elif found:
        _print(symbol, found, plan.feeds[0].zone)
    else:
        typer.echo(f"{symbol}: no auction in these captures")
    return 0 if found else 1


def told_of(plan: Plan, files: Sequence[Path], keys: dict[str, int]) -> Iterator[Told]:
    """What venues say of the instrument with these keys, in the order of the packets."""
    with merge_captures(list(files)) as merged:
        for datagram, venue, made in packet_actions(datagrams(merged), plan):
            for said in auctions_of(made):
                if said.key == keys.get(venue):
                    yield Told(venue, said.time_ns or datagram.timestamp_ns, said)


def _object(symbol: str, told: Told) -> dict[str, Any]:
    """A JSON object: prices as text, null where none is said."""
    fields = asdict(told.said)
    made: dict[str, Any] = {"ts_ns": told.ts_ns, "symbol": symbol, "venue": told.venue}
    made["kind"] = "update" if isinstance(told.said, AuctionUpdate) else "result"
    for name, value in fields.items():
        if name in PRICES:
            made[name] = None if value is None else price_text(value)
        elif name == "side":
            made[name] = SIDES[value] or None
        elif name not in ("key", "time_ns"):
            made[name] = value
    return made


def _write(symbol: str, found: Iterable[Told]) -> None:
    encode = msgspec.json.Encoder().encode
    sys.stdout.write("".join(encode(_object(symbol, told)).decode() + "\n" for told in found))


def _price(value: int | None) -> str:
    return "" if value is None else price_text(value)


def _update_row(told: Told, said: AuctionUpdate, zone: str) -> tuple[str, ...]:
    shares = (count(n) for n in (said.imbalance, said.market_imbalance, said.paired))
    prices = (_price(p) for p in (said.reference, said.near, said.far, said.indicative))
    when = time_text(told.ts_ns, zone)
    return (when, told.venue, said.auction, SIDES[said.side], *shares, *prices)


def _final_rows(found: Iterable[Told], zone: str) -> Iterator[tuple[str, ...]]:
    """Each result beside what its venue had said last before; then auctions without a result."""
    last: dict[str, AuctionUpdate] = {}
    for told in found:
        if isinstance(told.said, AuctionUpdate):
            last[told.venue] = told.said
            continue
        when, shares = time_text(told.ts_ns, zone), count(told.said.shares)
        before = last.pop(told.venue, None)
        kind = before.auction if before else ""
        yield (told.venue, kind, when, _price(told.said.price), shares, *_last(before))
    for venue, before in last.items():
        yield (venue, before.auction, "", "", "", *_last(before))


def _last(before: AuctionUpdate | None) -> tuple[str, ...]:
    if before is None:
        return ("",) * 5
    sizes = count(before.paired), count(before.imbalance)
    return (*sizes, SIDES[before.side], _price(before.reference), _price(before.near))


def _print(symbol: str, found: list[Told], zone: str) -> None:
    out = console()
    updates = [(t, t.said) for t in found if isinstance(t.said, AuctionUpdate)]
    out.print(f"{symbol}: {count(len(updates))} updates", style="bold")
    out.print(table(UPDATE_COLUMNS, [_update_row(t, said, zone) for t, said in updates]))
    out.print("\nfinal", style="bold")
    out.print(table(FINAL_COLUMNS, _final_rows(found, zone)))
