"""The compiled decoders of IEX's protocols."""

from __future__ import annotations

from feedhandler.protocols.iex_acts import DEEP_PLUS_ROWS, DEEP_ROWS, TOPS_1_5_ROWS, TOPS_1_6_ROWS
from feedhandler.wire.interpreter import interpreter

message_deep = interpreter(DEEP_ROWS)
message_deep_plus = interpreter(DEEP_PLUS_ROWS)
message_tops_1_5 = interpreter(TOPS_1_5_ROWS)
message_tops_1_6 = interpreter(TOPS_1_6_ROWS)
