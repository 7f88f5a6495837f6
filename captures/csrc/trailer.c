/* Timestamps that capture devices append to frames.
 *
 * A trailer has no magic. What makes one: it lies behind the IP datagram and at most Ethernet's own
 * padding, it ends where the frame ends (or four bytes before, where a new FCS was captured), and
 * its time is near the time of capture.
 */
#include "bytes.h"

enum {
    ETHERTYPE_OFFSET = 12,
    ETHERTYPE_IPV4 = 0x0800,
    ETHERTYPE_IPV6 = 0x86dd,
    ETHERTYPE_VLAN = 0x8100,
    ETHERTYPE_SERVICE_VLAN = 0x88a8,
    ETHERTYPE_OLD_SERVICE_VLAN = 0x9100,
    ETHERTYPE_KEY_FRAME = 0x88b5,
    VLANS_MAX = 4,
    VLAN_BYTES = 4,
    IPV4_MIN_BYTES = 20,
    IPV6_BYTES = 40,
    IP_PROTOCOL_KEY_FRAME = 253,
    MIN_FRAME_BYTES = 60, /* without FCS: shorter ones are padded */
    FCS_BYTES = 4,
    LINK_ETHERNET = 1,

    METAWATCH_TAIL_BYTES = 12, /* seconds, nanoseconds, flags, device, port */
    METAWATCH_HAS_EXTENSIONS = 0x02,
    EXTENSION_TAG_MASK = 0x1f,
    EXTENSION_LONG = 0x1f,
    EXTENSION_LAST = 0x20,
    EXTENSION_SUB_NS = 1,
    HPT_BYTES = 16,
    COUNTER_BYTES = 4,
    KEY_FRAME_BYTES = 40,
    COMPATIBLE_KEY_FRAME_BYTES = 62,
};

static const uint32_t KEY_FRAME_MAGIC = 0x45584b46; /* "EXKF" */
static const uint64_t COUNTER_FREQUENCY_HZ = 350000000;
static const uint64_t COUNTER_SLACK_NS = 10000000; /* capture clock against counter */

/* Where the frame's own bytes end, and how far Ethernet's padding may reach. */
typedef struct {
    const uint8_t *bytes;
    uint64_t capture_ns;
    uint32_t caplen;
    uint32_t payload;      /* offset of what follows the Ethernet header and its VLAN tags */
    uint16_t ethertype;
    uint32_t datagram_end; /* 0 when it is no IP datagram */
    uint32_t padding_end;
} frame_view;

static int near_capture(const swc_trailer_state *state, const frame_view *f, uint64_t ns)
{
    const uint64_t apart = ns > f->capture_ns ? ns - f->capture_ns : f->capture_ns - ns;
    return apart <= state->window_ns;
}

static int starts_rightly(const frame_view *f, uint32_t start)
{
    return start >= f->datagram_end && start <= f->padding_end;
}

static uint32_t ip_bytes(const uint8_t *ip, uint32_t left, uint16_t ethertype)
{
    if (ethertype == ETHERTYPE_IPV4 && left >= IPV4_MIN_BYTES && ip[0] >> 4 == 4) {
        const uint32_t total = load_be16(ip + 2);
        return total >= IPV4_MIN_BYTES ? total : 0;
    }
    if (ethertype == ETHERTYPE_IPV6 && left >= IPV6_BYTES && ip[0] >> 4 == 6) {
        const uint32_t payload = load_be16(ip + 4);
        return payload ? IPV6_BYTES + payload : 0;
    }
    return 0;
}

/* 0 when the frame is too short for an Ethernet header. */
static int view_frame(const uint8_t *frame, const swc_packet *packet, frame_view *f)
{
    uint32_t at = ETHERTYPE_OFFSET;
    uint32_t vlans = 0;
    memset(f, 0, sizeof *f);
    f->bytes = frame;
    f->caplen = packet->caplen_bytes;
    f->capture_ns = packet->timestamp_ns;
    for (;;) {
        if (f->caplen < at + 2)
            return 0;
        f->ethertype = load_be16(frame + at);
        if (vlans == VLANS_MAX
            || (f->ethertype != ETHERTYPE_VLAN && f->ethertype != ETHERTYPE_SERVICE_VLAN
                && f->ethertype != ETHERTYPE_OLD_SERVICE_VLAN))
            break;
        vlans++;
        at += VLAN_BYTES;
    }
    f->payload = at + 2;
    const uint32_t bytes = ip_bytes(frame + f->payload, f->caplen - f->payload, f->ethertype);
    if (bytes && bytes <= f->caplen - f->payload) {
        f->datagram_end = f->payload + bytes;
        f->padding_end = MIN_FRAME_BYTES + VLAN_BYTES * vlans;
        if (f->padding_end < f->datagram_end)
            f->padding_end = f->datagram_end;
    }
    return 1;
}

/* Extensions stand before the seconds and are read backwards: the last word of each is its tag.
 * Returns where they begin, or 0 where they outrun the trailer. */
