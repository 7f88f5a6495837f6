/* Unaligned loads of either byte order, and what the format files share. Not for other packages. */
#ifndef SWEEPWIRE_CAPTURE_BYTES_H
#define SWEEPWIRE_CAPTURE_BYTES_H

#include "capture.h"

#include <string.h>

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "captures are read on little-endian machines only"
#endif

#define SWC_NS_PER_S UINT64_C(1000000000)

static inline uint16_t load_u16(const uint8_t *p, int swapped)
{
    uint16_t value;
    memcpy(&value, p, sizeof value);
    return swapped ? __builtin_bswap16(value) : value;
}

static inline uint32_t load_u32(const uint8_t *p, int swapped)
{
    uint32_t value;
    memcpy(&value, p, sizeof value);
    return swapped ? __builtin_bswap32(value) : value;
}

static inline uint64_t load_u64(const uint8_t *p, int swapped)
{
    uint64_t value;
    memcpy(&value, p, sizeof value);
    return swapped ? __builtin_bswap64(value) : value;
}

static inline uint16_t load_be16(const uint8_t *p) { return load_u16(p, 1); }
static inline uint32_t load_be32(const uint8_t *p) { return load_u32(p, 1); }
static inline uint64_t load_be64(const uint8_t *p) { return load_u64(p, 1); }

/* Bytes of the window from the next record on. */
static inline uint64_t swc_left(const swc_cursor *cursor)
{
    return cursor->origin + cursor->size_bytes - cursor->position;
}

static inline const uint8_t *swc_here(const swc_cursor *cursor)
{
    return cursor->base + (cursor->position - cursor->origin);
}

static inline void swc_fail(swc_cursor *cursor, int error, uint64_t value, uint64_t limit)
{
    cursor->error = error;
    cursor->error_offset = cursor->position;
    cursor->error_value = value;
    cursor->error_limit = limit;
}

/* The record at cursor->position wants `needed` bytes and the window holds fewer. Between records
 * that is the end of the file; inside one it is a truncated record, unless more bytes may come. */
static inline void swc_short(swc_cursor *cursor, uint64_t needed)
{
    const uint64_t left = swc_left(cursor);
    if (cursor->final && left > 0)
        swc_fail(cursor, SWC_ERROR_TRUNCATED, left, needed);
}

static inline uint32_t swc_caplen_max(uint32_t snaplen_bytes)
{
    if (snaplen_bytes > SWC_CAPLEN_MAX_BYTES && snaplen_bytes <= SWC_SNAPLEN_MAX_BYTES)
        return snaplen_bytes;
    return SWC_CAPLEN_MAX_BYTES;
}

/* Each reads packets of its format: a number >= 0; cursor->error is set where one stopped it. */
int64_t swc_pcap_next(swc_cursor *cursor, swc_packet *out, int64_t max);
int64_t swc_pcapng_next(swc_cursor *cursor, swc_packet *out, int64_t max);
int64_t swc_erf_next(swc_cursor *cursor, swc_packet *out, int64_t max);

/* Whether the window begins with ERF records. ERF has no magic, so this asks whether the first few
 * headers make sense together. */
int swc_erf_plausible(const uint8_t *p, uint64_t size_bytes);

#endif
