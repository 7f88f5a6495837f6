#define _GNU_SOURCE
#include "lines.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "common.h"

int swp_line_check(const swp_line *line, const void *lines, uint32_t count, size_t line_bytes,
                   char *error_text) {
    if (line->group == 0 || line->udp_port == 0 || line->vlan > SWP_VLAN_MOST) {
        swp_set_error(error_text, "join: group, port and vlan (0 to %u) must be valid",
                      SWP_VLAN_MOST);
        return -EINVAL;
    }
    for (uint32_t index = 0; index < count; index++) {
        const swp_line *other = (const void *)((const uint8_t *)lines + index * line_bytes);
        if (other->group == line->group && other->udp_port == line->udp_port &&
            other->vlan == line->vlan)
            return swp_fail(error_text, "join", EALREADY);
    }
    return count == SWP_LINES_MAX ? swp_fail(error_text, "join", ENOSPC) : 0;
}

int swp_line_interface(const swp_line *line, const char *device, int *index, char *error_text) {
    char name[IF_NAMESIZE + 8];
    if (line->vlan) snprintf(name, sizeof name, "%s.%u", device, line->vlan);
    else snprintf(name, sizeof name, "%s", device);
    *index = (int)if_nametoindex(name);
    if (*index) return 0;
    swp_set_error(error_text, "%s: no such interface", name);
    return -ENODEV;
}

int swp_line_member(swp_line *line, const char *device, char *error_text) {
    struct ip_mreqn membership = {.imr_multiaddr.s_addr = htonl(line->group)};
    int failed = swp_line_interface(line, device, &membership.imr_ifindex, error_text);
    if (failed) return failed;
    line->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, IPPROTO_UDP);
    if (line->fd < 0) return swp_fail(error_text, "socket", errno);
    if (setsockopt(line->fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &membership, sizeof membership))
        return swp_fail(error_text, "IP_ADD_MEMBERSHIP", errno);
    return 0;
}
