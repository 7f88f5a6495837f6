"""Parents from another process: what is asked, answered and refused, and who may ask."""

from __future__ import annotations

import os
import random
import socket
import stat
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from live_loop_rig import CENT, LoopRig

from console.live import asking, controlsocket
from console.live.asking import ask, ask_all, sockets_at, together
from console.live.controlsocket import IDLE_NS, MOST_CALLERS, ControlSocket
from console.live.parentdesk import ParentDesk
from console.live.requests import (
    MOST_ROWS,
    REQUEST_BYTES,
    Answer,
    AnyRequest,
    Change,
    List,
    Replace,
    Send,
    request_in,
)
from console.main import run
from feedhandler.messages import TICK
from nic.configfile import ConfigError

ONE = """
[[parents]]
name = "{name}"
symbol = "KOZ"
side = "buy"
quantity = 500
strategy = "post"
limit = "1.00"
account = "desk"
"""


class DeskRig:
    """A desk in front of the compiled loop."""

    def __init__(self, folder: Path) -> None:
        self.loop = LoopRig(folder)
        self.lines: list[str] = []
        self.desk = ParentDesk(self.loop.run, self.loop.parents, self.lines.append)

    def ask(self, request: AnyRequest) -> Answer:
        """What comes of a request, once the loop has heard of it."""
        answer = self.desk.answer(request, "process 7")
        self.loop.step()
        return answer

    def states(self) -> dict[str, str]:
        """How the parents stand."""
        return {row.name: row.state for row in self.ask(List()).rows}


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[DeskRig]:
    made = DeskRig(tmp_path)
    yield made
    made.loop.__exit__()


def text(*names: str) -> str:
    """A file of parents."""
    return "".join(ONE.format(name=name) for name in names)


def test_parents_are_sent_listed_and_canceled(rig: DeskRig) -> None:
    assert rig.ask(Send(text("a", "b"))) == Answer(done=["a", "b"])
    assert rig.lines == [f"process 7 sends parent {n}, which is parent {i}" for i, n in
                         enumerate("ab", 1)]  # fmt: skip
    (first, second) = rig.ask(List()).rows
    assert (first.number, first.symbol, first.side, first.quantity) == (1, "KOZ", "buy", 500)
    assert second.name == "b" and first.state == second.state == "working"
    assert rig.ask(Change("suspend", ["b"])).done == ["b"]
    assert rig.states()["b"] == "suspended"
    assert rig.ask(Change("resume", ["b"])).done == ["b"]
    assert rig.states()["b"] == "working"
    answer = rig.ask(Change("cancel", ["a", "nobody", "b"]))
    assert (answer.done, answer.unknown, answer.error) == (["a", "b"], ["nobody"], "")
    assert rig.states() == {"a": "canceled", "b": "canceled"}
    assert rig.ask(Change("cancel", ["a"])).error == "parent a: it is canceled"


def test_a_parent_s_quantity_and_limit_are_replaced(rig: DeskRig) -> None:
    rig.ask(Send(text("a")))
    assert rig.ask(Replace("a", quantity=900, limit=300 * CENT)).done == ["a"]
    row = rig.loop.tables.parents[1]
    assert (int(row["quantity"]), int(row["limit"])) == (900, 300 * CENT)
    assert "expected a quantity" in rig.ask(Replace("a")).error
    assert rig.ask(Replace("b", quantity=1)).unknown == ["b"]
    assert "quantity" in rig.ask(Replace("a", quantity=1 << 60)).error
    rig.ask(Change("cancel", ["a"]))
    assert rig.ask(Replace("a", quantity=1)).error == "parent a: it is canceled"


@pytest.mark.parametrize(
    ("given", "wrong"),
    [
        (text("a").replace("KOZ", "ABC"), "'ABC' is not among the symbols"),
        (text("a").replace('"desk"', '"house"'), "'house' has no limits"),
        (text("a", "a"), 'name: "a" is that of'),
        (text("a").replace("500", "0"), "quantity"),
        ("what", "not TOML"),
        ("[other]\n", "unknown key"),
        (text("a") + 'volume_file = "/etc/passwd"\n', "volume_file: only in the run's own file"),
        (text("taken"), "parent taken: there is one of that name already"),
    ],
)
def test_parents_that_cannot_be_are_refused_and_none_is_entered(
    rig: DeskRig, given: str, wrong: str
) -> None:
    rig.ask(Send(text("taken")))
    answer = rig.ask(Send(text("fine") + given))
    assert wrong in answer.error and "\n" not in answer.error and not answer.done
    assert list(rig.states()) == ["taken"]


