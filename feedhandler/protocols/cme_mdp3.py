"""CME Market Data Platform 3.0, schema versions 1.5 to 1.13: futures and options of CME Group.

SBE in little-endian. Times are ns since the epoch; an instrument is named by its security id.
Prices have 7 decimals in templates below 46 and 9 in the others. By TCP, the recovery of the
newest channels, the same messages come with those of a session (schema 2).

Source: CME Group's MDP 3.0 message schema, by the public dissectors of its versions; checked
against captures of versions 1.5, 1.8 and 1.12. The messages of the TCP session are in no public
layout: their widths are the captures', their names general knowledge.
"""

from __future__ import annotations

from feedhandler.protocols import cme_definitions, cme_snapshots, cme_updates
from feedhandler.protocols.cme_fields import head, le
from feedhandler.wire.field import Field
from feedhandler.wire.protocol import Protocol
from feedhandler.wire.record import Record
from feedhandler.wire.sbe import SbeGroup, entry
from feedhandler.wire.sbe import message as sbe_message

SESSION_SCHEMA = 2
SOURCE = "CME MDP 3.0 message schema, versions 1.5 to 1.13"
TEMPLATE_AT = 4  # of the template id in every message
SECURITY_GROUPS = SbeGroup("security_groups", entry("group", le.alpha("security_group", 6)))
SECURITIES = SbeGroup("security_ids", entry("security", le.sint("security_id", 4)))
REQUEST_ID, REQUEST_TYPE = le.u32("request_id"), le.u8("request_type")


def of_session(code: int, name: str, *fields: Field) -> Record:
    """A message of the TCP session."""
    groups = (SECURITY_GROUPS, SECURITIES) if fields else ()
    return sbe_message(code, name, head(SESSION_SCHEMA), fields, groups)


SESSION_RECORDS = (
    of_session(206, "request ack", REQUEST_ID, le.u8("request_ack_status"), le.u8("reject_reason")),
    of_session(208, "security list request", REQUEST_ID, REQUEST_TYPE),
    of_session(209, "security status request", REQUEST_ID, REQUEST_TYPE),
    of_session(210, "subscriber heartbeat"),
)
RECORDS = tuple(
    sorted(
        (*cme_updates.RECORDS, *cme_snapshots.RECORDS, *cme_definitions.RECORDS),
        key=lambda record: int(record.code),
    )
)


def protocol(name: str, title: str, records: tuple[Record, ...]) -> Protocol:
    """A table of messages with the SBE header in front."""
    return Protocol(
        name, title, records, code_offset=TEMPLATE_AT, code_width=2, extensible=True, source=SOURCE
    )


CME_MDP3 = protocol("cme_mdp3", "CME MDP 3.0", RECORDS)
CME_TCP = protocol("cme_tcp", "CME MDP 3.0 by TCP", (*RECORDS, *SESSION_RECORDS))
