/* A port whose packets come from capture files: what tests, backtests and demonstrations run on.
 *
 * Frames are handed out where they lie in the file's memory map. Sends are counted and go nowhere.
 * Unreleased frames are limited as a NIC's ring limits them, so that a loop which forgets to
 * release stands still here and not first in production.
 */
#define _GNU_SOURCE
#include "backends.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "capture.h"
#include "common.h"

#define BATCH_COUNT 64
#define SPEED_ONE_BITS 16
#define TX_MAX_BYTES 65535u
/* A trailer whose time is further than this from the capture's own is taken for padding. */
#define TRAILER_WINDOW_NS (3600ull * 1000000000ull)

typedef struct {
    swp_image image;
    swc_cursor cursor;
    swc_trailer_state trailer;  /* of its own: the counter form learns from each device's frames */
    swc_packet ahead[BATCH_COUNT];
} replay_input;

typedef struct {
    swp_stats stats;
    swp_ring_account ring;
    const swp_clock *clock;
    uint64_t speed_q16;
    uint64_t start_clock_ns;    /* when the first frame was due, 0 until then */
    uint64_t start_capture_ns;
    uint64_t first_ns;          /* of this pass, as captured */
    uint64_t last_ns;
    uint64_t shift_ns;          /* added to the times of a repeated pass, so that they go on */
    uint64_t pass_packets;
    uint64_t pass;
    uint64_t repeat_count;
    uint64_t batch_begin;
    uint64_t batch_end;
    swc_merged batch[BATCH_COUNT];  /* of the merge; a single input's packets stay in its `ahead` */
    uint32_t trailer_kinds;
    swc_merge merge;
    swc_merge_source *sources;
    uint32_t *heap;
    replay_input *inputs;
    uint32_t input_count;
    int64_t failed_count;       /* inputs of this pass whose error was reported */
    int pass_has_time;
    int over;
    char error_text[SWP_ERROR_TEXT_BYTES];
} replay_port;

static void start_pass(replay_port *port) {
    for (uint32_t index = 0; index < port->input_count; index++) {
        replay_input *input = &port->inputs[index];
        swc_open(&input->cursor, input->image.base, input->image.size_bytes, 1);
        input->trailer = (swc_trailer_state){.kinds = port->trailer_kinds,
                                             .window_ns = TRAILER_WINDOW_NS};
        port->sources[index] = (swc_merge_source){
            .cursor = &input->cursor, .trailer = port->trailer_kinds ? &input->trailer : NULL,
            .ahead = input->ahead, .ahead_capacity = BATCH_COUNT};
    }
    swc_merge_open(&port->merge, port->sources, port->heap, port->input_count);
    port->failed_count = 0;
    port->pass_packets = 0;
    port->pass_has_time = 0;
}

static void report_failures(replay_port *port) {
    for (uint32_t index = 0; index < port->input_count; index++) {
        const swc_merge_source *source = &port->sources[index];
        const swc_cursor *cursor = source->cursor;
        if (source->result != SWC_FAILED) continue;
        swp_set_error(port->error_text, "%s: offset %" PRIu64 ": %s (found %" PRIu64
                      ", limit %" PRIu64 ")", port->inputs[index].image.name, cursor->error_offset,
                      swc_error_text(cursor->error), cursor->error_value, cursor->error_limit);
    }
    port->stats.rx_errors += (uint64_t)(port->merge.failed_count - port->failed_count);
    port->failed_count = port->merge.failed_count;
}

/* One input needs no merge, which costs as much again as reading. */
static int64_t read_single(replay_port *port) {
    swc_merge_source *source = &port->sources[0];
    int64_t count = swc_next(source->cursor, source->ahead, BATCH_COUNT);
    if (count > 0 && source->trailer)
        swc_trailer_apply(source->trailer, source->cursor->base, 0, source->ahead, count);
    if (count < 0) source->result = (int32_t)count;
    port->merge.failed_count += count == SWC_FAILED;
    return count;
}

static const swc_packet *next_packet(const replay_port *port) {
    if (port->input_count == 1) return &port->inputs[0].ahead[port->batch_begin];
    return &port->batch[port->batch_begin].packet;
}

static const uint8_t *next_base(const replay_port *port) {
    uint32_t input = port->input_count == 1 ? 0 : port->batch[port->batch_begin].source;
    return port->inputs[input].image.base;
}

