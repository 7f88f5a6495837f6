"""The compiled handling of NYSE's quotes, one kernel a version."""

from __future__ import annotations

from feedhandler.protocols.nyse_bbo_acts import ROWS_24, ROWS_25
from feedhandler.protocols.nyse_kernels import clock, scale, special
from feedhandler.wire.interpreter import interpreter

message_25 = interpreter(ROWS_25, clock=clock, scale=scale, special=special)
message_24 = interpreter(ROWS_24, clock=clock, scale=scale, special=special)
