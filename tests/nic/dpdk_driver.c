/* Drives the DPDK backend under the address and undefined-behaviour sanitizers: frames that lie,
 * segments, tags and times as devices give them, buffers that run out. Prints nothing and returns 0
 * when all went well. Usage: dpdk_driver CAPTURE
 */
#define _GNU_SOURCE
#include "dpdk_driver.h"

#include <errno.h>
#include <rte_eth_ring.h>
#include <rte_ring.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "udp_frame.h"

#define BURST 37

const swp_ops *ops;
static swp_clock system_clock;
static uint32_t seed = 1;
static char text[SWP_ERROR_TEXT_BYTES];

void driver_failed(const char *what, const char *file, int line) {
    fprintf(stderr, "%s:%d: expected %s (%s)\n", file, line, what, text);
    exit(1);
}

static uint32_t random_u32(void) {
    seed = seed * 1664525u + 1013904223u;
    return seed >> 8;
}

swp_dpdk_config usual(const char *device) {
    return (swp_dpdk_config){
        .device = device, .iface = "", .clock = &system_clock, .ring_count = 64, .queue_count = 1,
        .descriptor_count = 64, .mtu_bytes = 1500, .frame_bytes = 2048, .segment_bytes = 2048,
        .filter = 1, .poison = 1, .source_ip = 0x0a000001u, .source_port = 4000};
}

dpdk_port *open_port(const swp_dpdk_config *config) {
    uint64_t handle;
    EXPECT(swp_dpdk_open(config, &handle, text) == 0);
    return (dpdk_port *)(uintptr_t)handle;
}

static void start(void) {
    char *arguments[] = {"driver", "--no-huge", "--no-pci", "--no-shconf", "--no-telemetry",
                         "-m", "128", "-l", "0"};
    uint64_t handle;
    swp_dpdk_config config = usual("net_null0");
    EXPECT(swp_dpdk_open(&config, &handle, text) == -ENXIO && handle == 0);
    EXPECT(swp_dpdk_start(9, arguments, 0, text) == 0);
    EXPECT(swp_dpdk_start(9, arguments, 0, text) == -EALREADY);
}

/* Frames of exactly their size, so that one byte too far is seen. */
static void torment_filter(void) {
    dpdk_port *port = calloc(1, sizeof *port);
    swp_udp_addresses addresses = {0x7f000001u, GROUP, 1, UDP_PORT, VLAN};
    uint8_t frame[SWP_UDP_HEADERS_BYTES + SWP_VLAN_TAG_BYTES + 8] = {0};
    uint64_t key = dpdk_line_key(GROUP, UDP_PORT, VLAN), wanted = 0;
    port->keys[dpdk_key_slot(key)] = key;
    swp_udp_frame_write(frame, &addresses, 8);
    EXPECT(dpdk_wanted(port, frame, sizeof frame));
    for (int change = 0; change < 200000; change++) {
        size_t size = random_u32() % (sizeof frame + 1);
        uint8_t *copy = malloc(size ? size : 1);
        memcpy(copy, frame, size);
        if (size && change % 2) copy[random_u32() % size] = (uint8_t)random_u32();
        wanted += (uint64_t)dpdk_wanted(port, copy, (uint32_t)size);
        free(copy);
    }
    EXPECT(wanted > 1000 && wanted < 190000);
    free(port);
}

/* --- a device that gives what is put into a ring ---------------------------------------------- */

static struct rte_mempool *wire;
static struct rte_ring *ring;

static struct rte_mbuf *make_frame(uint32_t payload_bytes, uint16_t vlan) {
    swp_udp_addresses addresses = {0x0a000001u, GROUP, 1, UDP_PORT, vlan};
    struct rte_mbuf *mbuf = rte_pktmbuf_alloc(wire);
    EXPECT(mbuf != NULL);
    uint32_t headers_bytes = swp_udp_headers_bytes(vlan);
    uint8_t *frame = (uint8_t *)rte_pktmbuf_append(mbuf, (uint16_t)(headers_bytes + payload_bytes));
    EXPECT(frame != NULL);
    swp_udp_frame_write(frame, &addresses, payload_bytes);
    for (uint32_t at = 0; at < payload_bytes; at++) frame[headers_bytes + at] = (uint8_t)at;
    return mbuf;
}

