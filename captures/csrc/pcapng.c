/* pcapng: blocks, sections and interfaces (draft-ietf-opsawg-pcapng). */
#include "bytes.h"

enum {
    BLOCK_SECTION = 0x0a0d0d0a,
    BLOCK_INTERFACE = 1,
    BLOCK_OBSOLETE_PACKET = 2,
    BLOCK_SIMPLE_PACKET = 3,
    BLOCK_ENHANCED_PACKET = 6,

    BLOCK_MIN_BYTES = 12,
    SECTION_MIN_BYTES = 28,
    INTERFACE_MIN_BYTES = 20,
    PACKET_HEAD_BYTES = 28, /* of enhanced and obsolete blocks: up to the first captured byte */
    SIMPLE_HEAD_BYTES = 12,
    TRAILING_LENGTH_BYTES = 4,

    OPTION_END = 0,
    OPTION_PACKET_FLAGS = 2,
    OPTION_TSRESOL = 9,
    OPTION_FCSLEN = 13,
    OPTION_TSOFFSET = 14,

    SCALE_MULTIPLY = 0,
    SCALE_DIVIDE = 1,
    SCALE_BINARY = 2,
};

static const uint32_t BYTE_ORDER_MAGIC = 0x1a2b3c4d;

/* One block, whole in the window. `bytes` is its total length. */
typedef struct {
    const uint8_t *p;
    uint32_t type;
    uint32_t bytes;
} block;

static uint64_t power_of_ten(unsigned exponent)
{
    uint64_t value = 1;
    while (exponent-- > 0)
        value *= 10;
    return value;
}

static void set_resolution(swc_interface *interface, uint8_t tsresol)
{
    if (tsresol & 0x80) {
        interface->scale_kind = SCALE_BINARY;
        interface->scale = tsresol & 0x7f;
    } else if (tsresol <= 9) {
        interface->scale_kind = SCALE_MULTIPLY;
        interface->scale = power_of_ten(9u - tsresol);
    } else {
        /* Finer than 10^-28 s, any 64-bit count is less than a nanosecond. */
        interface->scale_kind = SCALE_DIVIDE;
        interface->scale = tsresol <= 28 ? power_of_ten(tsresol - 9u) : UINT64_MAX;
    }
}

static uint64_t to_ns(const swc_interface *interface, uint64_t ticks, uint32_t *flags)
{
    __int128 ns;
    if (interface->scale_kind == SCALE_MULTIPLY)
        ns = (__int128)ticks * (__int128)interface->scale;
    else if (interface->scale_kind == SCALE_DIVIDE)
        ns = (__int128)(ticks / interface->scale);
    else
        ns = (__int128)ticks * (__int128)SWC_NS_PER_S >> interface->scale;
    ns += (__int128)interface->offset_s * (__int128)SWC_NS_PER_S;
    if (__builtin_expect(ns < 0 || ns > (__int128)UINT64_MAX, 0)) {
        *flags |= SWC_PACKET_TIME_CLAMPED;
        return ns < 0 ? 0 : UINT64_MAX;
    }
    return (uint64_t)ns;
}

/* Steps over one option. Returns its code, OPTION_END at the end of the list, or -1 where an option
 * runs past the block. *value and *bytes describe it; *at moves to the next. */
static int next_option(const uint8_t **at, const uint8_t *end, int swapped, const uint8_t **value,
                       uint16_t *bytes)
{
    const uint64_t left = (uint64_t)(end - *at);
    if (left == 0)
        return OPTION_END;
    if (left < 4)
        return -1;
    const int code = load_u16(*at, swapped);
    *bytes = load_u16(*at + 2, swapped);
    *value = *at + 4;
    if (code == OPTION_END)
        return OPTION_END;
    const uint64_t padded = (*bytes + UINT64_C(3)) & ~UINT64_C(3);
    if (padded > left - 4)
        return -1;
    *at += 4 + padded;
    return code;
}

