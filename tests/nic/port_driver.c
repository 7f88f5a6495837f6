/* Drives the backends under the address and undefined-behaviour sanitizers: damaged captures,
 * frames that lie, sockets under load. Prints nothing and returns 0 when all went well.
 *
 * Usage: port_driver CAPTURE... (each is replayed whole, cut, and with bytes changed)
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backends.h"
#include "capture.h"
#include "checked.h"
#include "udp_frame.h"
#include "udp_template.h"

#define BURST 37
#define CHANGES 3000
#define GROUP 0xefc00709u
#define UDP_PORT 31777
#define EXPECT(truth) ((truth) ? (void)0 : failed(#truth, __LINE__))

static void failed(const char *what, int line) {
    fprintf(stderr, "port_driver.c:%d: expected %s\n", line, what);
    exit(1);
}

static uint32_t seed = 1;

static uint32_t random_u32(void) {
    seed = seed * 1664525u + 1013904223u;
    return seed >> 8;
}

/* Reads every byte that the port says is there. Returns the number of frames. */
static uint64_t drain(const swp_ops *ops, void *port) {
    swp_descriptor frames[BURST];
    uint64_t total = 0, sum = 0;
    for (;;) {
        int64_t count = ops->rx_burst(port, frames, BURST);
        if (count == SWP_END) break;
        EXPECT(count > 0);
        for (int64_t index = 0; index < count; index++) {
            const uint8_t *bytes = (const uint8_t *)(uintptr_t)frames[index].address;
            for (uint32_t at = 0; at < frames[index].length_bytes; at++) sum += bytes[at];
        }
        ops->release(port, frames, count);
        total += (uint64_t)count;
    }
    return total + (sum == UINT64_MAX);
}

/* The image is an allocation of exactly its size, so that one byte too far is seen. */
static uint64_t replay(const uint8_t *bytes, size_t size, uint64_t repeats) {
    uint8_t *copy = malloc(size ? size : 1);
    memcpy(copy, bytes, size);
    swp_image images[2] = {{copy, size, "one"}, {copy, size, "two"}};
    swp_replay_config config = {.images = images, .image_count = 2, .ring_count = 64,
                                .repeat_count = repeats,
                                .trailer_kinds = SWC_TRAILER_METAWATCH | SWC_TRAILER_EXABLAZE_HPT};
    char text[SWP_ERROR_TEXT_BYTES] = "";
    const swp_ops *ops = swp_replay_ops();
    void *port = NULL;
    uint64_t total = 0;
    if (swp_replay_open(&config, &port, text) == 0) {
        swp_stats stats;
        total = drain(ops, port);
        ops->stats(port, &stats);
        EXPECT(stats.rx_packets == total);
        EXPECT(stats.rx_errors == 0 || ops->last_error(port)[0]);
        ops->close(port);
    } else {
        EXPECT(port == NULL && text[0]);
    }
    free(copy);
    return total;
}

static uint8_t *read_file(const char *path, size_t *size) {
    FILE *file = fopen(path, "rb");
    EXPECT(file != NULL);
    EXPECT(fseek(file, 0, SEEK_END) == 0);
    *size = (size_t)ftell(file);
    rewind(file);
    uint8_t *bytes = malloc(*size + 1);
    EXPECT(fread(bytes, 1, *size, file) == *size);
    fclose(file);
    return bytes;
}

static void torment_capture(const char *path) {
    size_t size;
    uint8_t *bytes = read_file(path, &size);
    uint64_t whole = replay(bytes, size, 1);
    EXPECT(whole > 0 && replay(bytes, size, 3) == 3 * whole);
    for (size_t cut = 0; cut < size; cut += 1 + cut / 64) EXPECT(replay(bytes, cut, 1) <= whole);
    for (int change = 0; change < CHANGES; change++) {
        uint8_t kept[4];
        size_t at = random_u32() % (size - 4);
        memcpy(kept, bytes + at, 4);
        for (int index = 0; index < 4; index++)
            if (random_u32() & 1) bytes[at + (size_t)index] = (uint8_t)random_u32();
        replay(bytes, size, 1);
        memcpy(bytes + at, kept, 4);
    }
    free(bytes);
}

static void torment_frames(void) {
    swp_udp_addresses addresses = {0x7f000001u, GROUP, 1, UDP_PORT, 100};
    uint8_t frame[SWP_UDP_HEADERS_BYTES + SWP_VLAN_TAG_BYTES + 32] = {0};
    swp_udp_frame_write(frame, &addresses, 32);
    for (int change = 0; change < 200000; change++) {
        size_t size = random_u32() % (sizeof frame + 1);
        uint8_t *copy = malloc(size ? size : 1);
        swp_udp_datagram datagram;
        memcpy(copy, frame, size);
        if (size && change % 2) copy[random_u32() % size] = (uint8_t)random_u32();
        if (swp_udp_frame_read(copy, (uint32_t)size, &datagram) == 0) {
            EXPECT(datagram.payload >= copy);
            EXPECT(datagram.payload + datagram.payload_bytes <= copy + size);
        }
        free(copy);
    }
}

