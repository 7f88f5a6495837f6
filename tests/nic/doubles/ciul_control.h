/* What a test does to the double of libciul: which NIC it plays, what comes in, what goes wrong.
 *
 * The double holds the caller to the interface's contract and is stricter than the library: what
 * would be undefined there is a violation here, counted and told in words.
 */
#ifndef DOUBLE_CIUL_CONTROL_H
#define DOUBLE_CIUL_CONTROL_H

#include <stdint.h>

/* cffi: begin */

enum { CIUL_EF10 = 0, CIUL_X3 = 1 };

enum ciul_setting {
    CIUL_KIND,               /* CIUL_EF10 or CIUL_X3 */
    CIUL_MTU_BYTES,          /* longest frame, without the FCS */
    CIUL_MIN_PAGE_BYTES,     /* registered memory is whole pages of this size */
    CIUL_HAS_CTPIO,
    CIUL_CTPIO_REFUSED,      /* a virtual interface with CTPIO is refused with -EBUSY */
    CIUL_HAS_TIMESTAMPS,
    CIUL_MERGES_EVENTS,
    CIUL_EVENTS_MAX,         /* room of an event queue, 0 = what its rings can need */
    CIUL_SUPERBUFS,          /* X3: number of shared buffers, and frames in each */
    CIUL_SUPERBUF_FRAMES,
    CIUL_SHARES_QUEUE,       /* X3: frames come that no filter of ours asked for */
    CIUL_TX_FIFO_BYTES,      /* X3 */
    CIUL_CLOCK_FLAGS,        /* EF_VI_SYNC_FLAG_* of the timestamps */
    CIUL_TIME_ERROR,         /* these six: errno of the call, 0 = it succeeds */
    CIUL_DRIVER_ERROR,
    CIUL_DOMAIN_ERROR,
    CIUL_VI_ERROR,
    CIUL_MEMREG_ERROR,
    CIUL_FILTER_ERROR,
    CIUL_HOLDS_COMPLETIONS,  /* sends are not reported done */
    CIUL_CTPIO_FAILURES,     /* so many CTPIO sends fail, their fallbacks go out */
    CIUL_EXPECTS_POISON,     /* buffers that are posted again must be 0xdb throughout */
    CIUL_SETTINGS
};

enum ciul_fault {
    CIUL_GOOD,
    CIUL_BAD_CHECKSUM,
    CIUL_BAD_CRC,
    CIUL_TRUNCATED,
    CIUL_RIGHTS,             /* EF10: buffer of another owner */
    CIUL_EVENT_LOST          /* EF10 */
};

/* A NIC as it comes, no virtual interface, an empty wire. Frees what earlier tests left. */
void ciul_reset(void);
void ciul_set(int setting, int64_t value);
/* A frame comes from the wire. Number of virtual interfaces that took it. */
int64_t ciul_inject(const void *frame, uint32_t length_bytes, uint32_t fault);
/* An event without a frame for every virtual interface: EF_EVENT_TYPE_*. */
void ciul_raise(uint32_t event_type);
/* Frames for which there was no buffer. */
uint64_t ciul_drops(void);
uint64_t ciul_sent_count(void);
/* The frame's length; up to room_bytes of it are copied. -1 where there is none. */
int64_t ciul_sent(uint64_t index, void *out, uint32_t room_bytes);
/* How many of the sent frames went by CTPIO itself. */
uint64_t ciul_sent_by_ctpio(void);
uint64_t ciul_violations(void);
/* The first one in words, "" if there was none. */
const char *ciul_violation(void);
/* Handles, domains, interfaces, filters and registrations that were not given back. */
int64_t ciul_live(void);
int64_t ciul_filters(void);

/* cffi: end */

#endif
