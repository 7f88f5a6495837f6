/* How ports over DPDK are opened. Handles and tables are given as integers: the types of port.h
 * belong to the core extension. */
#ifndef SWEEPWIRE_DPDK_H
#define SWEEPWIRE_DPDK_H

#include <stdint.h>

/* cffi: begin */

enum {
    SWP_DPDK_STAMP_AUTO = 0,  /* microseconds from net_pcap, else the clock */
    SWP_DPDK_STAMP_OFF = 1,   /* the clock, read once a burst */
    SWP_DPDK_STAMP_US = 2,    /* the device gives microseconds since the epoch */
    SWP_DPDK_STAMP_NS = 3,    /* the device gives nanoseconds since the epoch */
};

typedef struct {
    const char *device;         /* a port's number, or a device's name and its arguments */
    const char *iface;          /* kernel interface that joins the groups too, "" = none */
    const void *clock;          /* swp_clock; the port goes on with a copy */
    uint32_t ring_count;        /* frames that may be unreleased, a power of two */
    uint32_t queue_count;
    uint32_t descriptor_count;  /* of each of the device's queues */
    uint32_t mtu_bytes;
    uint32_t frame_bytes;       /* longest frame kept whole */
    uint32_t segment_bytes;     /* of a receive buffer; longer frames come in several */
    uint32_t stamp;             /* SWP_DPDK_STAMP_* */
    uint32_t filter;            /* 1: only what was joined comes out */
    uint32_t promiscuous;
    uint32_t flow;              /* 1: the device filters by rte_flow rules, where it can */
    uint32_t poison;            /* 1: released frames are overwritten */
    uint32_t source_ip;         /* of datagrams, host byte order */
    uint32_t source_port;
    uint8_t gateway_mac[8];        /* MAC that unicast datagrams go to; [6] is 1 if any */
} swp_dpdk_config;

/* Starts the EAL, once in a process. The strings are copied. With show_log DPDK's log goes to
 * stderr. 0, or -errno and in error_text (of SWP_ERROR_TEXT_BYTES) why. */
int swp_dpdk_start(int count, char **arguments, int show_log, char *error_text);
/* Ends it. 0, or -EBUSY while ports are open. It can not be started again. */
int swp_dpdk_end(void);
/* 0 and the port, or -errno and why. Attaches the device where the EAL does not have it yet. */
int swp_dpdk_open(const swp_dpdk_config *config, uint64_t *port, char *error_text);
/* Memory that frames lie in, as pairs of address and size: their number, up to `max` written. */
int64_t swp_dpdk_regions(uint64_t port, uint64_t *pairs, int64_t max);
uint64_t swp_dpdk_ops(void);

/* cffi: end */

#endif
