"""The file of `sweepwire venue run`: what is in it, where passwords may be."""

from __future__ import annotations

from pathlib import Path

import pytest

from nic.configfile import ConfigError
from simulator.live.settings import VenueRun, accounts_of, load_run

ONE = '[[accounts]]\nusername = "ALFA"\n'


def loaded(folder: Path, text: str) -> VenueRun:
    """The settings that a text says."""
    path = folder / "venues.toml"
    path.write_text(text)
    return load_run(path)


def test_an_empty_file_is_all_venues_for_ten_minutes(tmp_path: Path) -> None:
    run = loaded(tmp_path, "")
    assert (run.venues, run.seconds, run.accounts) == ([], 600.0, [])


def test_a_password_comes_from_the_environment(tmp_path: Path) -> None:
    run = loaded(tmp_path, ONE + 'password_env = "ALFA_PASSWORD"\n')
    account = accounts_of(run, tmp_path, {"ALFA_PASSWORD": "secret"})["ALFA"]
    assert (account.password, account.owner) == ("secret", 1000)
    assert "secret" not in repr(account)
    with pytest.raises(ConfigError, match="ALFA_PASSWORD is not set"):
        accounts_of(run, tmp_path, {})


def test_a_password_file_that_others_can_read_is_refused(tmp_path: Path) -> None:
    run = loaded(tmp_path, ONE + 'password_file = "alfa"\n')
    with pytest.raises(ConfigError, match="alfa: cannot open"):
        accounts_of(run, tmp_path, {})
    secret = tmp_path / "alfa"
    secret.write_text("secret\n")
    secret.chmod(0o640)
    with pytest.raises(ConfigError, match="mode 0640, expected 0600"):
        accounts_of(run, tmp_path, {})
    secret.chmod(0o600)
    assert accounts_of(run, tmp_path, {})["ALFA"].password == "secret"


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        (ONE, "expected one of them"),
        (ONE + 'password_env = "A"\npassword_file = "b"\n', "expected one of them"),
        ("port = 1\n", "port"),
        ('protocols = { memx = "fix" }\n', "protocols"),
        ("seconds = 0.5\n", "seconds"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, text: str, wrong: str) -> None:
    with pytest.raises(ConfigError, match=wrong):
        loaded(tmp_path, text)


def test_an_account_that_is_there_twice_is_named(tmp_path: Path) -> None:
    again = ONE + 'password_env = "A"\n'
    with pytest.raises(ConfigError, match=r"accounts\[1\].username: ALFA is there twice"):
        accounts_of(loaded(tmp_path, again + again), tmp_path, {"A": "x"})
