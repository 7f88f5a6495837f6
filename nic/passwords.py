"""Passwords for configurations: from the environment, or from a file that nobody else can read."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from nic.configfile import ConfigError

SECRET_BYTES: Final = 256


def check_one_of(password_env: str, password_file: str) -> None:
    """Raises ValueError unless exactly one of the two keys says something."""
    if bool(password_env) == bool(password_file):
        raise ValueError("password_env or password_file: expected one of them")


def read_password(
    where: str,
    password_env: str,
    password_file: str,
    folder: Path,
    environment: Mapping[str, str] = os.environ,
) -> str:
    """The password that one of the two keys names.

    Args:
        where: the table that has the keys, for errors, as in `accounts[2]`.
        password_env: a variable of the environment; empty: there is a file.
        password_file: a file of mode 0600; its name is relative to `folder`.

    Raises:
        ConfigError: it is not there, or in a file that others can read; never with the password.
    """
    if password_env:
        found = environment.get(password_env, "")
        if not found:
            what = f"{where}.password_env: {password_env}"
            raise ConfigError(f"{what} is not set in the environment")
        return found
    path = folder / password_file
    what = f"{where}.password_file: {path}"
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
