/* What the ITCH bench is compared with: a straightforward C decoder of MoldUDP64 packets with
 * TotalView-ITCH 5.0. It checks every length, reads the same fields as the compiled rows and folds
 * them into the same checksum, with one switch on the message type.
 */
#include <stdint.h>
#include <string.h>

static inline uint64_t be16(const uint8_t *p)
{
    uint16_t v;
    memcpy(&v, p, 2);
    return __builtin_bswap16(v);
}

static inline uint64_t be32(const uint8_t *p)
{
    uint32_t v;
    memcpy(&v, p, 4);
    return __builtin_bswap32(v);
}

static inline uint64_t be64(const uint8_t *p)
{
    uint64_t v;
    memcpy(&v, p, 8);
    return __builtin_bswap64(v);
}

static inline uint64_t be48(const uint8_t *p)
{
    return be16(p) << 32 | be32(p + 2);
}

static inline uint64_t side(uint8_t letter)
{
    return (uint64_t)(letter == 'B') << 8 | (uint64_t)(letter == 'S') << 9; /* no branch to miss */
}

enum { ADD = 2, REDUCE, EXECUTE, EXECUTE_PRICE, DELETE, REPLACE, TRADE = 11 };
#define FLAG(bit) ((uint64_t)(bit) << 16)
#define CENTS 10000u /* 4 decimals to 8 */

/* Sum of the fields that a book needs of one message; *ok is cleared when the length is wrong. */
static inline uint64_t message(const uint8_t *m, unsigned length, uint64_t midnight_ns, int *ok)
{
    uint64_t common = 0;
    if (length < 19) {
        *ok = 0;
        return 0;
    }
    common = be16(m + 1) + midnight_ns + be48(m + 5) + be64(m + 11);
    switch (m[0]) {
    case 'A':
        *ok = length == 36;
        return !*ok ? 0 : common + ADD + side(m[19]) + be32(m + 20) + be32(m + 32) * CENTS;
    case 'F':
        *ok = length == 40;
        return !*ok ? 0
                    : common + ADD + side(m[19]) + FLAG(1024) + be32(m + 20) + be32(m + 32) * CENTS;
    case 'E':
        *ok = length == 31;
        return !*ok ? 0 : common + EXECUTE + be32(m + 19) + be64(m + 23);
    case 'C':
        *ok = length == 36;
        return !*ok ? 0
                    : common + EXECUTE_PRICE + FLAG((m[31] == 'N') << 1) + be32(m + 19)
                          + be64(m + 23) + be32(m + 32) * CENTS;
    case 'X':
        *ok = length == 23;
        return !*ok ? 0 : common + REDUCE + be32(m + 19);
    case 'D':
        *ok = length == 19;
        return !*ok ? 0 : common + DELETE;
    case 'U':
        *ok = length == 35;
        return !*ok ? 0 : common + REPLACE + be64(m + 19) + be32(m + 27) + be32(m + 31) * CENTS;
    case 'P':
        *ok = length == 44;
        return !*ok ? 0
                    : common + TRADE + side(m[19]) + FLAG(1) + be32(m + 20)
                          + be32(m + 32) * CENTS + be64(m + 36);
    case 'Q': /* its shares stand where the others have the order reference */
        *ok = length == 40;
        return !*ok ? 0 : common + TRADE + FLAG(32) + be32(m + 27) * CENTS + be64(m + 31);
    default:
        *ok = 0;
        return 0;
    }
}

/* The same over a BinaryFILE image: a 2-byte length before each message. */
uint64_t itch_file_walk(const uint8_t *p, uint64_t size, uint64_t midnight_ns, uint64_t *messages)
{
    const uint8_t *end = p + size;
    uint64_t sum = 0, seen = 0;
    while (end - p >= 2) {
        unsigned length = (unsigned)be16(p);
        int ok;
        if (length == 0 || length > end - p - 2)
            break;
        sum += message(p + 2, length, midnight_ns, &ok);
        seen += (uint64_t)ok;
        p += 2 + length;
    }
    *messages = seen;
    return sum;
}

/* Walks `count` datagrams; places holds (offset, length) of each in `data`. */
uint64_t itch_walk(const uint8_t *data, const uint64_t *places, uint64_t count,
                   uint64_t midnight_ns, uint64_t *messages)
{
    uint64_t sum = 0, seen = 0;
    for (uint64_t i = 0; i < count; i++) {
        const uint8_t *p = data + places[2 * i], *end = p + places[2 * i + 1];
        if (end - p < 20)
            continue;
        uint64_t left = be16(p + 18);
        for (p += 20; left > 0 && end - p >= 2; left--) {
            unsigned length = (unsigned)be16(p);
            int ok;
            if (length == 0 || length > end - p - 2)
                break;
            sum += message(p + 2, length, midnight_ns, &ok);
            seen += (uint64_t)ok;
            p += 2 + length;
        }
    }
    *messages = seen;
    return sum;
}
