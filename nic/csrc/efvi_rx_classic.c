/* EF10 (SFN7000, SFN8000, X2): the NIC fills our buffers in the order in which it got them.
 *
 * Buffers stand side by side and are posted in order, so a frame longer than one buffer lies in one
 * piece as well: in the next ones. Only where it goes around the pool's end are its last bytes
 * copied, behind that end.
 */
#include "efvi_port.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#define PUSH_BUFFERS 8u           /* the NIC takes descriptors eight at a time */
#define REFILL_BUFFERS 16u

static uint32_t buffers_of(uint32_t size_bytes) {
    return (size_bytes + EFVI_BUFFER_BYTES - 1) / EFVI_BUFFER_BYTES;
}

int efvi_classic_open(efvi_port *port) {
    efvi_buffers *buffers = &port->buffers;
    uint32_t mtu_bytes = ef_vi_mtu(&port->rx_vi, port->driver);
    ef_vi_receive_set_buffer_len(&port->rx_vi, EFVI_BUFFER_BYTES);
    port->prefix_bytes = (uint32_t)ef_vi_receive_prefix_len(&port->rx_vi);
    if (port->frame_bytes == 0) port->frame_bytes = mtu_bytes;
    uint32_t longest = buffers_of(port->prefix_bytes + mtu_bytes);
    /* Not what the MTU says: it may be raised while the port is open. */
    uint32_t behind = buffers_of(port->prefix_bytes + port->frame_bytes) - 1;
    buffers->fill_max = (uint32_t)ef_vi_receive_capacity(&port->rx_vi) & ~(PUSH_BUFFERS - 1);
    buffers->count = buffers->fill_max + port->config.ring_count * longest + REFILL_BUFFERS;
    size_t size_bytes = ((size_t)buffers->count + behind) * EFVI_BUFFER_BYTES;
    int failed = efvi_memory_get(port, &port->rx_memory, size_bytes, 1);
    if (!failed) efvi_classic_refill(port);
    return failed;
}

static uint8_t *buffer_at(const efvi_port *port, uint32_t slot) {
    return port->rx_memory.base + (size_t)slot * EFVI_BUFFER_BYTES;
}

/* --- buffers ----------------------------------------------------------------------------- */

/* What lies behind the pool's end belongs to the frame that went around it. */
static void poison(efvi_port *port, uint64_t begin, uint64_t end) {
    const efvi_buffers *buffers = &port->buffers;
    for (uint64_t number = begin; number < end; number++) {
        uint32_t slot = (uint32_t)(number % buffers->count);
        memset(buffer_at(port, slot), EFVI_POISON, EFVI_BUFFER_BYTES);
        if (slot) continue;
        uint8_t *behind = buffer_at(port, buffers->count);
        memset(behind, EFVI_POISON, (size_t)(port->rx_memory.base + port->rx_memory.size_bytes
                                             - behind));
    }
}

/* The reader gives back in order, so all in front of its oldest frame is free, bad frames too. */
static void settle(efvi_port *port) {
    efvi_buffers *buffers = &port->buffers;
    uint64_t freed = buffers->partial ? buffers->partial_first : buffers->taken;
    if (port->ring.released != port->produced)
        freed = port->held[port->ring.released & port->held_mask];
    if (port->config.poison) poison(port, buffers->freed, freed);
    buffers->freed = freed;
}

void efvi_classic_refill(efvi_port *port) {
    efvi_buffers *buffers = &port->buffers;
    settle(port);
    uint64_t room = buffers->fill_max - (buffers->posted - buffers->taken);
    uint64_t free_count = buffers->freed + buffers->count - buffers->posted;
    uint64_t count = (room < free_count ? room : free_count) & ~(uint64_t)(PUSH_BUFFERS - 1);
    if (count < REFILL_BUFFERS) return;
    for (uint64_t index = 0; index < count; index++) {
        size_t offset = (size_t)buffers->post_slot * EFVI_BUFFER_BYTES;
        ef_addr address = ef_memreg_dma_addr(&port->rx_memory.registration, offset);
        if (ef_vi_receive_init(&port->rx_vi, address, (ef_request_id)buffers->post_slot)) break;
        buffers->posted++;
        if (++buffers->post_slot == buffers->count) buffers->post_slot = 0;
    }
    ef_vi_receive_push(&port->rx_vi);
}

/* --- events ------------------------------------------------------------------------------ */

