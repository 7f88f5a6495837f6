/* Receiving: from the rx rings into descriptors, and released frames back into the fill rings.
 *
 * The kernel writes an rx ring and no one else: its offsets and lengths lie in the pool.
 */
#define _GNU_SOURCE
#include "xdp_port.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#define IDLE_POLLS_MASK 0xffffu         /* some 0.3 ms of polling */
#define CLOCK_PERIOD_NS 1000000000ull

static void recycle(xdp_queue *queue, uint64_t offset) {
    *xdp_offset_at(&queue->fill, queue->fill.ours++) = offset;
}

static void hand_out(xdp_port *port, swp_descriptor *out, const uint8_t *frame, xdp_slot slot,
                     uint32_t wire_bytes, uint64_t now_ns) {
    int cut = wire_bytes > slot.length_bytes;
    uint32_t flags = SWP_LINKTYPE_ETHERNET << 16 | (cut ? SWP_FLAG_TRUNCATED : 0u);
    uint64_t cookie = port->ring.handed_out++;
    port->slots[cookie & port->ring_mask] = slot;
    swp_describe(out, &port->stats, frame, slot.length_bytes, flags, now_ns, cookie);
}

static uint32_t kept_of(const xdp_port *port, uint32_t wire_bytes) {
    return wire_bytes < port->frame_bytes ? wire_bytes : port->frame_bytes;
}

/* A frame over several chunks is put together in the slot's place of the long pool, and its chunks
 * go straight back. Returns the chunks it had, 0 where its last one is not there yet. */
static uint32_t take_long(xdp_port *port, uint32_t number, uint32_t at, uint32_t end,
                          swp_descriptor *out, uint64_t now_ns) {
    xdp_queue *queue = &port->queues[number];
    uint64_t place = (port->ring.handed_out & port->ring_mask) * port->long_stride_bytes;
    uint32_t wire_bytes = 0, kept_bytes = 0, chunks = 0, last = at;
    while (xdp_desc_at(&queue->rx, last)->options & XDP_PKT_CONTD)
        if (++last == end) return 0;
    for (; chunks <= last - at; chunks++) {
        const struct xdp_desc *part = xdp_desc_at(&queue->rx, at + chunks);
        uint32_t take_bytes = kept_of(port, wire_bytes + part->len) - kept_bytes;
        memcpy(port->long_pool + place + kept_bytes, port->pool + part->addr, take_bytes);
        kept_bytes += take_bytes;
        wire_bytes += part->len;
        recycle(queue, part->addr);
    }
    xdp_publish(queue->fill.producer, queue->fill.ours);
    hand_out(port, out, port->long_pool + place, (xdp_slot){XDP_NO_CHUNK, number, kept_bytes},
             wire_bytes, now_ns);
    return chunks;
}

static uint64_t take_whole(xdp_port *port, uint32_t number, const struct xdp_desc *desc,
                           swp_descriptor *out, uint64_t now_ns) {
    const uint8_t *frame = port->pool + desc->addr;
    __builtin_prefetch(frame);
    __builtin_prefetch(frame + 64);
    xdp_slot slot = {desc->addr, number, kept_of(port, desc->len)};
    hand_out(port, out, frame, slot, desc->len, now_ns);
    return 1;
}

/* Frames of one queue. `now_ns` is read with the first frame of the burst. */
static int64_t take(xdp_port *port, uint32_t number, swp_descriptor *out, int64_t wanted,
                    uint64_t *now_ns) {
    xdp_ring *rx = &port->queues[number].rx;
    uint32_t at = rx->ours, end = xdp_load(rx->producer);
    int64_t count = 0;
    if (at == end) return 0;
    if (*now_ns == 0) *now_ns = swp_clock_now_ns(&port->clock);
    while (count < wanted && at != end) {
        const struct xdp_desc *desc = xdp_desc_at(rx, at);
        uint32_t used = 1;
        if (desc->options & XDP_PKT_CONTD && port->long_pool)
            used = take_long(port, number, at, end, &out[count], *now_ns);
        else take_whole(port, number, desc, &out[count], *now_ns);
        if (used == 0) break;
        at += used;
        count++;
    }
    rx->ours = at;
    xdp_publish(rx->consumer, at);
    return count;
}

static void wake(const xdp_port *port, const xdp_queue *queue) {
    if (port->polls_itself || xdp_wants_wakeup(&queue->fill))
        recvfrom(queue->fd, NULL, 0, MSG_DONTWAIT, NULL, NULL);
}

/* What is done while nothing comes: the clock is set again, the interface may have gone. */
static void look_after(xdp_port *port) {
    int error = 0;
    socklen_t size = sizeof error;
    if (getsockopt(port->queues[0].fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0 && error) {
        port->broken = 1;
        swp_set_error(port->error_text, "%s is gone: %s", port->device, strerror(error));
    }
    uint64_t now_ns = swp_clock_now_ns(&port->clock);
    if (now_ns < port->clock_due_ns) return;
    /* CLOCK_REALTIME was stepped: from now on it is read itself. */
    if (swp_clock_recalibrate(&port->clock)) port->clock.source = SWP_CLOCK_REALTIME;
    port->clock_due_ns = swp_clock_now_ns(&port->clock) + CLOCK_PERIOD_NS;
}

static int64_t idle(xdp_port *port) {
    for (uint32_t number = 0; number < port->queue_count; number++)
        wake(port, &port->queues[number]);
    if (port->tx_waits) xdp_kick(port);
    if ((++port->idle_polls & IDLE_POLLS_MASK) == 0) look_after(port);
    return port->broken ? SWP_ERROR : 0;
}

int64_t xdp_rx_burst(void *handle, swp_descriptor *out, int64_t max) {
    xdp_port *port = handle;
    uint64_t now_ns = 0;
    int64_t total = 0, room = (int64_t)swp_ring_room(&port->ring);
    uint32_t queue_count = port->queue_count, number = port->first_turn;
    if (max > room) max = room;
    for (uint32_t turn = 0; turn < queue_count && total < max; turn++) {
        /* A busy queue may not starve those behind it. */
        int64_t left = queue_count - turn;
        int64_t share = (max - total + left - 1) / left;
        total += take(port, number, out + total, share, &now_ns);
        if (++number == queue_count) number = 0;
    }
    port->first_turn = number;
    return total ? total : idle(port);
}

static void poison(xdp_port *port, uint64_t slot_index) {
    const xdp_slot *slot = &port->slots[slot_index];
    uint8_t *frame = slot->chunk == XDP_NO_CHUNK
                         ? port->long_pool + slot_index * port->long_stride_bytes
                         : port->pool + slot->chunk;
    memset(frame, SWP_POISON, slot->length_bytes);
}

static void give_back(xdp_port *port, uint64_t cookie) {
    const xdp_slot *slot = &port->slots[cookie & port->ring_mask];
    if (port->poison) poison(port, cookie & port->ring_mask);
    if (slot->chunk != XDP_NO_CHUNK) recycle(&port->queues[slot->queue], slot->chunk);
}

void xdp_release(void *handle, const swp_descriptor *frames, int64_t count) {
    xdp_port *port = handle;
    uint64_t cookie = port->ring.released;
    if (!swp_release(&port->ring, &port->stats, port->error_text, frames, count)) return;
    for (; cookie != port->ring.released; cookie++) give_back(port, cookie);
    for (uint32_t number = 0; number < port->queue_count; number++)
        xdp_publish(port->queues[number].fill.producer, port->queues[number].fill.ours);
}