static uint32_t read_extensions(const frame_view *f, uint32_t end, swc_trailer *out)
{
    uint32_t word = 0;
    while (!(word & EXTENSION_LAST)) {
        if (end < f->datagram_end + 4)
            return 0;
        end -= 4;
        word = load_be32(f->bytes + end);
        const uint32_t tag = word & EXTENSION_TAG_MASK;
        const uint32_t words = tag == EXTENSION_LONG ? (word >> 6 & 0x3ff) + 1 : word >> 6 & 3;
        if (end - f->datagram_end < words * 4)
            return 0;
        if (tag == EXTENSION_SUB_NS && words == 0)
            out->timestamp_ps = (uint32_t)((word >> 8) * UINT64_C(1000) >> 24);
        end -= words * 4;
    }
    return end;
}

static int read_metawatch(const swc_trailer_state *state, const frame_view *f, uint32_t tail,
                          swc_trailer *out)
{
    if (tail < f->datagram_end + METAWATCH_TAIL_BYTES + FCS_BYTES)
        return 0;
    const uint8_t *p = f->bytes + tail - METAWATCH_TAIL_BYTES;
    const uint64_t nanoseconds = load_be32(p + 4);
    out->timestamp_ns = load_be32(p) * SWC_NS_PER_S + nanoseconds;
    if (nanoseconds >= SWC_NS_PER_S || !near_capture(state, f, out->timestamp_ns))
        return 0;
    uint32_t start = tail - METAWATCH_TAIL_BYTES;
    if (p[8] & METAWATCH_HAS_EXTENSIONS)
        start = read_extensions(f, start, out);
    if (start < f->datagram_end + FCS_BYTES || !starts_rightly(f, start - FCS_BYTES))
        return 0;
    out->kind = SWC_TRAILER_METAWATCH;
    out->frame_bytes = start - FCS_BYTES;
    out->original_fcs = load_be32(f->bytes + start - FCS_BYTES);
    out->flags = p[8];
    out->device = load_be16(p + 9);
    out->port = p[11];
    return 1;
}

static int read_hpt(const swc_trailer_state *state, const frame_view *f, uint32_t tail,
                    swc_trailer *out)
{
    if (tail < f->datagram_end + HPT_BYTES || !starts_rightly(f, tail - HPT_BYTES))
        return 0;
    const uint8_t *p = f->bytes + tail - HPT_BYTES;
    const uint64_t fraction = (uint64_t)load_be32(p + 10) << 8 | p[14]; /* of a second, 2^-40 */
    const unsigned __int128 ps_fixed = (unsigned __int128)fraction * 1000 * SWC_NS_PER_S;
    const uint64_t fraction_ps = (uint64_t)(ps_fixed >> 40);
    out->timestamp_ns = load_be32(p + 6) * SWC_NS_PER_S + fraction_ps / 1000;
    if (!near_capture(state, f, out->timestamp_ns))
        return 0;
    out->kind = SWC_TRAILER_EXABLAZE_HPT;
    out->timestamp_ps = (uint32_t)(fraction_ps % 1000);
    out->frame_bytes = tail - HPT_BYTES;
    out->original_fcs = load_be32(p);
    out->device = p[4];
    out->port = p[5];
    out->flags = p[15];
    return 1;
}

/* The 32-bit counter wraps every 12 s. The time since the key frame, by the capture's clock, says
 * which turn it is, and whether these four bytes can be a counter at all. */
static int read_counter(const swc_trailer_state *state, const frame_view *f, uint32_t tail,
                        swc_trailer *out)
{
    if (!state->key_valid || tail < f->datagram_end + COUNTER_BYTES
        || !starts_rightly(f, tail - COUNTER_BYTES) || f->capture_ns < state->key_capture_ns)
        return 0;
    const unsigned bits = state->key_compatible ? 31 : 32;
    const uint32_t raw = load_be32(f->bytes + tail - COUNTER_BYTES);
    const uint32_t counter =
        state->key_compatible ? (raw & ~UINT32_C(0xff)) >> 1 | (raw & 0x7f) : raw;
    const uint64_t hz = state->key_frequency_hz;
    const uint64_t elapsed_ns = f->capture_ns - state->key_capture_ns;
    const uint64_t expected = (uint64_t)((unsigned __int128)elapsed_ns * hz / SWC_NS_PER_S);
    const uint64_t slack = COUNTER_SLACK_NS * hz / SWC_NS_PER_S;
    const uint64_t mask = (UINT64_C(1) << bits) - 1;
    /* Counter minus expectation, modulo its width, moved up by the slack so that it is unsigned. */
    const uint64_t ahead = (counter - state->key_counter - expected + slack) & mask;
    if (ahead > 2 * slack || expected + ahead < slack)
        return 0;
    const uint64_t ticks = expected + ahead - slack;
    const unsigned __int128 ps = (unsigned __int128)ticks * 1000 * SWC_NS_PER_S / hz;
    out->timestamp_ns = state->key_ns + (uint64_t)(ps / 1000);
    if (!near_capture(state, f, out->timestamp_ns))
        return 0;
    out->kind = SWC_TRAILER_EXABLAZE_COUNTER;
    out->timestamp_ps = (uint32_t)(ps % 1000);
    out->frame_bytes = tail - COUNTER_BYTES;
    return 1;
}

