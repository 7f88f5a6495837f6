#include "udp_template.h"

#include <errno.h>

#define ETHERTYPE_AT 12u

_Static_assert(sizeof(swp_udp_template) == 64, "one cache line");
_Static_assert(sizeof(((swp_udp_template *)0)->headers) == SWP_UDP_ROOM_LEAST_BYTES,
               "all of them are copied");

static void put_u16(uint8_t *to, uint32_t value) {
    to[0] = (uint8_t)(value >> 8);
    to[1] = (uint8_t)value;
}

static void put_u32(uint8_t *to, uint32_t value) {
    put_u16(to, value >> 16);
    put_u16(to + 2, value);
}

/* Length, identification and checksum are left at 0. */
static void put_ipv4(uint8_t *ip, const swp_udp_ends *ends) {
    ip[0] = 0x45;
    ip[1] = ends->service_class;
    put_u16(ip + 6, 0x4000u);            /* do not fragment */
    ip[8] = ends->ttl;
    ip[9] = 17;
    put_u32(ip + 12, ends->source_ip);
    put_u32(ip + 16, ends->destination_ip);
}

void swp_udp_template_make(swp_udp_template *template, const swp_udp_ends *ends) {
    uint8_t *at = template->headers + ETHERTYPE_AT;
    memset(template, 0, sizeof *template);
    template->headers_bytes = swp_udp_headers_bytes(ends->vlan);
    memcpy(template->headers, ends->destination_mac, 6);
    memcpy(template->headers + 6, ends->source_mac, 6);
    if (ends->vlan) {
        put_u16(at, 0x8100u);
        put_u16(at + 2, ends->vlan);
        at += SWP_VLAN_TAG_BYTES;
    }
    uint8_t *ip = at + 2, *udp = at + 22;
    put_u16(at, 0x0800u);
    put_ipv4(ip, ends);
    put_u16(udp, ends->source_port);
    put_u16(udp + 2, ends->destination_port);
    template->ip_sum = swp_sum_fold(swp_sum_add(0, ip, 20));
    template->udp_sum = swp_sum_fold(swp_sum_add(swp_sum_pseudo(ip, 17, 0), udp, 4));
}

int64_t swp_udp_template_fill(int64_t template, int64_t frame, int64_t numbered, int64_t payload,
                              int64_t payload_bytes) {
    const swp_udp_template *from = (const swp_udp_template *)(uintptr_t)template;
    if (payload_bytes < 0 || payload_bytes > SWP_UDP_PAYLOAD_MAX_BYTES) return -EMSGSIZE;
    return swp_udp_template_write(from, (uint8_t *)(uintptr_t)frame,
                                  (const void *)(uintptr_t)payload, (uint32_t)payload_bytes,
                                  (uint16_t)numbered, (numbered & SWP_UDP_SUMMED) != 0);
}
