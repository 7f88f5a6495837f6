#define _GNU_SOURCE
#include "clock.h"

#include <errno.h>
#include <time.h>

#if defined(__x86_64__)
#include <cpuid.h>
#include <x86intrin.h>
#endif

#define NS_PER_SECOND 1000000000ull
#define SHIFT 40           /* the multiplier keeps 38 bits at 4 GHz: pace exact to 4e-12 */
#define PAIR_TRIES 64      /* the quickest of these is free of interrupts */
#define MIN_WINDOW_NS 1000000ull

typedef struct {
    uint64_t ticks;
    uint64_t ns;
    uint64_t width_ticks;
} clock_pair;

static uint64_t realtime_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * NS_PER_SECOND + (uint64_t)now.tv_nsec;
}

static uint64_t monotonic_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * NS_PER_SECOND + (uint64_t)now.tv_nsec;
}

#if defined(__x86_64__)
int swp_tsc_invariant(void) {
    unsigned eax, ebx, ecx, edx;
    if (!__get_cpuid(0x80000007u, &eax, &ebx, &ecx, &edx)) return 0;
    return (edx >> 8) & 1;
}

uint64_t swp_tsc(void) {
    unsigned core;
    return __rdtscp(&core);
}
#else
int swp_tsc_invariant(void) { return 0; }

uint64_t swp_tsc(void) { return realtime_ns(); }
#endif

static clock_pair take_pair(void) {
    clock_pair best = {0, 0, UINT64_MAX};
    for (int attempt = 0; attempt < PAIR_TRIES; attempt++) {
        uint64_t before = swp_tsc();
        uint64_t ns = realtime_ns();
        uint64_t width = swp_tsc() - before;
        if (width >= best.width_ticks) continue;
        best = (clock_pair){before + width / 2, ns, width};
    }
    return best;
}

static uint64_t scale_ns(uint64_t ticks, uint64_t multiplier, uint32_t shift) {
    return (uint64_t)(((unsigned __int128)ticks * multiplier) >> shift);
}

static int set_pace(swp_clock *clock, const clock_pair *pair) {
    /* CLOCK_REALTIME can be stepped: a pace outside 0.1 to 100 ns a tick is no pace. */
    if (pair->ticks <= clock->first_tick || pair->ns <= clock->first_ns) return -ERANGE;
    unsigned __int128 scaled = (unsigned __int128)(pair->ns - clock->first_ns) << SHIFT;
    unsigned __int128 multiplier = scaled / (pair->ticks - clock->first_tick);
    if (multiplier < ((1ull << SHIFT) / 10) || multiplier > (100ull << SHIFT)) return -ERANGE;
    clock->multiplier = (uint64_t)multiplier;
    clock->shift = SHIFT;
    clock->tick_base = pair->ticks;
    clock->ns_base = pair->ns;
    clock->uncertainty_ns = scale_ns(pair->width_ticks, clock->multiplier, SHIFT) / 2 + 1;
    return 0;
}

static void wait_ns(uint64_t window_ns) {
    uint64_t end_ns = monotonic_ns() + window_ns;
    struct timespec until = {(time_t)(end_ns / NS_PER_SECOND), (long)(end_ns % NS_PER_SECOND)};
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, 0) == EINTR) {
    }
}

int swp_clock_calibrate(swp_clock *clock, uint64_t window_ns) {
    *clock = (swp_clock){.multiplier = 1, .source = SWP_CLOCK_REALTIME};
    if (!swp_tsc_invariant()) return 0;
    clock_pair first = take_pair();
    clock->first_tick = first.ticks;
    clock->first_ns = first.ns;
    wait_ns(window_ns < MIN_WINDOW_NS ? MIN_WINDOW_NS : window_ns);
    clock_pair second = take_pair();
    int failed = set_pace(clock, &second);
    if (!failed) clock->source = SWP_CLOCK_TSC;
    return failed;
}

int swp_clock_recalibrate(swp_clock *clock) {
    if (clock->source != SWP_CLOCK_TSC) return 0;
    clock_pair pair = take_pair();
    return set_pace(clock, &pair);
}

uint64_t swp_clock_convert_ns(const swp_clock *clock, uint64_t ticks) {
    if (clock->source != SWP_CLOCK_TSC) return ticks;
    if (ticks < clock->tick_base)
        return clock->ns_base - scale_ns(clock->tick_base - ticks, clock->multiplier, clock->shift);
    return clock->ns_base + scale_ns(ticks - clock->tick_base, clock->multiplier, clock->shift);
}

uint64_t swp_clock_now_ns(const swp_clock *clock) {
    if (clock->source != SWP_CLOCK_TSC) return realtime_ns();
    return swp_clock_convert_ns(clock, swp_tsc());
}

int64_t swp_clock_offset_ns(const swp_clock *clock) {
    if (clock->source != SWP_CLOCK_TSC) return 0;
    clock_pair pair = take_pair();
    return (int64_t)(swp_clock_convert_ns(clock, pair.ticks) - pair.ns);
}
