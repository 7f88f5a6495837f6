"""`sweepwire feeds`: which feeds there are and what their messages look like."""

from __future__ import annotations

from typing import Annotated

import typer

from console.options import feed_versions
from console.screen import table_to_stdout
from feedhandler.feed import Feed, protocols
from feedhandler.registry import FEEDS
from feedhandler.wire.page import page

app = typer.Typer(add_completion=False)


@app.command()
def feeds(
    name: Annotated[str, typer.Argument(help="A feed: nasdaq_itch50, nyse_integrated@2.1.")] = "",
    show_page: Annotated[
        bool, typer.Option("--page", help="Print the feed's documentation page (Markdown).")
    ] = False,
) -> None:
    """List the feeds, or one feed's message types."""
    if not name:
        if show_page:
            raise typer.BadParameter("--page wants the name of a feed")
        _list_feeds()
        return
    for feed in feed_versions(name):
        if show_page:
            title = f"{feed.title} (`{feed.full_name}`)"
            typer.echo(page(title, feed.transport, protocols(feed)), nl=False)
        else:
            _list_messages(feed)


def _list_feeds() -> None:
    rows = [
        (
            feed.name,
            feed.version,
            feed.transport.title + (" (TCP)" if _says_no_tcp(feed) else ""),
            f"{feed.time_base}, {feed.zone}" if feed.time_base == "midnight" else feed.time_base,
            feed.title,
            _codes(feed),
        )
        for feed in FEEDS
    ]
    columns = ("feed", "version", "transport", "time base", "title", "message types")
    table_to_stdout(columns, rows)
    typer.echo("\nsweepwire feeds NAME names a feed's message types; --page prints their fields.")


def _says_no_tcp(feed: Feed) -> bool:
    return feed.transport.stream and "TCP" not in feed.transport.title.split()


def _codes(feed: Feed) -> str:
    return " ".join(
        str(record.code) for _, protocol in protocols(feed) for record in protocol.records
    )


def _list_messages(feed: Feed) -> None:
    rows: list[tuple[str, ...]] = []
    for outer, protocol in protocols(feed):
        for record in protocol.records:
            size = f"{record.size}{'+' if protocol.longer_allowed(record) else ''}"
            rows.append((str(record.code), record.name, size, outer))
    title = f"{feed.full_name}: {feed.title}"
    columns: tuple[str, ...] = ("code", "message", ">bytes", "inside")
    if not feed.inner:
        columns, rows = columns[:3], [row[:3] for row in rows]
    table_to_stdout(columns, rows, title=title)
