#define _GNU_SOURCE
#include "checked.h"

#include <errno.h>

#define MAX_REGIONS 4096
#define SCRATCH_BYTES 65536
#define RELAXED __ATOMIC_RELAXED

/* A free slot has begin == end == 0. Slots are read by the kernels' threads while a control thread
 * registers: each bound is one atomic word, and a region shrinks to nothing before it moves. */
typedef struct {
    uint64_t begin;
    uint64_t end;
} region;

static region regions[MAX_REGIONS];
static int64_t used_slots;  /* one past the highest slot ever in use */
static swr_violations violations;
static uint8_t scratch[SCRATCH_BYTES] __attribute__((aligned(64)));
static _Thread_local int64_t last_slot;

static void place(int64_t slot, uint64_t begin, uint64_t end) {
    __atomic_store_n(&regions[slot].end, 0, __ATOMIC_RELEASE);
    __atomic_store_n(&regions[slot].begin, begin, __ATOMIC_RELEASE);
    __atomic_store_n(&regions[slot].end, end, __ATOMIC_RELEASE);
}

static int contains(int64_t slot, uint64_t address, uint64_t width_bytes) {
    uint64_t end = __atomic_load_n(&regions[slot].end, __ATOMIC_ACQUIRE);
    uint64_t begin = __atomic_load_n(&regions[slot].begin, __ATOMIC_ACQUIRE);
    return address >= begin && address < end && width_bytes <= end - address;
}

int64_t swr_region_register(uint64_t begin, uint64_t end) {
    if (begin == 0 || end <= begin) return -EINVAL;
    for (int64_t slot = 0; slot < MAX_REGIONS; slot++) {
        if (__atomic_load_n(&regions[slot].end, RELAXED)) continue;
        place(slot, begin, end);
        if (slot >= __atomic_load_n(&used_slots, RELAXED))
            __atomic_store_n(&used_slots, slot + 1, __ATOMIC_RELEASE);
        return slot;
    }
    return -ENOSPC;
}

int64_t swr_region_move(int64_t slot, uint64_t begin, uint64_t end) {
    if (slot < 0 || slot >= __atomic_load_n(&used_slots, __ATOMIC_ACQUIRE)) return -EINVAL;
    if (begin == 0 || end <= begin) return -EINVAL;
    place(slot, begin, end);
    return 0;
}

int64_t swr_region_unregister(uint64_t begin) {
    for (int64_t slot = __atomic_load_n(&used_slots, __ATOMIC_ACQUIRE) - 1; slot >= 0; slot--) {
        if (!__atomic_load_n(&regions[slot].end, RELAXED)) continue;
        if (__atomic_load_n(&regions[slot].begin, RELAXED) != begin) continue;
        place(slot, 0, 0);
        return 0;
    }
    return -ENOENT;
}

void swr_region_clear(void) {
    for (int64_t slot = 0; slot < MAX_REGIONS; slot++) place(slot, 0, 0);
    __atomic_store_n(&used_slots, 0, __ATOMIC_RELEASE);
}

int64_t swr_region_count(void) {
    int64_t count = 0;
    for (int64_t slot = 0; slot < MAX_REGIONS; slot++)
        count += __atomic_load_n(&regions[slot].end, RELAXED) != 0;
    return count;
}

static uint64_t violate(uint64_t address, uint64_t width_bytes) {
    if (__atomic_fetch_add(&violations.count, 1, RELAXED) == 0) {
        violations.first_address = address;
        violations.first_width_bytes = width_bytes;
    }
    return (uint64_t)(uintptr_t)scratch;
}

uint64_t swr_check(uint64_t address, uint64_t width_bytes) {
    int64_t count = __atomic_load_n(&used_slots, __ATOMIC_ACQUIRE);
    if (last_slot < count && contains(last_slot, address, width_bytes)) return address;
    for (int64_t slot = 0; slot < count; slot++) {
        if (!contains(slot, address, width_bytes)) continue;
        last_slot = slot;
        return address;
    }
    return violate(address, width_bytes);
}

void swr_violations_read(swr_violations *out) {
    *out = violations;
    out->count = __atomic_load_n(&violations.count, RELAXED);
}

void swr_violations_reset(void) {
    violations = (swr_violations){0, 0, 0};
}
