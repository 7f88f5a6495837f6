/* The session side of hand-offs: moves messages to the real ports and chunks back.
 *
 * A message stays in its ring until the real port has taken it or broken, so a venue that does not
 * read fills the ring, and the hot side's next send says so. What the real port says in the end
 * comes through behind its last chunk.
 */
#define _GNU_SOURCE
#include "handoff.h"

#include <errno.h>
#include <inttypes.h>
#include <time.h>

#include "handoff_pair.h"

#define NS_PER_US 1000u
#define US_PER_SECOND 1000000u

static void pause_core(void) {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

/* --- out --------------------------------------------------------------------------------- */

static void note_lost(handoff_session *session, int error) {
    const char *why = session->ops->last_error(session->port);
    swp_set_error(session->lost_text, "%s", why[0] ? why : strerror(-error));
    session->lost++;
}

/* No further than to what is there now: a busy sender may not keep us from what the venue says. */
static int64_t move_out(handoff_pair *pair) {
    handoff_session *session = &pair->session;
    uint64_t until = __atomic_load_n(&pair->out.tail, __ATOMIC_ACQUIRE);
    int64_t moved = 0;
    byte_record *record;
    while (pair->out.next != until && (record = byte_ring_front(&pair->out))) {
        int result = session->ops->tx(session->port, byte_ring_payload(record),
                                      record->length_bytes, record->value);
        if (result == -EAGAIN) break;
        if (result < 0) note_lost(session, result);
        byte_ring_pass(&pair->out, record);
        byte_ring_give_back(&pair->out, pair->out.next);
        moved++;
    }
    return moved;
}

/* --- in ---------------------------------------------------------------------------------- */

/* Moves one piece of what is held: 1, or 0 where the ring is full. A stream may be cut anywhere, a
 * frame longer than the ring takes is truncated and says so. */
static int move_piece(handoff_pair *pair) {
    handoff_session *session = &pair->session;
    const swp_descriptor *chunk = &session->held[session->held_next];
    uint32_t left = chunk->length_bytes - session->held_at;
    uint32_t most = byte_ring_payload_most(&pair->in);
    int is_stream = chunk->flags >> 16 == 0, cut = left > most;
    byte_record header = {.length_bytes = cut ? most : left, .kind = HANDOFF_CHUNK,
                          .flags = chunk->flags, .value = chunk->timestamp_ns};
    if (cut && !is_stream) header.flags |= SWP_FLAG_TRUNCATED;
    const uint8_t *bytes = (const uint8_t *)(uintptr_t)chunk->address + session->held_at;
    if (!byte_ring_push(&pair->in, header, bytes)) return 0;
    session->held_at += header.length_bytes;
    if (!cut || !is_stream) {
        session->held_next++;
        session->held_at = 0;
    }
    return 1;
}

static void take_held(handoff_session *session) {
    int64_t count = session->ops->rx_burst(session->port, session->held, HANDOFF_BURST);
    session->held_next = 0;
    session->held_count = count > 0 ? count : 0;
    if (count < 0) session->over = count;
}

static void release_held(handoff_session *session) {
    session->ops->release(session->port, session->held, session->held_count);
    session->held_count = session->held_next = 0;
}

static int64_t move_in(handoff_pair *pair) {
    handoff_session *session = &pair->session;
    int64_t moved = 0;
    if (session->held_count == 0 && !session->over) take_held(session);
    while (session->held_next < session->held_count && move_piece(pair)) moved++;
    if (moved) byte_ring_publish(&pair->in);
    if (session->held_count && session->held_next == session->held_count) release_held(session);
    return moved;
}

/* --- news -------------------------------------------------------------------------------- */

static int push_news(handoff_pair *pair, uint32_t kind, uint64_t value, const char *text) {
    size_t length = strlen(text);
    byte_record header = {.length_bytes = (uint32_t)length, .kind = kind, .value = value};
    if (!byte_ring_push(&pair->in, header, text)) return 0;
    byte_ring_publish(&pair->in);
    return 1;
}

static int64_t tell_news(handoff_pair *pair) {
    handoff_session *session = &pair->session;
    int64_t moved = 0;
    if (session->lost &&
        push_news(pair, HANDOFF_LOST, session->lost, session->lost_text)) {
        session->lost = 0;
        moved++;
    }
    if (session->over && !session->over_told && session->held_count == 0 && !session->lost) {
        const char *why = session->over == SWP_ERROR ? session->ops->last_error(session->port) : "";
        session->over_told = push_news(pair, HANDOFF_OVER, (uint64_t)session->over, why);
        moved += session->over_told;
    }
    return moved;
}

int64_t swp_handoff_step(void *handle) {
    handoff_pair *pair = handle;
    int64_t moved = move_out(pair) + move_in(pair);
    if (pair->session.lost || pair->session.over) moved += tell_news(pair);
    return moved;
}

static void be_idle(uint32_t idle, uint32_t sleep_us) {
    struct timespec time = {.tv_sec = sleep_us / US_PER_SECOND,
                            .tv_nsec = (long)(sleep_us % US_PER_SECOND) * NS_PER_US};
    if (idle == SWP_IDLE_PAUSE) pause_core();
    else if (idle == SWP_IDLE_SLEEP) nanosleep(&time, NULL);
}

static int64_t one_round(void **ports, int64_t count) {
    int64_t moved = 0;
    for (int64_t index = 0; index < count; index++) {
        void *pair = __atomic_load_n(&ports[index], __ATOMIC_ACQUIRE);
        if (pair) moved += swp_handoff_step(pair);
    }
    return moved;
}

int64_t swp_handoff_run(void **ports, int64_t count, swp_handoff_control *control, uint32_t idle,
                        uint32_t sleep_us) {
    int64_t total = 0;
    for (;;) {
        /* What was sent before the stop was said is moved by the round that comes after it. */
        int stopped = __atomic_load_n(&control->stop, __ATOMIC_ACQUIRE) != 0;
        int64_t moved = one_round(ports, count);
        total += moved;
        __atomic_store_n(&control->rounds, control->rounds + 1, __ATOMIC_RELEASE);
        if (stopped) return total;
        if (moved == 0) be_idle(idle, sleep_us);
    }
}
