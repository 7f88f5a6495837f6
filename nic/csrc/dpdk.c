/* A port over DPDK: any device that it drives, PCI or virtual, polled without the kernel.
 *
 * Frames are handed out where the device put them. A device is always asked for a whole burst,
 * since vector drivers give none to those who ask for few; what the caller has no room for waits
 * in `ahead`.
 */
#define _GNU_SOURCE
#include "dpdk_port.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define POISON 0xdb
#define DATAGRAM_TTL 1

/* --- receiving ---------------------------------------------------------------------------- */

/* The next burst of the queues in turn: its size. */
static uint16_t read_ahead(dpdk_port *port) {
    uint16_t count = 0;
    for (uint16_t asked = 0; asked < port->queue_count && count == 0; asked++) {
        count = rte_eth_rx_burst(port->port_id, port->queue, port->ahead, DPDK_BURST);
        if (++port->queue == port->queue_count) port->queue = 0;
    }
    port->ahead_begin = 0;
    port->ahead_end = count;
    if (count) port->ahead_ns = swp_clock_now_ns(&port->clock);
    else if ((++port->idle_polls & DPDK_IDLE_POLLS) == 0) swp_clock_recalibrate(&port->clock);
    for (uint16_t index = 0; index < count; index++)
        rte_prefetch0(rte_pktmbuf_mtod(port->ahead[index], void *));
    return count;
}

/* Copies a frame of several segments into one piece; without room for such its first segment is
 * what there is. */
static const uint8_t *gather(dpdk_port *port, const struct rte_mbuf *mbuf, uint32_t *length_bytes) {
    uint32_t kept = 0;
    *length_bytes = rte_pktmbuf_data_len(mbuf);
    if (port->side == NULL) return rte_pktmbuf_mtod(mbuf, const uint8_t *);
    uint8_t *to = port->side + (port->ring.handed_out & port->ring_mask) * port->side_stride_bytes;
    for (const struct rte_mbuf *part = mbuf; part && kept < port->frame_bytes; part = part->next) {
        uint32_t bytes = rte_pktmbuf_data_len(part);
        if (bytes > port->frame_bytes - kept) bytes = port->frame_bytes - kept;
        memcpy(to + kept, rte_pktmbuf_mtod(part, const uint8_t *), bytes);
        kept += bytes;
    }
    *length_bytes = kept;
    return to;
}

/* A tag that the device took off goes back in: a frame is what the wire had. 0 where it cannot. */
static int restore_tag(dpdk_port *port, struct rte_mbuf **mbuf) {
    if (!((*mbuf)->ol_flags & RTE_MBUF_F_RX_VLAN_STRIPPED)) return 1;
    if (rte_vlan_insert(mbuf) == 0) return 1;
    port->stats.rx_errors++;
    swp_set_error(port->error_text, "a frame's VLAN tag cannot be put back");
    return 0;
}

static void hand_out(dpdk_port *port, struct rte_mbuf *mbuf, swp_descriptor *out) {
    uint32_t wire_bytes = rte_pktmbuf_pkt_len(mbuf);
    uint32_t length_bytes = rte_pktmbuf_data_len(mbuf);
    const uint8_t *frame = rte_pktmbuf_mtod(mbuf, const uint8_t *);
    uint32_t flags = SWP_LINKTYPE_ETHERNET << 16;
    uint64_t time_ns = port->ahead_ns;
    if (mbuf->nb_segs > 1) frame = gather(port, mbuf, &length_bytes);
    if (length_bytes > port->frame_bytes) length_bytes = port->frame_bytes;
    if (length_bytes < wire_bytes) flags |= SWP_FLAG_TRUNCATED;
    if (mbuf->ol_flags & port->stamp_flag) {
        time_ns = *RTE_MBUF_DYNFIELD(mbuf, port->stamp_offset, rte_mbuf_timestamp_t *);
        time_ns *= port->stamp_scale_ns;
        flags |= SWP_FLAG_HW_TIMESTAMP;
    }
    uint64_t cookie = port->ring.handed_out++;
    port->held[cookie & port->ring_mask] = mbuf;
    swp_describe(out, &port->stats, frame, length_bytes, flags, time_ns, cookie);
}

