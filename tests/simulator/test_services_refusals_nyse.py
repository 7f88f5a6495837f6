"""What NYSE's services take and what they refuse, with the protocol's status letters."""

from __future__ import annotations

from service_rig import Caller, Desk

from feedhandler.protocols.nyse_control import REQUESTS
from feedhandler.protocols.nyse_integrated_25 import NYSE_INTEGRATED_25
from feedhandler.transports import xdp
from feedhandler.transports.packets import write_packet
from feedhandler.transports.transport import read_packet
from feedhandler.wire.record import Value

NYSE = {record.code: record for record in REQUESTS}


def nyse(caller: Caller, code: int, number: int = 7, **given: Value) -> str:
    """The status of a request."""
    about: dict[str, Value] = {"source_id": "FIRM", "product_id": 1, "channel_id": 1}
    message = NYSE[code].encode({**about, **given})
    header: dict[str, Value] = {"delivery_flag": xdp.ORIGINAL, "seq_num": number}
    caller.say(write_packet(xdp.TRANSPORT, [message], header))
    ((answer, values),) = caller.read(xdp.TRANSPORT, NYSE_INTEGRATED_25)
    assert (answer, values["request_seq_num"]) == (11, number)
    return str(values["status"])


def test_nyse_answers_requests_by_their_status() -> None:
    with Desk("nyse", count=2_500, retain=200, most_messages=100) as desk:
        caller, unit = desk.dial("gap"), desk.publisher.units[0]
        first, end = unit.retained.first, unit.next_sequence
        assert first > 1
        one: dict[str, Value] = {"begin_seq_num": end - 1, "end_seq_num": end - 1}
        assert nyse(caller, 10, **one) == "0"
        ((group, payload),) = desk.multicast
        header = read_packet(xdp.TRANSPORT, payload).header
        assert (group, header["delivery_flag"], header["seq_num"]) == ("gap", 13, end - 1)
        desk.multicast.clear()
        assert nyse(caller, 10, **one, source_id="NOBODY") == "1"
        assert nyse(caller, 10, begin_seq_num=end - 101, end_seq_num=end - 1) == "3"
        assert nyse(caller, 10, begin_seq_num=end - 1, end_seq_num=end) == "3"
        assert nyse(caller, 10, begin_seq_num=end - 1, end_seq_num=end - 2) == "3"
        assert nyse(caller, 10, begin_seq_num=1, end_seq_num=1) == "6"
        assert nyse(caller, 10, **one, channel_id=2) == "7"
        assert nyse(caller, 10, **one, product_id=2) == "8"
        assert nyse(caller, 15, symbol_index=99) == "9"
        assert desk.multicast == []
        assert nyse(caller, 13, symbol_index=2) == nyse(caller, 15, symbol_index=2) == "0"
        assert {group for group, _ in desk.multicast} == {"refresh"}


def test_nyse_says_that_a_message_is_none_of_its_requests() -> None:
    with Desk("nyse") as desk:
        caller = desk.dial("gap")
        add = NYSE_INTEGRATED_25[100].encode()
        cut = NYSE[10].encode()[:-1]
        for message in (add, len(cut).to_bytes(2, "little") + cut[2:]):
            header: dict[str, Value] = {"delivery_flag": xdp.ORIGINAL, "seq_num": 3}
            caller.say(write_packet(xdp.TRANSPORT, [message], header))
            ((code, values),) = caller.read(xdp.TRANSPORT, NYSE_INTEGRATED_25)
            assert (code, values["status"]) == (11, "9")


def test_nyse_has_quotas() -> None:
    with Desk("arca", requests_day=1, refreshes_day=1) as desk:
        caller = desk.dial("gap")
        one: dict[str, Value] = {"begin_seq_num": 1, "end_seq_num": 1}
        assert [nyse(caller, 10, **one) for _ in range(2)] == ["0", "4"]
        assert [nyse(caller, 15, symbol_index=0) for _ in range(2)] == ["0", "5"]
