/* A ring of messages of any size between one producing and one consuming thread.
 *
 * A record is a 16-byte header and its payload, whole and in one piece, on cache lines of its own.
 * Counts of bytes run on without wrapping. Each side keeps the last value it saw of the other's
 * count and looks again only when that says full or empty.
 */
#ifndef SWEEPWIRE_BYTE_RING_H
#define SWEEPWIRE_BYTE_RING_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define BYTE_RING_LINE 64u
#define BYTE_RING_LEAST_BYTES 1024u
#define BYTE_RING_MOST_BYTES (1u << 29)

/* Kind 0 fills the end of the ring where the next record does not fit in one piece. */
enum { BYTE_RING_FILL = 0 };

typedef struct {
    uint32_t length_bytes : 29;  /* of the payload, behind the header */
    uint32_t kind : 3;
    uint32_t flags;
    uint64_t value;              /* the kind says what: a time, a cookie */
} byte_record;

typedef struct {
    uint64_t tail __attribute__((aligned(BYTE_RING_LINE)));   /* the producer's: published */
    uint64_t end;                                             /* written up to here */
    uint64_t head_seen;
    uint64_t head __attribute__((aligned(BYTE_RING_LINE)));   /* the consumer's: given back */
    uint64_t next;                                            /* read up to here */
    uint64_t tail_seen;
    uint8_t *bytes __attribute__((aligned(BYTE_RING_LINE)));
    uint64_t size_bytes;     /* a power of two */
} byte_ring;

/* 0, or -1 without memory. */
static inline int byte_ring_make(byte_ring *ring, uint64_t size_bytes) {
    memset(ring, 0, sizeof *ring);
    ring->bytes = aligned_alloc(BYTE_RING_LINE, size_bytes);
    if (ring->bytes == NULL) return -1;
    memset(ring->bytes, 0, size_bytes);  /* its pages are there before a message is */
    ring->size_bytes = size_bytes;
    return 0;
}

/* The longest payload that always fits once the consumer has given all back. */
static inline uint32_t byte_ring_payload_most(const byte_ring *ring) {
    return (uint32_t)(ring->size_bytes / 2 - sizeof(byte_record));
}

static inline byte_record *byte_ring_at(const byte_ring *ring, uint64_t count) {
    return (byte_record *)(void *)(ring->bytes + (count & (ring->size_bytes - 1)));
}

static inline uint64_t byte_ring_step(uint32_t length_bytes) {
    uint64_t bytes = sizeof(byte_record) + (uint64_t)length_bytes;
    return (bytes + BYTE_RING_LINE - 1) & ~(uint64_t)(BYTE_RING_LINE - 1);
}

static inline uint8_t *byte_ring_payload(byte_record *record) {
    return (uint8_t *)(record + 1);
}

static inline int byte_ring_has_room(byte_ring *ring, uint64_t wanted) {
    if (ring->end + wanted - ring->head_seen <= ring->size_bytes) return 1;
    ring->head_seen = __atomic_load_n(&ring->head, __ATOMIC_ACQUIRE);
    return ring->end + wanted - ring->head_seen <= ring->size_bytes;
}

/* Writes a record: 1, or 0 where it does not fit now. Payloads up to byte_ring_payload_most().
 * The consumer sees it after byte_ring_publish(), which may be for several. */
static inline int byte_ring_push(byte_ring *ring, byte_record header, const void *data) {
    uint64_t step = byte_ring_step(header.length_bytes), end = ring->end;
    uint64_t to_end = ring->size_bytes - (end & (ring->size_bytes - 1));
    uint64_t fill = step > to_end ? to_end : 0;
    if (!byte_ring_has_room(ring, fill + step)) return 0;
    if (fill)
        *byte_ring_at(ring, end) = (byte_record){
            .length_bytes = (uint32_t)(fill - sizeof(byte_record)), .kind = BYTE_RING_FILL};
    byte_record *record = byte_ring_at(ring, end + fill);
    *record = header;
    if (header.length_bytes) memcpy(byte_ring_payload(record), data, header.length_bytes);
    ring->end = end + fill + step;
    return 1;
}

static inline void byte_ring_publish(byte_ring *ring) {
    __atomic_store_n(&ring->tail, ring->end, __ATOMIC_RELEASE);
}

/* The next record that is no filling, or NULL. byte_ring_pass() goes on behind it. */
static inline byte_record *byte_ring_front(byte_ring *ring) {
    for (;;) {
        if (ring->next == ring->tail_seen) {
            ring->tail_seen = __atomic_load_n(&ring->tail, __ATOMIC_ACQUIRE);
            if (ring->next == ring->tail_seen) return NULL;
        }
        byte_record *record = byte_ring_at(ring, ring->next);
        if (record->kind != BYTE_RING_FILL) return record;
        ring->next += byte_ring_step(record->length_bytes);
    }
}

static inline void byte_ring_pass(byte_ring *ring, const byte_record *record) {
    ring->next += byte_ring_step(record->length_bytes);
}

/* Gives everything before `count` back to the producer. */
static inline void byte_ring_give_back(byte_ring *ring, uint64_t count) {
    __atomic_store_n(&ring->head, count, __ATOMIC_RELEASE);
}

#endif