/* The second half of the frame goes into a segment of its own. */
static void split_frame(struct rte_mbuf *mbuf) {
    uint16_t half = (uint16_t)(rte_pktmbuf_data_len(mbuf) / 2);
    struct rte_mbuf *rest = rte_pktmbuf_alloc(wire);
    EXPECT(rest != NULL);
    uint32_t kept = rte_pktmbuf_data_len(mbuf) - half;
    const uint8_t *from = rte_pktmbuf_mtod_offset(mbuf, uint8_t *, kept);
    memcpy(rte_pktmbuf_append(rest, half), from, half);
    EXPECT(rte_pktmbuf_trim(mbuf, half) == 0);
    EXPECT(rte_pktmbuf_chain(mbuf, rest) == 0);
}

static struct rte_mbuf *put_frame(uint32_t payload_bytes, uint16_t vlan) {
    struct rte_mbuf *mbuf = make_frame(payload_bytes, vlan);
    EXPECT(rte_ring_enqueue(ring, mbuf) == 0);
    return mbuf;
}

static swp_descriptor take_one(dpdk_port *port) {
    swp_descriptor frame;
    EXPECT(ops->rx_burst(port, &frame, 1) == 1);
    return frame;
}

static void torment_tags_and_times(dpdk_port *port) {
    struct rte_mbuf *mbuf = put_frame(20, 0);
    mbuf->ol_flags |= RTE_MBUF_F_RX_VLAN | RTE_MBUF_F_RX_VLAN_STRIPPED;
    mbuf->vlan_tci = 0xe000 | VLAN;
    swp_descriptor frame = take_one(port);
    const uint8_t *bytes = (const uint8_t *)(uintptr_t)frame.address;
    EXPECT(frame.length_bytes == 42 + 4 + 20 && bytes[12] == 0x81 && bytes[15] == VLAN);
    EXPECT(bytes[46] == 0 && bytes[47] == 1);
    ops->release(port, &frame, 1);
    EXPECT(bytes[46] == 0xdb);
    mbuf = put_frame(20, VLAN);
    mbuf->ol_flags |= port->stamp_flag;
    *RTE_MBUF_DYNFIELD(mbuf, port->stamp_offset, rte_mbuf_timestamp_t *) = 1234567890123ull;
    frame = take_one(port);
    EXPECT(frame.timestamp_ns == 1234567890123ull && frame.flags & SWP_FLAG_HW_TIMESTAMP);
    ops->release(port, &frame, 1);
    put_frame(20, VLAN);
    frame = take_one(port);
    EXPECT(frame.timestamp_ns > 1000000000ull * 1000000000ull);
    EXPECT(!(frame.flags & SWP_FLAG_HW_TIMESTAMP));
    ops->release(port, &frame, 1);
}

/* A tag cannot go into a buffer that somebody else has too: the frame counts as broken. */
static void torment_shared(dpdk_port *port) {
    swp_stats stats;
    swp_descriptor frame;
    struct rte_mbuf *mbuf = put_frame(20, 0);
    mbuf->ol_flags |= RTE_MBUF_F_RX_VLAN | RTE_MBUF_F_RX_VLAN_STRIPPED;
    rte_mbuf_refcnt_update(mbuf, 1);
    EXPECT(ops->rx_burst(port, &frame, 1) == 0);
    ops->stats(port, &stats);
    EXPECT(stats.rx_errors == 1 && ops->last_error(port)[0]);
    rte_pktmbuf_free(mbuf);
    mbuf = put_frame(20, VLAN);
    rte_mbuf_refcnt_update(mbuf, 1);
    frame = take_one(port);
    ops->release(port, &frame, 1);  /* not poisoned: it is not ours alone */
    EXPECT(*rte_pktmbuf_mtod_offset(mbuf, uint8_t *, 47) == 1);
    rte_pktmbuf_free(mbuf);
}

static void check_bytes(const swp_descriptor *frame, uint32_t headers_bytes) {
    const uint8_t *payload = (const uint8_t *)(uintptr_t)frame->address + headers_bytes;
    for (uint32_t at = 0; at < frame->length_bytes - headers_bytes; at++)
        EXPECT(payload[at] == (uint8_t)at);
}

/* A port that idles keeps its clock right. */
static void torment_clock(dpdk_port *port) {
    uint64_t base = port->clock.tick_base;
    swp_descriptor frame;
    for (uint32_t poll = 0; poll <= DPDK_IDLE_POLLS; poll++)
        EXPECT(ops->rx_burst(port, &frame, 1) == 0);
    EXPECT(port->clock.source != SWP_CLOCK_TSC || port->clock.tick_base > base);
}

/* The frame after the oldest may not be released. */
static void release_wrongly(dpdk_port *port, const swp_descriptor *held) {
    swp_stats before, after;
    ops->stats(port, &before);
    ops->release(port, held + 1, 1);
    ops->stats(port, &after);
    EXPECT(after.rx_errors == before.rx_errors + 1);
}

