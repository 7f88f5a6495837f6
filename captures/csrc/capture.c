/* The cursor: telling formats apart, and classic pcap. */
#include "bytes.h"

enum {
    PCAP_HEADER_BYTES = 24,
    PCAP_RECORD_BYTES = 16,
    TEXT_SAMPLE_BYTES = 256,
    PREFETCH_BYTES = 4096,
};

static const uint32_t PCAP_USEC_MAGIC = 0xa1b2c3d4;
static const uint32_t PCAP_NSEC_MAGIC = 0xa1b23c4d;
static const uint32_t PCAPNG_MAGIC = 0x0a0d0d0a;

void swc_open(swc_cursor *cursor, const void *base, uint64_t size_bytes, int final)
{
    memset(cursor, 0, sizeof *cursor);
    cursor->base = base;
    cursor->size_bytes = size_bytes;
    cursor->final = final;
}

void swc_window(swc_cursor *cursor, const void *base, uint64_t origin, uint64_t size_bytes,
                int final)
{
    if (origin > cursor->position || cursor->position - origin > size_bytes) {
        if (!cursor->error)
            swc_fail(cursor, SWC_ERROR_WINDOW, origin, size_bytes);
        return;
    }
    cursor->base = base;
    cursor->origin = origin;
    cursor->size_bytes = size_bytes;
    cursor->final = final;
}

/* Inlined once for each unit and byte order, so that only lengths are decided in the loop. */
static inline __attribute__((always_inline)) int64_t
pcap_scan(swc_cursor *cursor, swc_packet *out, int64_t max, const int swapped,
          const uint64_t unit_ns)
{
    const uint32_t caplen_max = cursor->interfaces[0].caplen_max_bytes;
    const uint16_t link_type = cursor->interfaces[0].link_type;
    const uint32_t fcs_flag = (uint32_t)cursor->interfaces[0].fcs_bytes << SWC_PACKET_FCS_SHIFT;
    const uint8_t *p = swc_here(cursor);
    const uint8_t *const end = cursor->base + cursor->size_bytes;
    uint64_t position = cursor->position;
    int64_t n = 0;

    while (n < max) {
        const uint64_t left = (uint64_t)(end - p);
        /* The hardware's own prefetch stops at a page's end. An address past the window is no
         * access, so it needs no check. 7.3 -> 5.4 ns a packet of 64-200 bytes. */
        __builtin_prefetch((const void *)((uintptr_t)p + PREFETCH_BYTES));
        if (left < PCAP_RECORD_BYTES) {
            cursor->position = position;
            swc_short(cursor, PCAP_RECORD_BYTES);
            return n;
        }
        const uint64_t seconds = load_u32(p, swapped);
        const uint64_t fraction = load_u32(p + 4, swapped);
        const uint32_t caplen = load_u32(p + 8, swapped);
        const uint32_t wire = load_u32(p + 12, swapped);
        if (caplen > caplen_max) {
            cursor->position = position;
            swc_fail(cursor, SWC_ERROR_LENGTH, caplen, caplen_max);
            return n;
        }
        if (left - PCAP_RECORD_BYTES < caplen) {
            cursor->position = position;
            swc_short(cursor, PCAP_RECORD_BYTES + (uint64_t)caplen);
            return n;
        }
        out[n].offset = position + PCAP_RECORD_BYTES;
        out[n].timestamp_ns = seconds * SWC_NS_PER_S + fraction * unit_ns;
        out[n].caplen_bytes = caplen;
        out[n].wire_bytes = wire;
        out[n].link_type = link_type;
        out[n].interface_id = 0;
        out[n].flags = caplen < wire ? (uint32_t)SWC_PACKET_CUT : fcs_flag;
        n++;
        p += PCAP_RECORD_BYTES + caplen;
        position += PCAP_RECORD_BYTES + (uint64_t)caplen;
    }
    cursor->position = position;
    return n;
}

int64_t swc_pcap_next(swc_cursor *cursor, swc_packet *out, int64_t max)
{
    switch (cursor->format) {
    case SWC_FORMAT_PCAP_USEC_LE: return pcap_scan(cursor, out, max, 0, 1000);
    case SWC_FORMAT_PCAP_USEC_BE: return pcap_scan(cursor, out, max, 1, 1000);
    case SWC_FORMAT_PCAP_NSEC_LE: return pcap_scan(cursor, out, max, 0, 1);
    default: return pcap_scan(cursor, out, max, 1, 1);
    }
}

/* The file header of a classic pcap; `format` is what its magic said. */
static void pcap_open(swc_cursor *cursor, int format, int swapped)
{
    const uint8_t *p = cursor->base;
    if (cursor->size_bytes < PCAP_HEADER_BYTES) {
        swc_short(cursor, PCAP_HEADER_BYTES);
        return;
    }
    const uint16_t major = load_u16(p + 4, swapped);
    const uint16_t minor = load_u16(p + 6, swapped);
    if (major != 2 || minor < 4) {
        swc_fail(cursor, SWC_ERROR_VERSION, (uint64_t)major << 16 | minor, 2 << 16 | 4);
        return;
    }
    const uint32_t network = load_u32(p + 20, swapped);
    swc_interface *interface = &cursor->interfaces[0];
    interface->snaplen_bytes = load_u32(p + 16, swapped);
    interface->caplen_max_bytes = swc_caplen_max(interface->snaplen_bytes);
    interface->link_type = (uint16_t)network;
    /* Bit 26 says that the top four bits count the FCS, in words of two bytes. */
    if (network & 0x04000000 && network >> 28 < 8)
        interface->fcs_bytes = (uint8_t)(network >> 28 << 1);
    cursor->format = format;
    cursor->swapped = swapped;
    cursor->interface_count = 1;
    cursor->section_count = 1;
    cursor->position = PCAP_HEADER_BYTES;
}

