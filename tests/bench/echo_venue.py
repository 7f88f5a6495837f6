"""A venue that gives back what it hears, in a process that spins on one core.

    python tests/bench/echo_venue.py CORE CALLERS

Writes its port number on the loopback interface, takes so many callers and goes when all have hung
up, or after two minutes.
"""

from __future__ import annotations

import contextlib
import os
import socket
import sys
import time

LIMIT_S = 120


def serve(callers: list[socket.socket]) -> None:
    """Spins over the callers until none is left."""
    limit_s, turns = time.monotonic() + LIMIT_S, 0
    while callers and (turns % 1024 or time.monotonic() < limit_s):
        turns += 1
        for caller in callers:
            with contextlib.suppress(BlockingIOError):
                heard = caller.recv(4096)
                if heard:
                    caller.send(heard)
                else:
                    caller.close()
                    callers.remove(caller)
                    break


def main() -> None:
    """Listens, takes the callers, serves."""
    os.sched_setaffinity(0, {int(sys.argv[1])})
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(LIMIT_S)
    sys.stdout.write(f"{listener.getsockname()[1]}\n")
    sys.stdout.flush()
    callers = []
    for _ in range(int(sys.argv[2])):
        caller = listener.accept()[0]
        caller.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        caller.setblocking(False)
        callers.append(caller)
    serve(callers)


if __name__ == "__main__":
    main()