/* Frames of one or two segments, in bursts of any size, released in any parts. */
static void torment_ring(dpdk_port *port) {
    swp_descriptor held[64];
    uint32_t held_count = 0, put = 0, seen = 0;
    for (int turn = 0; turn < 20000; turn++) {
        if (rte_ring_count(ring) < 60 && random_u32() % 2) {
            struct rte_mbuf *mbuf = make_frame(100 + random_u32() % 800, VLAN);
            if (random_u32() % 2) split_frame(mbuf);
            EXPECT(rte_ring_enqueue(ring, mbuf) == 0);
            put++;
        }
        if (held_count < 64 && random_u32() % 2) {
            uint32_t room = random_u32() % (65 - held_count);
            int64_t count = ops->rx_burst(port, held + held_count, room);
            EXPECT(count >= 0);
            for (int64_t at = 0; at < count; at++) check_bytes(&held[held_count + at], 46);
            held_count += (uint32_t)count;
            seen += (uint32_t)count;
        }
        if (held_count && random_u32() % 2) {
            uint32_t count = 1 + random_u32() % held_count;
            if (held_count > 1) release_wrongly(port, held);
            ops->release(port, held, count);
            held_count -= count;
            memmove(held, held + count, held_count * sizeof *held);
        }
    }
    EXPECT(seen > 5000 && put >= seen);
    ops->release(port, held, held_count);
    for (int64_t count; (count = ops->rx_burst(port, held, BURST)) > 0; seen += (uint32_t)count)
        ops->release(port, held, count);
    EXPECT(seen == put);
}

static void torment_ring_device(void) {
    wire = rte_pktmbuf_pool_create("wire", 511, 0, 0, 1024 + RTE_PKTMBUF_HEADROOM, SOCKET_ID_ANY);
    ring = rte_ring_create("wire", 256, SOCKET_ID_ANY, 0);
    EXPECT(wire && ring && rte_eth_from_ring(ring) >= 0);
    swp_dpdk_config config = usual("net_ring_wire");
    config.stamp = SWP_DPDK_STAMP_NS;
    config.segment_bytes = 512;
    for (int opening = 0; opening < 3; opening++) {  /* it stays where it is when the port goes */
        dpdk_port *port = open_port(&config);
        EXPECT(ops->join(port, GROUP, UDP_PORT, VLAN) == 0);
        EXPECT(ops->join(port, GROUP, UDP_PORT, VLAN) == -EALREADY);
        torment_tags_and_times(port);
        torment_shared(port);
        torment_ring(port);
        if (opening == 0) torment_clock(port);
        put_frame(20, VLAN);
        take_one(port);
        put_frame(20, VLAN);
        put_frame(20, VLAN);
        EXPECT(ops->rx_burst(port, (swp_descriptor[1]){{0}}, 1) == 1);
        ops->close(port);  /* with frames out and one ahead */
        EXPECT(rte_mempool_full(wire));
    }
}

/* What is longer than a frame may be is cut, in the one slot that there is. */
static void torment_cut(void) {
    swp_dpdk_config config = usual("net_ring_wire");
    config.frame_bytes = 200;
    config.segment_bytes = DPDK_HEADERS_BYTES;
    config.ring_count = 1;
    dpdk_port *port = open_port(&config);
    EXPECT(ops->join(port, GROUP, UDP_PORT, 0) == 0);
    for (uint32_t payload_bytes = 1; payload_bytes < 900; payload_bytes++) {
        struct rte_mbuf *mbuf = make_frame(payload_bytes, 0);
        split_frame(mbuf);
        EXPECT(rte_ring_enqueue(ring, mbuf) == 0);
        swp_descriptor frame;
        if (ops->rx_burst(port, &frame, 1) == 0) {  /* its port is behind the first segment */
            EXPECT((42 + payload_bytes + 1) / 2 < 38);
            continue;
        }
        int cut = 42 + payload_bytes > 200;
        EXPECT(frame.length_bytes == (cut ? 200 : 42 + payload_bytes));
        EXPECT(((frame.flags & SWP_FLAG_TRUNCATED) != 0) == cut);
        check_bytes(&frame, 42);
        ops->release(port, &frame, 1);
    }
    ops->close(port);
}

/* --- the others ------------------------------------------------------------------------------- */

