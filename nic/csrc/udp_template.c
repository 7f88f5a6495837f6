#include "udp_template.h"

#include <errno.h>

#define ETHERTYPE_AT 12u

static void put_u16(uint8_t *to, uint32_t value) {
    to[0] = (uint8_t)(value >> 8);
    to[1] = (uint8_t)value;
}

static void put_u32(uint8_t *to, uint32_t value) {
    put_u16(to, value >> 16);
    put_u16(to + 2, value);
}

static void put_ipv4(uint8_t *ip, const swp_udp_ends *ends) {
    ip[0] = 0x45;
    ip[1] = ends->service_class;
    put_u16(ip + 2, 28);
    put_u32(ip + 4, 0x00004000u);        /* identification 0, do not fragment */
    ip[8] = ends->ttl;
    ip[9] = 17;
    put_u16(ip + 10, 0);
    put_u32(ip + 12, ends->source_ip);
    put_u32(ip + 16, ends->destination_ip);
    swp_sum_store(ip + 10, swp_checksum(swp_sum_add(0, ip, 20)));
}

uint32_t swp_udp_template_make(uint8_t *frame, const swp_udp_ends *ends) {
    uint8_t *at = frame + ETHERTYPE_AT;
    memcpy(frame, ends->destination_mac, 6);
    memcpy(frame + 6, ends->source_mac, 6);
    if (ends->vlan) {
        put_u16(at, 0x8100u);
        put_u16(at + 2, ends->vlan);
        at += SWP_VLAN_TAG_BYTES;
    }
    put_u16(at, 0x0800u);
    put_ipv4(at + 2, ends);
    put_u16(at + 22, ends->source_port);
    put_u16(at + 24, ends->destination_port);
    put_u16(at + 26, 8);
    put_u16(at + 28, 0);
    return swp_udp_headers_bytes(ends->vlan);
}

int64_t swp_udp_template_fill(int64_t frame, int64_t headers_bytes, int64_t numbered,
                              int64_t payload, int64_t payload_bytes) {
    uint8_t *bytes = (uint8_t *)(uintptr_t)frame;
    if (payload_bytes < 0 || payload_bytes > SWP_UDP_PAYLOAD_MAX_BYTES) return -EMSGSIZE;
    memcpy(bytes + headers_bytes, (const void *)(uintptr_t)payload, (size_t)payload_bytes);
    return swp_udp_template_patch(bytes, (uint32_t)headers_bytes, (uint16_t)numbered,
                                  (uint32_t)payload_bytes, (numbered & SWP_UDP_SUMMED) != 0);
}
