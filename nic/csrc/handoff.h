/* A port whose other side runs on another core: the hot loop sends and receives through two rings,
 * a session loop moves what is in them to and from the real port.
 */
#ifndef SWEEPWIRE_HANDOFF_H
#define SWEEPWIRE_HANDOFF_H

#include <stdint.h>

#include "port.h"

/* cffi: begin */

typedef struct {
    const swp_ops *ops;      /* of the real port, which must outlive the session loop */
    void *port;
    uint32_t out_bytes;      /* ring to the real port, a power of two */
    uint32_t in_bytes;       /* ring from it */
} swp_handoff_config;

/* What the session loop does after a round in which nothing moved. */
enum {
    SWP_IDLE_SPIN = 0,
    SWP_IDLE_PAUSE = 1,      /* the CPU's hint for waiting loops */
    SWP_IDLE_SLEEP = 2,
};

/* 0 and the hot end, a port with swp_handoff_ops(), or -errno and in `error_text` why. */
int swp_handoff_open(const swp_handoff_config *config, void **port, char *error_text);
const swp_ops *swp_handoff_ops(void);
/* Where received chunks lie: first address, and size in bytes. */
void swp_handoff_memory(const void *port, uint64_t *address, uint64_t *size_bytes);
/* One round of the session side: messages and chunks that moved. For one thread only. */
int64_t swp_handoff_step(void *port);
/* What a session loop and who started it tell each other. */
typedef struct {
    int64_t stop;            /* not 0: one round more, then the end */
    int64_t rounds;          /* done so far; a hand-off taken out is let go of when they go on */
} swp_handoff_control;

/* Rounds over `count` places, which may be NULL and may change meanwhile. What moved, in all. */
int64_t swp_handoff_run(void **ports, int64_t count, swp_handoff_control *control, uint32_t idle,
                        uint32_t sleep_us);

/* cffi: end */

#endif
