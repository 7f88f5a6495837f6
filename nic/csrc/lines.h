/* Lines: what a port has joined, and the kernel's part in that. */
#ifndef SWEEPWIRE_LINES_H
#define SWEEPWIRE_LINES_H

#include <stddef.h>
#include <stdint.h>

#define SWP_LINES_MAX 512
#define SWP_VLAN_MOST 4094u

/* A backend's own line begins with it. Host byte order. */
typedef struct {
    uint32_t group;
    uint16_t udp_port;
    uint16_t vlan;               /* 0 = none */
    int fd;                      /* of the kernel's socket for the line, -1 = none */
} swp_line;

/* All three: 0, or -errno and why in `error_text`. */

/* Whether a line may be joined after `count` others, of `line_bytes` each. */
int swp_line_check(const swp_line *line, const void *lines, uint32_t count, size_t line_bytes,
                   char *error_text);
/* The kernel's interface for a line. A VLAN's traffic comes out of a sub-interface: eth0.100. */
int swp_line_interface(const swp_line *line, const char *device, int *index, char *error_text);
/* Opens a socket that is a member of the line's group, so that NIC and switch deliver it; it is
 * bound to no port and gets nothing. Its `fd` is open also after a failure, unless it is -1. */
int swp_line_member(swp_line *line, const char *device, char *error_text);

#endif
