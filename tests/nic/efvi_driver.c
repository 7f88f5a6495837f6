/* Drives the ef_vi backend over the double of libciul under the address and undefined-behaviour
 * sanitizers: storms of frames, faults and sends in both modes, failing opens. Prints nothing and
 * returns 0 when all went well.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backends.h"
#include "ciul_control.h"
#include "efvi.h"
#include "frame_checksum.h"
#include "udp_frame.h"

#define BURST 7
#define TURNS 8000
#define FRAME_MAX_BYTES 9060u
#define GROUP 0xefc00709u
#define UDP_PORT 31777
#define PEER 0x0a000002u
#define EXPECT(truth) ((truth) ? (void)0 : failed(#truth, __LINE__))

static void failed(const char *what, int line) {
    fprintf(stderr, "efvi_driver.c:%d: expected %s (the double: %s)\n", line, what,
            ciul_violation());
    exit(1);
}

static uint32_t seed = 1;

static uint32_t random_u32(void) {
    seed = seed * 1664525u + 1013904223u;
    return seed >> 8;
}

static const swp_efvi_peer peers[] = {{PEER, {2, 0, 0, 0, 0, 9}, {0}}};

static swp_efvi_config make_config(void) {
    return (swp_efvi_config){
        .device = "lo", .drops_path = "/nowhere", .peers = peers, .peer_count = 1,
        .ring_count = 16, .rx_queue_count = 512, .tx_queue_count = 512, .source_ipv4 = 0x0a000001u,
        .source_port = 5, .ttl = 1, .ctpio = 1, .timestamps = 1, .igmp = 1};
}

static int mtu_of(int kind) {
    return kind == CIUL_X3 ? 1980 : FRAME_MAX_BYTES;
}

static void play(int kind) {
    ciul_reset();
    ciul_set(CIUL_KIND, kind);
    ciul_set(CIUL_MTU_BYTES, mtu_of(kind));
    ciul_set(CIUL_SUPERBUFS, 4);
    ciul_set(CIUL_SUPERBUF_FRAMES, 8);
    ciul_set(CIUL_SHARES_QUEUE, 1);
}

/* The frame is an allocation of exactly its size, so that one byte too far is seen. */
static void come_in(uint32_t group, int kind) {
    static const uint32_t sizes[] = {0, 1, 18, 200, 1400, 1900, 5000, 9000};
    uint32_t payload_bytes = sizes[random_u32() % (kind == CIUL_X3 ? 6 : 8)];
    uint32_t length_bytes = SWP_UDP_HEADERS_BYTES + payload_bytes;
    uint8_t *frame = malloc(length_bytes);
    swp_udp_addresses addresses = {PEER, group, 9, UDP_PORT, 0};
    swp_udp_frame_write(frame, &addresses, payload_bytes);
    memset(frame + SWP_UDP_HEADERS_BYTES, (int)(payload_bytes & 0xff), payload_bytes);
    uint32_t fault = random_u32() % 8 ? CIUL_GOOD : random_u32() % 6;
    if (fault == CIUL_BAD_CRC) frame[random_u32() % length_bytes] ^= 0x10;
    ciul_inject(frame, length_bytes, fault);
    free(frame);
}

static void read_frames(const swp_descriptor *frames, int64_t count) {
    for (int64_t index = 0; index < count; index++) {
        const uint8_t *bytes = (const uint8_t *)(uintptr_t)frames[index].address;
        uint32_t sum = 0;
        for (uint32_t at = 0; at < frames[index].length_bytes; at++) sum += bytes[at];
        EXPECT(frames[index].length_bytes >= SWP_UDP_HEADERS_BYTES && sum > 0);
        EXPECT(frames[index].timestamp_ns > 0);
        if (frames[index].flags & SWP_FLAG_BAD_FRAME) continue;
        uint32_t told = ((uint32_t)bytes[38] << 8 | bytes[39]) - 8;
        for (uint32_t at = SWP_UDP_HEADERS_BYTES; at < frames[index].length_bytes; at++)
            EXPECT(bytes[at] == (told & 0xff));
    }
}

static int send_something(const swp_ops *ops, void *port) {
    static uint8_t payload[3000];
    uint64_t cookies[] = {SWP_DATAGRAM(PEER, 7), SWP_DATAGRAM(GROUP, random_u32() % 1000),
                          SWP_DATAGRAM(0x0a000003u, 7), 0};
    ciul_set(CIUL_HOLDS_COMPLETIONS, random_u32() % 16 == 0);
    ciul_set(CIUL_CTPIO_FAILURES, random_u32() % 4 == 0);
    uint32_t size = random_u32() % sizeof payload;
    uint8_t *exact = malloc(size ? size : 1);
    memcpy(exact, payload, size);
    int result = ops->tx(port, exact, size, cookies[random_u32() % 4]);
    EXPECT(result <= 0 && (result == 0 || ops->last_error(port)[0]));
    free(exact);
    return result == 0;
}

