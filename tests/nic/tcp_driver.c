/* Drives TCP ports under the address and undefined-behaviour sanitizers: small kernel buffers, slow
 * readers, chunks of every length, ends in order and resets. Prints nothing and returns 0 when all
 * went well.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "backends.h"
#include "tcp.h"

#define BURST 5
#define MESSAGE_MAX_BYTES 900u
#define EXPECT(truth) ((truth) ? (void)0 : failed(#truth, __LINE__))

static void failed(const char *what, int line) {
    fprintf(stderr, "tcp_driver.c:%d: expected %s (errno %d)\n", line, what, errno);
    exit(1);
}

static uint32_t seed = 1;

static uint32_t random_u32(void) {
    seed = seed * 1664525u + 1013904223u;
    return seed >> 8;
}

/* The kernel takes a whole message mostly; for a while it takes any part, or nothing. The linker
 * gives the ports' calls of send() to this. */
ssize_t __real_send(int fd, const void *data, size_t size, int flags);
ssize_t __wrap_send(int fd, const void *data, size_t size, int flags);
static int moody;

ssize_t __wrap_send(int fd, const void *data, size_t size, int flags) {
    uint32_t mood = moody ? random_u32() % 4 : 3;
    if (mood == 0) {
        errno = random_u32() % 2 ? EAGAIN : EINTR;
        return -1;
    }
    if (mood == 1) size = 1 + random_u32() % size;
    return __real_send(fd, data, size, flags);
}

/* Byte `at` of a stream: what comes back must be this, wherever it is cut. */
static uint8_t stream_byte(uint64_t at) {
    return (uint8_t)(at * 131u ^ at >> 8);
}

typedef struct {
    void *port;
    int far;
    uint64_t sent, far_read, far_sent, received;
} pair;

static int listen_on_loopback(uint16_t *number) {
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof at;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), small = 2304;
    EXPECT(setsockopt(listener, SOL_SOCKET, SO_RCVBUF, &small, sizeof small) == 0);
    EXPECT(bind(listener, (struct sockaddr *)&at, sizeof at) == 0 && listen(listener, 4) == 0);
    EXPECT(getsockname(listener, (struct sockaddr *)&at, &size) == 0);
    *number = ntohs(at.sin_port);
    return listener;
}

static swp_tcp_config config_of(uint16_t number) {
    return (swp_tcp_config){.device = "", .venue_ip = INADDR_LOOPBACK, .venue_port = number,
                            .connect_ms = 5000, .ring_count = 8, .frame_bytes = 100,
                            .pending_bytes = 1000, .sndbuf_bytes = 4608, .quickack = 1};
}

static void send_some(const swp_ops *ops, pair *ends) {
    uint32_t size = 1 + random_u32() % MESSAGE_MAX_BYTES;
    uint8_t *message = malloc(size);  /* of exactly its size: one byte too far is seen */
    for (uint32_t at = 0; at < size; at++) message[at] = stream_byte(ends->sent + at);
    int result = ops->tx(ends->port, message, size, 0);
    EXPECT(result == 0 || result == -EAGAIN);
    if (result == 0) ends->sent += size;
    free(message);
}

static void far_reads(pair *ends, size_t most) {
    uint8_t bytes[2048];
    ssize_t got = recv(ends->far, bytes, most, MSG_DONTWAIT);
    for (ssize_t at = 0; at < got; at++) EXPECT(bytes[at] == stream_byte(ends->far_read++));
}

static void far_sends(pair *ends) {
    uint8_t bytes[300];
    size_t size = 1 + random_u32() % sizeof bytes;
    for (size_t at = 0; at < size; at++) bytes[at] = stream_byte(ends->far_sent + at);
    ssize_t sent = __real_send(ends->far, bytes, size, MSG_DONTWAIT);
    if (sent > 0) ends->far_sent += (uint64_t)sent;
}

static int64_t poll_some(const swp_ops *ops, pair *ends) {
    swp_descriptor chunks[BURST];
    int64_t count = ops->rx_burst(ends->port, chunks, 1 + random_u32() % BURST);
    for (int64_t index = 0; index < count; index++) {
        const uint8_t *bytes = (const uint8_t *)(uintptr_t)chunks[index].address;
        for (uint32_t at = 0; at < chunks[index].length_bytes; at++)
            EXPECT(bytes[at] == stream_byte(ends->received++));
    }
    if (count > 0) ops->release(ends->port, chunks, count);
    return count;
}