/* 1 where the captures begin anew, 0 where they are over. */
static int start_next_pass(replay_port *port) {
    port->pass++;
    if (port->pass_packets == 0 || port->pass == port->repeat_count) return 0;
    if (port->last_ns >= port->first_ns) port->shift_ns += port->last_ns - port->first_ns + 1;
    start_pass(port);
    return 1;
}

/* 1 where the batch holds a packet, 0 at the end of the last pass. */
static int fill_batch(replay_port *port) {
    while (port->batch_begin == port->batch_end) {
        int64_t count = port->input_count == 1
                            ? read_single(port)
                            : swc_merge_next(&port->merge, port->batch, BATCH_COUNT);
        /* A capture that fails does so in every pass: it counts once. */
        if (port->pass == 0 && port->merge.failed_count != port->failed_count)
            report_failures(port);
        if (count > 0) {
            port->batch_begin = 0;
            port->batch_end = (uint64_t)count;
        } else if (!start_next_pass(port)) {
            port->over = 1;
            return 0;
        }
    }
    return 1;
}

/* The latest shifted capture time that is due now. */
static uint64_t horizon_ns(replay_port *port) {
    if (port->speed_q16 == 0) return UINT64_MAX;
    uint64_t now_ns = swp_clock_now_ns(port->clock);
    if (port->start_clock_ns == 0) {
        const swc_packet *first = next_packet(port);
        /* Only records without a time are due before time has begun. */
        if (first->flags & SWC_PACKET_NO_TIMESTAMP) return first->timestamp_ns;
        port->start_clock_ns = now_ns;
        port->start_capture_ns = first->timestamp_ns;
    }
    uint64_t elapsed_ns = now_ns > port->start_clock_ns ? now_ns - port->start_clock_ns : 0;
    unsigned __int128 capture_ns = (unsigned __int128)elapsed_ns * port->speed_q16;
    capture_ns = (capture_ns >> SPEED_ONE_BITS) + port->start_capture_ns;
    return capture_ns > UINT64_MAX ? UINT64_MAX : (uint64_t)capture_ns;
}

static uint32_t frame_flags(uint32_t packet_flags, uint16_t link_type) {
    uint32_t flags = (uint32_t)link_type << 16;
    if (packet_flags & SWC_PACKET_CUT) flags |= SWP_FLAG_TRUNCATED;
    if (packet_flags & SWC_PACKET_BAD_FRAME) flags |= SWP_FLAG_BAD_FRAME;
    if (packet_flags & SWC_PACKET_HW_TIMESTAMP) flags |= SWP_FLAG_HW_TIMESTAMP;
    return flags;
}

/* When the packet was captured. A record without a time (pcapng simple packet) happened when the
 * one before it did. */
static uint64_t captured_ns(replay_port *port, const swc_packet *packet) {
    if (packet->flags & SWC_PACKET_NO_TIMESTAMP) return port->last_ns;
    uint64_t time_ns = packet->timestamp_ns;
    if (!port->pass_has_time) {
        port->first_ns = time_ns;
        port->last_ns = time_ns;
        port->pass_has_time = 1;
    }
    if (time_ns < port->first_ns) port->first_ns = time_ns;
    if (time_ns > port->last_ns) port->last_ns = time_ns;
    return time_ns;
}

static void hand_out(replay_port *port, swp_descriptor *out, const swc_packet *packet) {
    const uint8_t *base = next_base(port);
    uint32_t flags = frame_flags(packet->flags, packet->link_type);
    uint64_t time_ns = captured_ns(port, packet) + port->shift_ns;
    __builtin_prefetch(base + packet->offset);
    port->pass_packets++;
    swp_describe(out, &port->stats, base + packet->offset, packet->caplen_bytes, flags, time_ns,
                 port->ring.handed_out++);
}

static int64_t replay_rx_burst(void *handle, swp_descriptor *out, int64_t max) {
    replay_port *port = handle;
    int64_t room = (int64_t)swp_ring_room(&port->ring);
    int64_t wanted = max < room ? max : room;
    int64_t count = 0;
    if (port->over) return SWP_END;
    if (wanted <= 0) return 0;
    if (!fill_batch(port)) return SWP_END;
    uint64_t due_ns = horizon_ns(port);
    while (count < wanted) {
        if (port->batch_begin == port->batch_end && !fill_batch(port)) break;
        const swc_packet *packet = next_packet(port);
        if (packet->timestamp_ns + port->shift_ns > due_ns) break;
        hand_out(port, &out[count++], packet);
        port->batch_begin++;
    }
    return count;
}

