"""The `sweepwire` command: finds the sub-command, and turns what goes wrong into one line."""

from __future__ import annotations

import os
import signal
import sys
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command as click_command

# Name: (module with the `app`, help). A module is imported when its command is run, so that --help
# and the light commands start without numba.
COMMANDS = {
    "replay": ("console.replay", "Run captures or live ports through the hot loop and report."),
    "run": ("console.live.command", "Route orders to live venues, until a signal or the close."),
    "parent": ("console.parent", "Send parents to a run that goes on, change and list them."),
    "decode": ("console.decode", "Print the messages in captures, for people or as JSON Lines."),
    "bbo": (
        "console.bbo",
        "Write the best bids and offers of captures, venue by venue and national.",
    ),
    "book": ("console.book", "Show a symbol's books, venue by venue."),
    "auction": ("console.auction", "Show a symbol's auctions: imbalances, prices, what traded."),
    "sip": ("console.sip", "Compare the tapes' national best with that of the direct feeds."),
    "verify-books": ("console.verify", "Rebuild books with the slow model and compare."),
    "calendar": ("console.calendar", "Show when a market trades, with holidays."),
    "feeds": ("console.feeds", "List the feeds, or one feed's message types."),
    "explain": ("console.explain", "Show what a decision saw, and why an order went where it did."),
    "top": ("console.top", "Watch the counters of a running loop."),
    "warm": ("console.warm", "Compile the kernels now, so that later starts are quick."),
    "bench": ("console.bench", "Time decoding and books on an ITCH 5.0 file."),
    "market": ("console.market", "Make simulated markets, and look at them: measures and plots."),
    "venue": ("console.venue", "Run simulated exchanges on real sockets."),
    "doctor": ("console.doctor", "Say what this machine offers a polling loop."),
    "tune": ("console.tune", "Tune the machine for a polling loop, and take it back."),
    "jitter": ("console.jitter", "Measure how often a core is kept from its loop, and how long."),
}
# By name, so that nothing is imported for the commands that cannot raise them.
EXPECTED = {"CaptureError", "ConfigError", "CoreError", "PortError", "TuneError", "UriError"}
USAGE = 2
INTERRUPTED = 128 + signal.SIGINT
PIPE_CLOSED = 128 + signal.SIGPIPE


class ReaderGone(Exception):
    """Nobody reads our output any more; typer would make an exit code of its own of it."""


class LazyGroup(TyperGroup):
    """Sub-commands by name; only the one that runs is imported."""

    def invoke(self, ctx: Any) -> Any:
        """Runs the command."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            raise ReaderGone from None

    def list_commands(self, ctx: Any) -> list[str]:
        """Names in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """A stand-in with name and help, for listings."""
        if cmd_name not in COMMANDS:
            return None
        return TyperCommand(name=cmd_name, help=COMMANDS[cmd_name][1])

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The command itself."""
        name, found, rest = super().resolve_command(ctx, args)
        if name in COMMANDS:
            found = click_command(import_module(COMMANDS[name][0]).app)
            found.name = name
        return name, found, rest


app = typer.Typer(
    cls=LazyGroup,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        try:
            typer.echo(f"sweepwire {version('sweepwire')}")
        except PackageNotFoundError:  # run from a source folder that is not installed
            typer.echo("sweepwire (not installed)")
        raise typer.Exit


@app.callback()
def options(
    show_version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Packet-level feed handler, order router and order management for fragmented markets."""


def complain(line: str) -> None:
    """One line on stderr."""
    sys.stderr.write(f"sweepwire: {' '.join(line.split())}\n")


def run(arguments: list[str] | None = None) -> int:
    """Runs a command line; the exit code. Expected errors become one line on stderr."""
    try:
        code = app(args=arguments, prog_name="sweepwire", standalone_mode=False)
        sys.stdout.flush()
    except (BrokenPipeError, ReaderGone):
        _silence_stdout()
        return PIPE_CLOSED
    except (KeyboardInterrupt, typer.Abort):
        return INTERRUPTED
    except Exception as error:
        line = _expected(error)
        if line is None:
            raise
        complain(line)
        return USAGE
    return code if isinstance(code, int) else 0


def _expected(error: Exception) -> str | None:
    """The line for an error that is the caller's to mend; None for one that is ours."""
    show = getattr(error, "format_message", None)  # typer's usage errors
    if show is not None:
        context = getattr(error, "ctx", None)
        hint = f" (see {context.command_path} --help)" if context is not None else ""
        return f"{show()}{hint}"
    if EXPECTED & {kind.__name__ for kind in type(error).__mro__}:
        return str(error)
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    return None


def _silence_stdout() -> None:
    """What is still buffered goes nowhere, so that the interpreter's last flush is quiet too."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def main() -> None:
    """The console script."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # ends as Ctrl-C does: tidily
    sys.exit(run())
