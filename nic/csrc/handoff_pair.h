/* What the two sides of a hand-off share: handoff.c is the hot side, handoff_pump.c the other. */
#ifndef SWEEPWIRE_HANDOFF_PAIR_H
#define SWEEPWIRE_HANDOFF_PAIR_H

#include <stdint.h>

#include "byte_ring.h"
#include "common.h"
#include "handoff.h"

#define HANDOFF_BURST 32

/* Kinds of records. */
enum {
    HANDOFF_MESSAGE = 1,     /* out: value is the cookie */
    HANDOFF_CHUNK = 2,       /* in: value is the time, flags the descriptor's */
    HANDOFF_LOST = 3,        /* in: value sends failed at the real port, the payload says why */
    HANDOFF_OVER = 4,        /* in: value is SWP_END or SWP_ERROR, the payload says why */
};

/* The session side's own. */
typedef struct {
    const swp_ops *ops;
    void *port;
    swp_descriptor held[HANDOFF_BURST];  /* taken from the real port, not all of them moved yet */
    int64_t held_count;
    int64_t held_next;
    uint32_t held_at;                    /* bytes of held[held_next] that have moved */
    int64_t over;                        /* what the real port said: 0, SWP_END, SWP_ERROR */
    int over_told;
    uint64_t lost;                       /* failed sends that the hot side was not told of */
    char lost_text[SWP_ERROR_TEXT_BYTES];
} handoff_session;

typedef struct {
    byte_ring out __attribute__((aligned(BYTE_RING_LINE)));
    byte_ring in __attribute__((aligned(BYTE_RING_LINE)));
    /* The hot side's own. */
    swp_stats stats __attribute__((aligned(BYTE_RING_LINE)));
    swp_ring_account account;
    int64_t over;
    char error_text[SWP_ERROR_TEXT_BYTES];
    handoff_session session __attribute__((aligned(BYTE_RING_LINE)));
} handoff_pair;

#endif
