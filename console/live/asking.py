"""The caller's side of a run's control socket."""

from __future__ import annotations

import os
import socket
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec

from console.live.controlsocket import MOST_PATH, peer_of
from console.live.requests import REQUEST_BYTES, Answer, AnyRequest
from nic.configfile import ConfigError

TIMEOUT_S: Final = 5.0
ANSWER_BYTES: Final = 1 << 18


def sockets_at(path: Path) -> list[Path]:
    """The sockets of a run: its own, or those of its loops. Raises ConfigError without one."""
    if path.is_socket():
        return [path]
    beside = sorted(path.parent.iterdir()) if path.parent.is_dir() else []
    lead = f"{path.name}-"
    found = [each for each in beside if each.name.startswith(lead) and each.is_socket()]
    if not found:
        raise ConfigError(f"{path}: no run listens there (control in its settings)")
    return found


def ask(path: Path, request: AnyRequest) -> Answer:
    """Asks a run. Raises ConfigError, one line: nobody listens, another user's, or no answer."""
    data = msgspec.json.encode(request)
    if len(data) > REQUEST_BYTES:
        raise ConfigError(f"{path}: expected a request of at most {REQUEST_BYTES} bytes")
    if len(os.fsencode(path)) > MOST_PATH:
        raise ConfigError(f"{path}: a socket's name has at most {MOST_PATH} bytes")
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as end:
        end.settimeout(TIMEOUT_S)
        try:
            end.connect(str(path))
            if peer_of(end)[1] != os.getuid():
                raise ConfigError(f"{path}: another user listens there")
            end.send(data)
            got = end.recv(ANSWER_BYTES)
        except TimeoutError:
            raise ConfigError(f"{path}: no answer in {TIMEOUT_S:g} s") from None
        except OSError as error:
            raise ConfigError(f"{path}: {error.strerror}") from None
    try:
        return msgspec.json.decode(got, type=Answer)
    except msgspec.DecodeError:
        raise ConfigError(f"{path}: no answer that can be read") from None


def ask_all(path: Path, request: AnyRequest) -> Answer:
    """Asks all loops of a run; unknown is what none of them knows. Raises ConfigError as `ask`."""
    return together([ask(each, request) for each in sockets_at(path)])


def together(answers: Sequence[Answer]) -> Answer:
    """The answers of several loops as one."""
    done = [name for one in answers for name in one.done]
    errors = dict.fromkeys(one.error for one in answers if one.error)
    unknown = set.intersection(*(set(one.unknown) for one in answers))
    return Answer(error="; ".join(errors), done=done, unknown=sorted(unknown))
