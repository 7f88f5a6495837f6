/* Joining over DPDK: what the device is told to let in, and what the port lets out. */
#define _GNU_SOURCE
#include "dpdk_port.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <rte_flow.h>
#include <string.h>
#include <unistd.h>

#define ETHERTYPE_IPV4 0x0800u
#define ETHERTYPE_VLAN 0x8100u
#define ETHERTYPE_QINQ 0x88a8u
#define ETHERTYPE_QINQ_OLD 0x9100u
#define VLAN_TAGS_MAX 2
#define VLAN_MASK 0x0fffu
#define PROTOCOL_UDP 17u
#define IPV4_BYTES 20u

/* --- the filter --------------------------------------------------------------------------- */

static uint32_t get_u16(const uint8_t *from) {
    return (uint32_t)from[0] << 8 | from[1];
}

static uint32_t get_u32(const uint8_t *from) {
    return get_u16(from) << 16 | get_u16(from + 2);
}

static int is_tag(uint32_t type) {
    return type == ETHERTYPE_VLAN || type == ETHERTYPE_QINQ || type == ETHERTYPE_QINQ_OLD;
}

/* The key of a datagram's line (the tag next to IPv4 counts), 0 where it is none. Lengths are left
 * to the parser, which counts what lies; a later fragment has no port. */
static uint64_t frame_key(const uint8_t *frame, uint32_t length_bytes) {
    uint32_t at = 12, type = 0, vlan = 0;
    for (int tags = 0; tags <= VLAN_TAGS_MAX && at + 2 <= length_bytes; tags++) {
        type = get_u16(frame + at);
        if (!is_tag(type) || at + 4 > length_bytes) break;
        vlan = get_u16(frame + at + 2) & VLAN_MASK;
        at += 4;
    }
    if (type != ETHERTYPE_IPV4 || at + 2 + IPV4_BYTES > length_bytes) return 0;
    const uint8_t *ip = frame + at + 2;
    uint32_t header_bytes = (ip[0] & 15u) * 4u;
    if (ip[0] >> 4 != 4 || header_bytes < IPV4_BYTES || ip[9] != PROTOCOL_UDP) return 0;
    if (get_u16(ip + 6) & 0x1fffu || at + 2 + header_bytes + 4 > length_bytes) return 0;
    return dpdk_line_key(get_u32(ip + 16), (uint16_t)get_u16(ip + header_bytes + 2),
                         (uint16_t)vlan);
}

int dpdk_wanted(const dpdk_port *port, const uint8_t *frame, uint32_t length_bytes) {
    uint64_t key = frame_key(frame, length_bytes);
    uint32_t slot = dpdk_key_slot(key);
    if (key == 0) return 0;
    for (;;) {
        uint64_t found = __atomic_load_n(&port->keys[slot], __ATOMIC_ACQUIRE);
        if (found == key) return 1;
        if (found == 0) return 0;
        slot = (slot + 1) & (DPDK_KEYS_COUNT - 1);
    }
}

static void insert_key(dpdk_port *port, uint64_t key) {
    uint32_t slot = dpdk_key_slot(key);
    while (port->keys[slot]) slot = (slot + 1) & (DPDK_KEYS_COUNT - 1);
    __atomic_store_n(&port->keys[slot], key, __ATOMIC_RELEASE);
}

/* --- the device --------------------------------------------------------------------------- */

static struct rte_ether_addr group_mac(uint32_t group) {
    struct rte_ether_addr mac;
    swp_udp_mac(mac.addr_bytes, group);
    return mac;
}

static uint32_t add_mac(struct rte_ether_addr *macs, uint32_t count, uint32_t group) {
    struct rte_ether_addr mac = group_mac(group);
    for (uint32_t index = 0; index < count; index++)
        if (memcmp(&macs[index], &mac, sizeof mac) == 0) return count;
    macs[count] = mac;
    return count + 1;
}

/* The device's list of groups, or where it is too short all of them. Virtual devices have neither
 * and give what arrives. */