/* Packets that find no buffer are lost, and counted. */
static void torment_buffers(const char *capture) {
    char device[4096];
    swp_stats stats;
    swp_descriptor frames[BURST];
    snprintf(device, sizeof device, "net_pcap7,rx_pcap=%s", capture);
    swp_dpdk_config config = usual(device);
    config.filter = 0;
    dpdk_port *port = open_port(&config);
    struct rte_mbuf *taken = NULL, *mbuf;
    while ((mbuf = rte_pktmbuf_alloc(port->rx_pool))) {
        mbuf->next = taken;
        taken = mbuf;
    }
    EXPECT(ops->rx_burst(port, frames, BURST) == 0);
    ops->stats(port, &stats);
    EXPECT(stats.rx_dropped > 0 && stats.rx_packets == 0);
    uint64_t dropped = stats.rx_dropped, received = 0;
    for (; taken; taken = mbuf) {
        mbuf = taken->next;
        taken->next = NULL;
        rte_pktmbuf_free(taken);
    }
    for (int64_t count; (count = ops->rx_burst(port, frames, BURST)) > 0;) {
        ops->release(port, frames, count);
        received += (uint64_t)count;
    }
    ops->stats(port, &stats);
    EXPECT(stats.rx_dropped == dropped && stats.rx_packets == received && received > 0);
    ops->close(port);
    for (int opening = 0; opening < 50; opening++) {
        port = open_port(&config);
        EXPECT(ops->rx_burst(port, frames, BURST) > 0);
        ops->close(port);
    }
}

static void torment_sends(void) {
    swp_dpdk_config config = usual("net_ring7");
    config.filter = 0;
    dpdk_port *port = open_port(&config);
    swp_descriptor frames[BURST];
    uint64_t sent = 0, received = 0;
    uint8_t *data = malloc(3000);
    memset(data, 7, 3000);
    EXPECT(ops->thread_init(port) == 0);
    for (int turn = 0; turn < 20000; turn++) {
        uint32_t length_bytes = random_u32() % 2200;
        uint64_t cookie = random_u32() % 2 ? SWP_DATAGRAM(GROUP, random_u32() % 1000) : 0;
        sent += ops->tx(port, data, length_bytes, cookie) == 0;
        if (turn % 20) continue;
        int64_t count = ops->rx_burst(port, frames, 1 + random_u32() % BURST);
        ops->release(port, frames, count);
        received += (uint64_t)count;
    }
    for (int64_t count; (count = ops->rx_burst(port, frames, BURST)) > 0;) {
        ops->release(port, frames, count);
        received += (uint64_t)count;
    }
    EXPECT(sent == received && sent > 1000);
    swp_stats stats;
    ops->stats(port, &stats);
    EXPECT(stats.tx_packets == sent && stats.tx_failed == 20000 - sent && stats.rx_errors == 0);
    EXPECT(rte_mempool_full(port->tx_pool));
    free(data);
    ops->close(port);
}

static void torment_openings(void) {
    const char *const devices[] = {"nosuch0", "", ",", "9", "99999999999999999999",
                                   "net_pcap8,rx_pcap=/no/such", "net_null8,size=frog"};
    uint64_t handle;
    for (size_t index = 0; index < sizeof devices / sizeof *devices; index++) {
        swp_dpdk_config config = usual(devices[index]);
        text[0] = 0;
        EXPECT(swp_dpdk_open(&config, &handle, text) < 0 && handle == 0 && text[0]);
    }
    swp_dpdk_config config = usual("net_null9");
    config.queue_count = 1000;
    config.ring_count = 1 << 20;
    EXPECT(swp_dpdk_open(&config, &handle, text) < 0);
    config = usual("net_null9");
    config.ring_count = 3;
    EXPECT(swp_dpdk_open(&config, &handle, text) == -EINVAL);
    config.ring_count = 4;
    dpdk_port *port = open_port(&config);
    EXPECT(swp_dpdk_open(&config, &handle, text) == -EBUSY);
    EXPECT(swp_dpdk_end() == -EBUSY);
    ops->close(port);
    ops->close(NULL);
}

int main(int count, char **arguments) {
    ops = (const swp_ops *)(uintptr_t)swp_dpdk_ops();
    EXPECT(count == 2 && swp_clock_calibrate(&system_clock, 0) == 0);
    torment_filter();
    torment_leftovers();
    start();
    torment_openings();
    torment_list();
    torment_rules();
    torment_ring_device();
    torment_cut();
    torment_buffers(arguments[1]);
    torment_sends();
    EXPECT(swp_dpdk_end() == 0 && swp_dpdk_end() == 0);
    swp_dpdk_config config = usual("net_null0");
    EXPECT(swp_dpdk_open(&config, &(uint64_t){0}, text) == -ENXIO);
    return 0;
}
