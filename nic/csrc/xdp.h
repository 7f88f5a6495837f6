/* How a port over AF_XDP is opened. Its extension has no type of port.h: addresses are numbers. */
#ifndef SWEEPWIRE_XDP_H
#define SWEEPWIRE_XDP_H

#include <stdint.h>

/* cffi: begin */
enum {
    SWP_XDP_MODE_AUTO = 0,      /* without copies where the driver can, else with */
    SWP_XDP_MODE_COPY = 1,
    SWP_XDP_MODE_ZEROCOPY = 2,
};

enum {
    SWP_XDP_ATTACH_AUTO = 0,    /* native where the driver can, else generic */
    SWP_XDP_ATTACH_GENERIC = 1, /* any interface, behind the kernel's own packet buffer */
    SWP_XDP_ATTACH_NATIVE = 2,  /* in the driver */
};

enum { SWP_XDP_QUEUES_MAX = 64 };

typedef struct {
    const char *device;
    uint32_t first_queue;
    uint32_t queue_count;
    uint32_t mode;              /* SWP_XDP_MODE_* */
    uint32_t attach;            /* SWP_XDP_ATTACH_* */
    uint32_t ring_count;        /* frames that may be unreleased, a power of two */
    uint32_t depth_count;       /* frames of a queue that may wait unread, a power of two */
    uint32_t tx_count;          /* frames that may be on their way out, a power of two */
    uint32_t chunk_bytes;       /* 2048 or 4096: a frame's room in the shared memory */
    uint32_t frame_bytes;       /* longest frame kept whole */
    uint32_t busy_poll_us;      /* SO_BUSY_POLL with SO_PREFER_BUSY_POLL, 0 = off */
    uint32_t busy_budget;       /* packets that one such poll takes */
    uint32_t need_wakeup;       /* 1: the kernel says when it wants to be called */
    uint32_t poison;            /* 1: released frames are overwritten */
    uint32_t ttl;               /* of multicasts sent as datagrams */
    uint64_t gateway_mac;       /* of every unicast datagram; 0 = from the neighbour table */
} swp_xdp_config;

typedef struct {
    uint64_t ops;               /* const swp_ops * */
    uint64_t handle;
    uint64_t pool;              /* the shared memory, in which received frames lie */
    uint64_t pool_bytes;
    uint64_t long_pool;         /* where frames over a chunk lie, 0 where there are none */
    uint64_t long_pool_bytes;
    uint32_t is_native;
    uint32_t is_zerocopy;
} swp_xdp_opened;

/* 0 and the port in `out`, or -errno and in `error_text` (of SWP_ERROR_TEXT_BYTES) why. */
int swp_xdp_open(const swp_xdp_config *config, swp_xdp_opened *out, char *error_text);
/* cffi: end */

#endif
