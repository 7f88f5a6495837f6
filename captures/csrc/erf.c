/* ERF, the Extensible Record Format of Endace DAG cards. */
#include "bytes.h"

enum {
    ERF_HEADER_BYTES = 16,
    ERF_EXTENSION_BYTES = 8,
    ERF_ETHERNET_PAD_BYTES = 2,
    ERF_EXTENSIONS_FOLLOW = 0x80,
    ERF_TYPE_MASK = 0x7f,

    ERF_HDLC_POS = 1,
    ERF_ETH = 2,
    ERF_COLOR_HDLC_POS = 10,
    ERF_COLOR_ETH = 11,
    ERF_DSM_COLOR_HDLC_POS = 15,
    ERF_DSM_COLOR_ETH = 16,
    ERF_COLOR_HASH_POS = 19,
    ERF_COLOR_HASH_ETH = 20,
    ERF_IPV4 = 22,
    ERF_IPV6 = 23,
    ERF_META = 27,
    ERF_PAD = 48,

    FLAG_INTERFACE_MASK = 0x03,
    FLAG_TRUNCATED = 0x08,
    FLAG_RX_ERROR = 0x10,
    FLAG_DS_ERROR = 0x20,

    LINK_ETHERNET = 1,
    LINK_RAW_IP = 101,
    LINK_CISCO_HDLC = 104,
    LINK_NONE = 0xffff,

    PLAUSIBLE_RECORDS = 8,
    PLAUSIBLE_ENOUGH = 2, /* good ones before a bad one: ERF that is damaged there */
    PLAUSIBLE_CUT_BYTES = 16384,
};

static const uint64_t PLAUSIBLE_EARLIEST_S = 631152000;  /* 1990 */
static const uint64_t PLAUSIBLE_SPREAD_S = 366 * 86400;

/* The record in the window at p, its parts checked against its own length. */
typedef struct {
    uint64_t time;          /* 32.32 fixed point seconds */
    uint32_t head_bytes;    /* header, extension headers and pad: where the frame begins */
    uint16_t record_bytes;
    uint16_t wire_bytes;
    uint8_t type;
    uint8_t flags;
} record;

static int is_ethernet(uint8_t type)
{
    return type == ERF_ETH || type == ERF_COLOR_ETH || type == ERF_DSM_COLOR_ETH
           || type == ERF_COLOR_HASH_ETH;
}

static uint16_t link_type_of(uint8_t type)
{
    if (is_ethernet(type))
        return LINK_ETHERNET;
    switch (type) {
    case ERF_IPV4:
    case ERF_IPV6: return LINK_RAW_IP;
    case ERF_HDLC_POS:
    case ERF_COLOR_HDLC_POS:
    case ERF_DSM_COLOR_HDLC_POS:
    case ERF_COLOR_HASH_POS: return LINK_CISCO_HDLC;
    default: return LINK_NONE;
    }
}

static void load_header(const uint8_t *p, record *r)
{
    r->time = load_u64(p, 0);
    r->type = p[8] & ERF_TYPE_MASK;
    r->flags = p[9];
    r->record_bytes = load_be16(p + 10);
    r->wire_bytes = load_be16(p + 14);
    r->head_bytes = ERF_HEADER_BYTES;
}

/* Walks the extension headers of a record that is whole at p. 0 where they outrun the record. */
static int load_extensions(const uint8_t *p, record *r)
{
    int more = p[8] & ERF_EXTENSIONS_FOLLOW;
    while (more) {
        if (r->record_bytes - r->head_bytes < ERF_EXTENSION_BYTES)
            return 0;
        more = p[r->head_bytes] & ERF_EXTENSIONS_FOLLOW;
        r->head_bytes += ERF_EXTENSION_BYTES;
    }
    if (is_ethernet(r->type))
        r->head_bytes += ERF_ETHERNET_PAD_BYTES;
    return r->head_bytes <= r->record_bytes;
}