static void replay_release(void *handle, const swp_descriptor *frames, int64_t count) {
    replay_port *port = handle;
    swp_release(&port->ring, &port->stats, port->error_text, frames, count);
}

/* A capture holds what was joined when it was taken: the frame parser picks from it. */
static int replay_join(void *handle, uint32_t group, uint16_t udp_port, uint16_t vlan) {
    (void)handle, (void)vlan;
    return group == 0 || udp_port == 0 ? -EINVAL : 0;
}

static int replay_thread_init(void *handle) {
    (void)handle;
    return 0;
}

static int replay_tx(void *handle, const void *data, uint32_t length_bytes, uint64_t cookie) {
    replay_port *port = handle;
    (void)cookie;
    if (data == NULL || length_bytes == 0 || length_bytes > TX_MAX_BYTES) {
        port->stats.tx_failed++;
        swp_set_error(port->error_text, "tx of %" PRIu32 " bytes: expected 1 to %u", length_bytes,
                      TX_MAX_BYTES);
        return length_bytes > TX_MAX_BYTES ? -EMSGSIZE : -EINVAL;
    }
    port->stats.tx_packets++;
    port->stats.tx_bytes += length_bytes;
    return 0;
}

static void replay_stats(void *handle, swp_stats *out) {
    *out = ((replay_port *)handle)->stats;
}

static const char *replay_last_error(void *handle) {
    return ((replay_port *)handle)->error_text;
}

static void replay_close(void *handle) {
    replay_port *port = handle;
    if (port == NULL) return;
    free(port->inputs);
    free(port->sources);
    free(port->heap);
    free(port);
}

/* 0 where every input is a capture of a known format. Reads one packet of each. */
static int probe(replay_port *port, char *error_text) {
    for (uint32_t index = 0; index < port->input_count; index++) {
        replay_input *input = &port->inputs[index];
        swc_open(&input->cursor, input->image.base, input->image.size_bytes, 1);
        swc_next(&input->cursor, input->ahead, 1);
        if (input->cursor.format != SWC_FORMAT_UNKNOWN) continue;
        swp_set_error(error_text, "%s: %s", input->image.name, swc_error_text(input->cursor.error));
        return -EBADMSG;
    }
    return 0;
}

static replay_port *allocate(const swp_replay_config *config) {
    uint32_t count = config->image_count;
    replay_port *port = calloc(1, sizeof *port);
    if (port == NULL) return NULL;
    port->inputs = calloc(count, sizeof *port->inputs);
    port->sources = calloc(count, sizeof *port->sources);
    port->heap = calloc(count, sizeof *port->heap);
    if (port->inputs && port->sources && port->heap) return port;
    replay_close(port);
    return NULL;
}

static int check_config(const swp_replay_config *config, char *error_text) {
    int has_clock = config->clock != NULL || config->speed_q16 == 0;
    if (config->image_count && config->ring_count && has_clock) return 0;
    swp_set_error(error_text, "a replay needs a capture, a ring and, when paced, a clock");
    return -EINVAL;
}

int swp_replay_open(const swp_replay_config *config, void **out, char *error_text) {
    int failed = check_config(config, error_text);
    *out = NULL;
    if (failed) return failed;
    replay_port *port = allocate(config);
    if (port == NULL) {
        swp_set_error(error_text, "no memory for %" PRIu32 " captures", config->image_count);
        return -ENOMEM;
    }
    port->input_count = config->image_count;
    for (uint32_t index = 0; index < config->image_count; index++)
        port->inputs[index].image = config->images[index];
    port->ring.capacity = config->ring_count;
    port->clock = config->clock;
    port->speed_q16 = config->speed_q16;
    port->repeat_count = config->repeat_count;
    port->trailer_kinds = config->trailer_kinds;
    failed = probe(port, error_text);
    if (failed) {
        replay_close(port);
        return failed;
    }
    start_pass(port);
    *out = port;
    return 0;
}

static const swp_ops operations = {
    .join = replay_join,
    .thread_init = replay_thread_init,
    .rx_burst = replay_rx_burst,
    .release = replay_release,
    .tx = replay_tx,
    .stats = replay_stats,
    .close = replay_close,
    .last_error = replay_last_error,
};

const swp_ops *swp_replay_ops(void) {
    return &operations;
}
