/* Sending in the double: DMA from registered memory, CTPIO with its fallback, completions. */
#include "ciul.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define FIFO_ALIGN_BYTES 64u
#define FIFO_HEADER_BYTES 8u

static int is_x3(void) {
    return ciul_settings[CIUL_KIND] == CIUL_X3;
}

static uint32_t digest_of(const uint8_t *bytes, uint32_t length_bytes) {
    uint32_t digest = 2166136261u;
    for (uint32_t at = 0; at < length_bytes; at++) digest = (digest ^ bytes[at]) * 16777619u;
    return digest;
}

static void take_descriptor(ef_vi *vi, ef_request_id id, const uint8_t *bytes, uint32_t length) {
    struct ciul_vi *own = vi->own;
    uint32_t fifo = is_x3() ? (length + FIFO_HEADER_BYTES + FIFO_ALIGN_BYTES - 1) &
                              ~(FIFO_ALIGN_BYTES - 1) : 0;
    for (uint32_t at = vi->tx_removed; at != vi->tx_added; at++)
        if (own->tx[at & vi->tx_mask].id == id) ciul_violate("send %d is still under way", id);
    own->tx[vi->tx_added++ & vi->tx_mask] = (ciul_send){id, length, fifo, bytes,
                                                        digest_of(bytes, length)};
    vi->tx_space_bytes -= (int)fifo;
}

static const uint8_t *check_send(ef_vi *vi, ef_addr address, size_t length) {
    const uint8_t *bytes = ciul_translate(address, (uint32_t)length);
    if (bytes == NULL) ciul_violate("a frame that is not registered, or in two pages, was sent");
    if (vi->tx_added - vi->tx_removed > vi->tx_mask) ciul_violate("transmit ring overfilled");
    return bytes;
}

static int has_room(const ef_vi *vi, size_t length) {
    if (vi->tx_added - vi->tx_removed >= vi->tx_mask) return 0;
    return !is_x3() || vi->tx_space_bytes >= (int)length;
}

static int transmit(ef_vi *vi, ef_addr base, int length, ef_request_id id) {
    if (vi->own->awaits_fallback) ciul_violate("a send before the fallback of a CTPIO send");
    const uint8_t *bytes = check_send(vi, base, (size_t)length);
    if (bytes == NULL) return -EFAULT;
    if (!has_room(vi, (size_t)length)) return -EAGAIN;
    ciul_put_on_wire(bytes, (uint32_t)length, 0);
    take_descriptor(vi, id, bytes, (uint32_t)length);
    return 0;
}

static void transmitv_ctpio(ef_vi *vi, size_t frame_len, const struct iovec *iov, int iov_len,
                            unsigned threshold) {
    struct ciul_vi *own = vi->own;
    size_t total = 0;
    if (!(own->flags & EF_VI_TX_CTPIO)) ciul_violate("CTPIO on an interface without it");
    if (own->awaits_fallback) ciul_violate("a CTPIO send before the fallback of the last one");
    if (threshold == 0) ciul_violate("CTPIO with a threshold of 0");
    for (int index = 0; index < iov_len && total + iov[index].iov_len <= 65536; index++) {
        memcpy(own->ctpio_frame + total, iov[index].iov_base, iov[index].iov_len);
        total += iov[index].iov_len;
    }
    if (total != frame_len) ciul_violate("CTPIO of %zu bytes in parts of %zu", frame_len, total);
    own->ctpio_bytes = (uint32_t)total;
    own->awaits_fallback = 1;
    own->ctpio_failed = 0;
    if (is_x3()) own->ctpio_failed = !has_room(vi, total);
    else if (ciul_settings[CIUL_CTPIO_FAILURES] > 0) {
        ciul_settings[CIUL_CTPIO_FAILURES]--;
        own->ctpio_failed = 1;
    }
    if (!own->ctpio_failed) ciul_put_on_wire(own->ctpio_frame, (uint32_t)total, 1);
}

static int transmit_ctpio_fallback(ef_vi *vi, ef_addr address, size_t length, ef_request_id id) {
    struct ciul_vi *own = vi->own;
    if (!own->awaits_fallback) ciul_violate("a fallback without a CTPIO send");
    const uint8_t *bytes = check_send(vi, address, length);
    if (bytes == NULL) return -EFAULT;
    if (length != own->ctpio_bytes || memcmp(bytes, own->ctpio_frame, length))
        ciul_violate("the fallback is not the frame that was sent by CTPIO");
    if (!has_room(vi, own->ctpio_failed ? length : 0)) {
        if (!own->ctpio_failed) ciul_violate("CTPIO without a descriptor for its fallback");
        return -EAGAIN;
    }
    if (own->ctpio_failed) ciul_put_on_wire(bytes, (uint32_t)length, 0);
    own->awaits_fallback = own->ctpio_failed = 0;
    take_descriptor(vi, id, bytes, (uint32_t)length);
    return 0;
}

/* --- completions ------------------------------------------------------------------------- */

void ciul_tx_report(struct ciul_vi *own) {
    const ef_vi *vi = own->vi;
    ef_event event;
    if (own->tx == NULL) return;
    if (!ciul_settings[CIUL_HOLDS_COMPLETIONS]) own->tx_done = vi->tx_added;
    while (own->tx_reported != own->tx_done) {
        uint32_t count = own->tx_done - own->tx_reported;
        if (count > EF_VI_TRANSMIT_BATCH) count = EF_VI_TRANSMIT_BATCH;
        memset(&event, 0, sizeof event);
        event.tx.type = EF_EVENT_TYPE_TX;
        event.tx.desc_id = count & 0xffffu;
        ciul_push_event(own, &event, NULL);
        own->tx_reported += count;
    }
}

int ef_vi_transmit_unbundle(ef_vi *vi, const ef_event *event, ef_request_id *ids) {
    struct ciul_vi *own = vi->own;
    uint32_t count = event->tx.desc_id;
    if (EF_EVENT_TYPE(*event) != EF_EVENT_TYPE_TX) ciul_violate("unbundle of another event");
    if (count > own->tx_reported - vi->tx_removed) {
        ciul_violate("an event was unbundled twice");
        return 0;
    }
    for (uint32_t index = 0; index < count; index++) {
        const ciul_send *send = &own->tx[vi->tx_removed++ & vi->tx_mask];
        if (digest_of(send->bytes, send->length_bytes) != send->digest)
            ciul_violate("buffer %d was written while its send was under way", send->id);
        vi->tx_space_bytes += (int)send->fifo_bytes;
        ids[index] = send->id;
    }
    return (int)count;
}

void ciul_tx_ops(ef_vi *vi) {
    vi->ops.transmit = transmit;
    vi->ops.transmitv_ctpio = transmitv_ctpio;
    vi->ops.transmit_ctpio_fallback = transmit_ctpio_fallback;
}

int ciul_tx_open(struct ciul_vi *own, int txq_capacity) {
    if (txq_capacity & (txq_capacity - 1)) return -EINVAL;
    own->vi->tx_mask = (uint32_t)txq_capacity - 1;
    own->vi->tx_space_bytes = (int)ciul_settings[CIUL_TX_FIFO_BYTES];
    own->tx = calloc((size_t)txq_capacity, sizeof *own->tx);
    return 0;
}

void ciul_tx_close(struct ciul_vi *own) {
    if (own->awaits_fallback && !own->ctpio_failed)
        ciul_violate("a CTPIO send never got its fallback");
    free(own->tx);
}
