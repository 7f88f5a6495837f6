/* The four rings that an AF_XDP socket shares with the kernel: one side each is ours.
 *
 * Source: Documentation/networking/af_xdp.rst of the kernel. Counters run free and wrap at 2^32.
 */
#ifndef SWEEPWIRE_XDP_RING_H
#define SWEEPWIRE_XDP_RING_H

#include <linux/if_xdp.h>
#include <stddef.h>
#include <stdint.h>

/* Newer than some distributions' headers. */
#ifndef XDP_USE_SG
#define XDP_USE_SG (1 << 4)
#endif
#ifndef XDP_PKT_CONTD
#define XDP_PKT_CONTD (1 << 0)
#endif

typedef struct {
    uint32_t *producer;
    uint32_t *consumer;
    uint32_t *flags;
    void *entries;      /* struct xdp_desc of rx and tx, uint64_t offsets of fill and completion */
    uint32_t mask;
    uint32_t ours;      /* our own counter: ahead of the shared one until it is published */
    void *map;
    size_t map_bytes;
} xdp_ring;

static inline uint32_t xdp_load(const uint32_t *counter) {
    return __atomic_load_n(counter, __ATOMIC_ACQUIRE);
}

static inline void xdp_publish(uint32_t *counter, uint32_t value) {
    __atomic_store_n(counter, value, __ATOMIC_RELEASE);
}

static inline struct xdp_desc *xdp_desc_at(const xdp_ring *ring, uint32_t at) {
    return (struct xdp_desc *)ring->entries + (at & ring->mask);
}

static inline uint64_t *xdp_offset_at(const xdp_ring *ring, uint32_t at) {
    return (uint64_t *)ring->entries + (at & ring->mask);
}

static inline int xdp_wants_wakeup(const xdp_ring *ring) {
    return (__atomic_load_n(ring->flags, __ATOMIC_RELAXED) & XDP_RING_NEED_WAKEUP) != 0;
}

#endif
