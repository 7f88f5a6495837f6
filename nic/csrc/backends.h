/* How the backends that every build has are opened: replay of captures, and UDP sockets. */
#ifndef SWEEPWIRE_BACKENDS_H
#define SWEEPWIRE_BACKENDS_H

#include <stdint.h>

#include "clock.h"
#include "port.h"

/* cffi: begin */

/* One capture in memory. The bytes and the name stay the caller's and must outlive the port. */
typedef struct {
    const void *base;
    uint64_t size_bytes;
    const char *name;
} swp_image;

typedef struct {
    const swp_image *images;
    uint32_t image_count;
    uint32_t ring_count;      /* frames that may be unreleased at a time, as in a NIC's ring */
    uint64_t speed_q16;       /* capture seconds a second, times 65536; 0 = no pacing at all */
    uint64_t repeat_count;    /* passes over the captures; 0 = for ever */
    uint32_t trailer_kinds;   /* OR of SWC_TRAILER_*: frames' times come from these trailers */
    uint32_t reserved;
    const swp_clock *clock;   /* paces the replay; must outlive the port */
} swp_replay_config;

typedef struct {
    const char *device;       /* interface that groups are joined on and multicasts leave by */
    uint32_t ring_count;      /* buffers, a power of two */
    uint32_t frame_bytes;     /* largest UDP payload kept whole */
    uint32_t rcvbuf_bytes;    /* a line's kernel buffer, 0 = the system's default */
    uint32_t busy_poll_us;    /* SO_BUSY_POLL, 0 = off */
    uint32_t ttl;             /* of multicasts sent */
    uint32_t poison;          /* 1: released frames are overwritten with SWP_POISON */
} swp_socket_config;

enum { SWP_ERROR_TEXT_BYTES = 256, SWP_POISON = 0xDB };

/* Both give 0 and the port, or -errno and in `error_text` (of SWP_ERROR_TEXT_BYTES) why. A replay
 * refuses what is no capture; a capture that breaks off further on only ends there. */
int swp_replay_open(const swp_replay_config *config, void **port, char *error_text);
int swp_socket_open(const swp_socket_config *config, void **port, char *error_text);

const swp_ops *swp_replay_ops(void);
const swp_ops *swp_socket_ops(void);

/* cffi: end */

#endif
