/* What the backends share: the account of frames handed out and the text of the latest failure. */
#ifndef SWEEPWIRE_COMMON_H
#define SWEEPWIRE_COMMON_H

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

#include "backends.h"

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

#endif
