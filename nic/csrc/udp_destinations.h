/* The templates of a port's destinations, by the cookie that a send has. */
#ifndef SWEEPWIRE_UDP_DESTINATIONS_H
#define SWEEPWIRE_UDP_DESTINATIONS_H

#include <stddef.h>

#include "udp_template.h"

#define SWP_DESTINATIONS_MAX 256u    /* a power of two */
#define SWP_DESTINATION_TRIES 4u
#define SWP_TTL_UNICAST 64u

/* What all datagrams of a port have in common. Host byte order. */
typedef struct {
    uint32_t ip;
    uint16_t udp_port;
    uint8_t mac[6];
} swp_udp_source;

typedef struct {
    swp_udp_template templates[SWP_DESTINATIONS_MAX];
} swp_udp_destinations;

static inline uint32_t swp_destination_slot(uint64_t cookie, uint32_t turn) {
    uint32_t first = (uint32_t)(cookie * 0x9e3779b97f4a7c15ull >> 56);
    return (first + turn) & (SWP_DESTINATIONS_MAX - 1);
}

/* The template of a destination that was added, or NULL. */
static inline const swp_udp_template *swp_destination_find(const swp_udp_destinations *known,
                                                           uint64_t cookie) {
    for (uint32_t turn = 0; turn < SWP_DESTINATION_TRIES; turn++) {
        const swp_udp_template *found = &known->templates[swp_destination_slot(cookie, turn)];
        if (found->cookie == cookie) return found;
    }
    return NULL;
}

/* Makes and keeps the template of SWP_DATAGRAM(address, port), not 0; where there is no place it
 * takes another's. `mac`: of the next hop, NULL for a group, which has its own. */
const swp_udp_template *swp_destination_add(swp_udp_destinations *known, uint64_t cookie,
                                            const swp_udp_source *from, const uint8_t *mac,
                                            uint8_t ttl);

#endif