/* Each frame lies in an allocation of exactly its size; a reader finds in it what was put there. */
static void torment_templates(void) {
    swp_udp_ends ends = {.source_ip = 0x0a000001, .destination_ip = GROUP, .source_port = 4000,
                         .destination_port = UDP_PORT, .ttl = 1};
    for (int turn = 0; turn < 20000; turn++) {
        uint8_t payload[300];
        uint32_t size = random_u32() % (sizeof payload + 1);
        swp_udp_datagram datagram;
        ends.vlan = turn % 2 ? 7 : 0;
        uint32_t headers_bytes = swp_udp_headers_bytes(ends.vlan);
        uint32_t room_bytes = headers_bytes + size;
        swp_udp_template template;
        if (room_bytes < SWP_UDP_ROOM_LEAST_BYTES) room_bytes = SWP_UDP_ROOM_LEAST_BYTES;
        uint8_t *frame = malloc(room_bytes);
        memset(payload, turn, sizeof payload);
        swp_udp_template_make(&template, &ends);
        EXPECT(template.headers_bytes == headers_bytes);
        int64_t length = swp_udp_template_fill(
            (int64_t)(uintptr_t)&template, (int64_t)(uintptr_t)frame,
            random_u32() % (2 * SWP_UDP_SUMMED), (int64_t)(uintptr_t)payload, size);
        EXPECT(length == headers_bytes + size);
        EXPECT(swp_udp_frame_read(frame, (uint32_t)length, &datagram) == 0);
        EXPECT(datagram.payload_bytes == size && datagram.destination_port == UDP_PORT);
        EXPECT(memcmp(datagram.payload, payload, size) == 0);
        free(frame);
    }
}

static void torment_socket(void) {
    swp_socket_config config = {.device = "lo", .ring_count = 8, .frame_bytes = 100, .ttl = 1,
                                .poison = 1};
    char text[SWP_ERROR_TEXT_BYTES] = "";
    const swp_ops *ops = swp_socket_ops();
    void *port;
    EXPECT(swp_socket_open(&config, &port, text) == 0);
    EXPECT(ops->thread_init(port) == 0);
    for (uint32_t line = 0; line < 3; line++)
        EXPECT(ops->join(port, GROUP + line, UDP_PORT, 0) == 0);
    swp_descriptor frames[BURST];
    uint64_t sent = 0, received = 0;
    uint8_t payload[200] = {1};
    for (int turn = 0; turn < 2000; turn++) {
        uint64_t to = (uint64_t)(GROUP + random_u32() % 3) << 16 | UDP_PORT;
        sent += ops->tx(port, payload, 1 + random_u32() % sizeof payload, to) == 0;
        if (turn % 3) continue;
        int64_t count = ops->rx_burst(port, frames, 1 + random_u32() % BURST);
        for (int64_t index = 0; index < count; index++) {
            const uint8_t *bytes = (const uint8_t *)(uintptr_t)frames[index].address;
            EXPECT(bytes[0] == 1 && bytes[frames[index].length_bytes - 1] <= 1);
        }
        ops->release(port, frames, count);
        received += (uint64_t)count;
    }
    for (int64_t count; (count = ops->rx_burst(port, frames, BURST)) > 0;) {
        ops->release(port, frames, count);
        received += (uint64_t)count;
    }
    swp_stats stats;
    ops->stats(port, &stats);
    EXPECT(stats.rx_packets == received && stats.rx_errors == 0);
    EXPECT(stats.rx_packets + stats.rx_dropped == sent);
    ops->close(port);
}

static void torment_regions(void) {
    uint64_t scratch = swr_check(1, 8);
    EXPECT(swr_region_register(4096, 8192) >= 0);
    for (int turn = 0; turn < 100000; turn++) {
        uint64_t address = random_u32() % 12288, width = random_u32() % 9;
        int inside = address >= 4096 && address < 8192 && address + width <= 8192;
        EXPECT(swr_check(address, width) == (inside ? address : scratch));
    }
    swr_region_clear();
}

int main(int count, char **paths) {
    swp_clock clock;
    EXPECT(swp_clock_calibrate(&clock, 0) == 0 && swp_clock_recalibrate(&clock) == 0);
    EXPECT(swp_clock_now_ns(&clock) > 1000000000ull * 1000000000ull);
    for (int index = 1; index < count; index++) torment_capture(paths[index]);
    torment_frames();
    torment_templates();
    torment_socket();
    torment_regions();
    return 0;
}
