"""The compiled handling of NYSE's imbalances, one kernel a version."""

from __future__ import annotations

from feedhandler.protocols.nyse_imbalances_acts import ROWS_21, ROWS_25
from feedhandler.protocols.nyse_kernels import clock, scale, special
from feedhandler.wire.interpreter import interpreter

message_25 = interpreter(ROWS_25, clock=clock, scale=scale, special=special)
message_21 = interpreter(ROWS_21, clock=clock, scale=scale, special=special)
