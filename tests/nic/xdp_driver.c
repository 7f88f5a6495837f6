/* Drives the AF_XDP backend under the address and undefined-behaviour sanitizers: frames that lie,
 * rings that are full, a kernel that is busy. Prints nothing and returns 0 when all went well.
 *
 * Usage: xdp_driver INTERFACE FD ATTACH MTU (FD: a packet socket at the veth pair's other end).
 * Linked with --wrap=sendto, by which the kernel's answers to kicks are chosen here.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common.h"
#include "udp_frame.h"
#include "xdp.h"

#define BURST 37
#define RING 64
#define TURNS 3000
#define TX_COUNT 16
#define GROUP 0xefc00701u
#define UDP_PORT 31001
#define LINES_MAX 512
#define FRAME_MAX 1400
#define EXPECT(truth) ((truth) ? (void)0 : failed(#truth, __LINE__))

static void failed(const char *what, int line) {
    fprintf(stderr, "xdp_driver.c:%d: expected %s\n", line, what);
    exit(1);
}

static uint32_t seed = 1;

static uint32_t random_u32(void) {
    seed = seed * 1664525u + 1013904223u;
    return seed >> 8;
}

static int kick_error;

ssize_t __real_sendto(int fd, const void *data, size_t size, int flags, const struct sockaddr *to,
                      socklen_t to_bytes);
ssize_t __wrap_sendto(int fd, const void *data, size_t size, int flags, const struct sockaddr *to,
                      socklen_t to_bytes);

ssize_t __wrap_sendto(int fd, const void *data, size_t size, int flags, const struct sockaddr *to,
                      socklen_t to_bytes) {
    if (kick_error == 0) return __real_sendto(fd, data, size, flags, to, to_bytes);
    errno = kick_error;
    return -1;
}

static const swp_ops *open_with(swp_xdp_config config, void **port) {
    char text[SWP_ERROR_TEXT_BYTES] = "";
    swp_xdp_opened opened;
    int failed_open = swp_xdp_open(&config, &opened, text);
    if (failed_open) fprintf(stderr, "%s\n", text);
    EXPECT(failed_open == 0 && opened.is_zerocopy == 0 && opened.pool_bytes);
    *port = (void *)(uintptr_t)opened.handle;
    return (const swp_ops *)(uintptr_t)opened.ops;
}

static uint32_t write_frame(uint8_t *frame, uint32_t payload_bytes) {
    swp_udp_addresses addresses = {0x0a000001u, GROUP, 4000, UDP_PORT, 0};
    swp_udp_frame_write(frame, &addresses, payload_bytes);
    for (uint32_t at = 0; at < payload_bytes; at++)
        frame[SWP_UDP_HEADERS_BYTES + at] = (uint8_t)(payload_bytes + at);
    return SWP_UDP_HEADERS_BYTES + payload_bytes;
}

/* One frame to the port, sometimes damaged. 1 where it is one of its line's. */
static int offer(int sender, uint32_t longest_bytes) {
    uint8_t frame[SWP_UDP_HEADERS_BYTES + 9000];
    uint32_t size = write_frame(frame, 1 + random_u32() % longest_bytes);
    int whole = random_u32() % 4 != 0;
    if (!whole) {
        frame[12 + random_u32() % 26] ^= (uint8_t)(1 + random_u32() % 255);
        if (random_u32() & 1) size = 14 + random_u32() % (size - 14);
    }
    EXPECT(send(sender, frame, size, 0) == (ssize_t)size);
    return whole;
}

static void read_frames(const swp_descriptor *frames, int64_t count, uint32_t kept_bytes) {
    for (int64_t index = 0; index < count; index++) {
        const uint8_t *bytes = (const uint8_t *)(uintptr_t)frames[index].address;
        uint32_t size = frames[index].length_bytes, sum = 0;
        EXPECT(size >= SWP_UDP_HEADERS_BYTES && size <= kept_bytes);
        for (uint32_t at = 0; at < size; at++) sum += bytes[at];
        EXPECT(sum && bytes[12] == 8 && frames[index].timestamp_ns);
    }
}

