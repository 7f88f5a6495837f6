"""What `sweepwire venue run` plays, as a TOML file.

venues = ["nasdaq", "bzx", "dark"]
symbols = 8                      # or a list
host = "127.0.0.1"               # the address that everything is sent from and listens at

[[accounts]]
username = "ALFA"
password_env = "ALFA_PASSWORD"   # or password_file, of mode 0600
"""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Final

import msgspec

from feedhandler.channelfile import Port
from nic.configfile import ConfigError, load
from simulator.gateways.accounts import LEAST_OWNER, Account
from simulator.publishing.faults import Fault

Seconds = Annotated[float, msgspec.Meta(gt=0, le=86_400)]
Rate = Annotated[float, msgspec.Meta(gt=0, le=1_000_000)]
SECRET_BYTES: Final = 256


class AccountOf(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A client of all venues.

    Attributes:
        username: at most 4 characters, as BOE has room for.
        password_env, password_file: where the password is: exactly one of them.
        cancel_on_disconnect: its orders go when its connection does.
        group: of self-trade prevention; 0: none.
    """

    username: str
    password_env: str = ""
    password_file: str = ""
    cancel_on_disconnect: bool = True
    group: int = 0

    def __post_init__(self) -> None:
        if bool(self.password_env) == bool(self.password_file):
            raise ValueError("password_env or password_file: expected one of them")


class VenueRun(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The venues of one process.

    Attributes:
        venues: names of the order flow's settings; empty: all.
        symbols: how many, or which.
        host: address of the interface.
        first_port: of order entry; the venues have it and those behind it, in their order.
        first_service_port: of recovery services; each venue with a feed has ten from there on.
        seed: of the market and the faults.
        before_s: from the start to the opening.
        seconds: of trading.
        orders_per_s: new orders of the order flow, all venues together.
        accounts: who may send orders, to every venue.
        faults: what goes wrong on the lines.
    """

    venues: list[str] = []
    symbols: int | list[str] = 8
    host: str = "127.0.0.1"
    first_port: Port = 21001
    first_service_port: Port = 22001
    seed: int = 1
    before_s: Seconds = 5.0
    seconds: Annotated[float, msgspec.Meta(ge=1, le=23_400)] = 600.0
    orders_per_s: Rate = 500.0
    accounts: list[AccountOf] = []
    faults: list[Fault] = []


def load_run(path: Path) -> VenueRun:
    """The settings in a file. Raises ConfigError."""
    return load(path, VenueRun)


def accounts_of(
    run: VenueRun, folder: Path, environment: Mapping[str, str] = os.environ
) -> dict[str, Account]:
    """The accounts with their passwords.

    Args:
        folder: that the names of password files are relative to.

    Raises:
        ConfigError: a password that is not there, or in a file that others can read.
    """
    made: dict[str, Account] = {}
    for number, one in enumerate(run.accounts):
        if one.username in made:
            raise ConfigError(f"accounts[{number}].username: {one.username} is there twice")
        secret = _password(one, number, folder, environment)
        made[one.username] = Account(
            secret, LEAST_OWNER + number, one.group, one.cancel_on_disconnect
        )
    return made


def _password(one: AccountOf, number: int, folder: Path, environment: Mapping[str, str]) -> str:
    if one.password_env:
        found = environment.get(one.password_env, "")
        if not found:
            what = f"accounts[{number}].password_env: {one.password_env}"
            raise ConfigError(f"{what} is not set in the environment")
        return found
    path = folder / one.password_file
    what = f"accounts[{number}].password_file: {path}"
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            raw = file.read(SECRET_BYTES)
    except OSError as error:
        raise ConfigError(f"{what}: cannot open: {error.strerror}") from None
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise ConfigError(f"{what}: mode {stat.S_IMODE(mode):04o}, expected 0600")
    try:
        return raw.decode("utf-8").strip()
    except UnicodeDecodeError:
        raise ConfigError(f"{what}: expected UTF-8 text") from None
