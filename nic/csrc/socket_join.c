/* Joining: one socket for each group and port, bound to both so that the kernel filters. */
#define _GNU_SOURCE
#include "socket_port.h"
#include "udp_frame.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

int socket_fail(socket_port *port, const char *what, int error) {
    return swp_fail(port->error_text, what, error);
}

int socket_option(socket_port *port, int fd, int level, int name, int value, const char *what) {
    return setsockopt(fd, level, name, &value, sizeof value) ? socket_fail(port, what, errno) : 0;
}

static int set_receive_buffer(socket_port *port, int fd) {
    int asked = (int)port->config.rcvbuf_bytes, granted = 0;
    socklen_t size = sizeof granted;
    if (asked == 0) return 0;
    if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &asked, sizeof asked))
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &asked, sizeof asked);
    getsockopt(fd, SOL_SOCKET, SO_RCVBUF, &granted, &size);
    if (granted / 2 >= asked) return 0;  /* the kernel doubles what it grants */
    swp_set_error(port->error_text, "rcvbuf: asked for %d bytes, the kernel grants %d; raise "
                  "net.core.rmem_max", asked, granted / 2);
    return -ENOBUFS;
}

static int set_line_options(socket_port *port, int fd, int multicast) {
    int failed = socket_option(port, fd, SOL_SOCKET, SO_TIMESTAMPNS, 1, "SO_TIMESTAMPNS");
    if (!failed) failed = socket_option(port, fd, SOL_SOCKET, SO_RXQ_OVFL, 1, "SO_RXQ_OVFL");
    if (!failed) failed = set_receive_buffer(port, fd);
    if (!failed && port->config.busy_poll_us)
        failed = socket_option(port, fd, SOL_SOCKET, SO_BUSY_POLL,
                               (int)port->config.busy_poll_us, "SO_BUSY_POLL");
    if (failed || !multicast) return failed;
    /* Several processes may listen to one group, and only the joined interface counts. */
    failed = socket_option(port, fd, SOL_SOCKET, SO_REUSEADDR, 1, "SO_REUSEADDR");
    if (failed) return failed;
    return socket_option(port, fd, IPPROTO_IP, IP_MULTICAST_ALL, 0, "IP_MULTICAST_ALL");
}

static int bind_line(socket_port *port, int fd, const swp_line *line) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(line->udp_port),
                                  .sin_addr.s_addr = htonl(line->group)};
    struct ip_mreqn membership = {.imr_multiaddr.s_addr = htonl(line->group)};
    int failed = swp_line_interface(line, port->device, &membership.imr_ifindex,
                                    port->error_text);
    if (!failed) failed = set_line_options(port, fd, swp_is_multicast(line->group));
    if (failed) return failed;
    if (bind(fd, (struct sockaddr *)&address, sizeof address))
        return socket_fail(port, "bind", errno);
    if (!swp_is_multicast(line->group)) return 0;
    if (setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &membership, sizeof membership))
        return socket_fail(port, "IP_ADD_MEMBERSHIP", errno);
    return 0;
}

int socket_join(void *handle, uint32_t group, uint16_t udp_port, uint16_t vlan) {
    socket_port *port = handle;
    swp_line line = {.group = group, .udp_port = udp_port, .vlan = vlan};
    int failed = swp_line_check(&line, port->lines, port->line_count, sizeof *port->lines,
                                port->error_text);
    if (failed) return failed;
    line.fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_UDP);
    if (line.fd < 0) return socket_fail(port, "socket", errno);
    failed = bind_line(port, line.fd, &line);
    struct epoll_event event = {.events = EPOLLIN, .data.u32 = port->line_count};
    port->lines[port->line_count] = (socket_line){.joined = line};
    if (!failed && epoll_ctl(port->epoll_fd, EPOLL_CTL_ADD, line.fd, &event))
        failed = socket_fail(port, "epoll_ctl", errno);
    if (failed) {
        close(line.fd);
        return failed;
    }
    __atomic_store_n(&port->line_count, port->line_count + 1, __ATOMIC_RELEASE);
    return 0;
}
