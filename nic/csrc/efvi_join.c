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
    swp_set_error(port->error_text, "%s: %s", what, strerror(error));
    return -error;
}

static int is_multicast(uint32_t group) {
    return group >> 28 == 14;
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

static int add_filter(efvi_port *port, efvi_line *line) {
    int exclusive = efvi_is_shared(port) && port->config.exclusive;
    struct in_addr address = {.s_addr = htonl(line->group)};
    char text[INET_ADDRSTRLEN];
    ef_filter_spec spec;
    ef_filter_spec_init(&spec, exclusive ? EF_FILTER_FLAG_EXCLUSIVE_RXQ : EF_FILTER_FLAG_NONE);
    int failed = ef_filter_spec_set_ip4_local(&spec, IPPROTO_UDP, address.s_addr,
                                              htons(line->udp_port));
    if (!failed && line->vlan) failed = ef_filter_spec_set_vlan(&spec, line->vlan);
    if (!failed) failed = ef_vi_filter_add(&port->rx_vi, port->driver, &spec, &line->filter);
    if (!failed) return 0;
    swp_set_error(port->error_text, "%s: the NIC refuses a filter for %s:%u on VLAN %u: %s",
                  port->device, inet_ntop(AF_INET, &address, text, sizeof text), line->udp_port,
                  line->vlan, strerror(-failed));
    return failed;
}

/* The kernel's sub-interface for a VLAN is named like eth0.100. */
static int find_interface(efvi_port *port, uint16_t vlan, int *index) {
    char name[IF_NAMESIZE + 8];
    if (vlan) snprintf(name, sizeof name, "%s.%u", port->device, vlan);
    else snprintf(name, sizeof name, "%s", port->device);
    *index = (int)if_nametoindex(name);
    if (*index) return 0;
    swp_set_error(port->error_text, "%s: no such interface to join the group on; igmp=0 does "
                  "without", name);
    return -ENODEV;
}

static int join_group(efvi_port *port, efvi_line *line) {
    struct ip_mreqn membership = {.imr_multiaddr.s_addr = htonl(line->group)};
    if (!port->config.igmp || !is_multicast(line->group)) return 0;
    int failed = find_interface(port, line->vlan, &membership.imr_ifindex);
    if (failed) return failed;
    line->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, IPPROTO_UDP);
    if (line->fd < 0) return efvi_fail(port, "socket", errno);
    if (setsockopt(line->fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &membership, sizeof membership))
        return efvi_fail(port, "IP_ADD_MEMBERSHIP", errno);
    return 0;
}

static int check_join(efvi_port *port, const efvi_line *line) {
    if (line->group == 0 || line->udp_port == 0 || line->vlan > 4094) {
        swp_set_error(port->error_text, "join: group, port and vlan (0 to 4094) must be valid");
        return -EINVAL;
    }
    if (hash_has(port, line_key(line->group, line->udp_port, line->vlan)))
        return efvi_fail(port, "join", EALREADY);
    return port->line_count == EFVI_LINES_MAX ? efvi_fail(port, "join", ENOSPC) : 0;
}

int efvi_join(void *handle, uint32_t group, uint16_t udp_port, uint16_t vlan) {
    efvi_port *port = handle;
    efvi_line line = {.group = group, .udp_port = udp_port, .vlan = vlan, .fd = -1};
    int failed = check_join(port, &line);
    if (!failed) failed = join_group(port, &line);
    if (!failed) failed = add_filter(port, &line);
    if (failed) {
        if (line.fd >= 0) close(line.fd);
        return failed;
    }
    hash_add(port, line_key(group, udp_port, vlan));
    port->lines[port->line_count++] = line;
    return 0;
}

void efvi_leave_all(efvi_port *port) {
    for (uint32_t index = 0; index < port->line_count; index++) {
        efvi_line *line = &port->lines[index];
        ef_vi_filter_del(&port->rx_vi, port->driver, &line->filter);
        if (line->fd >= 0) close(line->fd);
    }
    port->line_count = 0;
}
