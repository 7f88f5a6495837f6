/* The hot side of a hand-off: a port whose sends and polls touch two rings and nothing else. */
#define _GNU_SOURCE
#include "handoff.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "handoff_pair.h"

/* --- receiving --------------------------------------------------------------------------- */

static void take_text(handoff_pair *pair, byte_record *record) {
    swp_set_error(pair->error_text, "%.*s", (int)record->length_bytes,
                  (const char *)byte_ring_payload(record));
}

/* A record that is no chunk: news of the real port, in its place among the chunks. */
static void take_news(handoff_pair *pair, byte_record *record) {
    if (record->kind == HANDOFF_LOST) {
        pair->stats.tx_failed += record->value;
        take_text(pair, record);
        return;
    }
    pair->over = (int64_t)record->value;
    if (pair->over != SWP_ERROR) return;
    pair->stats.rx_errors++;
    take_text(pair, record);
}

static void hand_out(handoff_pair *pair, byte_record *record, swp_descriptor *out) {
    out->address = (uint64_t)(uintptr_t)byte_ring_payload(record);
    out->length_bytes = record->length_bytes;
    out->flags = record->flags;
    out->timestamp_ns = record->value;
    out->cookie = pair->account.handed_out++;
    pair->stats.rx_packets++;
    pair->stats.rx_bytes += record->length_bytes;
    pair->stats.rx_truncated += (record->flags & SWP_FLAG_TRUNCATED) != 0;
}

/* Gives back `chunks` chunks from the oldest record on, and the news and fillings around them. */
static void give_back(handoff_pair *pair, int64_t chunks) {
    byte_ring *ring = &pair->in;
    uint64_t head = ring->head;
    while (head != ring->next) {
        const byte_record *record = byte_ring_at(ring, head);
        if (record->kind == HANDOFF_CHUNK && chunks-- == 0) break;
        head += byte_ring_step(record->length_bytes);
    }
    byte_ring_give_back(ring, head);
}

static int64_t handoff_rx_burst(void *handle, swp_descriptor *out, int64_t max) {
    handoff_pair *pair = handle;
    int64_t count = 0;
    byte_record *record;
    if (pair->over) return pair->over;
    while (count < max && !pair->over && (record = byte_ring_front(&pair->in))) {
        if (record->kind == HANDOFF_CHUNK) hand_out(pair, record, &out[count++]);
        else take_news(pair, record);
        byte_ring_pass(&pair->in, record);
    }
    if (pair->account.handed_out == pair->account.released && pair->in.head != pair->in.next)
        give_back(pair, 0);
    return count ? count : pair->over;
}

static void handoff_release(void *handle, const swp_descriptor *frames, int64_t count) {
    handoff_pair *pair = handle;
    if (swp_ring_release(&pair->account, frames, count)) {
        give_back(pair, count);
        return;
    }
    pair->stats.rx_errors++;
    swp_set_error(pair->error_text, "release: chunks came back out of order");
}

/* --- sending ----------------------------------------------------------------------------- */

static int refuse(handoff_pair *pair, int error, const char *why) {
    pair->stats.tx_failed++;
    if (why) swp_set_error(pair->error_text, "tx: %s", why);
    return -error;
}

static int handoff_tx(void *handle, const void *data, uint32_t length_bytes, uint64_t cookie) {
    handoff_pair *pair = handle;
    byte_record header = {.length_bytes = length_bytes, .kind = HANDOFF_MESSAGE, .value = cookie};
    if (data == NULL || length_bytes == 0) return refuse(pair, EINVAL, "an empty message");
    if (length_bytes > byte_ring_payload_most(&pair->out))
        return refuse(pair, EMSGSIZE, "longer than half of the ring");
    if (pair->over == SWP_ERROR) return refuse(pair, ENOTCONN, NULL);  /* the text says why */
    if (!byte_ring_push(&pair->out, header, data))
        return refuse(pair, EAGAIN, "the ring to the session loop is full");
    byte_ring_publish(&pair->out);
    pair->stats.tx_packets++;
    pair->stats.tx_bytes += length_bytes;
    return 0;
}

/* --- the port ---------------------------------------------------------------------------- */

static int handoff_join(void *handle, uint32_t group, uint16_t udp_port, uint16_t vlan) {
    (void)group, (void)udp_port, (void)vlan;
    swp_set_error(((handoff_pair *)handle)->error_text, "join: to be asked of the real port");
    return -EOPNOTSUPP;
}

static int handoff_thread_init(void *handle) {
    (void)handle;
    return 0;
}

static void handoff_stats(void *handle, swp_stats *out) {
    *out = ((handoff_pair *)handle)->stats;
}

static const char *handoff_last_error(void *handle) {
    return ((handoff_pair *)handle)->error_text;
}

static void handoff_close(void *handle) {
    handoff_pair *pair = handle;
    if (pair == NULL) return;
    free(pair->out.bytes);
    free(pair->in.bytes);
    free(pair);
}

static int is_ring_size(uint32_t bytes) {
    return bytes >= BYTE_RING_LEAST_BYTES && bytes <= BYTE_RING_MOST_BYTES &&
           (bytes & (bytes - 1)) == 0;
}

int swp_handoff_open(const swp_handoff_config *config, void **out, char *error_text) {
    *out = NULL;
    if (config->ops == NULL || !is_ring_size(config->out_bytes) ||
        !is_ring_size(config->in_bytes)) {
        swp_set_error(error_text, "a hand-off needs a port and rings of a power of two from %u to "
                      "%u bytes", BYTE_RING_LEAST_BYTES, BYTE_RING_MOST_BYTES);
        return -EINVAL;
    }
    handoff_pair *pair = aligned_alloc(BYTE_RING_LINE, sizeof *pair);
    if (pair) memset(pair, 0, sizeof *pair);
    if (!pair || byte_ring_make(&pair->out, config->out_bytes) ||
        byte_ring_make(&pair->in, config->in_bytes)) {
        swp_set_error(error_text, "hand-off: %s", strerror(ENOMEM));
        handoff_close(pair);
        return -ENOMEM;
    }
    pair->account.capacity = UINT64_MAX;  /* the ring's bytes are the limit */
    pair->session.ops = config->ops;
    pair->session.port = config->port;
    *out = pair;
    return 0;
}

void swp_handoff_memory(const void *handle, uint64_t *address, uint64_t *size_bytes) {
    const handoff_pair *pair = handle;
    *address = (uint64_t)(uintptr_t)pair->in.bytes;
    *size_bytes = pair->in.size_bytes;
}

static const swp_ops operations = {
    .join = handoff_join,
    .thread_init = handoff_thread_init,
    .rx_burst = handoff_rx_burst,
    .release = handoff_release,
    .tx = handoff_tx,
    .stats = handoff_stats,
    .close = handoff_close,
    .last_error = handoff_last_error,
};

const swp_ops *swp_handoff_ops(void) {
    return &operations;
}
