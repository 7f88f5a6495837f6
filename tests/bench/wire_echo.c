/* The shortest loops there are: a datagram in, an order out, by sockets and by a port's table. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

#include "port.h"

#define HEADERS_BYTES 42
#define LAST UINT64_MAX /* the number that ends a loop */

/* With flags 0 it blocks, with MSG_DONTWAIT it spins. Returns the number of orders. */
uint64_t echo_sockets(int rx_fd, int tx_fd, int flags, uint32_t ip, uint16_t udp_port,
                      uint8_t *order, uint32_t order_bytes) {
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(udp_port),
                             .sin_addr.s_addr = htonl(ip)};
    uint64_t count = 0, number = 0;
    uint8_t message[2048];
    while (number != LAST) {
        if (recv(rx_fd, message, sizeof message, flags) < (ssize_t)sizeof number) continue;
        memcpy(&number, message, sizeof number);
        memcpy(order, &number, sizeof number);
        sendto(tx_fd, order, order_bytes, 0, (struct sockaddr *)&to, sizeof to);
        count++;
    }
    return count;
}

uint64_t echo_port(const swp_ops *ops, void *port, uint64_t cookie, uint8_t *order,
                   uint32_t order_bytes) {
    uint64_t count = 0, number = 0;
    swp_descriptor frames[64];
    ops->thread_init(port);
    while (number != LAST) {
        int64_t got = ops->rx_burst(port, frames, 64);
        for (int64_t index = 0; index < got; index++) {
            memcpy(&number, (const uint8_t *)(uintptr_t)frames[index].address + HEADERS_BYTES,
                   sizeof number);
            memcpy(order, &number, sizeof number);
            ops->tx(port, order, order_bytes, cookie);
            count++;
        }
        if (got > 0) ops->release(port, frames, got);
    }
    return count;
}
