/* A device: found or attached, its buffers, queues and start, and all of that undone. */
#define _GNU_SOURCE
#include "dpdk_port.h"

#include <errno.h>
#include <rte_dev.h>
#include <rte_errno.h>
#include <rte_flow.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define OVERHEAD_BYTES 26u      /* Ethernet, two tags, checksum: what a frame has beyond the MTU */
#define TX_ROOM_LEAST_BYTES 2048u
#define POOL_WORDS "buffers (hugepages, or -m of the EAL, may be too few)"

/* Devices of the EAL's own arguments stay when a port is closed: they are stopped, and their queues
 * refer to buffers until they are set up anew. */
typedef struct {
    int in_use;
    struct rte_mempool *rx_pool;
    struct rte_mempool *tx_pool;
} device_record;

static device_record records[RTE_MAX_ETHPORTS];
static uint32_t pool_number;

int dpdk_fail(dpdk_port *port, const char *what, int error) {
    return dpdk_say(port->error_text, what, error);
}

int dpdk_tolerated(int result) {
    return result == 0 || result == -ENOTSUP || result == -ENOSYS;
}

/* --- finding ------------------------------------------------------------------------------ */

static int find_by_name(dpdk_port *port) {
    uint16_t id;
    if (rte_eth_dev_get_port_by_name(port->device, &port->port_id) == 0) return 1;
    RTE_ETH_FOREACH_DEV(id) {
        struct rte_eth_dev_info info;
        if (rte_eth_dev_info_get(id, &info) || info.device == NULL) continue;
        if (strcmp(rte_dev_name(info.device), port->device)) continue;
        port->port_id = id;
        return 1;
    }
    return 0;
}

static int find_by_number(dpdk_port *port, const char *text) {
    unsigned long id = strtoul(text, NULL, 10);
    if (id >= RTE_MAX_ETHPORTS || !rte_eth_dev_is_valid_port((uint16_t)id)) {
        swp_set_error(port->error_text, "port %s: the EAL has %u", text, rte_eth_dev_count_avail());
        return -ENODEV;
    }
    port->port_id = (uint16_t)id;
    return rte_eth_dev_get_name_by_port(port->port_id, port->device) ? -ENODEV : 0;
}

static int attach(dpdk_port *port, const char *text) {
    int result = rte_dev_probe(text);
    if (result) return dpdk_fail(port, "attach", result < -1 ? -result : EIO);  /* -1 is no errno */
    if (!find_by_name(port)) return dpdk_fail(port, "attached, but has no port", ENODEV);
    port->attached_here = 1;
    return 0;
}

static int find_device(dpdk_port *port, const char *text) {
    size_t name_bytes = strcspn(text, ",");
    if (text[0] && text[strspn(text, "0123456789")] == 0) return find_by_number(port, text);
    if (name_bytes == 0 || name_bytes >= sizeof port->device)
        return dpdk_fail(port, "name of the device", EINVAL);
    memcpy(port->device, text, name_bytes);
    port->device[name_bytes] = 0;
    if (!find_by_name(port)) return attach(port, text);
    if (text[name_bytes] == 0) return 0;
    return dpdk_fail(port, "the device is there already, with arguments of its own", EEXIST);
}

static int take_device(dpdk_port *port, const char *text) {
    int failed = find_device(port, text);
    if (failed) return failed;
    if (records[port->port_id].in_use) {
        port->attached_here = 0;
        return dpdk_fail(port, "another port has the device", EBUSY);
    }
    records[port->port_id].in_use = 1;
    return 0;
}

/* --- buffers ------------------------------------------------------------------------------ */

static struct rte_mempool *make_pool(dpdk_port *port, const char *what, uint32_t count,
                                     uint32_t room_bytes) {
    char name[RTE_MEMPOOL_NAMESIZE];
    snprintf(name, sizeof name, "swp_%s_%u", what, pool_number++);
    struct rte_mempool *pool = rte_pktmbuf_pool_create(
        name, count, DPDK_CACHE_COUNT, 0, (uint16_t)(room_bytes + RTE_PKTMBUF_HEADROOM),
        rte_eth_dev_socket_id(port->port_id));
    if (pool) return pool;
    dpdk_fail(port, POOL_WORDS, rte_errno);
    return NULL;
}

/* For net_af_xdp, which reckons that buffers lie side by side and gives the kernel as much memory.
 * Without huge pages none may lie across a border of pages; smaller ones then have gaps between
 * them, and the kernel refuses those that lie beyond. So each fills a page. */
