/* What socket.c and socket_join.c share: the port of a socket backend. */
#ifndef SWEEPWIRE_SOCKET_PORT_H
#define SWEEPWIRE_SOCKET_PORT_H

#include <net/if.h>
#include <netinet/in.h>
#include <stdint.h>
#include <sys/socket.h>

#include "common.h"
#include "lines.h"

typedef struct {
    swp_line joined;
    uint32_t kernel_drops;     /* SO_RXQ_OVFL: the socket's own count, which wraps */
} socket_line;

typedef struct {
    swp_stats stats;
    swp_ring_account ring;
    uint32_t ring_mask;
    uint32_t frame_bytes;
    uint32_t stride_bytes;
    uint32_t line_count;       /* written last by join(), read by the polling thread */
    uint8_t *pool;
    uint8_t *controls;
    struct mmsghdr *messages;
    struct iovec *vectors;
    struct sockaddr_in *senders;
    int epoll_fd;
    int tx_fd;
    swp_socket_config config;
    char device[IF_NAMESIZE];
    socket_line lines[SWP_LINES_MAX];
    char error_text[SWP_ERROR_TEXT_BYTES];
} socket_port;

/* Notes the failure in the port's error text. Returns -error. */
int socket_fail(socket_port *port, const char *what, int error);
/* Both: 0, or -errno noted in the port's error text. */
int socket_option(socket_port *port, int fd, int level, int name, int value, const char *what);
int socket_join(void *handle, uint32_t group, uint16_t udp_port, uint16_t vlan);

#endif
