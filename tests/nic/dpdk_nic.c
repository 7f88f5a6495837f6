/* What a NIC would say: calls that virtual devices do not have, answered by a double. The driver is
 * linked so that the backend's come here. */
#define _GNU_SOURCE
#include "dpdk_driver.h"

#include <arpa/inet.h>
#include <errno.h>
#include <rte_flow.h>
#include <string.h>

static struct {
    int list_result, all_result, isolate_result;
    uint32_t mac_count, all_count, isolated, rules, queue;
    uint32_t group, vlan, udp_port;
    uint8_t last_mac;
} nic;

int __wrap_rte_eth_dev_set_mc_addr_list(uint16_t id, struct rte_ether_addr *macs, uint32_t count) {
    (void)id;
    if (nic.list_result == 0) nic.mac_count = count;
    nic.last_mac = macs[0].addr_bytes[5];
    return nic.list_result;
}

int __wrap_rte_eth_allmulticast_enable(uint16_t id) {
    (void)id;
    nic.all_count++;
    return nic.all_result;
}

int __wrap_rte_flow_isolate(uint16_t id, int set, struct rte_flow_error *error) {
    (void)id, (void)error;
    if (nic.isolate_result == 0) nic.isolated = (uint32_t)set;
    return nic.isolate_result;
}

struct rte_flow *__wrap_rte_flow_create(uint16_t id, const struct rte_flow_attr *attributes,
                                        const struct rte_flow_item *items,
                                        const struct rte_flow_action *actions,
                                        struct rte_flow_error *error) {
    (void)id;
    EXPECT(attributes->ingress && items[0].type == RTE_FLOW_ITEM_TYPE_ETH);
    EXPECT(actions[0].type == RTE_FLOW_ACTION_TYPE_QUEUE);
    EXPECT(actions[1].type == RTE_FLOW_ACTION_TYPE_END);
    nic.vlan = 0;
    for (items++; items->type != RTE_FLOW_ITEM_TYPE_END; items++) {
        if (items->type == RTE_FLOW_ITEM_TYPE_VLAN)
            nic.vlan = ntohs(((const struct rte_flow_item_vlan *)items->spec)->tci);
        else if (items->type == RTE_FLOW_ITEM_TYPE_IPV4)
            nic.group = ntohl(((const struct rte_flow_item_ipv4 *)items->spec)->hdr.dst_addr);
        else if (items->type == RTE_FLOW_ITEM_TYPE_UDP)
            nic.udp_port = ntohs(((const struct rte_flow_item_udp *)items->spec)->hdr.dst_port);
        else EXPECT(!"an item of another kind");
    }
    nic.queue = ((const struct rte_flow_action_queue *)actions[0].conf)->index;
    error->message = "no room for a rule";
    if (nic.rules == 3) return NULL;
    nic.rules++;
    return (struct rte_flow *)&nic;
}

int __wrap_rte_flow_destroy(uint16_t id, struct rte_flow *flow, struct rte_flow_error *error) {
    (void)id, (void)error;
    EXPECT(flow == (struct rte_flow *)&nic);
    nic.rules--;
    return 0;
}

void torment_list(void) {
    swp_dpdk_config config = usual("net_null8");
    dpdk_port *port = open_port(&config);
    nic.list_result = 0;
    EXPECT(ops->join(port, GROUP, UDP_PORT, 0) == 0 && nic.mac_count == 1);
    EXPECT(ops->join(port, GROUP, UDP_PORT + 1, 0) == 0 && nic.mac_count == 1);
    EXPECT(ops->join(port, GROUP + 0x01000000u - 0x10000000u + 1, UDP_PORT, 0) == 0);
    EXPECT(ops->join(port, GROUP - 0x01000000u, UDP_PORT, 0) == 0 && nic.mac_count == 2);
    EXPECT(ops->join(port, 0x0a000001u, UDP_PORT, 0) == 0 && nic.mac_count == 2);
    EXPECT(nic.last_mac == (GROUP & 0xff) && nic.all_count == 0);
    nic.list_result = -ENOSPC;
    EXPECT(ops->join(port, GROUP + 2, UDP_PORT, 0) == 0 && nic.all_count == 1);
    nic.all_result = -ENOTSUP;
    EXPECT(ops->join(port, GROUP + 3, UDP_PORT, 0) == -ENOSPC && port->line_count == 6);
    EXPECT(strstr(ops->last_error(port), "multicast list"));
    nic.list_result = -ENOTSUP;
    EXPECT(ops->join(port, GROUP + 3, UDP_PORT, 0) == 0 && port->line_count == 7);
    ops->close(port);
}

void torment_rules(void) {
    swp_dpdk_config config = usual("net_null8");
    config.flow = 1;
    config.queue_count = 2;
    dpdk_port *port = open_port(&config);
    EXPECT(nic.isolated == 1);
    EXPECT(ops->join(port, GROUP, UDP_PORT, 0) == 0 && nic.rules == 1 && nic.queue == 0);
    EXPECT(nic.group == GROUP && nic.udp_port == UDP_PORT && nic.vlan == 0);
    EXPECT(ops->join(port, GROUP, UDP_PORT, VLAN) == 0 && nic.vlan == VLAN && nic.queue == 1);
    EXPECT(ops->join(port, GROUP + 1, UDP_PORT, 0) == 0 && nic.queue == 0);
    EXPECT(ops->join(port, GROUP + 2, UDP_PORT, 0) == -EIO && port->line_count == 3);
    EXPECT(strcmp(ops->last_error(port), "rule of the device: no room for a rule") == 0);
    ops->close(port);
    EXPECT(nic.rules == 0 && nic.isolated == 0);
    nic.isolate_result = -ENOSYS;
    port = open_port(&config);
    EXPECT(ops->join(port, GROUP, UDP_PORT, 0) == 0 && nic.rules == 0);
    ops->close(port);
}
