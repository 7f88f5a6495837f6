/* Joining: a line in the filter, and an ordinary socket that is a member of the group, so that
 * switches and the NIC send it here. That socket is bound to no port and never gets a datagram. */
#define _GNU_SOURCE
#include "xdp_port.h"

#include <errno.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

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

int xdp_join(void *handle, uint32_t group, uint16_t udp_port, uint16_t vlan) {
    xdp_port *port = handle;
    swp_line line = {.group = group, .udp_port = udp_port, .vlan = vlan, .fd = -1};
    int failed = swp_line_check(&line, port->lines, port->line_count, sizeof *port->lines,
                                port->error_text);
    if (!failed && vlan) failed = check_tags(port);
    if (!failed && swp_is_multicast(group))
        failed = swp_line_member(&line, port->device, port->error_text);
    if (!failed) failed = xdp_filter_add(port, &line);
    if (failed) {
        if (line.fd >= 0) close(line.fd);
        return failed;
    }
    port->lines[port->line_count++] = line;
    return 0;
}