static int let_in(dpdk_port *port, uint32_t group) {
    struct rte_ether_addr macs[SWP_LINES_MAX + 1];
    uint32_t count = add_mac(macs, 0, group);
    if (port->config.promiscuous) return 0;
    for (uint32_t index = 0; index < port->line_count; index++)
        if (swp_is_multicast(port->lines[index].joined.group))
            count = add_mac(macs, count, port->lines[index].joined.group);
    int listed = rte_eth_dev_set_mc_addr_list(port->port_id, macs, count);
    if (listed == 0) return 0;
    int all = rte_eth_allmulticast_enable(port->port_id);
    if (all == 0 || (dpdk_tolerated(listed) && dpdk_tolerated(all))) return 0;
    return dpdk_fail(port, "multicast list", -listed);
}

/* The rule of a line: its datagrams go to one of the queues. */
static int add_rule(dpdk_port *port, dpdk_line *own) {
    const swp_line *line = &own->joined;
    struct rte_flow_item_vlan vlan = {.tci = htons(line->vlan)};
    struct rte_flow_item_vlan vlan_mask = {.tci = htons(VLAN_MASK)};
    struct rte_flow_item_ipv4 ip = {.hdr.dst_addr = htonl(line->group)};
    struct rte_flow_item_ipv4 ip_mask = {.hdr.dst_addr = UINT32_MAX};
    struct rte_flow_item_udp udp = {.hdr.dst_port = htons(line->udp_port)};
    struct rte_flow_item_udp udp_mask = {.hdr.dst_port = UINT16_MAX};
    struct rte_flow_action_queue queue = {
        .index = (uint16_t)(port->line_count % port->queue_count)};
    struct rte_flow_item items[5] = {{.type = RTE_FLOW_ITEM_TYPE_ETH}};
    int at = 1;
    if (line->vlan)
        items[at++] = (struct rte_flow_item){
            .type = RTE_FLOW_ITEM_TYPE_VLAN, .spec = &vlan, .mask = &vlan_mask};
    items[at++] = (struct rte_flow_item){
        .type = RTE_FLOW_ITEM_TYPE_IPV4, .spec = &ip, .mask = &ip_mask};
    items[at++] = (struct rte_flow_item){
        .type = RTE_FLOW_ITEM_TYPE_UDP, .spec = &udp, .mask = &udp_mask};
    items[at].type = RTE_FLOW_ITEM_TYPE_END;
    struct rte_flow_action actions[] = {
        {.type = RTE_FLOW_ACTION_TYPE_QUEUE, .conf = &queue}, {.type = RTE_FLOW_ACTION_TYPE_END}};
    struct rte_flow_attr attributes = {.ingress = 1};
    struct rte_flow_error error = {0};
    own->flow = rte_flow_create(port->port_id, &attributes, items, actions, &error);
    if (own->flow) return 0;
    swp_set_error(port->error_text, "rule of the device: %s",
                  error.message ? error.message : "refused");
    return -EIO;
}

static void leave(dpdk_port *port, const dpdk_line *line) {
    struct rte_flow_error error;
    if (line->flow) rte_flow_destroy(port->port_id, line->flow, &error);
    if (line->joined.fd >= 0) close(line->joined.fd);
}

/* --- lines -------------------------------------------------------------------------------- */

/* A membership of the kernel's too, so that the switch is asked for the group. */
static int add_line(dpdk_port *port, dpdk_line *own) {
    swp_line *line = &own->joined;
    int multicast = swp_is_multicast(line->group);
    int failed = swp_line_check(line, port->lines, port->line_count, sizeof *port->lines,
                                port->error_text);
    if (!failed && multicast) failed = let_in(port, line->group);
    if (!failed && multicast && port->iface[0])
        failed = swp_line_member(line, port->iface, port->error_text);
    if (!failed && port->isolated) failed = add_rule(port, own);
    if (failed) {
        leave(port, own);
        return failed;
    }
    port->lines[port->line_count++] = *own;
    insert_key(port, dpdk_line_key(line->group, line->udp_port, line->vlan));
    return 0;
}

int dpdk_join(void *handle, uint32_t group, uint16_t udp_port, uint16_t vlan) {
    dpdk_port *port = handle;
    dpdk_line line = {.joined = {.group = group, .udp_port = udp_port, .vlan = vlan, .fd = -1}};
    dpdk_guard guard;
    dpdk_guard_begin(&guard);
    int failed = add_line(port, &line);
    dpdk_guard_end(&guard);
    return failed;
}

void dpdk_leave_all(dpdk_port *port) {
    for (uint32_t index = 0; index < port->line_count; index++) leave(port, &port->lines[index]);
    port->line_count = 0;
}