static struct rte_mempool *make_paged_pool(dpdk_port *port, uint32_t count) {
    struct rte_mempool_objsz size;
    struct rte_pktmbuf_pool_private room = {0};
    char name[RTE_MEMPOOL_NAMESIZE];
    uint32_t page_bytes = (uint32_t)sysconf(_SC_PAGESIZE);
    rte_mempool_calc_obj_size(RTE_CACHE_LINE_SIZE, RTE_MEMPOOL_F_NO_SPREAD, &size);
    uint32_t element_bytes = page_bytes - size.header_size;
    room.mbuf_data_room_size = (uint16_t)(element_bytes - sizeof(struct rte_mbuf));
    if (port->config.segment_bytes + RTE_PKTMBUF_HEADROOM > room.mbuf_data_room_size) {
        dpdk_fail(port, "a segment has to fit in a page", EINVAL);
        return NULL;
    }
    snprintf(name, sizeof name, "swp_rx_%u", pool_number++);
    struct rte_mempool *pool = rte_mempool_create(
        name, count, element_bytes, DPDK_CACHE_COUNT, sizeof room, rte_pktmbuf_pool_init, &room,
        rte_pktmbuf_init, NULL, rte_eth_dev_socket_id(port->port_id), RTE_MEMPOOL_F_NO_SPREAD);
    if (pool == NULL) dpdk_fail(port, POOL_WORDS, rte_errno);
    return pool;
}

/* Threads keep up to one and a half of their share at hand: that of the set-up, and that of the
 * poll; twice of each for the pollers to come. */
static int make_pools(dpdk_port *port, const char *driver, uint32_t rx_descriptors,
                      uint32_t tx_descriptors) {
    const swp_dpdk_config *config = &port->config;
    uint32_t segments = (config->frame_bytes + config->segment_bytes - 1) / config->segment_bytes;
    uint32_t idle = 4 * DPDK_CACHE_COUNT + DPDK_BURST;
    uint64_t wanted = (uint64_t)config->ring_count * segments +
                      (uint64_t)config->queue_count * rx_descriptors + idle;
    uint32_t room_bytes = config->frame_bytes;
    if (room_bytes < TX_ROOM_LEAST_BYTES) room_bytes = TX_ROOM_LEAST_BYTES;
    if (room_bytes > UINT16_MAX - RTE_PKTMBUF_HEADROOM)
        room_bytes = UINT16_MAX - RTE_PKTMBUF_HEADROOM;
    if (wanted > INT32_MAX) return dpdk_fail(port, "buffers of the ring", ENOMEM);
    if (strcmp(driver, "net_af_xdp") == 0) port->rx_pool = make_paged_pool(port, (uint32_t)wanted);
    else port->rx_pool = make_pool(port, "rx", (uint32_t)wanted, config->segment_bytes);
    if (port->rx_pool) port->tx_pool = make_pool(port, "tx", tx_descriptors + idle, room_bytes);
    return port->tx_pool ? 0 : -ENOMEM;
}

/* A receiver at the other end of a ring device may still hold some: such a pool is left. */
static void drop_pool(struct rte_mempool *pool) {
    if (pool && rte_mempool_full(pool)) rte_mempool_free(pool);
}

/* --- set-up ------------------------------------------------------------------------------- */

static struct rte_eth_conf device_conf(const dpdk_port *port, const struct rte_eth_dev_info *info) {
    const swp_dpdk_config *config = &port->config;
    struct rte_eth_conf conf = {.rxmode.mtu = config->mtu_bytes};
    uint32_t longest_bytes = config->mtu_bytes + OVERHEAD_BYTES;
    uint64_t offloads = 0;
    if (config->stamp != SWP_DPDK_STAMP_OFF) offloads |= RTE_ETH_RX_OFFLOAD_TIMESTAMP;
    if (config->segment_bytes < longest_bytes || config->segment_bytes < config->frame_bytes)
        offloads |= RTE_ETH_RX_OFFLOAD_SCATTER;
    conf.rxmode.offloads = offloads & info->rx_offload_capa;
    conf.txmode.offloads = RTE_ETH_TX_OFFLOAD_MBUF_FAST_FREE & info->tx_offload_capa;
    if (config->queue_count > 1) {
        uint64_t hashes = (RTE_ETH_RSS_IP | RTE_ETH_RSS_UDP) & info->flow_type_rss_offloads;
        conf.rx_adv_conf.rss_conf.rss_hf = hashes;
        if (hashes) conf.rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
    }
    return conf;
}

static int set_queues(dpdk_port *port, const struct rte_eth_dev_info *info,
                      const struct rte_eth_conf *conf) {
    uint16_t id = port->port_id, rx_count = (uint16_t)port->config.descriptor_count;
    uint16_t tx_count = rx_count;
    unsigned socket = (unsigned)rte_eth_dev_socket_id(id);
    struct rte_eth_rxconf rx = info->default_rxconf;
    struct rte_eth_txconf tx = info->default_txconf;
    int result = rte_eth_dev_adjust_nb_rx_tx_desc(id, &rx_count, &tx_count);
    if (result) return dpdk_fail(port, "descriptors", -result);
    rx.offloads = conf->rxmode.offloads;
    tx.offloads = conf->txmode.offloads;
    result = make_pools(port, info->driver_name, rx_count, tx_count);
    if (result) return result;
    for (uint16_t queue = 0; queue < port->queue_count; queue++) {
        result = rte_eth_rx_queue_setup(id, queue, rx_count, socket, &rx, port->rx_pool);
        if (result) return dpdk_fail(port, "receive queue", -result);
    }
    result = rte_eth_tx_queue_setup(id, 0, tx_count, socket, &tx);
    return result ? dpdk_fail(port, "send queue", -result) : 0;
}

