/* What the files of the AF_XDP backend share: the port and its parts. */
#ifndef SWEEPWIRE_XDP_PORT_H
#define SWEEPWIRE_XDP_PORT_H

#include <net/if.h>
#include <stdint.h>

#include "common.h"
#include "lines.h"
#include "udp_destinations.h"
#include "xdp.h"
#include "xdp_ring.h"

#define XDP_NEIGHBOURS_MAX 64   /* a power of two */
#define XDP_NO_CHUNK UINT64_MAX
#define XDP_MAC_BYTES 6

typedef struct {
    int fd;
    xdp_ring fill;
    xdp_ring completion;
    xdp_ring rx;
    xdp_ring tx;
} xdp_queue;

/* A frame that is with the reader, by its cookie. */
typedef struct {
    uint64_t chunk;             /* its offset in the pool, or XDP_NO_CHUNK: it lies in long_pool */
    uint32_t queue;
    uint32_t length_bytes;
} xdp_slot;

typedef struct {
    uint32_t ip;
    uint8_t mac[XDP_MAC_BYTES];
} xdp_neighbour;

/* The program in the kernel, its maps, and the link that keeps it attached. */
typedef struct {
    int lines_fd;               /* (address, port, vlan) that are ours */
    int sockets_fd;             /* queue to socket */
    int missed_fd;              /* frames of ours on a queue without a socket */
    int program_fd;
    int link_fd;
    int is_native;
} xdp_filter;

typedef struct {
    swp_stats stats;
    swp_ring_account ring;
    uint64_t ring_mask;
    xdp_slot *slots;
    uint8_t *pool;
    uint8_t *long_pool;         /* one of long_stride_bytes a slot, NULL without */
    uint64_t long_stride_bytes;
    uint32_t frame_bytes;
    uint32_t queue_count;
    uint32_t first_turn;        /* the queue that is asked first in the next burst */
    uint32_t poison;
    uint32_t polls_itself;      /* busy polling: each burst drives the NIC */
    uint32_t idle_polls;
    int broken;                 /* the interface went away */
    swp_clock clock;
    uint64_t clock_due_ns;      /* when it is set again */
    xdp_queue queues[SWP_XDP_QUEUES_MAX];

    uint64_t *tx_free;          /* a stack of offsets of tx frames */
    uint32_t tx_free_count;
    uint32_t tx_waits;          /* the kernel was busy: it has to be called again */
    uint32_t tx_max_bytes;      /* largest frame that the interface takes */
    swp_udp_source source;
    swp_udp_destinations destinations;
    xdp_neighbour neighbours[XDP_NEIGHBOURS_MAX];

    uint64_t pool_bytes;
    void *pool_map;             /* what the pool was cut from, to begin on a huge page */
    uint64_t pool_map_bytes;
    uint64_t long_pool_bytes;
    uint32_t rx_frames;         /* of a queue */
    uint32_t is_zerocopy;
    int interface;
    int control_fd;             /* holds the source port, asks for the interface's settings */
    int netlink_fd;
    uint32_t netlink_sequence;
    xdp_filter filter;
    swp_xdp_config config;
    char device[IF_NAMESIZE];
    uint32_t line_count;
    swp_line lines[SWP_LINES_MAX];
    char error_text[SWP_ERROR_TEXT_BYTES];
} xdp_port;

/* Notes the failure in the port's error text. Returns -error. */
int xdp_fail(xdp_port *port, const char *what, int error);

/* xdp_filter.c. All but the last two: 0, or -errno noted in the port's error text. */
int xdp_filter_load(xdp_port *port);
int xdp_filter_attach(xdp_port *port);
int xdp_filter_serve(xdp_port *port, uint32_t queue, int fd);
int xdp_filter_add(xdp_port *port, const swp_line *line);
uint64_t xdp_filter_missed(const xdp_port *port);
void xdp_filter_close(xdp_filter *filter);

/* xdp_queues.c: 0, or -errno noted in the port's error text. */
int xdp_queues_open(xdp_port *port);
void xdp_queues_close(xdp_port *port);

/* xdp_join.c */
int xdp_join(void *handle, uint32_t group, uint16_t udp_port, uint16_t vlan);

/* xdp_neighbour.c: the MAC of an address of this network, or of the router to it. Never waits:
 * what the kernel does not know it asks the network for, and the call fails with -EHOSTUNREACH. */
int xdp_neighbour_open(xdp_port *port);
int xdp_neighbour_find(xdp_port *port, uint32_t ip, uint8_t *mac);

/* xdp_rx.c, xdp_tx.c: of swp_ops. */
int64_t xdp_rx_burst(void *handle, swp_descriptor *out, int64_t max);
void xdp_release(void *handle, const swp_descriptor *frames, int64_t count);
int xdp_tx(void *handle, const void *data, uint32_t length_bytes, uint64_t cookie);
/* Calls the kernel for what waits in the tx ring. 0, or -errno. */
int xdp_kick(xdp_port *port);

#endif