static void learn_key(swc_trailer_state *state, const frame_view *f, uint64_t ns, uint64_t counter,
                      uint64_t frequency_hz, uint32_t compatible)
{
    if (frequency_hz < COUNTER_FREQUENCY_HZ / 100 || frequency_hz > COUNTER_FREQUENCY_HZ * 100)
        return;
    state->key_ns = ns;
    state->key_counter = counter;
    state->key_capture_ns = f->capture_ns;
    state->key_frequency_hz = frequency_hz;
    state->key_compatible = compatible;
    state->key_valid = 1;
}

/* Key frames map the counter to UTC once a second: an Ethernet type of their own, or IP protocol
 * 253 from 0.0.0.0 to broadcast. Returns whether this is one, understood or not. */
static int read_key_frame(swc_trailer_state *state, const frame_view *f)
{
    const uint8_t *p = f->bytes + f->payload;
    uint32_t left = f->caplen - f->payload;
    if (f->datagram_end && f->ethertype == ETHERTYPE_IPV4) {
        const uint32_t header = (p[0] & 15u) * 4;
        if (p[9] != IP_PROTOCOL_KEY_FRAME || load_be32(p + 12) != 0
            || load_be32(p + 16) != UINT32_MAX || header < IPV4_MIN_BYTES
            || f->datagram_end - f->payload < header)
            return 0;
        left = f->datagram_end - f->payload - header;
        p += header;
    } else if (f->ethertype != ETHERTYPE_KEY_FRAME) {
        return 0;
    }
    if (left >= KEY_FRAME_BYTES && load_be32(p) == KEY_FRAME_MAGIC && p[4] == 1)
        learn_key(state, f, load_be64(p + 8), load_be64(p + 16), load_be64(p + 24), 0);
    else if (left == COMPATIBLE_KEY_FRAME_BYTES && load_be64(p + 24) == 1 && load_be64(p + 32) == 1)
        learn_key(state, f, load_be64(p + 8), load_be64(p), COUNTER_FREQUENCY_HZ, 1);
    return 1;
}

/* `tail` is where the trailer would end. */
static int read_at(const swc_trailer_state *state, const frame_view *f, uint32_t tail,
                   swc_trailer *out)
{
    if (state->kinds & SWC_TRAILER_METAWATCH && read_metawatch(state, f, tail, out))
        return 1;
    memset(out, 0, sizeof *out);
    if (state->kinds & SWC_TRAILER_EXABLAZE_HPT && read_hpt(state, f, tail, out))
        return 1;
    memset(out, 0, sizeof *out);
    if (state->kinds & SWC_TRAILER_EXABLAZE_COUNTER && read_counter(state, f, tail, out))
        return 1;
    memset(out, 0, sizeof *out);
    return 0;
}

int swc_trailer_read(swc_trailer_state *state, const uint8_t *frame, const swc_packet *packet,
                     swc_trailer *out)
{
    frame_view f;
    memset(out, 0, sizeof *out);
    if (packet->link_type != LINK_ETHERNET
        || packet->flags & (SWC_PACKET_CUT | SWC_PACKET_NO_TIMESTAMP)
        || !view_frame(frame, packet, &f))
        return SWC_TRAILER_NONE;
    if (state->kinds & SWC_TRAILER_EXABLAZE_COUNTER && read_key_frame(state, &f))
        return SWC_TRAILER_NONE;
    if (!f.datagram_end)
        return SWC_TRAILER_NONE;
    for (uint32_t new_fcs = 0; new_fcs <= FCS_BYTES; new_fcs += FCS_BYTES) {
        if (f.caplen < f.datagram_end + new_fcs)
            break;
        if (read_at(state, &f, f.caplen - new_fcs, out)) {
            out->trailer_bytes = f.caplen - new_fcs - out->frame_bytes;
            return out->kind;
        }
    }
    return SWC_TRAILER_NONE;
}

int64_t swc_trailer_index(swc_trailer_state *state, const void *base, uint64_t origin,
                          const swc_packet *packets, int64_t count, swc_trailer *out)
{
    int64_t recognised = 0;
    for (int64_t i = 0; i < count; i++) {
        const uint8_t *frame = (const uint8_t *)base + (packets[i].offset - origin);
        recognised += swc_trailer_read(state, frame, &packets[i], &out[i]) != SWC_TRAILER_NONE;
    }
    return recognised;
}

int64_t swc_trailer_apply(swc_trailer_state *state, const void *base, uint64_t origin,
                          swc_packet *packets, int64_t count)
{
    int64_t recognised = 0;
    for (int64_t i = 0; i < count; i++) {
        const uint8_t *frame = (const uint8_t *)base + (packets[i].offset - origin);
        swc_trailer trailer;
        if (swc_trailer_read(state, frame, &packets[i], &trailer) == SWC_TRAILER_NONE)
            continue;
        packets[i].timestamp_ns = trailer.timestamp_ns;
        packets[i].flags |= SWC_PACKET_HW_TIMESTAMP;
        recognised++;
    }
    return recognised;
}