static int looks_like_text(const uint8_t *p, uint64_t size_bytes)
{
    const uint64_t sample = size_bytes < TEXT_SAMPLE_BYTES ? size_bytes : TEXT_SAMPLE_BYTES;
    uint64_t high = 0;
    for (uint64_t i = 0; i < sample; i++) {
        const int space = p[i] >= '\t' && p[i] <= '\r';
        if ((p[i] < ' ' && !space) || p[i] == 0x7f)
            return 0;
        high += p[i] >= 0x80;
    }
    return sample > 0 && high * 3 <= sample;
}

/* No magic matched. ERF has none; the rest gets the most helpful name for what it is. */
static void open_without_magic(swc_cursor *cursor)
{
    if (!cursor->final && cursor->size_bytes < TEXT_SAMPLE_BYTES)
        return;
    if (looks_like_text(cursor->base, cursor->size_bytes)) {
        swc_fail(cursor, SWC_ERROR_TEXT, 0, 0);
    } else if (swc_erf_plausible(cursor->base, cursor->size_bytes)) {
        cursor->format = SWC_FORMAT_ERF;
        cursor->interface_count = 1;
        cursor->section_count = 1;
    } else {
        uint64_t magic = 0;
        memcpy(&magic, cursor->base, cursor->size_bytes < 4 ? cursor->size_bytes : 4);
        swc_fail(cursor, SWC_ERROR_UNKNOWN_FORMAT, magic, 0);
    }
}

/* Sets cursor->format, or cursor->error, or neither when too few bytes are there yet. */
static void detect(swc_cursor *cursor)
{
    if (cursor->size_bytes == 0) {
        if (cursor->final)
            swc_fail(cursor, SWC_ERROR_EMPTY, 0, 0);
        return;
    }
    if (cursor->size_bytes < 4) {
        if (cursor->final)
            open_without_magic(cursor);
        return;
    }
    const uint32_t magic = load_u32(cursor->base, 0);
    if (magic == PCAP_USEC_MAGIC)
        pcap_open(cursor, SWC_FORMAT_PCAP_USEC_LE, 0);
    else if (magic == __builtin_bswap32(PCAP_USEC_MAGIC))
        pcap_open(cursor, SWC_FORMAT_PCAP_USEC_BE, 1);
    else if (magic == PCAP_NSEC_MAGIC)
        pcap_open(cursor, SWC_FORMAT_PCAP_NSEC_LE, 0);
    else if (magic == __builtin_bswap32(PCAP_NSEC_MAGIC))
        pcap_open(cursor, SWC_FORMAT_PCAP_NSEC_BE, 1);
    else if (magic == PCAPNG_MAGIC)
        cursor->format = SWC_FORMAT_PCAPNG;
    else
        open_without_magic(cursor);
}

int64_t swc_next(swc_cursor *cursor, swc_packet *out, int64_t max)
{
    int64_t count = 0;
    if (cursor->format == SWC_FORMAT_UNKNOWN && !cursor->error)
        detect(cursor);
    if (cursor->error)
        return SWC_FAILED;
    if (cursor->format == SWC_FORMAT_UNKNOWN || max <= 0)
        return SWC_WAIT;
    if (cursor->format == SWC_FORMAT_PCAPNG)
        count = swc_pcapng_next(cursor, out, max);
    else if (cursor->format == SWC_FORMAT_ERF)
        count = swc_erf_next(cursor, out, max);
    else
        count = swc_pcap_next(cursor, out, max);
    cursor->packet_count += (uint64_t)count;
    if (count > 0)
        return count;
    if (cursor->error)
        return SWC_FAILED;
    return cursor->final ? SWC_END : SWC_WAIT;
}

const char *swc_format_name(int format)
{
    static const char *const names[] = {
        "unknown",      "pcap-usec-LE", "pcap-usec-BE", "pcap-nsec-LE",
        "pcap-nsec-BE", "pcapng",       "erf",
    };
    return format > 0 && format <= SWC_FORMAT_ERF ? names[format] : names[0];
}

const char *swc_error_text(int error)
{
    static const char *const texts[] = {
        "no error",
        "the file is empty",
        "this is a text file, not a capture",
        "not a capture format known here (pcap, pcapng or ERF)",
        "unsupported format version",
        "the last record is truncated",
        "impossible length in a record",
        "a packet of an interface that was never described",
        "too many interfaces in one section",
        "a section without a byte-order magic",
        "the window does not hold the start of the next record",
    };
    return error > 0 && error <= SWC_ERROR_WINDOW ? texts[error] : texts[0];
}