static void add_interface(swc_cursor *cursor, const block *b)
{
    if (b->bytes < INTERFACE_MIN_BYTES) {
        swc_fail(cursor, SWC_ERROR_LENGTH, b->bytes, INTERFACE_MIN_BYTES);
        return;
    }
    if (cursor->interface_count == SWC_INTERFACES_MAX) {
        swc_fail(cursor, SWC_ERROR_TOO_MANY_INTERFACES, SWC_INTERFACES_MAX + 1, SWC_INTERFACES_MAX);
        return;
    }
    swc_interface *interface = &cursor->interfaces[cursor->interface_count];
    memset(interface, 0, sizeof *interface);
    interface->link_type = load_u16(b->p + 8, cursor->swapped);
    interface->snaplen_bytes = load_u32(b->p + 12, cursor->swapped);
    interface->caplen_max_bytes = swc_caplen_max(interface->snaplen_bytes);
    set_resolution(interface, 6);

    const uint8_t *at = b->p + 16;
    const uint8_t *end = b->p + b->bytes - TRAILING_LENGTH_BYTES;
    const uint8_t *value;
    uint16_t bytes = 0;
    int code;
    while ((code = next_option(&at, end, cursor->swapped, &value, &bytes)) > 0) {
        if (code == OPTION_TSRESOL && bytes >= 1)
            set_resolution(interface, value[0]);
        else if (code == OPTION_TSOFFSET && bytes >= 8)
            interface->offset_s = (int64_t)load_u64(value, cursor->swapped);
        else if (code == OPTION_FCSLEN && bytes >= 1)
            interface->fcs_bytes = value[0] & 15;
    }
    if (code < 0) {
        swc_fail(cursor, SWC_ERROR_LENGTH, bytes, (uint64_t)(end - at));
        return;
    }
    cursor->interface_count++;
}

static void begin_section(swc_cursor *cursor, const block *b)
{
    const uint16_t major = load_u16(b->p + 12, cursor->swapped);
    if (major != 1) {
        swc_fail(cursor, SWC_ERROR_VERSION, (uint64_t)major << 16, 1 << 16);
    } else {
        cursor->interface_count = 0;
        cursor->section_count++;
    }
}

/* What the device said of one frame (epb_flags): errors in the top half, FCS length in bits 5-8. */
static void read_packet_flags(const uint8_t *at, const uint8_t *end, int swapped, uint32_t *flags)
{
    const uint8_t *value;
    uint16_t bytes = 0;
    int code;
    while ((code = next_option(&at, end, swapped, &value, &bytes)) > 0) {
        if (code != OPTION_PACKET_FLAGS || bytes < 4)
            continue;
        const uint32_t word = load_u32(value, swapped);
        if (word >> 16)
            *flags |= SWC_PACKET_BAD_FRAME;
        if (word >> 5 & 15)
            *flags = (*flags & ~(UINT32_C(15) << SWC_PACKET_FCS_SHIFT))
                     | (word >> 5 & 15) << SWC_PACKET_FCS_SHIFT;
    }
}

/* The interface a packet names, or NULL with the error set. */
static const swc_interface *interface_of(swc_cursor *cursor, uint32_t id)
{
    if (id < cursor->interface_count)
        return &cursor->interfaces[id];
    swc_fail(cursor, SWC_ERROR_INTERFACE, id, cursor->interface_count);
    return NULL;
}

/* Enhanced and obsolete packet blocks: the same but for the width of the interface number. */
static int read_packet(swc_cursor *cursor, const block *b, swc_packet *out)
{
    const int swapped = cursor->swapped;
    if (b->bytes < PACKET_HEAD_BYTES + TRAILING_LENGTH_BYTES) {
        swc_fail(cursor, SWC_ERROR_LENGTH, b->bytes, PACKET_HEAD_BYTES + TRAILING_LENGTH_BYTES);
        return 0;
    }
    const uint32_t id = b->type == BLOCK_ENHANCED_PACKET ? load_u32(b->p + 8, swapped)
                                                         : load_u16(b->p + 8, swapped);
    const swc_interface *interface = interface_of(cursor, id);
    if (!interface)
        return 0;
    const uint32_t caplen = load_u32(b->p + 20, swapped);
    const uint32_t room = b->bytes - PACKET_HEAD_BYTES - TRAILING_LENGTH_BYTES;
    const uint32_t limit = room < interface->caplen_max_bytes ? room : interface->caplen_max_bytes;
    if (caplen > limit) {
        swc_fail(cursor, SWC_ERROR_LENGTH, caplen, limit);
        return 0;
    }
    const uint64_t ticks_high = load_u32(b->p + 12, swapped);
    const uint64_t ticks = ticks_high << 32 | load_u32(b->p + 16, swapped);
    const uint32_t padded = (caplen + 3) & ~UINT32_C(3);
    uint32_t flags = (uint32_t)interface->fcs_bytes << SWC_PACKET_FCS_SHIFT;
    out->offset = cursor->position + PACKET_HEAD_BYTES;
    out->caplen_bytes = caplen;
    out->wire_bytes = load_u32(b->p + 24, swapped);
    out->link_type = interface->link_type;
    out->interface_id = (uint16_t)id;
    if (padded < room)
        read_packet_flags(b->p + PACKET_HEAD_BYTES + padded,
                          b->p + b->bytes - TRAILING_LENGTH_BYTES, swapped, &flags);
    if (caplen < out->wire_bytes)
        flags = (flags & 0xffff) | SWC_PACKET_CUT;
    out->timestamp_ns = to_ns(interface, ticks, &flags);
    out->flags = flags;
    return 1;
}

