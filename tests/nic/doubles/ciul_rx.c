/* Receiving in the double: rings of the caller's buffers (EF10), shared large buffers (X3). */
#include "ciul.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_NS 1700000000000000000ull
#define PUSH_BUFFERS 8u

static uint64_t frame_number;

static uint64_t next_time_ns(void) {
    return FIRST_NS + 1000 * frame_number++;
}

/* --- which frames ------------------------------------------------------------------------ */

typedef struct {
    uint32_t group_be;
    uint16_t port_be;
    int vlan;
} destination;

/* 0 where the frame holds no UDP datagram over IPv4. */
static int read_destination(const uint8_t *frame, uint32_t length_bytes, destination *out) {
    uint32_t at = 14;
    *out = (destination){0};
    if (length_bytes < 42) return 0;
    if (frame[12] == 0x81 && frame[13] == 0) {
        out->vlan = (frame[14] & 15) << 8 | frame[15];
        at += 4;
    }
    if (length_bytes < at + 28 || frame[at - 2] != 8 || frame[at - 1] || frame[at + 9] != 17)
        return 0;
    memcpy(&out->group_be, frame + at + 16, sizeof out->group_be);
    memcpy(&out->port_be, frame + at + 22, sizeof out->port_be);
    return 1;
}

static int matches(const struct ciul_vi *own, const destination *to) {
    for (int index = 0; index < own->filter_count; index++) {
        const ciul_filter *filter = &own->filters[index];
        if (filter->group_be != to->group_be || filter->port_be != to->port_be) continue;
        if (filter->vlan < 0 || filter->vlan == to->vlan) return 1;
    }
    return 0;
}

/* --- EF10 -------------------------------------------------------------------------------- */

static int is_filled_with(const uint8_t *bytes, uint32_t size_bytes, uint8_t value) {
    for (uint32_t at = 0; at < size_bytes; at++)
        if (bytes[at] != value) return 0;
    return 1;
}

static int receive_init(ef_vi *vi, ef_addr address, ef_request_id id) {
    struct ciul_vi *own = vi->own;
    uint8_t *memory = ciul_translate(address, vi->rx_buffer_len);
    if (vi->rx_added - vi->rx_removed >= vi->rx_mask) ciul_violate("receive ring overfilled");
    if (memory == NULL) {
        ciul_violate("a receive buffer that is not registered, or in two pages, was posted");
        return -EFAULT;
    }
    if (id < 0 || id >= CIUL_IDS_MAX || own->id_in_ring[id])
        ciul_violate("buffer %d was posted twice", id);
    else own->id_in_ring[id] = 1;
    if (ciul_settings[CIUL_EXPECTS_POISON] && !is_filled_with(memory, vi->rx_buffer_len, 0) &&
        !is_filled_with(memory, vi->rx_buffer_len, CIUL_POISON))
        ciul_violate("buffer %d was posted again without poison", id);
    memset(memory, CIUL_SCRIBBLE, vi->rx_buffer_len);
    own->rx[vi->rx_added++ & vi->rx_mask] = (ciul_descriptor){address, id};
    return 0;
}

static void receive_push(ef_vi *vi) {
    vi->own->rx_pushed = vi->rx_added & ~(PUSH_BUFFERS - 1);
}

static unsigned subtype_of(uint32_t fault) {
    static const unsigned subtypes[] = {
        [CIUL_BAD_CHECKSUM] = EF_EVENT_RX_DISCARD_CSUM_BAD,
        [CIUL_BAD_CRC] = EF_EVENT_RX_DISCARD_CRC_BAD,
        [CIUL_TRUNCATED] = EF_EVENT_RX_DISCARD_TRUNC,
        [CIUL_RIGHTS] = EF_EVENT_RX_DISCARD_RIGHTS,
        [CIUL_EVENT_LOST] = EF_EVENT_RX_DISCARD_EV_ERROR,
    };
    return subtypes[fault];
}

static void push_rx_event(struct ciul_vi *own, const ciul_descriptor *buffer, uint32_t bytes,
                          unsigned flags, uint32_t fault, const void *stamp) {
    ef_event event;
    memset(&event, 0, sizeof event);
    event.rx.type = fault ? EF_EVENT_TYPE_RX_DISCARD : EF_EVENT_TYPE_RX;
    event.rx.rq_id = (unsigned)buffer->id;
    event.rx.len = bytes & 0xffffu;
    event.rx.flags = flags & 0xffffu;
    if (fault) event.rx_discard.subtype = subtype_of(fault) & 0xffffu;
    ciul_push_event(own, &event, stamp);
}

/* A frame fills buffer after buffer; its time is in front of it, and each event tells all bytes up
 * to that one. */
