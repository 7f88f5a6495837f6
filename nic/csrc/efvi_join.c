/* Joining: a filter on the NIC for each group and port, and an ordinary socket that holds the
 * membership, since filters do not speak IGMP. What shared queues bring besides is left out again
 * by a table of the lines. */
#define _GNU_SOURCE
#include "efvi_port.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "udp_frame.h"

#define HASH_MULTIPLIER 0x9e3779b97f4a7c15ull
#define HASH_SHIFT 53             /* leaves the 11 bits of EFVI_HASH_SLOTS */
#define ETHERTYPE_VLAN 0x8100u
#define VLAN_ID_MASK 0xfffu

int efvi_fail(efvi_port *port, const char *what, int error) {
    return swp_fail(port->error_text, what, error);
}

static uint64_t line_key(uint32_t group, uint16_t udp_port, uint16_t vlan) {
    return 1ull << 63 | (uint64_t)vlan << 48 | (uint64_t)group << 16 | udp_port;
}

static uint64_t hash_slot(uint64_t key) {
    return key * HASH_MULTIPLIER >> HASH_SHIFT;
}

static void hash_add(efvi_port *port, uint64_t key) {
    uint64_t slot = hash_slot(key);
    while (port->wanted_hash[slot]) slot = (slot + 1) % EFVI_HASH_SLOTS;
    __atomic_store_n(&port->wanted_hash[slot], key, __ATOMIC_RELEASE);
}

static int hash_has(const efvi_port *port, uint64_t key) {
    uint64_t slot = hash_slot(key), found;
    while ((found = __atomic_load_n(&port->wanted_hash[slot], __ATOMIC_ACQUIRE)) != 0) {
        if (found == key) return 1;
        slot = (slot + 1) % EFVI_HASH_SLOTS;
    }
    return 0;
}

int efvi_wanted(const efvi_port *port, const uint8_t *frame, uint32_t length_bytes) {
    swp_udp_datagram datagram;
    uint16_t vlan = 0;
    if (swp_udp_frame_read(frame, length_bytes, &datagram)) return -1;
    if (((uint32_t)frame[12] << 8 | frame[13]) == ETHERTYPE_VLAN)
        vlan = ((uint32_t)frame[14] << 8 | frame[15]) & VLAN_ID_MASK;
    return hash_has(port, line_key(datagram.destination_ip, datagram.destination_port, vlan));
}

static int add_filter(efvi_port *port, efvi_line *own) {
    const swp_line *line = &own->joined;
    int exclusive = efvi_is_shared(port) && port->config.exclusive;
    struct in_addr address = {.s_addr = htonl(line->group)};
    char text[INET_ADDRSTRLEN];
    ef_filter_spec spec;
    ef_filter_spec_init(&spec, exclusive ? EF_FILTER_FLAG_EXCLUSIVE_RXQ : EF_FILTER_FLAG_NONE);
    int failed = ef_filter_spec_set_ip4_local(&spec, IPPROTO_UDP, address.s_addr,
                                              htons(line->udp_port));
    if (!failed && line->vlan) failed = ef_filter_spec_set_vlan(&spec, line->vlan);
    if (!failed) failed = ef_vi_filter_add(&port->rx_vi, port->driver, &spec, &own->filter);
    if (!failed) return 0;
    swp_set_error(port->error_text, "%s: the NIC refuses a filter for %s:%u on VLAN %u: %s",
                  port->device, inet_ntop(AF_INET, &address, text, sizeof text), line->udp_port,
                  line->vlan, strerror(-failed));
    return failed;
}

static int join_group(efvi_port *port, swp_line *line) {
    if (!port->config.igmp || !swp_is_multicast(line->group)) return 0;
    int failed = swp_line_member(line, port->device, port->error_text);
    size_t used = strlen(port->error_text);
    if (failed == -ENODEV)
        snprintf(port->error_text + used, sizeof port->error_text - used,
                 " to join the group on; igmp=0 does without");
    return failed;
}

int efvi_join(void *handle, uint32_t group, uint16_t udp_port, uint16_t vlan) {
    efvi_port *port = handle;
    efvi_line own = {.joined = {.group = group, .udp_port = udp_port, .vlan = vlan, .fd = -1}};
    int failed = swp_line_check(&own.joined, port->lines, port->line_count, sizeof *port->lines,
                                port->error_text);
    if (!failed) failed = join_group(port, &own.joined);
    if (!failed) failed = add_filter(port, &own);
    if (failed) {
        if (own.joined.fd >= 0) close(own.joined.fd);
        return failed;
    }
    hash_add(port, line_key(group, udp_port, vlan));
    port->lines[port->line_count++] = own;
    return 0;
}

void efvi_leave_all(efvi_port *port) {
    for (uint32_t index = 0; index < port->line_count; index++) {
        efvi_line *line = &port->lines[index];
        ef_vi_filter_del(&port->rx_vi, port->driver, &line->filter);
        if (line->joined.fd >= 0) close(line->joined.fd);
    }
    port->line_count = 0;
}
