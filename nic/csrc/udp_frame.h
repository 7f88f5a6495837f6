/* Ethernet/IPv4/UDP headers around a datagram, written and read. */
#ifndef SWEEPWIRE_UDP_FRAME_H
#define SWEEPWIRE_UDP_FRAME_H

#include <stdint.h>

#define SWP_UDP_HEADERS_BYTES 42u       /* Ethernet 14, IPv4 20, UDP 8 */
#define SWP_VLAN_TAG_BYTES 4u
#define SWP_UDP_PAYLOAD_MAX_BYTES 65507u

/* Addresses and ports in host byte order. */
typedef struct {
    uint32_t source_ip;
    uint32_t destination_ip;
    uint16_t source_port;
    uint16_t destination_port;
    uint16_t vlan;           /* 0 = no tag */
} swp_udp_addresses;

typedef struct {
    const uint8_t *payload;
    uint32_t payload_bytes;
    uint32_t destination_ip;
    uint16_t destination_port;
} swp_udp_datagram;

static inline int swp_is_multicast(uint32_t ip) {
    return ip >> 28 == 14;
}

static inline uint32_t swp_udp_headers_bytes(uint16_t vlan) {
    return SWP_UDP_HEADERS_BYTES + (vlan ? SWP_VLAN_TAG_BYTES : 0u);
}

/* The six bytes of a multicast group's MAC (RFC 1112); other addresses get a locally administered
 * one. */
void swp_udp_mac(uint8_t *mac, uint32_t ip);

/* Writes swp_udp_headers_bytes(vlan) bytes that end where the payload begins. payload_bytes is the
 * datagram's length on the wire; the UDP checksum is 0 (none). */
void swp_udp_frame_write(uint8_t *frame, const swp_udp_addresses *addresses,
                         uint32_t payload_bytes);

/* Finds the datagram in an Ethernet frame (up to two VLAN tags). 0, or -EINVAL if it holds none. */
int swp_udp_frame_read(const uint8_t *frame, uint32_t length_bytes, swp_udp_datagram *out);

#endif
