"""The login that Cboe's gap request and spin services share.

Source: Cboe US Equities/Options Multicast PITCH specification.
"""

from __future__ import annotations

from feedhandler.protocols.cboe_pitch import HEAD, le
from feedhandler.wire.record import Record

LOGIN_STATUS = {
    "A": "accepted",
    "N": "not authorised",
    "B": "session in use",
    "S": "invalid session",
}

LOGIN = Record(
    0x01,
    "login",
    22,
    [
        *HEAD,
        le.alpha("session_sub_id", 4),
        le.alpha("username", 4),
        le.alpha("filler", 2),
        le.alpha("password", 10),
    ],
    note="the client's first message",
)
LOGIN_RESPONSE = Record(0x02, "login response", 3, [*HEAD, le.alpha("status", 1, LOGIN_STATUS)])
