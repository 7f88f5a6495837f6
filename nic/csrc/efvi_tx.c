/* Sending: by CTPIO, where the CPU writes the frame into the NIC, else from a buffer by DMA.
 *
 * A CTPIO send may fail on the NIC (another sender was quicker, the CPU too slow), so each one is
 * followed by its fallback, the same frame in a registered buffer, before the next send. Neither
 * way has the NIC compute checksums: frames leave as they are written here.
 */
#include "efvi_port.h"

#include <errno.h>
#include <string.h>

#include "frame_checksum.h"

#define FRAME_MIN_BYTES 60u       /* without the FCS */
#define REAP_EVENTS 8
#define REAP_TURNS 16

int efvi_tx_open(efvi_port *port) {
    uint32_t mtu_bytes = ef_vi_mtu(&port->tx_vi, port->driver);
    uint32_t cut_through = port->config.cut_through_bytes;
    port->tx_threshold = cut_through ? cut_through : EF_VI_CTPIO_CT_THRESHOLD_SNF;
    port->tx_frame_max_bytes = mtu_bytes < EFVI_BUFFER_BYTES ? mtu_bytes : EFVI_BUFFER_BYTES;
    port->tx_count = (uint32_t)ef_vi_transmit_capacity(&port->tx_vi) + 1;
    return efvi_memory_get(port, &port->tx_memory, (size_t)port->tx_count * EFVI_BUFFER_BYTES, 1);
}

/* --- completions ------------------------------------------------------------------------- */

static void stop(efvi_port *port, const char *what) {
    port->tx_broken = 1;
    swp_set_error(port->error_text, "tx: %s: %s; open the port anew", port->device, what);
}

static void take_completion(efvi_port *port, const ef_event *event) {
    ef_request_id ids[EF_VI_TRANSMIT_BATCH];
    switch (EF_EVENT_TYPE(*event)) {
    case EF_EVENT_TYPE_TX:
        port->tx_done += (uint64_t)ef_vi_transmit_unbundle(&port->tx_vi, event, ids);
        break;
    case EF_EVENT_TYPE_TX_ERROR:
        port->stats.tx_failed++;
        stop(port, "the NIC could not send a frame and stopped its queue");
        break;
    case EF_EVENT_TYPE_OFLOW:
        stop(port, "the event queue overflowed");
        break;
    case EF_EVENT_TYPE_RESET:
        stop(port, "the NIC was reset");
        break;
    default:
        break;
    }
}

void efvi_reap(efvi_port *port) {
    ef_event events[REAP_EVENTS];
    for (int turn = 0; turn < REAP_TURNS && !port->tx_broken; turn++) {
        int count = ef_eventq_poll(&port->tx_vi, events, REAP_EVENTS);
        for (int index = 0; index < count; index++) take_completion(port, &events[index]);
        if (count < REAP_EVENTS) break;
    }
}

/* --- frames ------------------------------------------------------------------------------ */

static int has_room(const efvi_port *port, uint32_t frame_bytes) {
    if (ef_vi_transmit_space(&port->tx_vi) <= 0) return 0;
    if (!(port->features & SWP_EFVI_CTPIO_ONLY)) return 1;
    return ef_vi_transmit_space_bytes(&port->tx_vi) >= (int)frame_bytes;
}

static int find_room(efvi_port *port, uint32_t frame_bytes) {
    uint64_t under_way = port->tx_posted - port->tx_done;
    if (under_way > port->tx_count / 2 || !has_room(port, frame_bytes)) efvi_reap(port);
    if (port->tx_broken) return -EIO;
    if (has_room(port, frame_bytes)) return 0;
    return efvi_fail(port, "tx: the NIC's queue is full", EAGAIN);
}

static const uint8_t *find_peer(const efvi_port *port, uint32_t ipv4) {
    for (uint32_t index = 0; index < port->config.peer_count; index++)
        if (port->peers[index].ipv4 == ipv4) return port->peers[index].mac;
    return NULL;
}