static int64_t dpdk_rx_burst(void *handle, swp_descriptor *out, int64_t max) {
    dpdk_port *port = handle;
    int64_t room = (int64_t)swp_ring_room(&port->ring);
    int64_t wanted = max < room ? max : room;
    int64_t count = 0;
    if (wanted <= 0) return 0;
    if (port->ahead_begin == port->ahead_end && read_ahead(port) == 0) return 0;
    while (count < wanted && port->ahead_begin < port->ahead_end) {
        struct rte_mbuf *mbuf = port->ahead[port->ahead_begin++];
        if (restore_tag(port, &mbuf) &&
            (!port->filter || dpdk_wanted(port, rte_pktmbuf_mtod(mbuf, const uint8_t *),
                                          rte_pktmbuf_data_len(mbuf))))
            hand_out(port, mbuf, &out[count++]);
        else
            rte_pktmbuf_free(mbuf);
    }
    return count;
}

/* Whoever reads a frame that was released shall see it. */
static void poison(const dpdk_port *port, uint64_t slot) {
    struct rte_mbuf *mbuf = port->held[slot];
    if (mbuf->nb_segs > 1 && port->side)
        memset(port->side + slot * port->side_stride_bytes, POISON, port->side_stride_bytes);
    for (struct rte_mbuf *part = mbuf; part; part = part->next)
        if (rte_mbuf_refcnt_read(part) == 1)
            memset(rte_pktmbuf_mtod(part, void *), POISON, rte_pktmbuf_data_len(part));
}

static void free_frames(dpdk_port *port, uint64_t first, uint64_t count) {
    while (count) {
        uint64_t slot = first & port->ring_mask;
        uint64_t run = port->ring_mask + 1 - slot;
        if (run > count) run = count;
        for (uint64_t at = slot; port->poison && at < slot + run; at++) poison(port, at);
        rte_pktmbuf_free_bulk(&port->held[slot], (unsigned)run);
        first += run;
        count -= run;
    }
}

static void dpdk_release(void *handle, const swp_descriptor *frames, int64_t count) {
    dpdk_port *port = handle;
    uint64_t first = port->ring.released;
    if (swp_release(&port->ring, &port->stats, port->error_text, frames, count))
        free_frames(port, first, port->ring.released - first);
}

static int dpdk_thread_init(void *handle) {
    dpdk_guard guard;
    dpdk_guard_begin(&guard);
    int failed = dpdk_register_thread();
    if (failed) dpdk_fail(handle, "rte_thread_register", -failed);
    dpdk_guard_end(&guard);
    return failed;
}

/* --- sending ------------------------------------------------------------------------------ */

static int check_datagram(dpdk_port *port, uint32_t address) {
    if (!port->config.source_ip) {
        swp_set_error(port->error_text, "tx: a datagram needs the option source=IPV4:PORT");
        return -EADDRNOTAVAIL;
    }
    if (swp_is_multicast(address) || port->config.gateway_mac[6]) return 0;
    swp_set_error(port->error_text, "tx: a datagram to one station needs the option gateway_mac");
    return -EHOSTUNREACH;
}

static const swp_udp_template *add_destination(dpdk_port *port, uint64_t cookie, int *failed) {
    uint32_t address = (uint32_t)(cookie >> 16);
    const uint8_t *mac = swp_is_multicast(address) ? NULL : port->config.gateway_mac;
    *failed = check_datagram(port, address);
    if (*failed) return NULL;
    return swp_destination_add(&port->destinations, cookie, &port->source, mac, DATAGRAM_TTL);
}