int swc_erf_plausible(const uint8_t *p, uint64_t size_bytes)
{
    uint64_t first_s = 0;
    for (int i = 0; i < PLAUSIBLE_RECORDS; i++) {
        record r;
        if (size_bytes < ERF_HEADER_BYTES)
            return i > 0;
        load_header(p, &r);
        const uint64_t seconds = r.time >> 32;
        const uint64_t apart = seconds > first_s ? seconds - first_s : first_s - seconds;
        if (r.type == 0 || (r.type > ERF_META && r.type != ERF_PAD)
            || r.record_bytes < ERF_HEADER_BYTES || seconds < PLAUSIBLE_EARLIEST_S
            || (i > 0 && apart > PLAUSIBLE_SPREAD_S))
            return i >= PLAUSIBLE_ENOUGH;
        if (size_bytes < r.record_bytes)
            return i > 0 || (is_ethernet(r.type) && r.wire_bytes <= PLAUSIBLE_CUT_BYTES
                             && r.record_bytes <= PLAUSIBLE_CUT_BYTES);
        if (!load_extensions(p, &r))
            return i >= PLAUSIBLE_ENOUGH;
        if (i == 0)
            first_s = seconds;
        p += r.record_bytes;
        size_bytes -= r.record_bytes;
    }
    return 1;
}

static void fill_packet(const swc_cursor *cursor, const record *r, uint16_t link, swc_packet *out)
{
    const uint32_t room = r->record_bytes - r->head_bytes;
    const uint32_t caplen = room < r->wire_bytes ? room : r->wire_bytes;
    const uint64_t fraction = r->time & UINT32_MAX;
    uint32_t flags = SWC_PACKET_HW_TIMESTAMP;
    if (r->flags & (FLAG_TRUNCATED | FLAG_RX_ERROR | FLAG_DS_ERROR))
        flags |= SWC_PACKET_BAD_FRAME;
    if (caplen < r->wire_bytes)
        flags |= SWC_PACKET_CUT;
    else if (link == LINK_ETHERNET)
        flags |= UINT32_C(4) << SWC_PACKET_FCS_SHIFT;  /* these wire lengths count it */
    out->offset = cursor->position + r->head_bytes;
    out->timestamp_ns = (r->time >> 32) * SWC_NS_PER_S
                        + ((fraction * SWC_NS_PER_S + (UINT64_C(1) << 31)) >> 32);
    out->caplen_bytes = caplen;
    out->wire_bytes = r->wire_bytes;
    out->link_type = link;
    out->interface_id = r->flags & FLAG_INTERFACE_MASK;
    out->flags = flags;
}

int64_t swc_erf_next(swc_cursor *cursor, swc_packet *out, int64_t max)
{
    int64_t n = 0;
    while (n < max) {
        const uint8_t *p = swc_here(cursor);
        const uint64_t left = swc_left(cursor);
        record r;
        if (left < ERF_HEADER_BYTES) {
            swc_short(cursor, ERF_HEADER_BYTES);
            break;
        }
        load_header(p, &r);
        if (r.record_bytes < ERF_HEADER_BYTES) {
            swc_fail(cursor, SWC_ERROR_LENGTH, r.record_bytes, ERF_HEADER_BYTES);
            break;
        }
        if (left < r.record_bytes) {
            swc_short(cursor, r.record_bytes);
            break;
        }
        if (!load_extensions(p, &r)) {
            swc_fail(cursor, SWC_ERROR_LENGTH, r.record_bytes, r.head_bytes);
            break;
        }
        const uint16_t link = link_type_of(r.type);
        if (link == LINK_NONE) {
            cursor->skipped_count++;
        } else {
            cursor->interfaces[0].link_type = link;
            fill_packet(cursor, &r, link, &out[n++]);
        }
        cursor->position += r.record_bytes;
    }
    return n;
}
