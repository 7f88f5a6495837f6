"""The file of `sweepwire run`: the one that comes along is read, and what is wrong is named."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
import pytest
from live_loop_rig import ENVIRONMENT, START, rehearsal

from console.live.settings import Live
from console.live.setup import calendar_of_map, hours_of, is_injected, read_live
from console.main import run
from feedhandler.calendars import CMES, XNYS
from feedhandler.channelfile import load_channels
from nic.configfile import ConfigError
from router.entry.hearing import READERS
from router.entry.logins import LOGINS
from router.entry.protocols import PROTOCOLS
from simulator.live.settings import load_run

FIRST_SESSION = '[[sessions]]\nvenue = "nasdaq"'
FIRST_RECOVERY = '[[recovery]]\nchannel = "nasdaq"'


def test_the_rehearsal_is_whole(tmp_path: Path) -> None:
    setup = rehearsal(tmp_path)
    assert setup.symbols == ("KOZ", "NEV", "SAT", "VUS") and setup.accounts == ("desk",)
    assert list(setup.credentials) == ["nasdaq", "bzx", "nyse", "memx", "iex"]
    assert set(setup.recoveries) == set(setup.credentials)
    assert setup.recoveries["nasdaq"].settings.session == "2603160001"
    assert "secret" not in repr(setup)
    assert (setup.hours.open, setup.hours.day.isoformat()) == ("11:00:01", "2026-03-16")
    venues = load_run(tmp_path / "venue.toml")
    ports = [session.port for session in setup.live.sessions]
    assert [venues.first_port + n for n in range(5)] == ports


def test_recovery_has_lines_of_its_own(tmp_path: Path) -> None:
    plan = rehearsal(tmp_path).plan(START)
    lines = {(c.name, c.line): c.address for c in plan.channels if c.address is not None}
    assert len(lines) == 5 * 4
    assert lines["bzx", "R"].group == "233.210.3.3" and not is_injected(lines["bzx", "R"])
    assert is_injected(lines["nasdaq", "R"]) and is_injected(lines["bzx", "S"])
    assert len(set(lines.values())) == len(lines)


@pytest.mark.parametrize(
    ("old", "new", "wrong"),
    [
        ("wait =", "wiat =", "live.toml: wiat: unknown key, did you mean wait?"),
        ('"sleep"', '"nap"', 'wait: expected "spin" or "pause" or "sleep", found "nap"'),
        ("socket:lo", "tcp:lo", "ports[0].uri: tcp:lo"),
        ("?rcvbuf=4MiB", "?rcvbuf=many", "ports[0].uri: socket:lo?rcvbuf=many"),
        (FIRST_SESSION, '[[sessions]]\nvenue = "mars"', "sessions[0].venue: no venue 'mars'"),
        (FIRST_SESSION, '[[sessions]]\nvenue = "bzx"', "bzx has a session already"),
        (FIRST_SESSION, FIRST_SESSION + "\nport = 0", "not TOML"),
        (FIRST_SESSION, FIRST_SESSION + '\noptions = "nodelay=1"', "unknown option nodelay"),
        (FIRST_SESSION, FIRST_SESSION + '\npassword_file = "x"', "expected one of them"),
        (FIRST_RECOVERY, '[[recovery]]\nchannel = "x"', "recovery[0].channel: 'x' is not in"),
        ('"127.0.0.1:22001"', '"127.0.0.1"', "recovery[0].gap: expected HOST:PORT"),
        ('symbols = ["KOZ"', 'symbols_file = "s"\nsymbols = ["KOZ"', "expected one of them"),
        ('symbols = ["KOZ", "NEV"', 'symbols = ["KOZ", "KOZ"', "symbols: expected at least one"),
        ('close = "23:59:59"', 'close = "9 pm"', "hours.close: expected a time"),
        ('limits = "limits.toml"', 'limits = "none.toml"', "none.toml: cannot open"),
    ],
)
def test_what_is_wrong_is_named_in_one_line(tmp_path: Path, old: str, new: str, wrong: str) -> None:
    with pytest.raises(ConfigError) as raised:
        rehearsal(tmp_path, **{old: new})
    assert wrong in str(raised.value) and "\n" not in str(raised.value)


def test_a_password_that_is_not_there_is_named_and_never_shown(tmp_path: Path) -> None:
    rehearsal(tmp_path)
    with pytest.raises(ConfigError, match=r"sessions\[0\].password_env: ALFA_PASSWORD is not set"):
        read_live(tmp_path / "live.toml", START, {})
    with pytest.raises(ConfigError, match="11 characters, the field holds 10") as raised:
        read_live(tmp_path / "live.toml", START, {"ALFA_PASSWORD": "x" * 11})
    assert "x" * 10 not in str(raised.value)


@pytest.mark.parametrize(
    ("old", "new", "wrong"),
    [('"desk"', '"house"', "'house' has no limits"), ('"KOZ"', '"ABC"', "not among the symbols")],
)
def test_parents_that_cannot_be_are_named(tmp_path: Path, old: str, new: str, wrong: str) -> None:
    rehearsal(tmp_path)
    parent = '[[parents]]\nname = "p"\nsymbol = "KOZ"\nside = "buy"\nquantity = 100\n'
    parent += 'strategy = "sweep"\naccount = "desk"\n'
    (tmp_path / "parents.toml").write_text(parent.replace(old, new))
    with pytest.raises(ConfigError, match=wrong):
        read_live(tmp_path / "live.toml", START, ENVIRONMENT)


@pytest.mark.parametrize(
    ("old", "new", "wrong"),
    [
        ('session = "0001"', 'session = "00001"', "sessions[1]: a login in boe has no room for it"),
        ('username = "ALFA"', f'username = "{"A" * 17}"', "sessions[0]: a login in ouch50 has no"),
    ],
)
def test_what_a_login_has_no_room_for_is_said(
    tmp_path: Path, old: str, new: str, wrong: str
) -> None:
    with pytest.raises(ConfigError, match=re.escape(wrong)):
        rehearsal(tmp_path, **{old: new})


def test_every_order_protocol_can_log_in_and_be_heard() -> None:
    assert set(PROTOCOLS) == set(LOGINS) == set(READERS)


def test_check_says_what_would_be_done_and_opens_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    rehearsal(tmp_path)
    monkeypatch.setenv("ALFA_PASSWORD", "hunter2")
    assert run(["run", "--check", "--config", str(tmp_path / "live.toml")]) == 0
    shown = capsys.readouterr()
    assert "127.0.0.1:21003" in shown.out and "pillar" in shown.out
    assert "\nXNYS: " in shown.out
    assert "no session, so no orders: bx, edgx, arca, dark" in shown.out
    assert "hunter2" not in shown.out + shown.err
    assert not (tmp_path / "results").exists()


def test_a_wrong_file_ends_with_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "live.toml").write_text("")
    assert run(["run", "--check", "--config", str(tmp_path / "live.toml")]) == 2
    assert capsys.readouterr().err.count("\n") == 1


HALF_DAY = 1_795_795_200_000_000_000  # 2026-11-27 11:00 in New York, the day after Thanksgiving
CME_CHANNEL = '[[channels]]\nname = "cme"\nfeed = "cme_mdp3"\ngroup = "224.0.31.1"\nport = 14310\n'
HOURS = '[hours]\nopen = "start"               # in earnest: "09:30:00"\nclose = "23:59:59"\n'


def test_hours_that_are_left_out_are_the_calendars(tmp_path: Path) -> None:
    for given, opens, closes, early in (
        ("", "09:30:00", "13:00:00", "day after Thanksgiving"),
        ('[hours]\nopen = "10:00:00"\n', "10:00:00", "13:00:00", "day after Thanksgiving"),
        ('[hours]\nclose = "15:00:00"\n', "09:30:00", "15:00:00", ""),
    ):
        rehearsal(tmp_path, **{HOURS: given})
        hours = read_live(tmp_path / "live.toml", HALF_DAY, ENVIRONMENT).hours
        assert (hours.open, hours.close, hours.early) == (opens, closes, early)
        assert str(hours.day) == "2026-11-27"


def test_hours_of_futures_are_globexs() -> None:
    live = msgspec.convert(
        {
            "channels": "c",
            "limits": "l",
            "symbols": ["ESZ6"],
            "ports": [{"uri": "socket:lo"}],
            "sessions": [{"venue": "v", "host": "127.0.0.1", "port": 1, "username": "u",
                          "password_env": "P"}],
        },
        Live,
    )  # fmt: skip
    hours = hours_of(live, HALF_DAY, Path("live.toml"), CMES)
    assert (hours.zone, hours.evening) == ("America/Chicago", True)
    assert hours.open_ns < HALF_DAY < hours.close_ns
    assert hours.close == "12:15:00"


def test_the_calendar_is_that_of_the_feeds(tmp_path: Path) -> None:
    path = tmp_path / "channels.toml"
    path.write_text(CME_CHANNEL)
    assert calendar_of_map(load_channels(path)) is CMES
    other = CME_CHANNEL.replace("cme_mdp3", "iex_deep").replace('"cme"', '"iex"')
    path.write_text(CME_CHANNEL + other.replace("14310", "14311"))
    assert calendar_of_map(load_channels(path)) is XNYS
