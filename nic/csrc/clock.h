/* Time since the epoch from the CPU's time stamp counter.
 *
 * One multiply and one shift turn ticks into ns. Where the counter is not invariant (it stops or
 * changes pace with the core's clock) the same calls read CLOCK_REALTIME instead.
 */
#ifndef SWEEPWIRE_CLOCK_H
#define SWEEPWIRE_CLOCK_H

#include <stdint.h>

/* cffi: begin */
enum {
    SWP_CLOCK_REALTIME = 0,  /* every read is a clock_gettime call */
    SWP_CLOCK_TSC = 1,
};

/* ns = ns_base + ((ticks - tick_base) * multiplier >> shift), mirrored by nic.clock.CLOCK_DTYPE. */
typedef struct {
    uint64_t tick_base;
    uint64_t ns_base;           /* since the epoch, at tick_base */
    uint64_t multiplier;        /* ns a tick, scaled by 2^shift */
    uint32_t shift;
    uint32_t source;            /* SWP_CLOCK_* */
    uint64_t first_tick;        /* the earliest pair taken: the long arm of later calibrations */
    uint64_t first_ns;
    uint64_t uncertainty_ns;    /* half the time the best pair of reads took */
} swp_clock;

/* 1 where the counter runs at one pace through sleep and frequency changes. */
int swp_tsc_invariant(void);
uint64_t swp_tsc(void);
/* Takes two pairs of (ticks, CLOCK_REALTIME) window_ns apart. 0, or -errno. */
int swp_clock_calibrate(swp_clock *clock, uint64_t window_ns);
/* Takes one more pair, moves the base to it and the pace to the arm since the first pair. */
int swp_clock_recalibrate(swp_clock *clock);
uint64_t swp_clock_now_ns(const swp_clock *clock);
uint64_t swp_clock_convert_ns(const swp_clock *clock, uint64_t ticks);
/* Our time less CLOCK_REALTIME now. */
int64_t swp_clock_offset_ns(const swp_clock *clock);
/* cffi: end */

#endif