/* Frames, faults and sends in any order; what is held is read again before it goes back. */
static void storm(int kind, swp_efvi_config config, int poisoned, int mtu_at_open) {
    char text[SWP_EFVI_TEXT_BYTES] = "";
    const swp_ops *ops = (const swp_ops *)(uintptr_t)swp_efvi_ops();
    swp_descriptor held[16];
    int64_t count = 0;
    uint64_t handle, received = 0, sent = 0;
    play(kind);
    ciul_set(CIUL_EXPECTS_POISON, poisoned);
    ciul_set(CIUL_MTU_BYTES, mtu_at_open ? mtu_at_open : mtu_of(kind));
    EXPECT(swp_efvi_open(&config, &handle, text) == 0);
    ciul_set(CIUL_MTU_BYTES, mtu_of(kind));
    void *port = (void *)(uintptr_t)handle;
    for (uint32_t line = 0; line < 3; line++)
        EXPECT(ops->join(port, GROUP + line, UDP_PORT, 0) == 0);
    for (int turn = 0; turn < TURNS; turn++) {
        come_in(GROUP + random_u32() % 4, kind);
        if (random_u32() % 4 == 0) sent += (uint64_t)send_something(ops, port);
        int64_t room = 16 - count < BURST ? 16 - count : BURST;
        int64_t got = ops->rx_burst(port, held + count, random_u32() % (uint32_t)(room + 1));
        EXPECT(got >= 0);
        count += got;
        received += (uint64_t)got;
        int64_t back = random_u32() % (uint32_t)(count + 1);
        read_frames(held, count);
        ops->release(port, held, back);
        count -= back;
        memmove(held, held + back, (size_t)count * sizeof *held);
    }
    swp_stats stats;
    ops->stats(port, &stats);
    EXPECT(stats.rx_packets >= received && stats.rx_packets <= received + 1);
    EXPECT(stats.tx_packets == sent && ciul_sent_count() == sent && received > TURNS / 8);
    ops->close(port);  /* with frames out, and sends under way */
    EXPECT(ciul_live() == 0 && ciul_violations() == 0);
}

static void break_and_close(int kind) {
    char text[SWP_EFVI_TEXT_BYTES] = "";
    const swp_ops *ops = (const swp_ops *)(uintptr_t)swp_efvi_ops();
    swp_efvi_config config = make_config();
    swp_descriptor frames[BURST];
    uint64_t handle;
    for (uint32_t event = 0; event < 17; event++) {
        if (event < 3 || event == 14 || event == 15) continue;  /* they would be about a frame */
        play(kind);
        EXPECT(swp_efvi_open(&config, &handle, text) == 0);
        void *port = (void *)(uintptr_t)handle;
        EXPECT(ops->join(port, GROUP, UDP_PORT, 0) == 0);
        ciul_raise(event);
        come_in(GROUP, kind);
        for (int turn = 0; turn < 3; turn++) {
            int64_t count = ops->rx_burst(port, frames, BURST);
            ops->release(port, frames, count < 0 ? 0 : count);
            send_something(ops, port);
        }
        ops->close(port);
        EXPECT(ciul_live() == 0 && ciul_violations() == 0);
    }
}

static void fail_to_open(int kind) {
    static const int errors[] = {CIUL_DRIVER_ERROR, CIUL_DOMAIN_ERROR, CIUL_VI_ERROR,
                                 CIUL_MEMREG_ERROR, CIUL_MERGES_EVENTS};
    swp_efvi_config config = make_config();
    for (size_t index = 0; index < sizeof errors / sizeof *errors; index++) {
        char text[SWP_EFVI_TEXT_BYTES] = "";
        uint64_t handle = 1;
        play(kind);
        ciul_set(errors[index], 12);
        EXPECT(swp_efvi_open(&config, &handle, text) < 0 && handle == 0 && text[0]);
        EXPECT(ciul_live() == 0 && ciul_violations() == 0);
    }
}

static void torment_checksums(void) {
    swp_udp_addresses addresses = {PEER, GROUP, 1, UDP_PORT, 100};
    uint8_t frame[SWP_UDP_HEADERS_BYTES + SWP_VLAN_TAG_BYTES + 31] = {0};
    swp_udp_frame_write(frame, &addresses, 31);
    for (int change = 0; change < 100000; change++) {
        size_t size = random_u32() % (sizeof frame + 1);
        uint8_t *copy = malloc(size ? size : 1);
        memcpy(copy, frame, size);
        if (size && change % 2) copy[random_u32() % size] = (uint8_t)random_u32();
        swp_frame_checksums(copy, (uint32_t)size);
        free(copy);
    }
}

int main(void) {
    swp_efvi_config config = make_config();
    torment_checksums();
    for (int kind = CIUL_EF10; kind <= CIUL_X3; kind++) {
        config = make_config();
        storm(kind, config, 0, 0);
        config.frame_bytes = 300;
        config.bad_frames = 1;
        config.copy = 1;
        config.poison = 1;
        storm(kind, config, 1, 0);
        config.frame_bytes = 4000;
        config.cut_through_bytes = 64;
        storm(kind, config, 0, 1518);
        break_and_close(kind);
        fail_to_open(kind);
    }
    config = make_config();
    config.ctpio = 0;
    storm(CIUL_EF10, config, 0, 0);
    ciul_reset();
    return 0;
}
