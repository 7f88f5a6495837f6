"""Configuration files: good ones become models, for bad ones one line says where and why."""

from pathlib import Path
from typing import Annotated, Literal

import msgspec
import pytest

from nic.configfile import ConfigError, load, parse


class Port(msgspec.Struct, forbid_unknown_fields=True):
    number: Annotated[int, msgspec.Meta(ge=1, le=65535)]
    side: Literal["in", "out"] = "in"

    def __post_init__(self) -> None:
        if self.number == 13:
            raise ValueError("number: expected another than 13")


class Model(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    ports: list[Port] = []
    rates: dict[str, float] = {}
    main: Port | None = None


GOOD = 'name = "x"\n[[ports]]\nnumber = 1\n[[ports]]\nnumber = 2\nside = "out"\n'


def test_a_good_file(tmp_path):
    path = tmp_path / "good.toml"
    path.write_text(GOOD)
    made = load(path, Model)
    assert made == Model("x", [Port(1), Port(2, "out")])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name = 1", "name: expected str, found 1"),
        ("name = true", "name: expected str, found true"),
        ("names = 'x'", "names: unknown key, did you mean name?"),
        ("zzz = 'x'", "zzz: unknown key, expected one of name, ports, rates, main"),
        ("", "name: missing, expected str"),
        ("name = 'x'\nports = 3", "ports: expected array, found 3"),
        ("name = 'x'\nports = [3]", "ports[0]: expected object, found 3"),
        (GOOD + "sied = 'in'", "ports[1].sied: unknown key, did you mean side?"),
        (GOOD.replace("= 2", "= '2'"), 'ports[1].number: expected int, found "2"'),
        (GOOD.replace("= 2", "= 0"), "ports[1].number: expected int >= 1, found 0"),
        (GOOD.replace("= 2", "= 1.5"), "ports[1].number: expected int, found 1.5"),
        (GOOD.replace("number = 2\n", ""), "ports[1].number: missing"),
        (GOOD.replace("out", "up"), 'ports[1].side: expected "in" or "out", found "up"'),
        (GOOD.replace("= 2", "= 13"), "ports[1].number: expected another than 13"),
        ("name = 'x'\n[rates]\na = 1.5\nb = 'c'", 'rates.b: expected float, found "c"'),
        ("name = 'x'\n[main]\nnumber = 13", "main.number: expected another than 13"),
        ("name = 'x'\nname = 'y'\n", "not TOML: Cannot overwrite a value (at line 2"),
        ("name = ", "not TOML: Invalid value (at end of document)"),
        ("name = 'x'\nb = [", "not TOML"),
        ("name = " + "[" * 5000, "arrays or tables nested too deeply"),
    ],
)
def test_a_bad_file_is_one_line(text, said):
    with pytest.raises(ConfigError) as caught:
        parse(text, Model, "app.toml")
    message = str(caught.value)
    assert message.startswith(f"app.toml: {said}")
    assert "\n" not in message


def test_long_values_are_cut():
    with pytest.raises(ConfigError) as caught:
        parse(f"name = 'x'\nports = '{'y' * 500}'", Model, "app.toml")
    assert len(str(caught.value)) < 150


def test_files_that_cannot_be_read(tmp_path):
    with pytest.raises(ConfigError, match=r"absent.toml: cannot open: No such file"):
        load(tmp_path / "absent.toml", Model)
    binary = tmp_path / "binary.toml"
    binary.write_bytes(b"name = '\xff'")
    with pytest.raises(ConfigError, match=r"binary.toml: byte 8: expected UTF-8"):
        load(binary, Model)
    with pytest.raises(ConfigError, match="cannot open"):
        load(tmp_path, Model)
    with pytest.raises(ConfigError, match="at most 16777216 bytes"):
        load(Path("/dev/zero"), Model)
