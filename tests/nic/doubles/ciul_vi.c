/* Virtual interfaces of the double, and their event queues. */
#include "ciul.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int ciul_vis_live(void) {
    int count = 0;
    for (int index = 0; index < CIUL_VIS_MAX; index++) count += ciul_vis[index] != NULL;
    return count;
}

void ciul_push_event(struct ciul_vi *own, const ef_event *event, const void *stamp) {
    if (own->overflowed) return;
    if (own->event_count == own->event_room) {
        own->overflowed = 1;
        return;
    }
    uint32_t at = (own->event_head + own->event_count++) % own->event_room;
    own->events[at] = (ciul_event){*event, stamp};
}

void ciul_raise(uint32_t event_type) {
    ef_event event;
    memset(&event, 0, sizeof event);
    event.generic.type = event_type & 0xffffu;
    for (int index = 0; index < CIUL_VIS_MAX; index++)
        if (ciul_vis[index]) ciul_push_event(ciul_vis[index], &event, NULL);
}

static int poll_queue(ef_vi *vi, ef_event *events, int events_len) {
    struct ciul_vi *own = vi->own;
    int count = 0;
    own->fresh_count = 0;
    if (events_len < EF_VI_EVENT_POLL_MIN_EVS || events_len > CIUL_FRESH_MAX) {
        ciul_violate("ef_eventq_poll of %d events", events_len);
        return 0;
    }
    ciul_tx_report(own);
    for (; count < events_len && own->event_count; count++, own->event_count--) {
        const ciul_event *one = &own->events[own->event_head];
        own->event_head = (own->event_head + 1) % own->event_room;
        events[count] = one->event;
        ciul_rx_deliver(own, &one->event);
        if (one->stamp) own->fresh[own->fresh_count++] = one->stamp;
    }
    if (own->overflowed && own->event_count == 0 && count < events_len)
        events[count++].generic.type = EF_EVENT_TYPE_OFLOW;
    return count;
}

/* The time lies in front of the frame, in what the NIC wrote there. */
static int get_timestamp(ef_vi *vi, const void *packet, ef_precisetime *out) {
    struct ciul_vi *own = vi->own;
    int fresh = 0;
    uint64_t time_ns;
    memset(out, 0, sizeof *out);
    for (int index = 0; index < own->fresh_count; index++) fresh |= own->fresh[index] == packet;
    if (!(own->flags & EF_VI_RX_TIMESTAMPS)) ciul_violate("timestamp of a queue without them");
    if (!fresh) {
        ciul_violate("timestamp of a frame that is not of the latest poll");
        return -ENODATA;
    }
    if (ciul_settings[CIUL_TIME_ERROR]) return -(int)ciul_settings[CIUL_TIME_ERROR];
    int is_x3 = ciul_settings[CIUL_KIND] == CIUL_X3;
    memcpy(&time_ns, (const uint8_t *)packet - (is_x3 ? CIUL_X3_HEADER_BYTES : 0), sizeof time_ns);
    out->tv_sec = (int64_t)(time_ns / 1000000000u);
    out->tv_nsec = (uint32_t)(time_ns % 1000000000u);
    out->tv_flags = (uint16_t)ciul_settings[CIUL_CLOCK_FLAGS];
    return 0;
}

static int open_queues(struct ciul_vi *own, int rxq_capacity, int txq_capacity) {
    uint32_t needed = (uint32_t)(rxq_capacity + txq_capacity + 32);
    if (ciul_settings[CIUL_KIND] == CIUL_X3)
        needed += (uint32_t)(ciul_settings[CIUL_SUPERBUFS] * ciul_settings[CIUL_SUPERBUF_FRAMES]);
    if (ciul_settings[CIUL_EVENTS_MAX]) needed = (uint32_t)ciul_settings[CIUL_EVENTS_MAX];
    own->event_room = needed;
    own->events = calloc(needed, sizeof *own->events);
    if (rxq_capacity && ciul_rx_open(own, rxq_capacity)) return -EINVAL;
    return txq_capacity ? ciul_tx_open(own, txq_capacity) : 0;
}

int ef_vi_alloc_from_pd(ef_vi *vi, ef_driver_handle vi_dh, ef_pd *pd, ef_driver_handle pd_dh,
                        int evq_capacity, int rxq_capacity, int txq_capacity, ef_vi *evq_opt,
                        ef_driver_handle evq_dh, enum ef_vi_flags flags) {
    int slot = 0;
    if (vi_dh != pd_dh || pd->id == 0) ciul_violate("ef_vi_alloc_from_pd without a domain");
    if (evq_capacity != -1 || evq_opt || evq_dh != -1)
        ciul_violate("an event queue of its own size or of another is not played here");
    if (ciul_settings[CIUL_VI_ERROR]) return -(int)ciul_settings[CIUL_VI_ERROR];
    if ((flags & EF_VI_TX_CTPIO) && ciul_settings[CIUL_CTPIO_REFUSED]) return -EBUSY;
    while (slot < CIUL_VIS_MAX && ciul_vis[slot]) slot++;
    if (slot == CIUL_VIS_MAX) return -EBUSY;
    memset(vi, 0, sizeof *vi);
    struct ciul_vi *own = calloc(1, sizeof *own);
    vi->own = own;
    own->vi = vi;
    own->flags = (uint64_t)(uint32_t)flags;
    vi->rx_buffer_len = 2048 - 256;
    ciul_rx_ops(vi);
    ciul_tx_ops(vi);
    vi->ops.eventq_poll = poll_queue;
    vi->ops.receive_get_timestamp = get_timestamp;
    ciul_vis[slot] = own;
    ciul_add_live(1);
    int failed = open_queues(own, rxq_capacity, txq_capacity);
    if (failed) {
        ef_vi_free(vi, vi_dh);
        return failed;
    }
    return slot;
}

int ef_vi_free(ef_vi *vi, ef_driver_handle nic) {
    struct ciul_vi *own = vi->own;
    (void)nic;
    if (own == NULL) {
        ciul_violate("ef_vi_free of nothing");
        return -EINVAL;
    }
    for (int index = 0; index < CIUL_VIS_MAX; index++)
        if (ciul_vis[index] == own) ciul_vis[index] = NULL;
    ciul_rx_close(own);
    ciul_tx_close(own);
    ciul_add_live(-1 - own->filter_count);
    free(own->events);
    free(own);
    vi->own = NULL;
    return 0;
}

unsigned ef_vi_mtu(ef_vi *vi, ef_driver_handle vi_dh) {
    if (vi->own == NULL || vi_dh < 1000) ciul_violate("ef_vi_mtu of nothing");
    return (unsigned)ciul_settings[CIUL_MTU_BYTES];
}

int ef_vi_get_mac(ef_vi *vi, ef_driver_handle vi_dh, void *mac_out) {
    if (vi->own == NULL || vi_dh < 1000) ciul_violate("ef_vi_get_mac of nothing");
    memcpy(mac_out, "\x00\x0f\x53\x01\x02\x03", 6);
    return 0;
}