/* NULL, and in `failed` -errno, where there is no way to it. */
static const swp_udp_template *add_destination(efvi_port *port, uint64_t cookie, int *failed) {
    uint32_t ipv4 = (uint32_t)(cookie >> 16);
    int multicast = swp_is_multicast(ipv4);
    const uint8_t *mac = multicast ? NULL : find_peer(port, ipv4);
    *failed = -EADDRNOTAVAIL;
    if (port->source.ip == 0) {
        swp_set_error(port->error_text, "tx: %s has no IPv4 address to send from; give it as "
                      "source", port->device);
        return NULL;
    }
    *failed = -EHOSTUNREACH;
    if (!multicast && mac == NULL) {
        swp_set_error(port->error_text, "tx: %u.%u.%u.%u is none of the addresses of the option to",
                      ipv4 >> 24, ipv4 >> 16 & 255, ipv4 >> 8 & 255, ipv4 & 255);
        return NULL;
    }
    return swp_destination_add(&port->destinations, cookie, &port->source, mac,
                               multicast ? port->config.ttl : SWP_TTL_UNICAST);
}

/* The frame's length in its buffer, padded to the least that Ethernet has. */
static uint32_t write_frame(uint8_t *frame, const void *data, uint32_t length_bytes,
                            const swp_udp_template *to) {
    uint32_t frame_bytes = length_bytes;
    if (to) {
        frame_bytes = swp_udp_template_write(to, frame, data, length_bytes, 0, 1);
    } else {
        memcpy(frame, data, length_bytes);
        swp_frame_checksums(frame, length_bytes);
    }
    if (frame_bytes >= FRAME_MIN_BYTES) return frame_bytes;
    memset(frame + frame_bytes, 0, FRAME_MIN_BYTES - frame_bytes);
    return FRAME_MIN_BYTES;
}

static int post(efvi_port *port, uint8_t *frame, size_t offset, uint32_t frame_bytes) {
    ef_addr address = ef_memreg_dma_addr(&port->tx_memory.registration, offset);
    ef_request_id id = (ef_request_id)(offset / EFVI_BUFFER_BYTES);
    struct iovec part = {frame, frame_bytes};
    if (!(port->features & SWP_EFVI_CTPIO))
        return ef_vi_transmit(&port->tx_vi, address, (int)frame_bytes, id);
    ef_vi_transmitv_ctpio(&port->tx_vi, frame_bytes, &part, 1, port->tx_threshold);
    return ef_vi_transmit_ctpio_fallback(&port->tx_vi, address, frame_bytes, id);
}

static int send_frame(efvi_port *port, const void *data, uint32_t length_bytes, uint64_t cookie) {
    const swp_udp_template *to = NULL;
    int failed = swp_check_tx(port->error_text, data, length_bytes, cookie,
                              port->tx_frame_max_bytes);
    if (failed) return failed;
    if (port->tx_broken) return -EIO;
    if (cookie) {
        to = swp_destination_find(&port->destinations, cookie);
        if (to == NULL) to = add_destination(port, cookie, &failed);
        if (to == NULL) return failed;
    }
    size_t offset = (size_t)(port->tx_posted % port->tx_count) * EFVI_BUFFER_BYTES;
    uint8_t *frame = port->tx_memory.base + offset;
    uint32_t longest = length_bytes + (to ? to->headers_bytes : 0u);
    failed = find_room(port, longest < FRAME_MIN_BYTES ? FRAME_MIN_BYTES : longest);
    if (failed) return failed;
    uint32_t frame_bytes = write_frame(frame, data, length_bytes, to);
    failed = post(port, frame, offset, frame_bytes);
    if (failed) return efvi_fail(port, "tx: the NIC does not take the frame", -failed);
    port->tx_posted++;
    return 0;
}

int efvi_tx(void *handle, const void *data, uint32_t length_bytes, uint64_t cookie) {
    efvi_port *port = handle;
    int result = send_frame(port, data, length_bytes, cookie);
    return swp_count_tx(&port->stats, length_bytes, result);
}
