/* The one interface between a packet source or sink and the compiled loop.
 *
 * A backend is one C file that fills in a swp_ops table. The numba loop calls these functions by
 * address; nothing above this header knows which backend it has. Between the two `cffi` lines this
 * file is also the declaration that Python reads, so it keeps to plain C there.
 */
#ifndef SWEEPWIRE_PORT_H
#define SWEEPWIRE_PORT_H

#include <stdint.h>

/* cffi: begin */

/* One received frame, 32 bytes. The bytes at `address` stay valid until release() is called. */
typedef struct {
    uint64_t address;
    uint32_t length_bytes;
    uint32_t flags;         /* low 16 bits SWP_FLAG_*, high 16 bits the LINKTYPE_ of the frame */
    uint64_t timestamp_ns;  /* since the epoch */
    uint64_t cookie;        /* the backend's own, handed back in release() */
} swp_descriptor;

enum {
    SWP_FLAG_HW_TIMESTAMP = 1,   /* the time is the NIC's or the capture device's */
    SWP_FLAG_CLOCK_IN_SYNC = 2,
    SWP_FLAG_BAD_FRAME = 4,      /* FCS or length error reported by the device */
    SWP_FLAG_TRUNCATED = 8,      /* the wire had more bytes than length_bytes says */
};

enum {
    SWP_END = -1,    /* rx_burst: nothing more will ever come (a replay is over) */
    SWP_ERROR = -2,  /* the port is broken; stats() and last_error() say why */
};

/* Counters every backend keeps, in this order (mirrored by nic.layout.STATS_DTYPE). */
typedef struct {
    uint64_t rx_packets;
    uint64_t rx_bytes;
    uint64_t rx_dropped;     /* lost because we were slow: ring full, kernel drop count */
    uint64_t rx_truncated;   /* longer than the buffer, or cut by the capture's snap length */
    uint64_t rx_errors;      /* failed reads, unreadable captures, frames released out of order */
    uint64_t tx_packets;
    uint64_t tx_bytes;
    uint64_t tx_failed;
} swp_stats;

typedef struct {
    /* Joins multicast group:port (host byte order) on the optional VLAN (0 = none). 0 or -errno. */
    int (*join)(void *port, uint32_t group, uint16_t udp_port, uint16_t vlan);
    /* Called once on the thread that will poll. 0 or -errno. */
    int (*thread_init)(void *port);
    /* Fills up to max descriptors. Returns their number (0 = nothing now), SWP_END or SWP_ERROR. */
    int64_t (*rx_burst)(void *port, swp_descriptor *out, int64_t max);
    /* Gives frames back, oldest first. */
    void (*release)(void *port, const swp_descriptor *frames, int64_t count);
    /* Sends one frame, never waits: 0, or -errno (counted in tx_failed). With a cookie, data is the
     * payload of a datagram to SWP_DATAGRAM(ipv4, udp_port), where the port takes such. */
    int (*tx)(void *port, const void *data, uint32_t length_bytes, uint64_t cookie);
    void (*stats)(void *port, swp_stats *out);
    void (*close)(void *port);
    /* The latest failure in words, "" if there was none. Valid until close. */
    const char *(*last_error)(void *port);
} swp_ops;

/* cffi: end */

#define SWP_DATAGRAM(ipv4, udp_port) (((uint64_t)(ipv4) << 16) | (uint16_t)(udp_port))

#endif