static int send_one(dpdk_port *port, const void *data, uint32_t length_bytes,
                    const swp_udp_template *to) {
    uint32_t frame_bytes = to ? to->headers_bytes + length_bytes : length_bytes;
    uint32_t padded_bytes = frame_bytes;
    if (padded_bytes < DPDK_SHORTEST_BYTES) padded_bytes = DPDK_SHORTEST_BYTES;
    struct rte_mbuf *mbuf = rte_pktmbuf_alloc(port->tx_pool);
    if (mbuf) {
        uint8_t *frame = (uint8_t *)rte_pktmbuf_append(mbuf, (uint16_t)padded_bytes);
        if (to) swp_udp_template_write(to, frame, data, length_bytes, 0, 0);
        else memcpy(frame, data, length_bytes);
        memset(frame + frame_bytes, 0, padded_bytes - frame_bytes);
        if (rte_eth_tx_burst(port->port_id, 0, &mbuf, 1) == 1) return 0;
        rte_pktmbuf_free(mbuf);
    }
    swp_set_error(port->error_text, "tx: the device's queue is full");
    return -EAGAIN;
}

static int send_checked(dpdk_port *port, const void *data, uint32_t length_bytes,
                        uint64_t cookie) {
    uint32_t room_bytes = rte_pktmbuf_data_room_size(port->tx_pool) - RTE_PKTMBUF_HEADROOM;
    const swp_udp_template *to = NULL;
    int failed = swp_check_tx(port->error_text, data, length_bytes, cookie, room_bytes);
    if (failed) return failed;
    if (cookie) {
        to = swp_destination_find(&port->destinations, cookie);
        if (to == NULL) to = add_destination(port, cookie, &failed);
        if (to == NULL) return failed;
    }
    return send_one(port, data, length_bytes, to);
}

static int dpdk_tx(void *handle, const void *data, uint32_t length_bytes, uint64_t cookie) {
    dpdk_port *port = handle;
    int result = send_checked(port, data, length_bytes, cookie);
    return swp_count_tx(&port->stats, length_bytes, result);
}

/* --- state -------------------------------------------------------------------------------- */

/* Since the port was opened; some devices forget their counters on the way. */
static uint64_t since(uint64_t now, uint64_t before) {
    return now >= before ? now - before : now;
}

/* What the device lost: it had no descriptor, or the driver no buffer for it. What it broke is an
 * error. Frames that came whole are counted here and by nobody else. */
static void dpdk_stats(void *handle, swp_stats *out) {
    dpdk_port *port = handle;
    const struct rte_eth_stats *before = &port->baseline;
    struct rte_eth_stats now;
    *out = port->stats;
    if (rte_eth_stats_get(port->port_id, &now)) return;
    out->rx_dropped += since(now.imissed, before->imissed);
    out->rx_dropped += since(now.rx_nombuf, before->rx_nombuf);
    out->rx_errors += since(now.ierrors, before->ierrors);
}

static const char *dpdk_last_error(void *handle) {
    return ((dpdk_port *)handle)->error_text;
}

static void free_port(dpdk_port *port) {
    if (port->namespace_fd >= 0) close(port->namespace_fd);
    free(port->held);
    free(port->side);
    free(port);
}

static void dpdk_close(void *handle) {
    dpdk_port *port = handle;
    dpdk_guard guard;
    if (port == NULL) return;
    dpdk_guard_begin(&guard);
    free_frames(port, port->ring.released, port->ring.handed_out - port->ring.released);
    rte_pktmbuf_free_bulk(port->ahead + port->ahead_begin, port->ahead_end - port->ahead_begin);
    int here = dpdk_namespace_enter(port->namespace_fd);
    dpdk_leave_all(port);
    dpdk_device_close(port);
    dpdk_namespace_return(here);
    dpdk_eal_leave();
    dpdk_guard_end(&guard);
    free_port(port);
}

static int check_config(const swp_dpdk_config *config, char *error_text) {
    uint32_t count = config->ring_count;
    const char *wrong = NULL;
    if (count == 0 || (count & (count - 1))) wrong = "ring must be a power of two";
    else if (config->queue_count == 0 || config->queue_count > RTE_MAX_QUEUES_PER_PORT)
        wrong = "queues are out of range";
    else if (config->descriptor_count == 0 || config->descriptor_count > UINT16_MAX)
        wrong = "descriptors are out of range";
    else if (config->frame_bytes == 0 || config->frame_bytes > UINT16_MAX)
        wrong = "frame is out of range";
    else if (config->segment_bytes < DPDK_HEADERS_BYTES ||
             config->segment_bytes > UINT16_MAX - RTE_PKTMBUF_HEADROOM)
        wrong = "segment is out of range";
    else if (config->clock == NULL) wrong = "a clock is missing";
    else if (strlen(config->iface) >= IF_NAMESIZE) wrong = "iface: no such interface";
    if (wrong == NULL) return 0;
    swp_set_error(error_text, "%s", wrong);
    return -EINVAL;
}

