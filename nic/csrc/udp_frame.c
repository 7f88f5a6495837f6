#include "udp_frame.h"

#include <errno.h>
#include <string.h>

#define ETHERTYPE_IPV4 0x0800u
#define ETHERTYPE_VLAN 0x8100u
#define ETHERTYPE_QINQ 0x88a8u
#define PROTOCOL_UDP 17u
#define IPV4_BYTES 20u
#define UDP_BYTES 8u

static void put_u16(uint8_t *to, uint32_t value) {
    to[0] = (uint8_t)(value >> 8);
    to[1] = (uint8_t)value;
}

static void put_u32(uint8_t *to, uint32_t value) {
    put_u16(to, value >> 16);
    put_u16(to + 2, value);
}

static uint32_t get_u16(const uint8_t *from) {
    return (uint32_t)from[0] << 8 | from[1];
}

static uint32_t get_u32(const uint8_t *from) {
    return get_u16(from) << 16 | get_u16(from + 2);
}

void swp_udp_mac(uint8_t *mac, uint32_t ip) {
    int multicast = swp_is_multicast(ip);
    put_u16(mac, multicast ? 0x0100u : 0x0200u);
    put_u32(mac + 2, multicast ? 0x5e000000u | (ip & 0x7fffffu) : ip);
}

static uint32_t ipv4_checksum(const uint8_t *header) {
    uint32_t sum = 0;
    for (uint32_t at = 0; at < IPV4_BYTES; at += 2) sum += get_u16(header + at);
    sum = (sum & 0xffffu) + (sum >> 16);
    sum = (sum & 0xffffu) + (sum >> 16);
    return ~sum & 0xffffu;
}

void swp_udp_frame_write(uint8_t *frame, const swp_udp_addresses *addresses,
                         uint32_t payload_bytes) {
    uint8_t *at = frame + 12;
    swp_udp_mac(frame, addresses->destination_ip);
    swp_udp_mac(frame + 6, addresses->source_ip);
    if (addresses->vlan) {
        put_u16(at, ETHERTYPE_VLAN);
        put_u16(at + 2, addresses->vlan);
        at += SWP_VLAN_TAG_BYTES;
    }
    put_u16(at, ETHERTYPE_IPV4);
    uint8_t *ip = at + 2;
    put_u16(ip, 0x4500u);                           /* version 4, 5 words, no service class */
    put_u16(ip + 2, IPV4_BYTES + UDP_BYTES + payload_bytes);
    put_u32(ip + 4, 0x00004000u);                   /* identification 0, do not fragment */
    put_u32(ip + 8, 0x01000000u | PROTOCOL_UDP << 16);
    put_u32(ip + 12, addresses->source_ip);
    put_u32(ip + 16, addresses->destination_ip);
    put_u16(ip + 10, ipv4_checksum(ip));
    uint8_t *udp = ip + IPV4_BYTES;
    put_u16(udp, addresses->source_port);
    put_u16(udp + 2, addresses->destination_port);
    put_u16(udp + 4, UDP_BYTES + payload_bytes);
    put_u16(udp + 6, 0);
}

static uint32_t network_offset_bytes(const uint8_t *frame, uint32_t length_bytes) {
    uint32_t at = 12;
    for (int tags = 0; tags <= 2 && at + 2 <= length_bytes; tags++) {
        uint32_t type = get_u16(frame + at);
        if (type == ETHERTYPE_IPV4) return at + 2;
        if (type != ETHERTYPE_VLAN && type != ETHERTYPE_QINQ) return 0;
        at += SWP_VLAN_TAG_BYTES;
    }
    return 0;
}

int swp_udp_frame_read(const uint8_t *frame, uint32_t length_bytes, swp_udp_datagram *out) {
    uint32_t at = network_offset_bytes(frame, length_bytes);
    if (at == 0 || length_bytes < at + IPV4_BYTES) return -EINVAL;
    const uint8_t *ip = frame + at;
    uint32_t header_bytes = (ip[0] & 15u) * 4u;
    uint32_t total_bytes = get_u16(ip + 2);
    int fragment = (get_u16(ip + 6) & 0x3fffu) != 0;
    if (ip[0] >> 4 != 4 || header_bytes < IPV4_BYTES || fragment) return -EINVAL;
    if (ip[9] != PROTOCOL_UDP || total_bytes > length_bytes - at) return -EINVAL;
    if (total_bytes < header_bytes + UDP_BYTES) return -EINVAL;
    const uint8_t *udp = ip + header_bytes;
    uint32_t udp_bytes = get_u16(udp + 4);
    if (udp_bytes < UDP_BYTES || udp_bytes > total_bytes - header_bytes) return -EINVAL;
    out->payload = udp + UDP_BYTES;
    out->payload_bytes = udp_bytes - UDP_BYTES;
    out->destination_ip = get_u32(ip + 16);
    out->destination_port = (uint16_t)get_u16(udp + 2);
    return 0;
}
