/* What the CME bench is compared with: a straightforward C decoder of MDP 3.0 packets with book
 * messages (templates 32, 46, 64) and trades (42, 48, 65). It checks the same lengths as the
 * compiled walk, reads what a book needs of every entry and folds it into one sum. It keeps no
 * books by place: what that costs is the difference.
 */
#include <stdint.h>
#include <string.h>

static inline uint64_t le16(const uint8_t *p)
{
    uint16_t v;
    memcpy(&v, p, 2);
    return v;
}

static inline int64_t le32(const uint8_t *p)
{
    int32_t v;
    memcpy(&v, p, 4);
    return v;
}

static inline int64_t le64(const uint8_t *p)
{
    int64_t v;
    memcpy(&v, p, 8);
    return v;
}

enum { HEADER = 12, SBE = 10, ROOT = 11, DIMENSIONS = 3, WIDE_DIMENSIONS = 8 };
enum { LEGACY_BELOW = 46, LONG_BOOK = 64, LONG_TRADE = 65 };

static inline int64_t price(int64_t raw, int nine)
{
    if (nine)
        return raw % 10 == 0 ? raw / 10 : INT64_MIN;
    return raw * 10;
}

/* Sum over the entries of one message; *ok is cleared when a length is wrong. */
static uint64_t message(const uint8_t *m, uint64_t length, int *ok)
{
    uint64_t sum = 0, block, at, stride, count, ids;
    if (length < SBE + ROOT)
        return *ok = 0;
    uint64_t template = le16(m + 4);
    block = le16(m + 2);
    at = SBE + block;
    if (block < ROOT || at + DIMENSIONS > length)
        return *ok = 0;
    int wide = template == LONG_BOOK || template == LONG_TRADE;
    int trade = template == 42 || template == 48 || template == LONG_TRADE;
    stride = le16(m + at);
    count = m[at + 2];
    at += DIMENSIONS;
    const uint8_t *entry = m + at;
    at += stride * count;
    if (count && (stride < (template == LONG_TRADE ? 40u : 32u) || at > length))
        return *ok = 0;
    if (at + WIDE_DIMENSIONS > length)
        return *ok = 0;
    ids = m[at + 7];
    if (ids && (le16(m + at) < (trade ? 16u : 24u) ||
                at + WIDE_DIMENSIONS + le16(m + at) * ids > length))
        return *ok = 0;
    uint64_t time_ns = (uint64_t)le64(m + SBE) + m[SBE + 8];
    for (uint64_t n = 0; n < count; n++, entry += stride) {
        int64_t size = wide ? le64(entry + 8) : le32(entry + 8);
        const uint8_t *rest = entry + (wide ? 4 : 0);
        uint64_t codes = trade && wide ? entry[32] + 256u * entry[33]
                                       : rest[24] + 256u * rest[25] + 65536u * rest[26];
        sum += (uint64_t)price(le64(entry), template >= LEGACY_BELOW) + (uint64_t)size + codes +
               (uint64_t)le32(rest + 12) + time_ns;
    }
    return sum;
}

uint64_t cme_walk(const uint8_t *data, const uint64_t *places, uint64_t packets, uint64_t *seen)
{
    uint64_t sum = 0, messages = 0;
    for (uint64_t number = 0; number < packets; number++) {
        const uint8_t *p = data + places[2 * number], *end = p + places[2 * number + 1];
        for (p += HEADER; end - p >= 2;) {
            uint64_t step = le16(p);
            int ok = 1;
            if (step < 2 || step > (uint64_t)(end - p))
                break;
            sum += message(p, step, &ok);
            messages += (uint64_t)ok;
            p += step;
        }
    }
    *seen = messages;
    return sum;
}
