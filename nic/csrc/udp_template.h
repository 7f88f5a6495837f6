/* Frames of datagrams that are built once: Ethernet, VLAN tag, IPv4 and UDP headers are written for
 * a destination, and each send patches only what changed, where it lies: lengths, identification,
 * checksums.
 *
 * All that is known of a frame lies in the frame, so a template may be a NIC's own send buffer, and
 * a backend may have one for each of them.
 */
#ifndef SWEEPWIRE_UDP_TEMPLATE_H
#define SWEEPWIRE_UDP_TEMPLATE_H

#include <stdint.h>

#include "inet_sum.h"
#include "udp_frame.h"

/* cffi: begin */

/* Addresses and ports in host byte order. */
typedef struct {
    uint32_t source_ip;
    uint32_t destination_ip;
    uint16_t source_port;
    uint16_t destination_port;
    uint16_t vlan;               /* 802.1Q tag, priority bits and all; 0 = no tag */
    uint8_t service_class;       /* of IPv4: DSCP and ECN */
    uint8_t ttl;
    uint8_t source_mac[6];
    uint8_t destination_mac[6];
} swp_udp_ends;

enum { SWP_UDP_SUMMED = 65536 };

/* Writes the headers of an empty datagram: 42 bytes, or 46 with a VLAN tag. Gives their number. */
uint32_t swp_udp_template_make(uint8_t *frame, const swp_udp_ends *ends);

/* Puts a payload behind the headers and patches them: the frame's bytes, or -EMSGSIZE for a payload
 * of more than 65507. For calls from Python and from kernels, so every argument has 64 bits; what C
 * calls is inline. `numbered`: the identification, and SWP_UDP_SUMMED to fill in the checksum. */
int64_t swp_udp_template_fill(int64_t frame, int64_t headers_bytes, int64_t numbered,
                              int64_t payload, int64_t payload_bytes);

/* cffi: end */

/* Changes one 16-bit word that the IPv4 checksum covers. Host byte order. */
static inline void swp_udp_patch_word(uint8_t *ip, uint32_t at, uint16_t value) {
    uint8_t bytes[2] = {(uint8_t)(value >> 8), (uint8_t)value};
    uint16_t before = swp_sum_load(ip + at), after = swp_sum_load(bytes);
    swp_sum_store(ip + 10, swp_checksum_changed(swp_sum_load(ip + 10), before, after));
    swp_sum_store(ip + at, after);
}

/* 0 says that there is no checksum, so a sum of 0 is sent as its other form. */
static inline void swp_udp_sum(uint8_t *ip, uint8_t *udp, uint32_t udp_bytes) {
    swp_sum_store(udp + 6, 0);
    uint64_t sum = swp_sum_pseudo(ip, 17, udp_bytes);
    uint16_t checksum = swp_checksum(swp_sum_add(sum, udp, udp_bytes));
    swp_sum_store(udp + 6, checksum ? checksum : 0xffffu);
}

/* Patches the headers of swp_udp_template_make() for a payload, of at most 65507 bytes, that lies
 * behind them. Gives the frame's bytes. */
static inline uint32_t swp_udp_template_patch(uint8_t *frame, uint32_t headers_bytes,
                                              uint16_t identification, uint32_t payload_bytes,
                                              int sum_payload) {
    uint8_t *ip = frame + headers_bytes - 28, *udp = frame + headers_bytes - 8;
    uint32_t udp_bytes = 8 + payload_bytes;
    swp_udp_patch_word(ip, 2, (uint16_t)(20 + udp_bytes));
    swp_udp_patch_word(ip, 4, identification);
    udp[4] = (uint8_t)(udp_bytes >> 8);
    udp[5] = (uint8_t)udp_bytes;
    if (sum_payload) swp_udp_sum(ip, udp, udp_bytes);
    else swp_sum_store(udp + 6, 0);
    return headers_bytes + payload_bytes;
}

#endif
