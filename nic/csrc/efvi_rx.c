/* Receiving, as far as both kinds of NIC have it in common. */
#define _GNU_SOURCE
#include "efvi_port.h"

#include <errno.h>
#include <time.h>

#define NS_PER_SECOND 1000000000ull

/* --- frames ------------------------------------------------------------------------------ */

static uint64_t system_time_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * NS_PER_SECOND + (uint64_t)now.tv_nsec;
}

/* The NIC's time, to be asked for before the next poll. A clock that was never set counts from
 * somewhere else than the epoch: the system's time is told then, and that it is the system's. */
uint32_t efvi_time(efvi_port *port, const void *stamp, uint64_t *time_ns) {
    ef_precisetime time;
    if (stamp && (port->features & SWP_EFVI_TIMESTAMPS) &&
        ef_vi_receive_get_precise_timestamp(&port->rx_vi, stamp, &time) == 0 &&
        (time.tv_flags & EF_VI_SYNC_FLAG_CLOCK_SET)) {
        int in_sync = time.tv_flags & EF_VI_SYNC_FLAG_CLOCK_IN_SYNC;
        *time_ns = (uint64_t)time.tv_sec * NS_PER_SECOND + time.tv_nsec;
        return SWP_FLAG_HW_TIMESTAMP | (in_sync ? SWP_FLAG_CLOCK_IN_SYNC : 0u);
    }
    *time_ns = system_time_ns();
    return 0;
}

void efvi_emit(efvi_port *port, efvi_sink *sink, const uint8_t *frame, uint32_t length_bytes,
               uint64_t time_ns, uint32_t flags, uint64_t holds) {
    int is_ahead = sink->count >= sink->wanted;
    swp_descriptor *out = is_ahead ? &port->ahead[port->ahead_count++] : &sink->out[sink->count++];
    if (length_bytes > port->frame_bytes) {
        length_bytes = port->frame_bytes;
        flags |= SWP_FLAG_TRUNCATED;
    }
    __builtin_prefetch(frame);
    port->held[port->produced & port->held_mask] = holds;
    swp_describe(out, &port->stats, frame, length_bytes, SWP_LINKTYPE_ETHERNET << 16 | flags,
                 time_ns, port->produced++);
}

void efvi_count_bad(efvi_port *port, unsigned subtype) {
    static const char *const words[] = {
        [EF_EVENT_RX_DISCARD_CSUM_BAD] = "IP or UDP checksum",
        [EF_EVENT_RX_DISCARD_MCAST_MISMATCH] = "multicast hash mismatch",
        [EF_EVENT_RX_DISCARD_CRC_BAD] = "Ethernet CRC",
        [EF_EVENT_RX_DISCARD_TRUNC] = "truncated",
        [EF_EVENT_RX_DISCARD_RIGHTS] = "buffer of another owner",
        [EF_EVENT_RX_DISCARD_EV_ERROR] = "an event before it was lost",
        [EF_EVENT_RX_DISCARD_OTHER] = "unspecified",
        [EF_EVENT_RX_DISCARD_INNER_CSUM_BAD] = "inner checksum",
    };
    int known = subtype < sizeof words / sizeof *words && words[subtype];
    port->stats.rx_errors++;
    if (subtype == EF_EVENT_RX_DISCARD_EV_ERROR) port->stats.rx_dropped++;
    swp_set_error(port->error_text, "%s: bad frame: %s", port->device,
                  known ? words[subtype] : "unknown reason");
}

/* --- polling ----------------------------------------------------------------------------- */

static void break_down(efvi_port *port, const char *what) {
    port->rx_broken = 1;
    swp_set_error(port->error_text, "%s: %s; open the port anew", port->device, what);
}

static void take_event(efvi_port *port, efvi_sink *sink, ef_event *event) {
    switch (EF_EVENT_TYPE(*event)) {
    case EF_EVENT_TYPE_RX:
    case EF_EVENT_TYPE_RX_DISCARD:
    case EF_EVENT_TYPE_RX_NO_DESC_TRUNC:
        if (!efvi_is_shared(port)) efvi_classic_event(port, sink, event);
        break;
    case EF_EVENT_TYPE_RX_REF:
    case EF_EVENT_TYPE_RX_REF_DISCARD:
        if (efvi_is_shared(port)) efvi_efct_event(port, sink, event);
        break;
    case EF_EVENT_TYPE_OFLOW:
        break_down(port, "the event queue overflowed");
        break;
    case EF_EVENT_TYPE_RESET:
        break_down(port, "the NIC was reset");
        break;
    default:
        port->stats.rx_errors++;
        swp_set_error(port->error_text, "%s: event of unknown type %u", port->device,
                      (unsigned)EF_EVENT_TYPE(*event));
    }
}

/* 0 where the queue was emptied, else the number of events. Frames that were not asked for (a poll
 * takes two events at least) wait. */
static int poll_events(efvi_port *port, efvi_sink *sink) {
    ef_event events[EFVI_EVENTS_MAX];
    int64_t asked = sink->wanted - sink->count;
    if (asked < EF_VI_EVENT_POLL_MIN_EVS) asked = EF_VI_EVENT_POLL_MIN_EVS;
    if (asked > EFVI_EVENTS_MAX) asked = EFVI_EVENTS_MAX;
    int count = ef_eventq_poll(&port->rx_vi, events, (int)asked);
    for (int index = 0; index < count; index++) take_event(port, sink, &events[index]);
    return count < asked ? 0 : count;
}

static void take_ahead(efvi_port *port, efvi_sink *sink) {
    while (port->ahead_next < port->ahead_count && sink->count < sink->wanted)
        sink->out[sink->count++] = port->ahead[port->ahead_next++];
    if (port->ahead_next == port->ahead_count) port->ahead_next = port->ahead_count = 0;
}

int64_t efvi_rx_burst(void *handle, swp_descriptor *out, int64_t max) {
    efvi_port *port = handle;
    int64_t room = (int64_t)swp_ring_room(&port->ring);
    efvi_sink sink = {out, max < room ? max : room, 0};
    /* What shared queues bring for others makes no frames: they may not keep the loop here. */
    int64_t budget = sink.wanted + EFVI_EVENTS_MAX;
    if (sink.wanted <= 0) return 0;
    take_ahead(port, &sink);
    while (sink.count < sink.wanted && budget > 0 && !port->rx_broken) {
        int count = poll_events(port, &sink);
        if (count == 0) break;
        budget -= count;
    }
    port->ring.handed_out += (uint64_t)sink.count;
    if (!efvi_is_shared(port)) efvi_classic_refill(port);
    if (sink.count) return sink.count;
    if (port->tx_posted != port->tx_done) efvi_reap(port);
    return port->rx_broken ? SWP_ERROR : 0;
}

void efvi_release(void *handle, const swp_descriptor *frames, int64_t count) {
    efvi_port *port = handle;
    uint64_t begin = port->ring.released;
    if (!swp_release(&port->ring, &port->stats, port->error_text, frames, count)) return;
    if (efvi_is_shared(port)) efvi_efct_release(port, begin, port->ring.released);
    else efvi_classic_refill(port);
}