def test_csv_is_taken_too(rig: DeskRig) -> None:
    rows = "name,symbol,side,quantity,strategy,account\nx,NEV,buy,100,sweep,desk\n"
    assert rig.ask(Send(rows, "csv")).done == ["x"]


def test_a_ring_that_is_full_is_said(rig: DeskRig) -> None:
    rig.ask(Send(text("a")))
    while rig.loop.plain.send(TICK, rig.loop.now_ns):
        pass
    for request in (Send(text("b")), Change("cancel", ["a"]), Replace("a", quantity=1)):
        answer = rig.desk.answer(request, "process 7")
        assert "takes no more just now" in answer.error and not answer.done
    assert rig.desk.answer(List(), "process 7").rows[0].name == "a"


def test_a_long_list_comes_in_parts(rig: DeskRig) -> None:
    names = [f"p{number}" for number in range(MOST_ROWS + 5)]
    for name in names:
        rig.ask(Send(text(name)))
    first = rig.ask(List())
    assert (len(first.rows), first.more) == (MOST_ROWS, MOST_ROWS + 1)
    rest = rig.ask(List(first.more))
    assert rest.more == 0 and [row.name for row in first.rows + rest.rows] == names
    assert rig.ask(List(1 << 20)) == Answer()


# The socket.


class Served:
    """A socket that answers, in turns on a thread of its own."""

    def __init__(self, path: Path, do: Any = None) -> None:
        self.lines: list[str] = []
        self.asked: list[AnyRequest] = []
        self.socket = ControlSocket(path, do or self._do, self.lines.append)
        self.now_ns = 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._turns)

    def _do(self, request: AnyRequest, who: str) -> Answer:
        assert who == f"process {os.getpid()}"
        self.asked.append(request)
        return Answer(done=["it"])

    def _turns(self) -> None:
        while not self._over.wait(0.001):
            self.socket.step(self.now_ns)

    def __enter__(self) -> Served:
        self._thread.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._over.set()
        self._thread.join()
        self.socket.close()


def test_a_request_is_answered_and_the_socket_is_ours_alone(tmp_path: Path) -> None:
    path = tmp_path / "c"
    with Served(path) as served:
        assert stat.S_IMODE(path.lstat().st_mode) == 0o600
        assert ask(path, Change("cancel", ["a"])) == Answer(done=["it"])
        assert ask_all(path, List(5)) == Answer(done=["it"])
        assert served.asked == [Change("cancel", ["a"]), List(5)]
    assert not path.exists()
    with pytest.raises(ConfigError, match="no run listens there"):
        ask_all(path, List())


def test_another_user_is_turned_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, other = tmp_path / "c", os.getuid() + 1
    with Served(path) as served:
        with monkeypatch.context() as patch:
            patch.setattr(controlsocket, "peer_of", lambda end: (7, other))
            with pytest.raises(ConfigError):
                ask(path, List())
        assert served.lines == [f"control socket: user {other} (process 7) was turned away"]
        with monkeypatch.context() as patch:
            patch.setattr(asking, "peer_of", lambda end: (7, other))
            with pytest.raises(ConfigError, match="another user listens there"):
                ask(path, List())
        assert not served.asked and ask(path, List()).done


def test_what_is_in_the_way_is_said_and_what_a_killed_run_left_goes(tmp_path: Path) -> None:
    path = tmp_path / "c"
    left = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    left.bind(str(path))
    left.close()
    with Served(path), pytest.raises(ConfigError, match="another run listens there"):
        Served(path)
    path.write_text("mine")
    with pytest.raises(ConfigError, match="no socket of ours"):
        Served(path)
    assert path.read_text() == "mine"
    with pytest.raises(ConfigError, match="at most 107 bytes"):
        Served(tmp_path / ("x" * 108))
    with pytest.raises(ConfigError, match="No such file"):
        Served(tmp_path / "none" / "c")