/* As many small frames as may wait all come: no chunk was lost. */
static void expect_depth(const swp_ops *ops, void *port, int sender, uint32_t depth_count) {
    uint8_t frame[SWP_UDP_HEADERS_BYTES + 1];
    uint32_t size = write_frame(frame, 1), received = 0;
    swp_descriptor frames[BURST];
    for (uint32_t turn = 0; turn < depth_count; turn++)
        EXPECT(send(sender, frame, size, 0) == (ssize_t)size);
    for (int64_t count; (count = ops->rx_burst(port, frames, BURST)) > 0;) {
        ops->release(port, frames, count);
        received += (uint32_t)count;
    }
    EXPECT(received == depth_count);
}

/* Frames held over bursts, released in parts, now and then out of order. */
static void torment_receive(swp_xdp_config config, int sender, uint32_t longest_bytes) {
    swp_descriptor held[RING + BURST];
    uint64_t whole = 0, received = 0, refused = 0;
    int64_t held_count = 0;
    void *port;
    const swp_ops *ops = open_with(config, &port);
    EXPECT(ops->thread_init(port) == 0 && ops->join(port, GROUP, UDP_PORT, 0) == 0);
    for (int turn = 0; turn < TURNS; turn++) {
        whole += (uint64_t)offer(sender, longest_bytes);
        if (turn % 5) continue;
        int64_t count = ops->rx_burst(port, held + held_count, 1 + random_u32() % BURST);
        EXPECT(count >= 0 && held_count + count <= (int64_t)config.ring_count);
        held_count += count;
        received += (uint64_t)count;
        read_frames(held, held_count, config.frame_bytes);
        if (held_count > 1 && turn % 7 == 0) {
            ops->release(port, held + 1, 1);
            refused++;
        }
        int64_t given = held_count ? (int64_t)(random_u32() % (uint32_t)(held_count + 1)) : 0;
        ops->release(port, held, given);
        held_count -= given;
        memmove(held, held + given, (size_t)held_count * sizeof *held);
    }
    swp_stats stats;
    ops->release(port, held, held_count);
    for (int64_t count; (count = ops->rx_burst(port, held, BURST)) > 0;) {
        received += (uint64_t)count;
        ops->release(port, held, count);
    }
    ops->stats(port, &stats);
    EXPECT(stats.rx_packets == received && stats.rx_errors == refused && received > RING);
    EXPECT(stats.rx_packets + stats.rx_dropped >= whole);
    expect_depth(ops, port, sender, config.depth_count);
    ops->close(port);
}