/* Brings the bytes of a frame that went around the pool's end behind that end. */
static void join_halves(efvi_port *port, uint32_t first_slot, uint32_t length_bytes) {
    uint32_t kept_bytes = length_bytes < port->frame_bytes ? length_bytes : port->frame_bytes;
    size_t in_front = (size_t)(port->buffers.count - first_slot) * EFVI_BUFFER_BYTES;
    size_t wanted = (size_t)port->prefix_bytes + kept_bytes;
    if (wanted <= in_front) return;
    memcpy(buffer_at(port, port->buffers.count), buffer_at(port, 0), wanted - in_front);
}

/* The frame is whole: its buffers are those from the first to the one just taken. */
static void finish_frame(efvi_port *port, efvi_sink *sink, const ef_event *event) {
    efvi_buffers *buffers = &port->buffers;
    uint32_t slot = buffers->partial_slot, flags = buffers->partial_flags;
    uint32_t bytes = EF_EVENT_RX_BYTES(*event);  /* of all its buffers, prefix included */
    uint32_t taken_bytes = (uint32_t)(buffers->taken - buffers->partial_first) * EFVI_BUFFER_BYTES;
    const uint8_t *first = buffer_at(port, slot);
    buffers->partial = 0;
    if (bytes > taken_bytes || bytes < port->prefix_bytes) buffers->partial_bad = 1;
    if (buffers->partial_bad) {
        int is_discard = EF_EVENT_TYPE(*event) == EF_EVENT_TYPE_RX_DISCARD;
        efvi_count_bad(port, is_discard ? (unsigned)EF_EVENT_RX_DISCARD_TYPE(*event)
                                        : (unsigned)EF_EVENT_RX_DISCARD_OTHER);
        flags |= SWP_FLAG_BAD_FRAME;
        if (!port->config.bad_frames || bytes > taken_bytes || bytes <= port->prefix_bytes) return;
    }
    join_halves(port, slot, bytes - port->prefix_bytes);
    efvi_emit(port, sink, first + port->prefix_bytes, bytes - port->prefix_bytes,
              buffers->partial_ns, flags, buffers->partial_first);
}

/* The time is there for good events only, and until the next poll: it is read with a frame's first
 * buffer, whenever its last one comes. */
static void begin_frame(efvi_port *port, uint32_t slot, int good) {
    efvi_buffers *buffers = &port->buffers;
    const void *stamp = good ? buffer_at(port, slot) : NULL;
    buffers->partial = 1;
    buffers->partial_bad = 0;
    buffers->partial_first = buffers->taken;
    buffers->partial_slot = slot;
    buffers->partial_flags = efvi_time(port, stamp, &buffers->partial_ns);
}

/* 1 where the event is about the buffer that is next in turn. */
static int take_buffer(efvi_port *port, uint32_t slot, int good) {
    efvi_buffers *buffers = &port->buffers;
    if (slot != buffers->take_slot || buffers->taken == buffers->posted) {
        port->rx_broken = 1;
        swp_set_error(port->error_text, "%s: the NIC filled buffer %" PRIu32 ", %" PRIu32
                      " was next; open the port anew", port->device, slot, buffers->take_slot);
        return 0;
    }
    if (!buffers->partial) begin_frame(port, slot, good);
    buffers->taken++;
    if (++buffers->take_slot == buffers->count) buffers->take_slot = 0;
    return 1;
}

void efvi_classic_event(efvi_port *port, efvi_sink *sink, ef_event *event) {
    efvi_buffers *buffers = &port->buffers;
    if (EF_EVENT_TYPE(*event) == EF_EVENT_TYPE_RX_NO_DESC_TRUNC) {
        buffers->partial = 0;     /* the rest of the frame found no buffer */
        port->stats.rx_dropped++;
        return;
    }
    int is_first = EF_EVENT_RX_SOP(*event) != 0, good = EF_EVENT_TYPE(*event) == EF_EVENT_TYPE_RX;
    if (is_first) buffers->partial = 0;
    if (!take_buffer(port, EF_EVENT_RX_RQ_ID(*event), good && is_first)) return;
    if (!good || (!is_first && buffers->partial_first + 1 == buffers->taken))
        buffers->partial_bad = 1;  /* or its beginning is lost */
    if (!EF_EVENT_RX_CONT(*event)) finish_frame(port, sink, event);
}
