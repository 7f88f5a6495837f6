/* X3: frames lie in large buffers of the driver's, which other programs may share.
 *
 * A frame is a reference, given back when the reader releases it: one reference held keeps a whole
 * large buffer from being filled again, so at most `ring` are held. With the option `copy` a frame
 * is copied into a ring of our own and given back at once, for readers that are not quick.
 */
#include "efvi_port.h"

#include <errno.h>
#include <string.h>

#define CACHE_LINE_BYTES 64u

int efvi_efct_open(efvi_port *port) {
    if (port->frame_bytes == 0) port->frame_bytes = ef_vi_mtu(&port->rx_vi, port->driver);
    if (!port->config.copy) return 0;
    port->copy_bytes = (port->frame_bytes + CACHE_LINE_BYTES - 1) & ~(CACHE_LINE_BYTES - 1);
    size_t size_bytes = ((size_t)port->held_mask + 1) * port->copy_bytes;
    return efvi_memory_get(port, &port->rx_memory, size_bytes, 0);
}

static uint8_t *copy_at(const efvi_port *port, uint64_t number) {
    return port->rx_memory.base + (size_t)(number & port->held_mask) * port->copy_bytes;
}

/* 1 where the reader gets the frame. */
static int is_ours(efvi_port *port, const ef_event *event, const uint8_t *frame) {
    int wanted = efvi_wanted(port, frame, event->rx_ref.len);
    if (EF_EVENT_TYPE(*event) == EF_EVENT_TYPE_RX_REF) return wanted == 1;
    /* Damaged headers do not tell whose the frame was: it counts here. */
    if (wanted == 0) return 0;
    efvi_count_bad(port, ef_vi_get_rx_discard_subtype_from_flags(event->rx_ref_discard.flags));
    return port->config.bad_frames;
}

void efvi_efct_event(efvi_port *port, efvi_sink *sink, ef_event *event) {
    uint32_t packet = event->rx_ref.pkt_id, length_bytes = event->rx_ref.len;
    const uint8_t *frame = efct_vi_rxpkt_get(&port->rx_vi, packet);
    int bad = EF_EVENT_TYPE(*event) == EF_EVENT_TYPE_RX_REF_DISCARD;
    uint64_t time_ns;
    if (!is_ours(port, event, frame)) {
        efct_vi_rxpkt_release(&port->rx_vi, packet);
        return;
    }
    uint32_t flags = efvi_time(port, bad ? NULL : frame, &time_ns);
    if (bad) flags |= SWP_FLAG_BAD_FRAME;
    if (!port->config.copy) {
        efvi_emit(port, sink, frame, length_bytes, time_ns, flags, packet);
    } else {
        uint8_t *copy = copy_at(port, port->produced);
        memcpy(copy, frame, length_bytes < port->frame_bytes ? length_bytes : port->frame_bytes);
        efvi_emit(port, sink, copy, length_bytes, time_ns, flags, 0);
        efct_vi_rxpkt_release(&port->rx_vi, packet);
    }
}

void efvi_efct_release(efvi_port *port, uint64_t begin, uint64_t end) {
    for (uint64_t number = begin; number < end; number++) {
        if (!port->config.copy)
            efct_vi_rxpkt_release(&port->rx_vi, (uint32_t)port->held[number & port->held_mask]);
        else if (port->config.poison)
            memset(copy_at(port, number), EFVI_POISON, port->copy_bytes);
    }
}