/* What a device's times count is its own affair and cannot be asked: other devices than net_pcap
 * need the option. */
static int set_stamps(dpdk_port *port, const struct rte_eth_dev_info *info) {
    uint32_t stamp = port->config.stamp;
    uint64_t flag;
    if (stamp == SWP_DPDK_STAMP_AUTO) {
        int is_pcap = strcmp(info->driver_name, "net_pcap") == 0;
        stamp = is_pcap ? SWP_DPDK_STAMP_US : SWP_DPDK_STAMP_OFF;
    }
    if (stamp == SWP_DPDK_STAMP_OFF) return 0;
    if (rte_mbuf_dyn_rx_timestamp_register(&port->stamp_offset, &flag))
        return dpdk_fail(port, "timestamps", rte_errno);
    port->stamp_flag = flag;
    port->stamp_scale_ns = stamp == SWP_DPDK_STAMP_US ? 1000 : 1;
    return 0;
}

static int set_promiscuous(dpdk_port *port) {
    int result = 0;
    if (port->config.promiscuous) result = rte_eth_promiscuous_enable(port->port_id);
    else if (rte_eth_promiscuous_get(port->port_id) == 1)
        result = rte_eth_promiscuous_disable(port->port_id);
    return dpdk_tolerated(result) ? 0 : dpdk_fail(port, "promiscuous", -result);
}

static int set_up(dpdk_port *port, const struct rte_eth_dev_info *info) {
    struct rte_eth_conf conf = device_conf(port, info);
    struct rte_flow_error error;
    uint16_t id = port->port_id;
    if (port->config.flow) port->isolated = rte_flow_isolate(id, 1, &error) == 0;
    int result = rte_eth_dev_configure(id, port->queue_count, 1, &conf);
    if (result) return dpdk_fail(port, "configure", -result);
    result = set_queues(port, info, &conf);
    if (result) return result;
    result = rte_eth_dev_start(id);
    if (result) return dpdk_fail(port, "start", -result);
    port->started = 1;
    rte_eth_macaddr_get(id, (struct rte_ether_addr *)port->source.mac);
    if (rte_eth_stats_get(id, &port->baseline)) memset(&port->baseline, 0, sizeof port->baseline);
    result = set_promiscuous(port);
    return result ? result : set_stamps(port, info);
}

int dpdk_device_open(dpdk_port *port) {
    struct rte_eth_dev_info info;
    int result = take_device(port, port->config.device);
    if (result) return result;
    device_record *record = &records[port->port_id];
    result = rte_eth_dev_info_get(port->port_id, &info);
    result = result ? dpdk_fail(port, "rte_eth_dev_info_get", -result) : set_up(port, &info);
    if (result) {
        dpdk_device_close(port);
        return result;
    }
    drop_pool(record->rx_pool);
    drop_pool(record->tx_pool);
    record->rx_pool = record->tx_pool = NULL;
    return 0;
}

/* The device is gone afterwards, unless it has further ports. Gives the sockets that it left open:
 * with them it forgot the buffers that the kernel had. */
static int detach(const dpdk_port *port) {
    dpdk_sockets sockets;
    struct rte_eth_dev_info info;
    uint16_t id, shared = 0;
    struct rte_device *device = NULL;
    if (rte_eth_dev_info_get(port->port_id, &info) == 0) device = info.device;
    RTE_ETH_FOREACH_DEV(id) {
        if (id == port->port_id || rte_eth_dev_info_get(id, &info)) continue;
        shared = shared || (device && info.device == device);
    }
    dpdk_sockets_note(&sockets);
    rte_eth_dev_close(port->port_id);
    if (device && !shared) rte_dev_remove(device);
    return dpdk_sockets_close(&sockets);
}

void dpdk_device_close(dpdk_port *port) {
    device_record *record = &records[port->port_id];
    struct rte_flow_error error;
    if (port->started) rte_eth_dev_stop(port->port_id);
    if (port->isolated) rte_flow_isolate(port->port_id, 0, &error);
    port->started = port->isolated = 0;
    record->in_use = 0;
    if (port->attached_here) {
        if (detach(port)) rte_mempool_free(port->rx_pool);
        else drop_pool(port->rx_pool);
        drop_pool(port->tx_pool);
    } else if (record->rx_pool == NULL) {
        record->rx_pool = port->rx_pool;
        record->tx_pool = port->tx_pool;
    } /* else a set-up broke off: which of both pools the queues refer to is not known */
    port->rx_pool = port->tx_pool = NULL;
}
