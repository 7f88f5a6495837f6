/* Drives a hand-off with a hot thread and a session thread over a port that gives back what it was
 * sent, for the sanitizers: no byte too far, no race. Prints nothing and returns 0 when all went
 * well.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backends.h"
#include "handoff.h"

#define MESSAGES 20000u
#define MESSAGE_MAX_BYTES 400u
#define ECHO_SLOTS 16u
#define ECHO_ENDS_AFTER MESSAGES
#define EXPECT(truth) ((truth) ? (void)0 : failed(#truth, __LINE__))

static void failed(const char *what, int line) {
    fprintf(stderr, "handoff_driver.c:%d: expected %s\n", line, what);
    exit(1);
}

static uint32_t size_of(uint32_t number) {
    return 4 + (number * 2654435761u >> 8) % (MESSAGE_MAX_BYTES - 4);
}

/* --- a port that gives back what it was sent, refuses now and then, and ends with an error --- */

typedef struct {
    uint8_t *slots[ECHO_SLOTS];   /* allocations of exactly their size */
    uint32_t sizes[ECHO_SLOTS];
    uint64_t sent, given, released, refused;
} echo_port;

static int echo_tx(void *handle, const void *data, uint32_t length_bytes, uint64_t cookie) {
    echo_port *echo = handle;
    EXPECT(cookie == 0);
    if (echo->sent - echo->released == ECHO_SLOTS || echo->refused++ % 7 == 3) return -EAGAIN;
    uint64_t slot = echo->sent++ % ECHO_SLOTS;
    free(echo->slots[slot]);
    echo->slots[slot] = malloc(length_bytes);
    echo->sizes[slot] = length_bytes;
    memcpy(echo->slots[slot], data, length_bytes);
    return 0;
}

static int64_t echo_rx_burst(void *handle, swp_descriptor *out, int64_t max) {
    echo_port *echo = handle;
    int64_t count = 0;
    if (echo->released == ECHO_ENDS_AFTER) return SWP_ERROR;
    for (; count < max && echo->given < echo->sent; count++, echo->given++) {
        uint64_t slot = echo->given % ECHO_SLOTS;
        out[count] = (swp_descriptor){(uint64_t)(uintptr_t)echo->slots[slot], echo->sizes[slot],
                                      1u << 16, echo->given, echo->given};
    }
    return count;
}

static void echo_release(void *handle, const swp_descriptor *frames, int64_t count) {
    echo_port *echo = handle;
    EXPECT(count > 0 && frames[0].cookie == echo->released);
    echo->released += (uint64_t)count;
}

static const char *echo_last_error(void *handle) {
    (void)handle;
    return "the echo is over";
}

static const swp_ops echo_operations = {.rx_burst = echo_rx_burst, .release = echo_release,
                                        .tx = echo_tx, .last_error = echo_last_error};

/* --- the two threads ------------------------------------------------------------------------ */

typedef struct {
    void *port;
    swp_handoff_control control;
    int64_t moved;
} session_thread;

static void *run_sessions(void *argument) {
    session_thread *session = argument;
    session->moved = swp_handoff_run(&session->port, 1, &session->control, SWP_IDLE_SLEEP, 1);
    return NULL;
}

static int send_next(const swp_ops *ops, void *port, uint32_t number) {
    uint32_t size = size_of(number);
    uint8_t *message = malloc(size);
    memset(message, (int)(number & 0xff), size);
    memcpy(message, &number, sizeof number);
    int result = ops->tx(port, message, size, 0);
    free(message);
    EXPECT(result == 0 || result == -EAGAIN);
    return result == 0;
}

static uint32_t check_chunks(const swp_descriptor *chunks, int64_t count, uint32_t number) {
    for (int64_t index = 0; index < count; index++, number++) {
        const uint8_t *bytes = (const uint8_t *)(uintptr_t)chunks[index].address;
        EXPECT(chunks[index].length_bytes == size_of(number));
        EXPECT(chunks[index].timestamp_ns == number && chunks[index].flags == 1u << 16);
        EXPECT(memcmp(bytes, &number, sizeof number) == 0);
        for (uint32_t at = 4; at < chunks[index].length_bytes; at++)
            EXPECT(bytes[at] == (number & 0xff));
    }
    return number;
}

/* What is not given back yet must stay as it is, whatever the other side does meanwhile. */
static void release_in_parts(const swp_ops *ops, void *port, const swp_descriptor *chunks,
                             int64_t count, uint32_t number) {
    int64_t first = count / 2;
    if (first) ops->release(port, chunks, first);
    sched_yield();
    check_chunks(chunks + first, count - first, number + (uint32_t)first);
    ops->release(port, chunks + first, count - first);
}

static void exchange(const swp_ops *ops, void *port) {
    swp_descriptor chunks[11];
    uint32_t sent = 0, heard = 0;
    int64_t count = 0;
    while (count >= 0) {
        if (sent < MESSAGES) sent += (uint32_t)send_next(ops, port, sent);
        count = ops->rx_burst(port, chunks, 11);
        if (count > 0) {
            uint32_t after = check_chunks(chunks, count, heard);
            release_in_parts(ops, port, chunks, count, heard);
            heard = after;
        } else if (count == 0) sched_yield();
    }
    EXPECT(count == SWP_ERROR && sent == MESSAGES && heard == MESSAGES);
    EXPECT(strcmp(ops->last_error(port), "the echo is over") == 0);
}

static void torment(uint32_t out_bytes, uint32_t in_bytes) {
    echo_port echo = {0};
    swp_handoff_config config = {&echo_operations, &echo, out_bytes, in_bytes};
    session_thread session = {0};
    const swp_ops *ops = swp_handoff_ops();
    char text[SWP_ERROR_TEXT_BYTES] = "";
    pthread_t thread;
    swp_stats stats;
    EXPECT(swp_handoff_open(&config, &session.port, text) == 0);
    EXPECT(pthread_create(&thread, NULL, run_sessions, &session) == 0);
    exchange(ops, session.port);
    __atomic_store_n(&session.control.stop, 1, __ATOMIC_RELEASE);
    EXPECT(pthread_join(thread, NULL) == 0);
    EXPECT(session.moved == 2 * MESSAGES + 1);
    ops->stats(session.port, &stats);
    EXPECT(stats.tx_packets == MESSAGES && stats.rx_packets == MESSAGES);
    EXPECT(stats.tx_bytes == stats.rx_bytes && stats.rx_errors == 1);
    ops->close(session.port);
    for (uint32_t slot = 0; slot < ECHO_SLOTS; slot++) free(echo.slots[slot]);
}

int main(void) {
    torment(1024, 1024);
    torment(1 << 16, 4096);
    return 0;
}