static dpdk_port *allocate(const swp_dpdk_config *config) {
    dpdk_port *port = calloc(1, sizeof *port);
    if (port == NULL) return NULL;
    port->config = *config;
    port->clock = *(const swp_clock *)config->clock;
    swp_clock_recalibrate(&port->clock);  /* where time was stepped it goes on as it was */
    port->namespace_fd = dpdk_namespace_here();
    port->ring.capacity = config->ring_count;
    port->ring_mask = config->ring_count - 1;
    port->queue_count = (uint16_t)config->queue_count;
    port->frame_bytes = config->frame_bytes;
    port->source.ip = config->source_ip;
    port->source.udp_port = (uint16_t)config->source_port;
    port->filter = config->filter != 0;
    port->poison = config->poison != 0;
    strcpy(port->iface, config->iface);
    port->held = calloc(config->ring_count, sizeof *port->held);
    if (config->frame_bytes > config->segment_bytes) {
        port->side_stride_bytes = (config->frame_bytes + 63u) & ~63u;
        port->side = calloc(config->ring_count, port->side_stride_bytes);
    }
    if (port->held && (port->side || port->side_stride_bytes == 0)) return port;
    free_port(port);
    return NULL;
}

int swp_dpdk_open(const swp_dpdk_config *config, uint64_t *out, char *error_text) {
    int failed = check_config(config, error_text);
    dpdk_guard guard;
    *out = 0;
    if (failed) return failed;
    dpdk_port *port = allocate(config);
    if (port == NULL) {
        swp_set_error(error_text, "no memory for a ring of %" PRIu32, config->ring_count);
        return -ENOMEM;
    }
    dpdk_guard_begin(&guard);
    failed = dpdk_eal_enter(port->error_text);
    if (!failed) {
        failed = dpdk_device_open(port);
        if (failed) dpdk_eal_leave();
    }
    dpdk_guard_end(&guard);
    if (failed) {
        swp_set_error(error_text, "%s", port->error_text);
        free_port(port);
        return failed;
    }
    port->config.device = port->config.iface = NULL;
    port->config.clock = NULL;
    *out = (uint64_t)(uintptr_t)port;
    return 0;
}

typedef struct {
    uint64_t *pairs;
    int64_t count;
    int64_t max;
} region_list;

static void add_region(struct rte_mempool *pool, void *opaque, struct rte_mempool_memhdr *chunk,
                       unsigned index) {
    region_list *list = opaque;
    (void)pool, (void)index;
    if (list->count < list->max) {
        list->pairs[2 * list->count] = (uint64_t)(uintptr_t)chunk->addr;
        list->pairs[2 * list->count + 1] = chunk->len;
    }
    list->count++;
}

int64_t swp_dpdk_regions(uint64_t handle, uint64_t *pairs, int64_t max) {
    dpdk_port *port = (dpdk_port *)(uintptr_t)handle;
    region_list list = {pairs, 0, max};
    rte_mempool_mem_iter(port->rx_pool, add_region, &list);
    rte_mempool_mem_iter(port->tx_pool, add_region, &list);  /* a ring device gives back sends */
    if (port->side == NULL) return list.count;
    if (list.count < max) {
        pairs[2 * list.count] = (uint64_t)(uintptr_t)port->side;
        pairs[2 * list.count + 1] = (uint64_t)port->side_stride_bytes * port->config.ring_count;
    }
    return list.count + 1;
}

static const swp_ops operations = {
    .join = dpdk_join,
    .thread_init = dpdk_thread_init,
    .rx_burst = dpdk_rx_burst,
    .release = dpdk_release,
    .tx = dpdk_tx,
    .stats = dpdk_stats,
    .close = dpdk_close,
    .last_error = dpdk_last_error,
};

uint64_t swp_dpdk_ops(void) {
    return (uint64_t)(uintptr_t)&operations;
}