static int64_t receive_classic(struct ciul_vi *own, const uint8_t *frame, uint32_t length_bytes,
                               uint32_t fault) {
    uint8_t prefix[CIUL_PREFIX_BYTES] = {0};
    uint64_t time_ns = next_time_ns();
    uint32_t sent = 0, written = 0, size = own->vi->rx_buffer_len;
    memcpy(prefix, &time_ns, sizeof time_ns);
    if (own->rx_pushed == own->rx_filled) {
        ciul_count_drop();
        return 0;
    }
    for (unsigned flags = EF_EVENT_FLAG_SOP; sent < length_bytes; flags = 0) {
        if (own->rx_pushed == own->rx_filled) {
            ef_event event;
            memset(&event, 0, sizeof event);
            event.generic.type = EF_EVENT_TYPE_RX_NO_DESC_TRUNC;
            ciul_push_event(own, &event, NULL);
            return 0;
        }
        const ciul_descriptor *buffer = &own->rx[own->rx_filled++ & own->vi->rx_mask];
        uint8_t *memory = ciul_translate(buffer->address, size);
        uint32_t at = flags ? CIUL_PREFIX_BYTES : 0, rest = length_bytes - sent;
        uint32_t part = rest < size - at ? rest : size - at;
        if (at) memcpy(memory, prefix, at);
        memcpy(memory + at, frame + sent, part);
        sent += part;
        written += at + part;
        int is_last = sent == length_bytes;
        if (!is_last) flags |= EF_EVENT_FLAG_CONT;
        uint32_t told = is_last ? fault : CIUL_GOOD;
        push_rx_event(own, buffer, written, flags, told, at && !told ? memory : NULL);
    }
    return 1;
}

/* --- X3 ---------------------------------------------------------------------------------- */

static uint8_t *packet_at(const struct ciul_vi *own, uint32_t packet) {
    return own->superbufs + (size_t)packet * CIUL_X3_STRIDE_BYTES;
}

/* A large buffer that is full comes back when no frame in it is held any more. */
static int find_superbuf(struct ciul_vi *own) {
    for (uint32_t turn = 0; turn < own->superbuf_count; turn++) {
        uint32_t at = (own->superbuf_now + turn) % own->superbuf_count;
        if (own->superbuf_filled[at] == own->superbuf_frames && own->superbuf_held[at] == 0) {
            own->superbuf_filled[at] = 0;
            memset(packet_at(own, at * own->superbuf_frames), CIUL_SCRIBBLE,
                   (size_t)own->superbuf_frames * CIUL_X3_STRIDE_BYTES);
        }
        if (own->superbuf_filled[at] == own->superbuf_frames) continue;
        own->superbuf_now = at;
        return 1;
    }
    return 0;
}

static int64_t receive_shared(struct ciul_vi *own, const uint8_t *frame, uint32_t length_bytes,
                              uint32_t fault) {
    static const unsigned flags[] = {
        [CIUL_BAD_CHECKSUM] = EF_VI_DISCARD_RX_L4_CSUM_ERR,
        [CIUL_BAD_CRC] = EF_VI_DISCARD_RX_ETH_FCS_ERR,
        [CIUL_TRUNCATED] = EF_VI_DISCARD_RX_ETH_LEN_ERR,
    };
    ef_event event;
    uint64_t time_ns = next_time_ns();
    if (!find_superbuf(own)) {
        ciul_count_drop();
        return 0;
    }
    uint32_t at = own->superbuf_now;
    uint32_t packet = at * own->superbuf_frames + own->superbuf_filled[at]++;
    uint8_t *memory = packet_at(own, packet);
    own->superbuf_held[at]++;
    own->packet_state[packet] = CIUL_PACKET_FILLED;
    memcpy(memory, &time_ns, sizeof time_ns);
    memcpy(memory + CIUL_X3_HEADER_BYTES, frame, length_bytes);
    memset(&event, 0, sizeof event);
    event.rx_ref.type = fault ? EF_EVENT_TYPE_RX_REF_DISCARD : EF_EVENT_TYPE_RX_REF;
    event.rx_ref.len = length_bytes & 0xffffu;
    event.rx_ref.pkt_id = packet;
    if (fault) event.rx_ref_discard.flags = flags[fault] & 0xffffu;
    ciul_push_event(own, &event, fault ? NULL : memory + CIUL_X3_HEADER_BYTES);
    return 1;
}

static int is_with_reader(const struct ciul_vi *own, uint32_t packet) {
    uint32_t count = own->superbuf_count * own->superbuf_frames;
    return packet < count && own->packet_state[packet] == CIUL_PACKET_WITH_READER;
}

