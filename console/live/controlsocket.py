"""The socket that other processes of the same user ask a live run by.

It is a Unix socket of packets, made with mode 0600: the folder's rights and the file's keep others
out, and each caller's user is asked of the kernel (SO_PEERCRED) as well. A request is a packet, its
answer another; callers are few, short and never waited for.
"""

from __future__ import annotations

import os
import selectors
import socket
import stat
import struct
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import msgspec

from console.live.requests import REQUEST_BYTES, Answer, AnyRequest, request_in
from nic.configfile import ConfigError

MOST_CALLERS: Final = 8
IDLE_NS: Final = 10_000_000_000
MODE: Final = 0o600
CREDENTIALS: Final = struct.Struct("3i")  # process, user, group
MOST_PATH: Final = 107  # bytes of a socket's name
Say = Callable[[str], None]
Do = Callable[[AnyRequest, str], Answer]


def peer_of(end: socket.socket) -> tuple[int, int]:
    """Process and user at the other end, as the kernel knows them."""
    raw = end.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, CREDENTIALS.size)
    process, user, _ = CREDENTIALS.unpack(raw)
    return process, user


class ControlSocket:
    """See the module. Call `step` now and then; it does not wait.

    Args:
        path: that it is made at, and removed from at the end.
        do: does what is asked, and by whom.
        say: tells people a line.

    Raises ConfigError: something else is there, or it cannot be made.
    """

    def __init__(self, path: Path, do: Do, say: Say) -> None:
        self._path, self._do, self._say = path, do, say
        self._selector = selectors.DefaultSelector()
        self._heard_ns: dict[socket.socket, int] = {}
        self._end = _listening(path)
        self._selector.register(self._end, selectors.EVENT_READ)

    def step(self, now_ns: int) -> None:
        """Takes callers, answers requests, and ends with those that say nothing."""
        for key, _ in self._selector.select(0):
            end = key.fileobj
            assert isinstance(end, socket.socket)
            if end is self._end:
                self._take(now_ns)
            else:
                self._serve(end, now_ns)
        for end, heard_ns in list(self._heard_ns.items()):
            if now_ns - heard_ns >= IDLE_NS:
                self._drop(end)

    def _take(self, now_ns: int) -> None:
        try:
            end, _ = self._end.accept()
        except OSError:  # it has gone again
            return
        end.setblocking(False)
        process, user = peer_of(end)
        if user != os.getuid():
            self._say(f"control socket: user {user} (process {process}) was turned away")
            end.close()
        elif len(self._heard_ns) >= MOST_CALLERS:
            self._answer(end, Answer(error="too many callers: ask again"))
            end.close()
        else:
            self._heard_ns[end] = now_ns
            self._selector.register(end, selectors.EVENT_READ)

    def _serve(self, end: socket.socket, now_ns: int) -> None:
        try:
            data = end.recv(REQUEST_BYTES + 1)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._drop(end)
            return
        self._heard_ns[end] = now_ns
        try:
            request = request_in(data)
        except ValueError as error:
            answer = Answer(error=f"no request: {error}")
        else:
            answer = self._do(request, f"process {peer_of(end)[0]}")
        if not self._answer(end, answer):
            self._drop(end)

    def _answer(self, end: socket.socket, answer: Answer) -> bool:
        """Sends an answer, if the caller has room for it; whether it has."""
        with suppress(OSError):
            end.send(msgspec.json.encode(answer))
            return True
        return False

    def _drop(self, end: socket.socket) -> None:
        self._selector.unregister(end)
        del self._heard_ns[end]
        end.close()

    def close(self) -> None:
        """Ends all conversations and removes the socket."""
        for end in list(self._heard_ns):
            self._drop(end)
        self._selector.close()
        self._end.close()
        self._path.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


def _listening(path: Path) -> socket.socket:
    if len(os.fsencode(path)) > MOST_PATH:
        raise ConfigError(f"control: {path}: a socket's name has at most {MOST_PATH} bytes")
    _remove_stale(path)
    end = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    try:
        os.fchmod(end.fileno(), MODE)  # the file gets these rights when it is made, not behind that
        end.bind(str(path))
        if stat.S_IMODE(path.lstat().st_mode) != MODE:
            path.unlink()
            raise ConfigError(f"control: {path}: it cannot be made with mode 0600 here")
        end.listen(MOST_CALLERS)
        end.setblocking(False)
    except OSError as error:
        end.close()
        raise ConfigError(f"control: {path}: {error.strerror}") from None
    except ConfigError:
        end.close()
        raise
    return end


def _remove_stale(path: Path) -> None:
    """Removes what a killed run left. Raises ConfigError where something else is there."""
    try:
        info = path.lstat()
    except OSError:
        return
    if not stat.S_ISSOCK(info.st_mode) or info.st_uid != os.getuid():
        raise ConfigError(f"control: {path}: something is there that is no socket of ours")
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as end:
        try:
            end.connect(str(path))
        except OSError:
            path.unlink(missing_ok=True)
            return
    raise ConfigError(f"control: {path}: another run listens there")