static int read_simple_packet(swc_cursor *cursor, const block *b, swc_packet *out)
{
    if (b->bytes < SIMPLE_HEAD_BYTES + TRAILING_LENGTH_BYTES) {
        swc_fail(cursor, SWC_ERROR_LENGTH, b->bytes, SIMPLE_HEAD_BYTES + TRAILING_LENGTH_BYTES);
        return 0;
    }
    const swc_interface *interface = interface_of(cursor, 0);
    if (!interface)
        return 0;
    const uint32_t wire = load_u32(b->p + 8, cursor->swapped);
    const uint32_t room = b->bytes - SIMPLE_HEAD_BYTES - TRAILING_LENGTH_BYTES;
    const uint32_t snaplen = interface->snaplen_bytes;
    const uint32_t caplen = snaplen && snaplen < wire ? snaplen : wire;
    const uint32_t limit = room < interface->caplen_max_bytes ? room : interface->caplen_max_bytes;
    if (caplen > limit) {
        swc_fail(cursor, SWC_ERROR_LENGTH, caplen, limit);
        return 0;
    }
    out->offset = cursor->position + SIMPLE_HEAD_BYTES;
    out->timestamp_ns = 0;
    out->caplen_bytes = caplen;
    out->wire_bytes = wire;
    out->link_type = interface->link_type;
    out->interface_id = 0;
    out->flags = SWC_PACKET_NO_TIMESTAMP
                 | (caplen < wire ? (uint32_t)SWC_PACKET_CUT
                                  : (uint32_t)interface->fcs_bytes << SWC_PACKET_FCS_SHIFT);
    return 1;
}

/* A section header turns the byte order for itself and all that follows. */
static int learn_byte_order(swc_cursor *cursor, const uint8_t *p)
{
    const uint32_t magic = load_u32(p + 8, 0);
    if (magic != BYTE_ORDER_MAGIC && magic != __builtin_bswap32(BYTE_ORDER_MAGIC)) {
        swc_fail(cursor, SWC_ERROR_BYTE_ORDER, magic, BYTE_ORDER_MAGIC);
        return 0;
    }
    cursor->swapped = magic != BYTE_ORDER_MAGIC;
    return 1;
}

/* Finds the block at cursor->position. 0 where it is not whole in the window, or is wrong. */
static int whole_block(swc_cursor *cursor, block *b)
{
    const uint64_t left = swc_left(cursor);
    b->p = swc_here(cursor);
    if (left < BLOCK_MIN_BYTES) {
        swc_short(cursor, BLOCK_MIN_BYTES);
        return 0;
    }
    if (load_u32(b->p, 0) == BLOCK_SECTION && !learn_byte_order(cursor, b->p))
        return 0;
    b->type = load_u32(b->p, cursor->swapped);
    b->bytes = load_u32(b->p + 4, cursor->swapped);
    const uint32_t least = b->type == BLOCK_SECTION ? SECTION_MIN_BYTES : BLOCK_MIN_BYTES;
    if (b->bytes < least || b->bytes % 4 != 0 || b->bytes > SWC_RECORD_MAX_BYTES) {
        swc_fail(cursor, SWC_ERROR_LENGTH, b->bytes,
                 b->bytes < least ? least : (uint64_t)SWC_RECORD_MAX_BYTES);
        return 0;
    }
    if (left < b->bytes) {
        swc_short(cursor, b->bytes);
        return 0;
    }
    const uint32_t again = load_u32(b->p + b->bytes - TRAILING_LENGTH_BYTES, cursor->swapped);
    if (again != b->bytes) {
        swc_fail(cursor, SWC_ERROR_LENGTH, again, b->bytes);
        return 0;
    }
    return 1;
}

int64_t swc_pcapng_next(swc_cursor *cursor, swc_packet *out, int64_t max)
{
    int64_t n = 0;
    block b;
    while (n < max && whole_block(cursor, &b)) {
        int packets = 0;
        switch (b.type) {
        case BLOCK_ENHANCED_PACKET:
        case BLOCK_OBSOLETE_PACKET: packets = read_packet(cursor, &b, &out[n]); break;
        case BLOCK_SIMPLE_PACKET: packets = read_simple_packet(cursor, &b, &out[n]); break;
        case BLOCK_SECTION: begin_section(cursor, &b); break;
        case BLOCK_INTERFACE: add_interface(cursor, &b); break;
        default: cursor->skipped_count++; break;
        }
        if (cursor->error)
            break;
        n += packets;
        cursor->position += b.bytes;
    }
    return n;
}
