/* Checksums of a frame that no hardware will complete. */
#ifndef SWEEPWIRE_FRAME_CHECKSUM_H
#define SWEEPWIRE_FRAME_CHECKSUM_H

#include <stdint.h>

/* Writes the IPv4 header's checksum and that of a whole UDP or TCP segment into an Ethernet frame
 * (up to two VLAN tags). Other frames, and frames whose lengths lie, stay as they are. */
void swp_frame_checksums(uint8_t *frame, uint32_t length_bytes);

#endif
