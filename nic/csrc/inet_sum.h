/* The Internet checksum (RFC 1071), also of parts that are summed apart.
 *
 * Sums are kept in the byte order of memory: the one's complement sum of swapped words is the
 * swapped sum, so nothing is swapped but what the caller brings in host order.
 */
#ifndef SWEEPWIRE_INET_SUM_H
#define SWEEPWIRE_INET_SUM_H

#include <stdint.h>
#include <string.h>

static inline uint16_t swp_sum_load(const uint8_t *from) {
    uint16_t value;
    memcpy(&value, from, sizeof value);
    return value;
}

static inline void swp_sum_store(uint8_t *to, uint16_t value) {
    memcpy(to, &value, sizeof value);
}

/* Adds `length_bytes` bytes, an odd last one padded with 0, to a sum that was not folded. */
static inline uint64_t swp_sum_add(uint64_t sum, const uint8_t *bytes, uint32_t length_bytes) {
    for (; length_bytes >= 4; bytes += 4, length_bytes -= 4) {
        uint32_t word;
        memcpy(&word, bytes, sizeof word);
        sum += word;
    }
    if (length_bytes >= 2) {
        sum += swp_sum_load(bytes);
        bytes += 2;
        length_bytes -= 2;
    }
    uint8_t last[2] = {length_bytes ? *bytes : 0, 0};
    return sum + swp_sum_load(last);
}

static inline uint16_t swp_sum_fold(uint64_t sum) {
    sum = (sum & 0xffffffffu) + (sum >> 32);
    sum = (sum & 0xffffffffu) + (sum >> 32);
    sum = (sum & 0xffffu) + (sum >> 16);
    sum = (sum & 0xffffu) + (sum >> 16);
    return (uint16_t)sum;
}

static inline uint16_t swp_checksum(uint64_t sum) {
    return (uint16_t)~swp_sum_fold(sum);
}

/* The pseudo header of TCP and UDP over IPv4: addresses at `ip` + 12, protocol, length of header
 * and payload. */
static inline uint64_t swp_sum_pseudo(const uint8_t *ip, uint8_t protocol, uint32_t length_bytes) {
    uint8_t rest[4] = {0, protocol, (uint8_t)(length_bytes >> 8), (uint8_t)length_bytes};
    return swp_sum_add(swp_sum_add(0, ip + 12, 8), rest, sizeof rest);
}

#endif
