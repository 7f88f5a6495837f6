#include "udp_destinations.h"

static swp_udp_template *find_place(swp_udp_destinations *known, uint64_t cookie) {
    for (uint32_t turn = 0; turn < SWP_DESTINATION_TRIES; turn++) {
        swp_udp_template *place = &known->templates[swp_destination_slot(cookie, turn)];
        if (place->cookie == 0 || place->cookie == cookie) return place;
    }
    return &known->templates[swp_destination_slot(cookie, 0)];
}

const swp_udp_template *swp_destination_add(swp_udp_destinations *known, uint64_t cookie,
                                            const swp_udp_source *from, const uint8_t *mac,
                                            uint8_t ttl) {
    swp_udp_template *place = find_place(known, cookie);
    swp_udp_ends ends = {
        .source_ip = from->ip, .destination_ip = (uint32_t)(cookie >> 16),
        .source_port = from->udp_port, .destination_port = (uint16_t)cookie, .ttl = ttl};
    memcpy(ends.source_mac, from->mac, sizeof ends.source_mac);
    if (mac) memcpy(ends.destination_mac, mac, sizeof ends.destination_mac);
    else swp_udp_mac(ends.destination_mac, ends.destination_ip);
    swp_udp_template_make(place, &ends);
    place->cookie = cookie;
    return place;
}