/* While the kernel is busy sends wait in the ring, and are refused where that is full. */
static void torment_send(swp_xdp_config config) {
    uint8_t frame[SWP_UDP_HEADERS_BYTES + FRAME_MAX];
    uint64_t sent = 0, refused = 0;
    swp_descriptor none[1];
    swp_stats stats;
    void *port;
    const swp_ops *ops = open_with(config, &port);
    for (int turn = 0; turn < TURNS; turn++) {
        uint32_t payload_bytes = 1 + random_u32() % FRAME_MAX;
        uint64_t to = SWP_DATAGRAM(GROUP + 1, random_u32() % 1000);
        uint32_t size = write_frame(frame, payload_bytes);
        int error = turn & 1 ? ops->tx(port, frame, size, 0)
                             : ops->tx(port, frame + SWP_UDP_HEADERS_BYTES, payload_bytes, to);
        EXPECT(error == 0 || error == -EAGAIN || error == -ENETDOWN);
        sent += error == 0;
        refused += error != 0;
        if (random_u32() % 16 == 0) kick_error = EAGAIN;
        if (random_u32() % 64 == 0) kick_error = ENETDOWN;
        if (random_u32() % 32 == 0) kick_error = 0;
        if (random_u32() % 8 == 0) EXPECT(ops->rx_burst(port, none, 1) == 0);
    }
    EXPECT(sent && refused && ops->last_error(port)[0]);
    kick_error = 0;
    EXPECT(ops->tx(port, frame, SWP_UDP_HEADERS_BYTES, 0) == 0);  /* all leave, none was lost: */
    kick_error = EAGAIN;
    for (uint32_t turn = 0; turn < config.tx_count; turn++)
        EXPECT(ops->tx(port, frame, SWP_UDP_HEADERS_BYTES, 0) == 0);
    EXPECT(ops->tx(port, frame, SWP_UDP_HEADERS_BYTES, 0) == -EAGAIN);
    kick_error = 0;
    EXPECT(ops->rx_burst(port, none, 1) == 0);  /* calls the kernel again by itself */
    EXPECT(ops->tx(port, frame, SWP_UDP_HEADERS_BYTES, 0) == 0);
    EXPECT(ops->tx(port, NULL, 1, GROUP) == -EINVAL && ops->tx(port, frame, 0, GROUP) == -EINVAL);
    EXPECT(ops->tx(port, frame, 13, 0) == -EINVAL);
    ops->stats(port, &stats);
    EXPECT(stats.tx_packets == sent + config.tx_count + 2 && stats.tx_failed == refused + 4);
    ops->close(port);
}

static void torment_joins(swp_xdp_config config) {
    void *port;
    const swp_ops *ops = open_with(config, &port);
    EXPECT(ops->join(port, GROUP, 0, 0) == -EINVAL && ops->join(port, 0, 1, 0) == -EINVAL);
    EXPECT(ops->join(port, GROUP, UDP_PORT, 4095) == -EINVAL);
    for (uint32_t line = 0; line < LINES_MAX; line++)
        EXPECT(ops->join(port, 0x0a000000u + 1 + line, UDP_PORT, 0) == 0);
    EXPECT(ops->join(port, 0x0a000001u, UDP_PORT, 0) == -EALREADY);
    EXPECT(ops->join(port, GROUP, UDP_PORT, 0) == -ENOSPC);
    ops->close(port);
}

static void torment_open(swp_xdp_config good) {
    char text[SWP_ERROR_TEXT_BYTES];
    swp_xdp_opened opened;
    for (int fault = 0; fault < 8; fault++) {
        swp_xdp_config config = good;
        text[0] = 0;
        if (fault == 0) config.ring_count = 3;
        if (fault == 1) config.depth_count = 0;
        if (fault == 2) config.chunk_bytes = 1000;
        if (fault == 3) config.frame_bytes = 65536;
        if (fault == 4) config.queue_count = SWP_XDP_QUEUES_MAX + 1;
        if (fault == 5) config.device = "nosuch0";
        if (fault == 6) config.device = "longer-than-names-are";
        if (fault == 7) config.first_queue = 4000;
        EXPECT(swp_xdp_open(&config, &opened, text) < 0 && opened.handle == 0 && text[0]);
    }
}

/* On an interface for jumbo frames each of them may lie in several chunks. */
int main(int count, char **arguments) {
    EXPECT(count == 5);
    int sender = atoi(arguments[2]), jumbo = atoi(arguments[4]) > 9000;
    uint32_t longest_bytes = jumbo ? 9000 : FRAME_MAX;
    swp_xdp_config config = {
        .device = arguments[1], .queue_count = 1, .attach = (uint32_t)atoi(arguments[3]),
        .ring_count = RING, .depth_count = 128, .tx_count = TX_COUNT, .chunk_bytes = 2048,
        .frame_bytes = jumbo ? 9042 : 2048 - 256, .need_wakeup = 1, .ttl = 1};
    torment_open(config);
    torment_joins(config);
    torment_receive(config, sender, longest_bytes);
    torment_send(config);
    config.poison = 1;
    config.frame_bytes = jumbo ? 5000 : 100;
    torment_receive(config, sender, longest_bytes);
    return 0;
}