const void *efct_vi_rxpkt_get(ef_vi *vi, uint32_t packet) {
    if (!is_with_reader(vi->own, packet)) ciul_violate("packet %u is not the reader's", packet);
    return packet_at(vi->own, packet) + CIUL_X3_HEADER_BYTES;
}

void efct_vi_rxpkt_release(ef_vi *vi, uint32_t packet) {
    struct ciul_vi *own = vi->own;
    if (!is_with_reader(own, packet)) {
        ciul_violate("packet %u was released, and is not the reader's", packet);
        return;
    }
    own->packet_state[packet] = CIUL_PACKET_FREE;
    own->superbuf_held[packet / own->superbuf_frames]--;
}

/* --- both -------------------------------------------------------------------------------- */

int64_t ciul_inject(const void *frame, uint32_t length_bytes, uint32_t fault) {
    destination to;
    int64_t count = 0;
    int is_x3 = ciul_settings[CIUL_KIND] == CIUL_X3;
    int is_udp = read_destination(frame, length_bytes, &to);
    if (length_bytes > ciul_settings[CIUL_MTU_BYTES] || fault > CIUL_EVENT_LOST) return 0;
    if (is_x3 && length_bytes > CIUL_X3_STRIDE_BYTES - CIUL_X3_HEADER_BYTES) return 0;
    if (is_x3 && fault > CIUL_TRUNCATED) return 0;
    for (int index = 0; index < CIUL_VIS_MAX; index++) {
        struct ciul_vi *own = ciul_vis[index];
        if (own == NULL || (own->rx == NULL && own->superbufs == NULL)) continue;
        int wanted = is_udp && matches(own, &to);
        if (!wanted && !(is_x3 && ciul_settings[CIUL_SHARES_QUEUE])) continue;
        count += is_x3 ? receive_shared(own, frame, length_bytes, fault)
                       : receive_classic(own, frame, length_bytes, fault);
    }
    return count;
}

void ciul_rx_deliver(struct ciul_vi *own, const ef_event *event) {
    switch (EF_EVENT_TYPE(*event)) {
    case EF_EVENT_TYPE_RX:
    case EF_EVENT_TYPE_RX_DISCARD:
        own->vi->rx_removed++;
        own->id_in_ring[event->rx.rq_id] = 0;
        break;
    case EF_EVENT_TYPE_RX_REF:
    case EF_EVENT_TYPE_RX_REF_DISCARD:
        own->packet_state[event->rx_ref.pkt_id] = CIUL_PACKET_WITH_READER;
        break;
    default:
        break;
    }
}

static int set_discards(ef_vi *vi, unsigned flags) {
    (void)vi, (void)flags;
    return 0;
}

void ciul_rx_ops(ef_vi *vi) {
    vi->ops.receive_init = receive_init;
    vi->ops.receive_push = receive_push;
    vi->ops.receive_set_discards = set_discards;
}

static int open_shared(struct ciul_vi *own) {
    own->superbuf_count = (uint32_t)ciul_settings[CIUL_SUPERBUFS];
    own->superbuf_frames = (uint32_t)ciul_settings[CIUL_SUPERBUF_FRAMES];
    size_t count = (size_t)own->superbuf_count * own->superbuf_frames;
    own->superbufs = malloc(count * CIUL_X3_STRIDE_BYTES);
    own->packet_state = calloc(count, 1);
    own->superbuf_filled = calloc(own->superbuf_count, sizeof *own->superbuf_filled);
    own->superbuf_held = calloc(own->superbuf_count, sizeof *own->superbuf_held);
    memset(own->superbufs, CIUL_SCRIBBLE, count * CIUL_X3_STRIDE_BYTES);
    return 0;
}

int ciul_rx_open(struct ciul_vi *own, int rxq_capacity) {
    if (ciul_settings[CIUL_KIND] == CIUL_X3) return open_shared(own);
    if (rxq_capacity & (rxq_capacity - 1)) return -EINVAL;
    own->vi->rx_mask = (uint32_t)rxq_capacity - 1;
    own->vi->rx_prefix_len = CIUL_PREFIX_BYTES;
    own->rx = calloc((size_t)rxq_capacity, sizeof *own->rx);
    own->id_in_ring = calloc(CIUL_IDS_MAX, 1);
    return 0;
}

void ciul_rx_close(struct ciul_vi *own) {
    for (uint32_t packet = 0; packet < own->superbuf_count * own->superbuf_frames; packet++)
        if (own->packet_state[packet] == CIUL_PACKET_WITH_READER)
            ciul_violate("packet %u was still held when its interface was freed", packet);
    free(own->rx);
    free(own->id_in_ring);
    free(own->superbufs);
    free(own->packet_state);
    free(own->superbuf_filled);
    free(own->superbuf_held);
}
