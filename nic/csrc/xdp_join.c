/* Joining: a line in the filter, and an ordinary socket that is a member of the group, so that
 * switches and the NIC send it here. That socket is bound to no port and never gets a datagram. */
#define _GNU_SOURCE
#include "xdp_port.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

static int is_multicast(uint32_t group) {
    return group >> 28 == 14;
}

static int check_join(xdp_port *port, const xdp_line *line) {
    if (line->group == 0 || line->udp_port == 0 || line->vlan > 4094) {
        swp_set_error(port->error_text, "join: group, port and vlan (0 to 4094) must be valid");
        return -EINVAL;
    }
    for (uint32_t index = 0; index < port->line_count; index++) {
        const xdp_line *other = &port->lines[index];
        if (other->group == line->group && other->udp_port == line->udp_port &&
            other->vlan == line->vlan)
            return xdp_fail(port, "join", EALREADY);
    }
    return port->line_count == XDP_LINES_MAX ? xdp_fail(port, "join", ENOSPC) : 0;
}

/* A NIC that takes VLAN tags off hides from the filter which VLAN a frame came on. */
static int check_tags(xdp_port *port) {
    struct ethtool_value value = {.cmd = ETHTOOL_GFLAGS};
    struct ifreq request = {.ifr_data = (char *)&value};
    memcpy(request.ifr_name, port->device, sizeof port->device);
    if (ioctl(port->control_fd, SIOCETHTOOL, &request)) return 0;
    if (!(value.data & ETH_FLAG_RXVLAN)) return 0;
    swp_set_error(port->error_text, "join: %s takes VLAN tags off its frames; turn that off with "
                  "ethtool -K %s rxvlan off", port->device, port->device);
    return -EOPNOTSUPP;
}

/* Membership on a VLAN is held by the kernel's sub-interface for it: eth0.100. */
static int become_member(xdp_port *port, xdp_line *line) {
    char name[IF_NAMESIZE + 8];
    if (line->vlan) snprintf(name, sizeof name, "%s.%u", port->device, line->vlan);
    else snprintf(name, sizeof name, "%s", port->device);
    struct ip_mreqn membership = {.imr_multiaddr.s_addr = htonl(line->group),
                                  .imr_ifindex = (int)if_nametoindex(name)};
    if (membership.imr_ifindex == 0) {
        swp_set_error(port->error_text, "%s: no such interface", name);
        return -ENODEV;
    }
    line->membership_fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, IPPROTO_UDP);
    if (line->membership_fd < 0) return xdp_fail(port, "socket", errno);
    if (setsockopt(line->membership_fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &membership,
                   sizeof membership))
        return xdp_fail(port, "IP_ADD_MEMBERSHIP", errno);
    return 0;
}

int xdp_join(void *handle, uint32_t group, uint16_t udp_port, uint16_t vlan) {
    xdp_port *port = handle;
    xdp_line line = {.group = group, .udp_port = udp_port, .vlan = vlan, .membership_fd = -1};
    int failed = check_join(port, &line);
    if (!failed && vlan) failed = check_tags(port);
    if (!failed && is_multicast(group)) failed = become_member(port, &line);
    if (!failed) failed = xdp_filter_add(port, &line);
    if (failed) {
        if (line.membership_fd >= 0) close(line.membership_fd);
        return failed;
    }
    port->lines[port->line_count++] = line;
    return 0;
}