static void check_stats(const swp_ops *ops, const pair *ends) {
    swp_stats stats;
    ops->stats(ends->port, &stats);
    EXPECT(stats.rx_bytes == ends->received && stats.tx_bytes == ends->sent);
}

/* Ends the session in order, or with a reset; the port must say which. */
static void end_session(const swp_ops *ops, pair *ends, int reset) {
    struct linger abort_at_once = {1, 0};
    int64_t code = 0;
    for (int turn = 0; ends->far_read < ends->sent && turn < 200000; turn++) {
        poll_some(ops, ends);
        far_reads(ends, 2048);
    }
    EXPECT(ends->far_read == ends->sent);
    if (reset) setsockopt(ends->far, SOL_SOCKET, SO_LINGER, &abort_at_once, sizeof abort_at_once);
    else while (ends->received < ends->far_sent) EXPECT(poll_some(ops, ends) >= 0);
    close(ends->far);
    for (int turn = 0; code >= 0 && turn < 200000; turn++) code = poll_some(ops, ends);
    EXPECT(code == (reset ? SWP_ERROR : SWP_END));
    EXPECT(!reset || ops->last_error(ends->port)[0]);
    EXPECT(reset || ends->received == ends->far_sent);
    EXPECT(ops->rx_burst(ends->port, NULL, 0) == code);
}

static void torment_session(int listener, uint16_t number, int number_of_round) {
    int reset = number_of_round % 2;
    const swp_ops *ops = swp_tcp_ops();
    swp_tcp_config config = config_of(number);
    char text[SWP_ERROR_TEXT_BYTES] = "";
    pair ends = {0};
    EXPECT(swp_tcp_open(&config, &ends.port, text) == 0);
    ends.far = accept(listener, NULL, NULL);
    EXPECT(ends.far >= 0 && ops->thread_init(ends.port) == 0);
    moody = number_of_round % 3 != 0;
    for (int turn = 0; turn < 3000; turn++) {
        uint32_t what = random_u32() % 8;
        if (what < 3) send_some(ops, &ends);
        else if (what < 4) far_sends(&ends);
        else if (what < 6) far_reads(&ends, 1 + random_u32() % 2048);
        else EXPECT(poll_some(ops, &ends) >= 0);
    }
    check_stats(ops, &ends);
    moody = 0;
    end_session(ops, &ends, reset);
    EXPECT(!reset || ops->tx(ends.port, "x", 1, 0) < 0);
    ops->close(ends.port);
}

/* Closed with bytes waiting, both buffers full and chunks still out. */
static void close_in_the_middle(int listener, uint16_t number) {
    const swp_ops *ops = swp_tcp_ops();
    swp_tcp_config config = config_of(number);
    char text[SWP_ERROR_TEXT_BYTES];
    swp_descriptor chunks[BURST], more[BURST];
    pair ends = {0};
    EXPECT(swp_tcp_open(&config, &ends.port, text) == 0);
    ends.far = accept(listener, NULL, NULL);
    for (int turn = 0; turn < 300; turn++) {
        send_some(ops, &ends);
        far_sends(&ends);
    }
    EXPECT(ops->rx_burst(ends.port, chunks, BURST) == BURST);
    EXPECT(ops->rx_burst(ends.port, more, BURST) == 8 - BURST);
    EXPECT(ops->rx_burst(ends.port, more, BURST) == 0);
    ops->release(ends.port, chunks + 1, 1);
    ops->close(ends.port);
    close(ends.far);
}

static void refuse(uint16_t number) {
    swp_tcp_config good = config_of(number), bad[5];
    for (int index = 0; index < 5; index++) bad[index] = good;
    bad[0].ring_count = 3;
    bad[1].frame_bytes = 0;
    bad[2].venue_port = 0;
    bad[3].device = "a-name-longer-than-interfaces-have";
    bad[4].pending_bytes = UINT32_MAX;
    for (int index = 0; index < 5; index++) {
        char text[SWP_ERROR_TEXT_BYTES] = "";
        void *port = &good;
        EXPECT(swp_tcp_open(&bad[index], &port, text) < 0 && port == NULL && text[0]);
    }
}

int main(void) {
    uint16_t number;
    int listener = listen_on_loopback(&number);
    for (int round = 0; round < 6; round++) torment_session(listener, number, round);
    close_in_the_middle(listener, number);
    refuse(number);
    close(listener);
    char text[SWP_ERROR_TEXT_BYTES] = "";
    swp_tcp_config config = config_of(number);
    void *port;
    EXPECT(swp_tcp_open(&config, &port, text) == -ECONNREFUSED && text[0]);
    return 0;
}
