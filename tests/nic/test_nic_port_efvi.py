"""Opening and joining over ef_vi: failures in words, filters, VLANs, IGMP, options."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
from efvi_double import PEER, EfviRig
from efvi_fixtures import burst, ef10, nic, x3
from port_rigs import GROUP, UDP_PORT, payload_of, udp_frame

from nic.build_efvi import onload_paths
from nic.efvi import OPTIONS, open_efvi
from nic.port import BACKENDS, PortError, open_port
from nic.uri import UriError, parse_uri

__all__ = ["ef10", "nic", "x3"]

OTHER_GROUP = "239.192.7.2"


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"DRIVER_ERROR": 2}, r"the Onload driver does not answer \(ef_driver_open: No such file"),
        ({"DOMAIN_ERROR": 19}, r"lo: ef_pd_alloc_by_name: No such device; is it an interface of"),
        ({"VI_ERROR": 16}, "ef_vi_alloc_from_pd for receiving: Device or resource busy"),
        ({"MEMREG_ERROR": 12}, "ef_memreg_alloc: Cannot allocate memory"),
        ({"MERGES_EVENTS": 1}, "lo: its firmware merges receive events; give it the low-latency"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_what_fails_is_named_and_nothing_stays_open(
    nic: EfviRig, settings: dict[str, int], words: str
) -> None:
    nic.set(**settings)
    with pytest.raises(PortError, match=f"^efvi:lo.*: {words}"):
        nic.open_with()
    assert nic.lib.ciul_live() == 0


def test_an_interface_name_that_is_too_long_is_named(nic: EfviRig) -> None:
    with pytest.raises(PortError, match="an-interface-of-no-kernel: no such interface"):
        nic.open_with(device="an-interface-of-no-kernel")


def test_the_kind_of_nic_is_found_out(nic: EfviRig) -> None:
    with nic.open_with() as port:
        shared = nic.features(port) & nic.lib.SWP_EFVI_SHARED_BUFFERS
        assert bool(shared) == (nic.kind == "CIUL_X3")
        assert nic.features(port) & nic.lib.SWP_EFVI_TIMESTAMPS


@pytest.mark.parametrize("page_bytes", [4096, 65_536, 1 << 20])
def test_buffers_are_whole_pages_of_the_nics(nic: EfviRig, page_bytes: int) -> None:
    nic.set(MIN_PAGE_BYTES=page_bytes)
    with nic.open([b"one"], ring=16, rcvbuf_bytes=0) as port:
        assert len(port.receive(1)) == 1
    assert nic.violation() == ""


def test_a_nic_that_wants_huge_pages_says_how_many(nic: EfviRig) -> None:
    if "HugePages_Free:        0\n" not in Path("/proc/meminfo").read_text():
        pytest.skip("this machine has huge pages")
    nic.set(MIN_PAGE_BYTES=2 << 20)
    with pytest.raises(PortError, match=r"wants its buffers in huge pages.*nr_hugepages by \d"):
        nic.open_with("ring=64")
    assert nic.lib.ciul_live() == 0


def test_each_join_has_a_filter_and_a_membership(nic: EfviRig) -> None:
    before = Path("/proc/net/igmp").read_text()
    groups = ["239.192.17.1", "239.192.17.2"]
    with nic.open_with() as port:
        for group in groups:
            port.join(group, UDP_PORT)
            port.join(group, UDP_PORT + 1)
        assert nic.lib.ciul_filters() == 4
        listed = Path("/proc/net/igmp").read_text()
        for group in groups:
            name = socket.inet_aton(group)[::-1].hex().upper()  # as this machine has it in memory
            assert name in listed and name not in before
    assert "0111C0EF" not in Path("/proc/net/igmp").read_text()


def test_lines_of_one_port_come_out_of_one_port_object(nic: EfviRig) -> None:
    with nic.open_with() as port:
        lines = [(group, at) for group in (GROUP, OTHER_GROUP) for at in (UDP_PORT, UDP_PORT + 1)]
        for group, at in lines:
            port.join(group, at)
        for group, at in lines:
            assert nic.inject(udp_frame(f"{group}:{at}".encode(), group, at)) == 1
        seen = [payload_of(frame.data).decode() for frame in port.receive(4)]
        assert seen == [f"{group}:{at}" for group, at in lines]


def test_a_unicast_address_may_be_listened_on(nic: EfviRig) -> None:
    with nic.open_with() as port:
        port.join(PEER, UDP_PORT)
        nic.inject(udp_frame(b"reply", PEER))
        assert [payload_of(frame.data) for frame in port.receive(1)] == [b"reply"]


def test_many_lines_are_told_apart(x3: EfviRig) -> None:
    x3.set(SHARES_QUEUE=1)
    with x3.open_with("igmp=0") as port:
        for number in range(0, 512, 2):
            port.join(f"239.1.{number // 256}.{number % 256}", UDP_PORT)
            port.join("239.2.0.1", 20_000 + number)
        for number in range(512):
            x3.inject(udp_frame(b"a%d" % number, f"239.1.{number // 256}.{number % 256}"))
        seen = [payload_of(frame.data) for frame in port.receive(idle_s=0)]
        seen += [payload_of(frame.data) for frame in port.receive(idle_s=0)]
        assert seen == [b"a%d" % number for number in range(0, 512, 2)]
        with pytest.raises(PortError, match="No space left"):
            port.join(GROUP, UDP_PORT)


def test_a_vlan_is_part_of_a_line(nic: EfviRig) -> None:
    nic.set(SHARES_QUEUE=int(nic.kind == "CIUL_X3"))
    frame = udp_frame(b"tagged")
    with nic.open_with("igmp=0") as port:
        port.join(GROUP, UDP_PORT, vlan=77)
        for tag in ("8100004e", "8100604d", "8100004d"):  # another; 77 with a priority; 77
            nic.inject(frame[:12] + bytes.fromhex(tag) + frame[12:])
        nic.inject(frame)
        frames = port.receive(idle_s=0)
        assert [data[12:16].hex() for _, data, _, _ in frames] == ["8100604d", "8100004d"]


def test_a_vlan_without_an_interface_is_named(nic: EfviRig) -> None:
    with nic.open_with() as port:
        with pytest.raises(PortError, match=r"lo\.77: no such interface .* igmp=0 does without"):
            port.join(GROUP, UDP_PORT, vlan=77)
        assert nic.lib.ciul_filters() == 0


@pytest.mark.parametrize(("error", "words"), [(16, "resource busy"), (1, "not permitted")])
def test_a_filter_that_is_refused_leaves_no_line(nic: EfviRig, error: int, words: str) -> None:
    nic.set(FILTER_ERROR=error)
    with nic.open_with() as port:
        with pytest.raises(PortError, match=f"refuses a filter for {GROUP}:{UDP_PORT} .*{words}"):
            port.join(GROUP, UDP_PORT)
        nic.set(FILTER_ERROR=0)
        port.join(GROUP, UDP_PORT)
        with pytest.raises(PortError, match="already in progress"):
            port.join(GROUP, UDP_PORT)
        assert nic.lib.ciul_filters() == 1


@pytest.mark.parametrize(("port_number", "vlan"), [(0, 0), (1, 4095)])
def test_joins_that_cannot_be_are_refused(nic: EfviRig, port_number: int, vlan: int) -> None:
    with nic.open_with() as port, pytest.raises(PortError, match="must be valid"):
        port.join(GROUP, port_number, vlan)


def test_two_ports_of_one_process(nic: EfviRig) -> None:
    with nic.open([]) as one, nic.open([]) as two:
        nic.send(b"both")
        for port in (one, two):
            assert [payload_of(frame.data) for frame in port.receive(1)] == [b"both"]


def test_a_missing_counter_of_drops_is_no_obstacle(nic: EfviRig) -> None:
    nic.drops_path = nic.folder / "nowhere" / "rx_dropped"
    nic.write_drops = lambda: None  # type: ignore[method-assign]
    with nic.open([b"one"]) as port:
        assert len(port.receive(1)) == 1
        assert port.stats().rx_dropped == 0


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ("ring=100", "option ring=100: expected a power of two"),
        ("rx_queue=600", "option rx_queue=600: expected 512 or 1024 or 2048 or 4096"),
        ("frame=20", "option frame=20: expected an integer from 64"),
        ("poison=2", "option poison=2: expected 0 or 1"),
        ("source=10.0.0", "option source=10.0.0: expected an IPv4 address, not 10.0.0"),
        ("to=10.0.0.1,x", "option to=10.0.0.1,x: expected an IPv4 address, not x"),
        ("to=10.0.0.1@00:1", "expected a MAC like 00:0f:53:01:02:03, not 00:1"),
        ("to=10.0.0.1@00:0f:53:01:02:0333", "expected a MAC like"),
        ("to=10.0.0.1@00:0f:53:01:02:zz", "expected a MAC like"),
        ("speed=max", "unknown option speed; efvi has bad_frames, copy, ctpio"),
    ],
)
def test_options_that_cannot_be_read_are_named(ef10: EfviRig, options: str, words: str) -> None:
    with pytest.raises(UriError) as caught:
        open_efvi(parse_uri(f"efvi:lo?{options}"), ef10.module)
    assert words in str(caught.value)


def test_an_address_whose_mac_nobody_knows_is_named(ef10: EfviRig) -> None:
    with pytest.raises(PortError, match=r"option to: no MAC of .*nosuch0.*; name it: ADDRESS@MAC"):
        open_efvi(parse_uri("efvi:nosuch0?to=10.0.0.1"), ef10.module)


def test_frames_lie_in_the_region_that_the_port_names(ef10: EfviRig) -> None:
    with ef10.open([b"one"]) as port:
        ((base, size),) = port.regions
        frames = burst(port, 1)
        assert base <= frames[0]["address"] and frames[0]["address"] + 45 <= base + size


def test_only_copies_lie_in_a_region_that_is_known(x3: EfviRig) -> None:
    for copy in (0, 1):
        with x3.open_with(f"copy={copy}") as port:
            assert len(port.regions) == copy


def test_the_backend_is_in_the_table_with_its_options() -> None:
    assert BACKENDS["efvi"].open is open_efvi and BACKENDS["efvi"].options is OPTIONS
    reason = BACKENDS["efvi"].missing(Path("/"))
    if reason is not None:
        with pytest.raises(PortError, match="efvi is not available: "):
            open_port("efvi:eth0")


@pytest.mark.parametrize("library", ["libciul1.a", "libciul.so"])
def test_the_build_finds_onload(tmp_path: Path, library: str) -> None:
    header = tmp_path / "usr/include/etherfabric/vi.h"
    archive = tmp_path / "usr/lib64" / library
    with pytest.raises(FileNotFoundError, match="onload-devel"):
        onload_paths(tmp_path)
    for path in (header, archive):
        path.parent.mkdir(parents=True)
        path.touch()
    found = onload_paths(tmp_path)
    assert found["include_dirs"] == [str(tmp_path / "usr/include")]
    assert found["extra_link_args"] == [str(archive)]
    assert ("runtime_library_dirs" in found) == (library == "libciul.so")
