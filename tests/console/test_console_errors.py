"""What goes wrong is one line on stderr and an exit code, and light commands stay light."""

import re
import subprocess
import sys

import pytest
from console_made import ROOT, delete_order, mold, sweepwire, udp_frame, write

from console.main import COMMANDS, run


def complaint(capsys, *arguments):
    """The one line that a command line which cannot work gives."""
    assert run([str(argument) for argument in arguments]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1, lines
    assert lines[0].startswith("sweepwire: ")
    return lines[0]


@pytest.fixture
def capture(tmp_path):
    return write(tmp_path / "a.pcap", [udp_frame(mold(1, [delete_order()]))])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nonsense"], "No such command 'nonsense'"),
        (["decode"], "Missing argument"),
        (["decode", "/nowhere.pcap"], "/nowhere.pcap: cannot open: No such file"),
        (["decode", "x.pcap", "--feed", "nasdak"], "no feed 'nasdak': there are nasdaq_itch50"),
        (["decode", "x.pcap", "--feed", "iex_tops@9"], "no version '9': there are 1.6, 1.5"),
        (["decode", "x.pcap", "--channels", "/nowhere.toml"], "/nowhere.toml: cannot open"),
        (["decode", "x.pcap", "--limit", "-1"], "--limit"),
        (["replay"], "name captures or ports"),
        (["replay", "/nowhere.pcap"], "no file matches /nowhere.pcap"),
        (["replay", "socket:lo"], "live ports want --channels"),
        (["replay", "x.pcap", "--core", "4000"], "core 4000 is not online"),
        (["top", "no-such-loop"], "no loop 'no-such-loop'"),
        (["feeds", "nasdak"], "no feed 'nasdak'"),
        (["feeds", "--page"], "--page wants the name of a feed"),
        (["warm", "--feed", "cboe_boe"], "cboe_boe@2.3 comes by TCP"),
    ],
)
def test_one_line_says_what_is_wrong(capsys, arguments, said):
    assert said in complaint(capsys, *arguments)


def test_channel_file_errors_name_file_and_key(capsys, capture, tmp_path):
    wrong = tmp_path / "map.toml"
    wrong.write_text('[[channels]]\nname = "a"\nfeed = "iex_deep"\ngroup = "1.2.3.4"\nport = "x"\n')
    line = complaint(capsys, "decode", capture, "--channels", wrong)
    assert line.endswith(f'{wrong}: channels[0].port: expected int, found "x"')
    line = complaint(capsys, "replay", capture, "--channels", wrong)
    assert "channels[0].port" in line


def test_feed_and_channels_exclude_each_other(capsys, capture, tmp_path):
    arguments = ["decode", capture, "--feed", "iex_deep", "--channels", tmp_path / "x.toml"]
    assert "exclude each other" in complaint(capsys, *arguments)


def test_replay_refuses_a_wrong_speed(capsys, capture):
    arguments = ["replay", capture, "--feed", "nasdaq_itch50", "--speed", "fast"]
    assert "speed=fast: expected max, real or a factor" in complaint(capsys, *arguments)


def test_a_file_that_is_no_capture_has_no_traceback(tmp_path):
    text = tmp_path / "notes.txt"
    text.write_text("these are notes\n" * 20)
    for command in ("decode", "replay"):
        done = sweepwire(command, text)
        assert done.returncode == 2
        assert done.stderr.count(b"\n") == 1
        assert b"notes.txt" in done.stderr


def test_help_lists_every_command(capsys):
    assert run(["--help"]) == 0
    out = capsys.readouterr().out
    for name in COMMANDS:
        assert name in out


@pytest.mark.parametrize("name", list(COMMANDS))
def test_every_command_has_help(capsys, name):
    assert run([name, "--help"]) == 0
    assert COMMANDS[name][1].split()[0] in capsys.readouterr().out


def test_version(capsys):
    assert run(["--version"]) == 0
    assert re.fullmatch(r"sweepwire \S.*\n", capsys.readouterr().out)


@pytest.mark.parametrize("arguments", [["--help"], ["feeds"], ["feeds", "cboe_pitch"]])
def test_light_commands_do_not_load_the_compiler(arguments):
    code = (
        "import sys; from console.main import run; "
        f"assert run({arguments!r}) == 0; assert 'numba' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True)
