/* Sending: frames as they are, and datagrams with headers written in front, from frames of ours. */
#define _GNU_SOURCE
#include "xdp_port.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

static void reap(xdp_port *port) {
    xdp_ring *done = &port->queues[0].completion;
    uint32_t end = xdp_load(done->producer);
    if (done->ours == end) return;
    while (done->ours != end)
        port->tx_free[port->tx_free_count++] = *xdp_offset_at(done, done->ours++);
    xdp_publish(done->consumer, end);
}

/* The kernel being busy is no failure: the frame stays in the ring, and the call is made again. */
int xdp_kick(xdp_port *port) {
    const xdp_queue *queue = &port->queues[0];
    port->tx_waits = 0;
    if (port->config.need_wakeup && !port->polls_itself && !xdp_wants_wakeup(&queue->tx)) return 0;
    if (sendto(queue->fd, NULL, 0, MSG_DONTWAIT, NULL, 0) >= 0) return 0;
    if (errno != EAGAIN && errno != EBUSY && errno != ENOBUFS) return -errno;
    port->tx_waits = 1;
    return 0;
}

/* With the interface down the kernel did not look at the ring: the frame is taken out again, or it
 * would leave whenever the interface comes back. */
static int take_back(xdp_port *port, uint64_t offset, int error) {
    xdp_ring *tx = &port->queues[0].tx;
    if (!port->is_zerocopy && xdp_load(tx->consumer) != tx->ours) {
        xdp_publish(tx->producer, --tx->ours);
        port->tx_free[port->tx_free_count++] = offset;
    }
    return xdp_fail(port, "tx: sendto", error);
}

static int submit(xdp_port *port, uint64_t offset, uint32_t length_bytes) {
    xdp_ring *tx = &port->queues[0].tx;
    *xdp_desc_at(tx, tx->ours++) = (struct xdp_desc){.addr = offset, .len = length_bytes};
    xdp_publish(tx->producer, tx->ours);
    int failed = xdp_kick(port);
    return failed ? take_back(port, offset, -failed) : 0;
}

/* A destination's first send finds the way to it. NULL, and in `failed` -errno, where the address
 * has no MAC yet. */
static const swp_udp_template *add_destination(xdp_port *port, uint64_t cookie, int *failed) {
    uint32_t ip = (uint32_t)(cookie >> 16);
    int multicast = swp_is_multicast(ip);
    uint8_t mac[XDP_MAC_BYTES];
    if (port->source.ip == 0) {
        swp_set_error(port->error_text, "tx: %s has no IPv4 address to send from", port->device);
        *failed = -EADDRNOTAVAIL;
        return NULL;
    }
    *failed = multicast ? 0 : xdp_neighbour_find(port, ip, mac);
    if (*failed) return NULL;
    return swp_destination_add(&port->destinations, cookie, &port->source, multicast ? NULL : mac,
                               multicast ? port->config.ttl : SWP_TTL_UNICAST);
}

static int send_frame(xdp_port *port, const void *data, uint32_t length_bytes, uint64_t cookie) {
    const swp_udp_template *to = NULL;
    int failed = swp_check_tx(port->error_text, data, length_bytes, cookie, port->tx_max_bytes);
    if (failed) return failed;
    if (cookie) {
        to = swp_destination_find(&port->destinations, cookie);
        if (to == NULL) to = add_destination(port, cookie, &failed);
        if (to == NULL) return failed;
    }
    reap(port);
    if (port->tx_free_count == 0) {
        xdp_kick(port);
        return xdp_fail(port, "tx: as many frames as the ring holds are on their way", EAGAIN);
    }
    uint64_t offset = port->tx_free[--port->tx_free_count];
    uint8_t *frame = port->pool + offset;
    if (to) length_bytes = swp_udp_template_write(to, frame, data, length_bytes, 0, 0);
    else memcpy(frame, data, length_bytes);
    return submit(port, offset, length_bytes);
}

int xdp_tx(void *handle, const void *data, uint32_t length_bytes, uint64_t cookie) {
    xdp_port *port = handle;
    int result = send_frame(port, data, length_bytes, cookie);
    return swp_count_tx(&port->stats, length_bytes, result);
}
