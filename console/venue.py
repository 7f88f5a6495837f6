"""`sweepwire venue`: simulated exchanges as a process, for live tests."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from console.screen import table_to_stdout

if TYPE_CHECKING:
    from simulator.live.market import LiveMarket
    from simulator.live.venue import LiveFeed

app = typer.Typer(add_completion=False, no_args_is_help=True)
ORDERS = "orders.json"
DRAIN_ROUNDS = 200  # looks at the sockets behind the session's end, for what clients have not read


@app.callback()
def venue() -> None:
    """Run simulated exchanges on real sockets."""


@app.command()
def run(
    config: Annotated[Path, typer.Option(help="What to play (TOML).")],
    channels: Annotated[
        Path | None, typer.Option(help="Write the channel map of the feeds here.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Write orders.json here: by account.")
    ] = None,
) -> int:
    """Play venues in real time: feeds by UDP multicast on two lines, order entry over TCP.

    Ends behind the close, or with SIGINT or SIGTERM. SIGUSR1 breaks all order connections.
    """
    from nic.configfile import ConfigError
    from simulator.live.market import LiveMarket
    from simulator.live.settings import accounts_of, load_run

    given = load_run(config)
    accounts = accounts_of(given, config.parent)
    stopped: list[int] = []
    try:
        live = LiveMarket(given, accounts)
    except OSError as error:
        raise ConfigError(f"{config}: {error.strerror}") from None
    except ValueError as error:
        raise ConfigError(f"{config}: {error}") from None
    with live:
        before = {
            number: signal.signal(number, lambda got, _: stopped.append(got))
            for number in (signal.SIGINT, signal.SIGTERM)
        }
        cuts: list[int] = []
        before[signal.SIGUSR1] = signal.signal(signal.SIGUSR1, lambda got, _: cuts.append(got))
        try:
            if channels is not None:
                channels.write_text(live.channels, "utf-8")
            rows = [
                (
                    name,
                    f"{host}:{port}",
                    _protocol(live.gateways[name]),
                    _lines(live.feeds.get(name)),
                )
                for name, (host, port) in live.addresses.items()
            ]
            table_to_stdout(("venue", "orders", "protocol", "feed, lines A and B"), rows)
            while not live.over and not stopped:
                if cuts:
                    cuts.clear()
                    live.cut_sessions()
                live.step()
            for _ in range(0 if stopped else DRAIN_ROUNDS):
                live.reactor.run_once(0.005)
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
        if out is not None:
            _write_orders(out, live)
        sent = {name: feed.messages for name, feed in live.feeds.items()}
        table_to_stdout(("venue", ">messages"), [(n, f"{count:,}") for n, count in sent.items()])
        if live.sender.lost:
            typer.echo(f"{live.sender.lost:,} datagrams found no room", err=True)
    return 0


def _write_orders(folder: Path, live: LiveMarket) -> None:
    """All orders that accounts entered, with their executions."""
    folder.mkdir(parents=True, exist_ok=True)
    text = msgspec.json.format(msgspec.json.encode({"venues": live.orders()}), indent=1)
    (folder / ORDERS).write_bytes(text + b"\n")


def _protocol(gateway: object) -> str:
    return type(gateway).__name__.removesuffix("Gateway").upper()


def _lines(feed: LiveFeed | None) -> str:
    if feed is None:
        return ""
    about = feed.publisher.venue
    return f"{about.feed} {about.group_a} {about.group_b} :{about.port}"