def test_callers_are_few_and_may_not_dawdle(tmp_path: Path) -> None:
    made = ControlSocket(tmp_path / "c", lambda request, who: Answer(), lambda line: None)
    ends = []
    for number in range(MOST_CALLERS + 1):
        end = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        end.connect(str(tmp_path / "c"))
        ends.append(end)
        made.step(number)
    assert b"too many callers" in ends[-1].recv(1000) and ends[-1].recv(1000) == b""
    made.step(IDLE_NS)
    assert ends[0].recv(1000) == b""
    ends[1].send(msgspec.json.encode(List()))
    made.step(IDLE_NS)
    assert msgspec.json.decode(ends[1].recv(1000), type=Answer) == Answer()
    for end in ends:
        end.close()
    made.step(IDLE_NS)
    made.close()


def test_bytes_that_are_no_request_are_answered_in_words(tmp_path: Path) -> None:
    rng, path = random.Random(3), tmp_path / "c"
    whole = [msgspec.json.encode(one) for one in (Send("x"), Change("cancel", ["a"]), List())]
    with Served(path) as served:
        for number in range(300):
            data = bytearray(whole[number % 3])
            for _ in range(rng.randrange(4)):
                data[rng.randrange(len(data))] = rng.randrange(256)
            with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as end:
                end.settimeout(30)
                end.connect(str(path))
                end.send(data if number % 2 else data[: rng.randrange(1, len(data) + 1)])
                answer = msgspec.json.decode(end.recv(1 << 16), type=Answer)
            assert answer.done == ["it"] or answer.error.startswith("no request: ")
            assert "\n" not in answer.error
        assert 25 < len(served.asked) < 250


@pytest.mark.parametrize(
    "bad",
    [
        b"", b"[]", b"{}", b'{"do":"kill"}', b'{"do":"list","first":0}', b'{"do":"list","x":1}',
        b'{"do":"change","action":"cancel","names":[]}', b"[" * REQUEST_BYTES,
        b'{"do":"change","action":"stop","names":["a"]}', b" " * (REQUEST_BYTES + 1),
        b'{"do":"replace","name":"a","quantity":-1}', b"\xff",
    ],
)  # fmt: skip
def test_requests_are_bounded(bad: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        request_in(bad)


def test_the_answers_of_several_loops_are_one(tmp_path: Path) -> None:
    for name in ("c-east", "c-west"):
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as end:
            end.bind(str(tmp_path / name))
    assert [path.name for path in sockets_at(tmp_path / "c")] == ["c-east", "c-west"]
    east = Answer(done=["a"], unknown=["b", "c"])
    west = Answer(done=["b"], unknown=["a", "c"], error="no")
    assert together([east, west]) == Answer("no", ["a", "b"], ["c"])


def test_the_command_sends_lists_and_says_what_is_wrong(
    rig: DeskRig, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, file = tmp_path / "control.sock", tmp_path / "orders.toml"
    file.write_text(text("a"))
    where = ["--control", str(path)]
    with Served(path, rig.desk.answer):
        assert run(["parent", "send", str(file), *where]) == 0
        assert run(["parent", "replace", "a", "--quantity", "700", "--limit", "2.5", *where]) == 0
        assert run(["parent", "list", *where]) == 0
        assert run(["parent", "suspend", "a", *where]) == 0
        assert run(["parent", "resume", "b", *where]) == 1
        assert run(["parent", "send", str(file), *where]) == 1
        file.write_text("")
        assert run(["parent", "send", str(file), *where]) == 1
        assert run(["parent", "replace", "a", "--limit", "x", *where]) == 2
        file.write_text("#" * (REQUEST_BYTES + 1))
        assert run(["parent", "send", str(file), *where]) == 2
    assert run(["parent", "list", *where]) == 2
    shown = capsys.readouterr()
    assert "sent: a" in shown.out and "KOZ" in shown.out and "suspended: a" in shown.out
    for words in ("no parent is named 'b'", "of that name already", "no parents in it",
                  "expected a price", "at most 65536 bytes", "no run listens there"):  # fmt: skip
        assert words in shown.err
