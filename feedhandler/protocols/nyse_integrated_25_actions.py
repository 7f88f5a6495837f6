"""The compiled handling of the Integrated Feed 2.5's messages."""

from __future__ import annotations

from feedhandler.protocols.nyse_acts import ROWS_25
from feedhandler.protocols.nyse_kernels import clock, scale, special
from feedhandler.wire.interpreter import interpreter

message = interpreter(ROWS_25, clock=clock, scale=scale, special=special)
