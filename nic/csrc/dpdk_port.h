/* What the C files of the DPDK backend share: its port, and the EAL it stands on. */
#ifndef SWEEPWIRE_DPDK_PORT_H
#define SWEEPWIRE_DPDK_PORT_H

#include <net/if.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <rte_mbuf_dyn.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/types.h>

#include "clock.h"
#include "common.h"
#include "dpdk.h"
#include "lines.h"
#include "udp_destinations.h"

#define DPDK_BURST 64              /* asked of a queue; vector drivers give none to less than 32 */
#define DPDK_KEYS_COUNT 2048       /* slots of the table of lines, at most a quarter full */
#define DPDK_CACHE_COUNT 256       /* buffers that a thread keeps at hand */
#define DPDK_HEADERS_BYTES 128     /* of a first segment: enough for Ethernet to UDP */
#define DPDK_IDLE_POLLS 0xfffffu   /* after so many without a frame the clock is set anew */
#define DPDK_SHORTEST_BYTES 60     /* Ethernet's, without its checksum */

typedef struct {
    swp_line joined;
    struct rte_flow *flow;         /* the device's rule, or NULL */
} dpdk_line;

typedef struct {
    swp_stats stats;
    swp_ring_account ring;
    uint32_t ring_mask;
    uint16_t port_id;
    uint16_t queue_count;
    uint16_t queue;                /* the one to ask next */
    uint16_t ahead_begin;
    uint16_t ahead_end;
    uint16_t filter;
    uint32_t frame_bytes;
    uint32_t side_stride_bytes;
    uint64_t ahead_ns;             /* when the burst in `ahead` was read */
    uint64_t stamp_flag;           /* of mbufs with a time of the device; 0: never looked at */
    uint64_t stamp_scale_ns;
    int stamp_offset;
    int poison;
    struct rte_mbuf *ahead[DPDK_BURST];
    struct rte_mbuf **held;        /* by cookie */
    uint8_t *side;                 /* frames of several segments, made one: a slot for each held */
    swp_clock clock;
    uint32_t idle_polls;
    uint64_t keys[DPDK_KEYS_COUNT];
    /* What follows is not touched by a poll. */
    struct rte_mempool *rx_pool;
    struct rte_mempool *tx_pool;
    struct rte_eth_stats baseline; /* the device's counters when it was opened */
    swp_udp_source source;         /* of datagrams */
    swp_udp_destinations destinations;
    int attached_here;             /* by open(): goes with the port */
    int isolated;                  /* the device gives only what its rules name */
    int started;
    int namespace_fd;              /* where it was opened, -1 = not known */
    uint32_t line_count;
    dpdk_line lines[SWP_LINES_MAX];
    char device[RTE_DEV_NAME_MAX_LEN];
    char iface[IF_NAMESIZE];
    swp_dpdk_config config;
    char error_text[SWP_ERROR_TEXT_BYTES];
} dpdk_port;

/* --- dpdk_eal.c --------------------------------------------------------------------------- */

/* DPDK pins the thread that sets it up, makes threads that would take the process's signals, and
 * prints. Between begin and end none of that gets out; what it says is kept for error lines. */
typedef struct {
    cpu_set_t cores;
    sigset_t signals;
    FILE *out;
    FILE *error;
} dpdk_guard;

void dpdk_guard_begin(dpdk_guard *guard);
void dpdk_guard_end(const dpdk_guard *guard);
/* `what: reason`, and what DPDK itself said since the guard began. Returns -error. */
int dpdk_say(char *text, const char *what, int error);
/* 0, or -errno noted in the text. Counts the ports that need the EAL. */
int dpdk_eal_enter(char *error_text);
void dpdk_eal_leave(void);
/* Gives the calling thread buffers of its own until it ends. 0, or -errno. */
int dpdk_register_thread(void);

/* --- dpdk_namespace.c --------------------------------------------------------------------- */

/* A file that stands for the calling thread's network namespace, or -1. */
int dpdk_namespace_here(void);
/* Moves the calling thread there: what brings it back, or -1 where it need not or may not go. */
int dpdk_namespace_enter(int namespace_fd);
void dpdk_namespace_return(int here);

/* --- dpdk_leftover.c ---------------------------------------------------------------------- */

#define DPDK_SOCKETS_MAX 256

typedef struct {
    int fd;
    ino_t inode;
} dpdk_socket;

/* AF_XDP sockets with mapped rings: those of net_af_xdp, and others'. */
typedef struct {
    uint32_t count;
    dpdk_socket sockets[DPDK_SOCKETS_MAX];
} dpdk_sockets;

void dpdk_sockets_note(dpdk_sockets *noted);
/* Closes those whose rings were unmapped since, and waits until their queues are free. Their
 * number. */
int dpdk_sockets_close(const dpdk_sockets *noted);

/* --- dpdk_device.c ------------------------------------------------------------------------ */

/* Notes the failure in the port's error text. Returns -error. */
int dpdk_fail(dpdk_port *port, const char *what, int error);
/* 1 where a call of the ethdev library did it, or the device has no such thing. */
int dpdk_tolerated(int result);
/* Finds or attaches the device, sets it up as port->config says and starts it. 0, or -errno. */
int dpdk_device_open(dpdk_port *port);
void dpdk_device_close(dpdk_port *port);

/* --- dpdk_join.c -------------------------------------------------------------------------- */

int dpdk_join(void *handle, uint32_t group, uint16_t udp_port, uint16_t vlan);
void dpdk_leave_all(dpdk_port *port);

static inline uint64_t dpdk_line_key(uint32_t group, uint16_t udp_port, uint16_t vlan) {
    return (uint64_t)vlan << 48 | (uint64_t)group << 16 | udp_port;
}

static inline uint32_t dpdk_key_slot(uint64_t key) {
    return (uint32_t)(key * 0x9e3779b97f4a7c15ull >> 53) & (DPDK_KEYS_COUNT - 1);
}

/* Whether the frame is an IPv4 datagram to a joined group, port and VLAN. */
int dpdk_wanted(const dpdk_port *port, const uint8_t *frame, uint32_t length_bytes);

#endif
