/* Frames of datagrams whose headers are written once: Ethernet, VLAN tag, IPv4 and UDP for one
 * destination, with the sums of what stays the same. A send copies them in front of its payload and
 * fills in what depends on that: two lengths and the checksums.
 *
 * Nothing is read from the frame: a NIC's send buffer may be cold, or memory that is slow to read.
 */
#ifndef SWEEPWIRE_UDP_TEMPLATE_H
#define SWEEPWIRE_UDP_TEMPLATE_H

#include <arpa/inet.h>
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

/* One cache line. The sums are in the byte order of memory (inet_sum.h). */
typedef struct {
    uint64_t cookie;             /* its owner's name for it, 0 = none */
    uint32_t headers_bytes;      /* 42, or 46 with a VLAN tag */
    uint16_t ip_sum;             /* of the IPv4 header without length and identification */
    uint16_t udp_sum;            /* of pseudo and UDP header without the length */
    uint8_t headers[48];
} swp_udp_template;

/* A frame has room for as many bytes, be it shorter or not. */
enum { SWP_UDP_SUMMED = 65536, SWP_UDP_ROOM_LEAST_BYTES = 48 };

/* Its cookie is 0. */
void swp_udp_template_make(swp_udp_template *template, const swp_udp_ends *ends);

/* Writes a frame around a payload: its bytes, or -EMSGSIZE for a payload of more than 65507. For
 * calls from Python and from kernels, so every argument has 64 bits; what C calls is inline.
 * `numbered`: the identification, and SWP_UDP_SUMMED to fill in the UDP checksum. */
int64_t swp_udp_template_fill(int64_t template, int64_t frame, int64_t numbered, int64_t payload,
                              int64_t payload_bytes);

/* cffi: end */

/* 0 says that there is no checksum, so a sum of 0 is sent as its other form. */
static inline uint16_t swp_udp_sum(const swp_udp_template *template, const void *payload,
                                   uint32_t payload_bytes) {
    uint64_t sum = template->udp_sum + 2ull * htons((uint16_t)(8 + payload_bytes));
    uint16_t checksum = swp_checksum(swp_sum_add(sum, payload, payload_bytes));
    return checksum ? checksum : 0xffffu;
}

/* Writes the frame around a payload of at most 65507 bytes. Gives the frame's bytes. */
static inline uint32_t swp_udp_template_write(const swp_udp_template *template, uint8_t *frame,
                                              const void *payload, uint32_t payload_bytes,
                                              uint16_t identification, int summed) {
    uint32_t headers_bytes = template->headers_bytes;
    uint8_t *udp = frame + headers_bytes - 8, *ip = udp - 20;
    uint16_t ip_bytes = htons((uint16_t)(28 + payload_bytes));
    uint16_t number = htons(identification);
    memcpy(frame, template->headers, sizeof template->headers);
    swp_sum_store(ip + 2, ip_bytes);
    swp_sum_store(ip + 4, number);
    swp_sum_store(ip + 10, swp_checksum((uint64_t)template->ip_sum + ip_bytes + number));
    swp_sum_store(udp + 4, htons((uint16_t)(8 + payload_bytes)));
    if (summed) swp_sum_store(udp + 6, swp_udp_sum(template, payload, payload_bytes));
    memcpy(udp + 8, payload, payload_bytes);
    return headers_bytes + payload_bytes;
}

#endif
