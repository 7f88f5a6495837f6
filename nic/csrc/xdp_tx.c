/* Sending: frames as they are, and datagrams with headers written in front, from frames of ours. */
#define _GNU_SOURCE
#include "xdp_port.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "udp_frame.h"

#define ETHERNET_BYTES 14u
#define IPV4_TTL_AT (ETHERNET_BYTES + 8u)
#define IPV4_CHECKSUM_AT (ETHERNET_BYTES + 10u)
#define TTL_OF_HEADERS 1u       /* as swp_udp_frame_write leaves it */
#define TTL_UNICAST 64u

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

/* RFC 1624: a checksum after one 16-bit word of what it covers went from `old` to `new`. */
static uint32_t update_checksum(uint32_t checksum, uint32_t old, uint32_t new) {
    uint32_t sum = (~checksum & 0xffffu) + (~old & 0xffffu) + new;
    sum = (sum & 0xffffu) + (sum >> 16);
    sum = (sum & 0xffffu) + (sum >> 16);
    return ~sum & 0xffffu;
}

static void set_ttl(uint8_t *frame, uint32_t ttl) {
    uint32_t protocol = frame[IPV4_TTL_AT + 1];
    uint32_t checksum = (uint32_t)frame[IPV4_CHECKSUM_AT] << 8 | frame[IPV4_CHECKSUM_AT + 1];
    checksum = update_checksum(checksum, TTL_OF_HEADERS << 8 | protocol, ttl << 8 | protocol);
    frame[IPV4_TTL_AT] = (uint8_t)ttl;
    frame[IPV4_CHECKSUM_AT] = (uint8_t)(checksum >> 8);
    frame[IPV4_CHECKSUM_AT + 1] = (uint8_t)checksum;
}

/* Writes the headers for `cookie`; 0, or -errno where the address has no MAC yet. */
static int write_headers(xdp_port *port, uint8_t *frame, uint64_t cookie, uint32_t payload_bytes) {
    swp_udp_addresses addresses = {
        .source_ip = port->source_ip, .destination_ip = (uint32_t)(cookie >> 16),
        .source_port = port->source_port, .destination_port = (uint16_t)cookie};
    int multicast = addresses.destination_ip >> 28 == 14;
    uint8_t mac[XDP_MAC_BYTES];
    if (port->source_ip == 0) {
        swp_set_error(port->error_text, "tx: %s has no IPv4 address to send from", port->device);
        return -EADDRNOTAVAIL;
    }
    int failed = multicast ? 0 : xdp_neighbour_find(port, addresses.destination_ip, mac);
    if (failed) return failed;
    swp_udp_frame_write(frame, &addresses, payload_bytes);
    memcpy(frame + XDP_MAC_BYTES, port->source_mac, XDP_MAC_BYTES);
    if (!multicast) memcpy(frame, mac, XDP_MAC_BYTES);
    set_ttl(frame, multicast ? port->config.ttl : TTL_UNICAST);
    return 0;
}

static int send_frame(xdp_port *port, const void *data, uint32_t length_bytes, uint64_t cookie) {
    uint32_t headers_bytes = cookie ? SWP_UDP_HEADERS_BYTES : 0u;
    if (data == NULL || length_bytes == 0) return xdp_fail(port, "tx", EINVAL);
    if (cookie == 0 && length_bytes < ETHERNET_BYTES)
        return xdp_fail(port, "tx: no whole Ethernet frame", EINVAL);
    if (length_bytes > port->tx_max_bytes - headers_bytes) return xdp_fail(port, "tx", EMSGSIZE);
    reap(port);
    if (port->tx_free_count == 0) {
        xdp_kick(port);
        return xdp_fail(port, "tx: as many frames as the ring holds are on their way", EAGAIN);
    }
    uint64_t offset = port->tx_free[port->tx_free_count - 1];
    uint8_t *frame = port->pool + offset;
    int failed = cookie ? write_headers(port, frame, cookie, length_bytes) : 0;
    if (failed) return failed;
    memcpy(frame + headers_bytes, data, length_bytes);
    port->tx_free_count--;
    return submit(port, offset, headers_bytes + length_bytes);
}

int xdp_tx(void *handle, const void *data, uint32_t length_bytes, uint64_t cookie) {
    xdp_port *port = handle;
    int failed = send_frame(port, data, length_bytes, cookie);
    if (failed) {
        port->stats.tx_failed++;
        return failed;
    }
    port->stats.tx_packets++;
    port->stats.tx_bytes += length_bytes;
    return 0;
}
