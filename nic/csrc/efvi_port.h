/* What the files of the ef_vi backend share: the port, and who does what.
 *
 * Receiving and sending have a virtual interface each, with an event queue each: a send that looks
 * for completions never meets received frames, and the other way round.
 */
#ifndef SWEEPWIRE_EFVI_PORT_H
#define SWEEPWIRE_EFVI_PORT_H

#include <etherfabric/base.h>
#include <etherfabric/capabilities.h>
#include <etherfabric/efct_vi.h>
#include <etherfabric/memreg.h>
#include <etherfabric/pd.h>
#include <etherfabric/vi.h>
#include <net/if.h>

#include "common.h"
#include "efvi.h"
#include "lines.h"
#include "udp_destinations.h"

#ifndef ef_vi_receive_get_precise_timestamp
#error "ef_vi of Onload 9.0 or later is needed"
#endif

#define EFVI_BUFFER_BYTES 2048u   /* two to a page, so that none lies across a 4 KiB border */
#define EFVI_EVENTS_MAX 32
#define EFVI_HASH_SLOTS 2048      /* a power of two, four times the lines */
#define EFVI_POISON 0xdb

typedef struct {
    swp_line joined;
    ef_filter_cookie filter;
} efvi_line;

/* Memory that the NIC may read or write. */
typedef struct {
    uint8_t *base;
    size_t size_bytes;
    ef_memreg registration;
    int registered;
} efvi_memory;

/* Buffers of the EF10 receive queue, numbered in the order in which the NIC gets them; it fills
 * them in that order, and they come back from the reader in it. */
typedef struct {
    uint64_t posted;              /* given to the NIC */
    uint64_t taken;               /* come back from it */
    uint64_t freed;               /* come back from the reader */
    uint32_t post_slot;           /* posted and taken modulo count */
    uint32_t take_slot;
    uint32_t count;
    uint32_t fill_max;
    uint64_t partial_first;       /* of a frame whose other buffers are still to come: number and */
    uint32_t partial_slot;        /* slot of the first one, time, and flags of that time */
    uint32_t partial_flags;
    uint64_t partial_ns;
    int partial;
    int partial_bad;
} efvi_buffers;

typedef struct efvi_port {
    swp_stats stats;
    swp_ring_account ring;
    uint64_t produced;            /* frames with a cookie: handed out, and those still ahead */
    uint64_t *held;               /* per frame: number of its first buffer, or the X3's packet id */
    uint64_t held_mask;
    ef_vi rx_vi;
    ef_vi tx_vi;
    efvi_buffers buffers;
    efvi_memory rx_memory;        /* EF10: the NIC's buffers; X3 with copy: ours alone */
    efvi_memory tx_memory;
    uint64_t tx_posted;
    uint64_t tx_done;
    uint32_t tx_count;
    uint32_t tx_frame_max_bytes;
    uint32_t tx_threshold;
    uint32_t prefix_bytes;
    uint32_t frame_bytes;
    uint32_t copy_bytes;          /* X3 with copy: size of a slot */
    uint32_t features;
    int rx_broken;
    int tx_broken;
    uint32_t ahead_next;          /* frames that came in one poll with those asked for */
    uint32_t ahead_count;
    swp_descriptor ahead[EFVI_EVENTS_MAX];
    uint64_t wanted_hash[EFVI_HASH_SLOTS];  /* keys of the lines, 0 = free */
    uint32_t line_count;
    efvi_line lines[SWP_LINES_MAX];
    swp_efvi_peer *peers;
    swp_efvi_config config;
    swp_udp_source source;        /* of datagrams */
    swp_udp_destinations destinations;
    ef_driver_handle driver;
    ef_pd domain;
    int driver_open, domain_open, rx_open, tx_open;
    int drops_fd;
    uint64_t drops_before;
    char device[IF_NAMESIZE];
    char error_text[SWP_ERROR_TEXT_BYTES];
} efvi_port;

/* Where one burst's frames go: to the reader, and what is too much to `ahead`. */
typedef struct {
    swp_descriptor *out;
    int64_t wanted;
    int64_t count;
} efvi_sink;

/* Notes the failure in the port's error text. Returns -error. */
int efvi_fail(efvi_port *port, const char *what, int error);

/* efvi_memory.c: 0 or -errno. Memory is whole, zeroed and not shared with forked processes. */
int efvi_memory_get(efvi_port *port, efvi_memory *memory, size_t size_bytes, int registered);
void efvi_memory_unregister(efvi_port *port, efvi_memory *memory);
void efvi_memory_free(efvi_memory *memory);

/* efvi_join.c */
int efvi_join(void *handle, uint32_t group, uint16_t udp_port, uint16_t vlan);
void efvi_leave_all(efvi_port *port);
/* 1 where the frame is for one of the lines, 0 where it is not, -1 where it holds no datagram. */
int efvi_wanted(const efvi_port *port, const uint8_t *frame, uint32_t length_bytes);

/* efvi_rx.c */
int64_t efvi_rx_burst(void *handle, swp_descriptor *out, int64_t max);
void efvi_release(void *handle, const swp_descriptor *frames, int64_t count);
/* The time of the frame whose first buffer is `stamp`, asked for before the next poll, NULL = the
 * system's time. Returns the flags that say whose time it is. */
uint32_t efvi_time(efvi_port *port, const void *stamp, uint64_t *time_ns);
/* Gives a frame to the reader; `holds` is what its release has to give back. */
void efvi_emit(efvi_port *port, efvi_sink *sink, const uint8_t *frame, uint32_t length_bytes,
               uint64_t time_ns, uint32_t flags, uint64_t holds);
/* Counts a bad frame and says why: a subtype EF_EVENT_RX_DISCARD_*. */
void efvi_count_bad(efvi_port *port, unsigned subtype);

/* efvi_rx_classic.c: EF10, buffers of our own. */
int efvi_classic_open(efvi_port *port);
void efvi_classic_refill(efvi_port *port);
void efvi_classic_event(efvi_port *port, efvi_sink *sink, ef_event *event);

/* efvi_rx_efct.c: X3, buffers of the driver's. */
int efvi_efct_open(efvi_port *port);
void efvi_efct_event(efvi_port *port, efvi_sink *sink, ef_event *event);
void efvi_efct_release(efvi_port *port, uint64_t begin, uint64_t end);

/* efvi_tx.c */
int efvi_tx_open(efvi_port *port);
int efvi_tx(void *handle, const void *data, uint32_t length_bytes, uint64_t cookie);
void efvi_reap(efvi_port *port);

static inline int efvi_is_shared(const efvi_port *port) {
    return (port->features & SWP_EFVI_SHARED_BUFFERS) != 0;
}

#endif
