/* What the backends share: the account of frames handed out and of those sent, and the text of the
 * latest failure. */
#ifndef SWEEPWIRE_COMMON_H
#define SWEEPWIRE_COMMON_H

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "backends.h"
#include "udp_frame.h"

#define SWP_LINKTYPE_ETHERNET 1u
#define SWP_ETHERNET_BYTES 14u

/* Frames get consecutive cookies; those from `released` up to `handed_out` are with the reader. */
typedef struct {
    uint64_t handed_out;
    uint64_t released;
    uint64_t capacity;
} swp_ring_account;

static inline uint64_t swp_ring_room(const swp_ring_account *ring) {
    return ring->capacity - (ring->handed_out - ring->released);
}

/* 1 and the account moves on where `frames` are the oldest ones out, in order; else 0. */
static inline int swp_ring_release(swp_ring_account *ring, const swp_descriptor *frames,
                                   int64_t count) {
    if (count <= 0) return count == 0;
    if ((uint64_t)count > ring->handed_out - ring->released) return 0;
    if (frames[0].cookie != ring->released) return 0;
    if (frames[count - 1].cookie != ring->released + (uint64_t)count - 1) return 0;
    ring->released += (uint64_t)count;
    return 1;
}

__attribute__((format(printf, 2, 3)))
static inline void swp_set_error(char *text, const char *format, ...) {
    va_list values;
    va_start(values, format);
    vsnprintf(text, SWP_ERROR_TEXT_BYTES, format, values);
    va_end(values);
}

/* Notes `what: reason`. Returns -error. */
static inline int swp_fail(char *text, const char *what, int error) {
    swp_set_error(text, "%s: %s", what, strerror(error));
    return -error;
}

/* Fills in a frame's descriptor and counts the frame. */
static inline void swp_describe(swp_descriptor *out, swp_stats *stats, const uint8_t *frame,
                                uint32_t length_bytes, uint32_t flags, uint64_t timestamp_ns,
                                uint64_t cookie) {
    *out = (swp_descriptor){.address = (uint64_t)(uintptr_t)frame, .length_bytes = length_bytes,
                            .flags = flags, .timestamp_ns = timestamp_ns, .cookie = cookie};
    stats->rx_packets++;
    stats->rx_bytes += length_bytes;
    stats->rx_truncated += (flags & SWP_FLAG_TRUNCATED) != 0;
}

/* As swp_ring_release(); a release out of order counts as an error and is told. */
static inline int swp_release(swp_ring_account *ring, swp_stats *stats, char *error_text,
                              const swp_descriptor *frames, int64_t count) {
    if (swp_ring_release(ring, frames, count)) return 1;
    stats->rx_errors++;
    swp_set_error(error_text, "%" PRId64 " frames released out of order: the oldest out is %"
                  PRIu64, count, ring->released);
    return 0;
}

/* 0 where a frame, or with a cookie the payload of a datagram, may be sent. `most_bytes`: of a
 * frame with all its headers. */
static inline int swp_check_tx(char *error_text, const void *data, uint32_t length_bytes,
                               uint64_t cookie, uint32_t most_bytes) {
    uint32_t least_bytes = cookie ? 1u : SWP_ETHERNET_BYTES;
    if (cookie) most_bytes -= SWP_UDP_HEADERS_BYTES;
    if (data == NULL || length_bytes < least_bytes) {
        swp_set_error(error_text, "tx of %" PRIu32 " bytes: no frame or datagram", length_bytes);
        return -EINVAL;
    }
    if (length_bytes <= most_bytes) return 0;
    swp_set_error(error_text, "tx of %" PRIu32 " bytes: expected up to %" PRIu32, length_bytes,
                  most_bytes);
    return -EMSGSIZE;
}

/* Counts a send that came to 0 or -errno, and gives that. */
static inline int swp_count_tx(swp_stats *stats, uint32_t length_bytes, int result) {
    if (result) {
        stats->tx_failed++;
    } else {
        stats->tx_packets++;
        stats->tx_bytes += length_bytes;
    }
    return result;
}

#endif
