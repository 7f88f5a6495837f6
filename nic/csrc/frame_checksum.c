#include "frame_checksum.h"

#include <arpa/inet.h>

#include "inet_sum.h"

#define ETHERNET_BYTES 14u
#define ETHERTYPE_IPV4 0x0800u
#define ETHERTYPE_VLAN 0x8100u
#define ETHERTYPE_QINQ 0x88a8u
#define VLAN_TAG_BYTES 4u
#define IPV4_BYTES 20u
#define IPV4_CHECKSUM_AT 10u
#define IPV4_SOURCE_AT 12u
#define PROTOCOL_TCP 6u
#define PROTOCOL_UDP 17u
#define UDP_BYTES 8u
#define TCP_BYTES 20u
#define UDP_CHECKSUM_AT 6u
#define TCP_CHECKSUM_AT 16u

static uint32_t get_u16(const uint8_t *from) {
    return (uint32_t)from[0] << 8 | from[1];
}

/* Its complement takes a word out of a sum. To write 0 there first would cost more: the load of
 * four bytes of which two were just stored has to wait for the store. */
static uint64_t take_out(const uint8_t *at) {
    return (uint16_t)~swp_sum_load(at);
}

static void complete_segment(uint8_t *ip, uint32_t header_bytes, uint32_t total_bytes) {
    uint32_t protocol = ip[9], segment_bytes = total_bytes - header_bytes;
    uint8_t *segment = ip + header_bytes;
    int is_udp = protocol == PROTOCOL_UDP;
    uint32_t checksum_at = is_udp ? UDP_CHECKSUM_AT : TCP_CHECKSUM_AT;
    if (!is_udp && protocol != PROTOCOL_TCP) return;
    if (segment_bytes < (is_udp ? UDP_BYTES : TCP_BYTES)) return;
    if (is_udp && get_u16(segment + 4) != segment_bytes) return;
    uint64_t sum = swp_sum_add(take_out(segment + checksum_at), ip + IPV4_SOURCE_AT, 8);
    sum += (uint64_t)htons((uint16_t)protocol) + htons((uint16_t)segment_bytes);
    uint16_t checksum = swp_checksum(swp_sum_add(sum, segment, segment_bytes));
    if (is_udp && checksum == 0) checksum = 0xffffu;  /* 0 would say that there is none */
    swp_sum_store(segment + checksum_at, checksum);
}

void swp_frame_checksums(uint8_t *frame, uint32_t length_bytes) {
    uint32_t at = ETHERNET_BYTES;
    for (int tags = 0; tags < 2 && at <= length_bytes; tags++) {
        uint32_t type = get_u16(frame + at - 2);
        if (type != ETHERTYPE_VLAN && type != ETHERTYPE_QINQ) break;
        at += VLAN_TAG_BYTES;
    }
    if (at + IPV4_BYTES > length_bytes || get_u16(frame + at - 2) != ETHERTYPE_IPV4) return;
    uint8_t *ip = frame + at;
    uint32_t header_bytes = (ip[0] & 15u) * 4u, total_bytes = get_u16(ip + 2);
    if (ip[0] >> 4 != 4 || header_bytes < IPV4_BYTES || header_bytes > total_bytes) return;
    if (total_bytes > length_bytes - at) return;
    uint64_t sum = swp_sum_add(take_out(ip + IPV4_CHECKSUM_AT), ip, header_bytes);
    swp_sum_store(ip + IPV4_CHECKSUM_AT, swp_checksum(sum));
    int fragment = (get_u16(ip + 6) & 0x3fffu) != 0;
    if (!fragment) complete_segment(ip, header_bytes, total_bytes);
}
