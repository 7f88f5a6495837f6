/* Run time of the checked build: every load and store of a kernel asks here first. */
#ifndef SWEEPWIRE_CHECKED_H
#define SWEEPWIRE_CHECKED_H

#include <stdint.h>

/* cffi: begin */
typedef struct {
    uint64_t count;          /* accesses outside every region since the last reset */
    uint64_t first_address;
    uint64_t first_width_bytes;
} swr_violations;

/* Allows [begin, end). Returns its slot, or -EINVAL (empty range) or -ENOSPC (table full). */
int64_t swr_region_register(uint64_t begin, uint64_t end);
/* Moves a slot to [begin, end), as for the packet now being read. 0, or -EINVAL. */
int64_t swr_region_move(int64_t slot, uint64_t begin, uint64_t end);
/* Forbids again the region that starts at begin (the latest such). 0, or -ENOENT. */
int64_t swr_region_unregister(uint64_t begin);
void swr_region_clear(void);
int64_t swr_region_count(void);
/* `address` if [address, address + width_bytes) lies in one region, else that of scratch memory. */
uint64_t swr_check(uint64_t address, uint64_t width_bytes);
void swr_violations_read(swr_violations *out);
void swr_violations_reset(void);
/* cffi: end */

#endif
