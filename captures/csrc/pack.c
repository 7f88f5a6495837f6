/* Packets back into classic pcap records, for writing in bulk. */
#include "bytes.h"

enum { RECORD_BYTES = 16 };

int64_t swc_pack(const void *base, uint64_t origin, const swc_packet *packets, int64_t count,
                 uint8_t *out, uint64_t capacity_bytes, uint64_t *used_bytes)
{
    uint64_t used = 0;
    int64_t i = 0;
    for (; i < count; i++) {
        const swc_packet *packet = &packets[i];
        if (capacity_bytes - used < RECORD_BYTES + (uint64_t)packet->caplen_bytes)
            break;
        const uint32_t head[4] = {
            (uint32_t)(packet->timestamp_ns / SWC_NS_PER_S),
            (uint32_t)(packet->timestamp_ns % SWC_NS_PER_S),
            packet->caplen_bytes,
            packet->wire_bytes,
        };
        memcpy(out + used, head, sizeof head);
        /* As integers: for packets of several windows, offsets are addresses and base is 0. */
        const uintptr_t address = (uintptr_t)base + (packet->offset - origin);
        memcpy(out + used + RECORD_BYTES, (const void *)address, packet->caplen_bytes);
        used += RECORD_BYTES + (uint64_t)packet->caplen_bytes;
    }
    *used_bytes = used;
    return i;
}
