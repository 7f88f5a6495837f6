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
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from feedhandler.channelfile import Port
from nic.configfile import ConfigError, load
from nic.passwords import check_one_of, read_password
from simulator.gateways.accounts import LEAST_OWNER, Account
from simulator.publishing.faults import Fault

Seconds = Annotated[float, msgspec.Meta(gt=0, le=86_400)]
Protocol = Literal["ouch50", "boe", "pillar", "meo"]
Rate = Annotated[float, msgspec.Meta(gt=0, le=1_000_000)]


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
        check_one_of(self.password_env, self.password_file)


class VenueRun(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The venues of one process.

    Attributes:
        venues: names of the order flow's settings; empty: all.
        protocols: of order entry by venue, where it is not to be the usual one.
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
    protocols: dict[str, Protocol] = {}
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
        where = f"accounts[{number}]"
        keys = one.password_env, one.password_file
        secret = read_password(where, *keys, folder, environment)
        made[one.username] = Account(
            secret, LEAST_OWNER + number, one.group, one.cancel_on_disconnect
        )
    return made
