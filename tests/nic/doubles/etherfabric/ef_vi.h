/* The part of ef_vi's interface that nic/csrc/efvi*.c use, written for the double in ciul*.c.
 *
 * Names, arguments and meaning are those of Onload's library, and the calls that are macros or
 * inline functions there are such here, so that one source compiles against both. What a program
 * must not look into is the double's own.
 */
#ifndef DOUBLE_ETHERFABRIC_EF_VI_H
#define DOUBLE_ETHERFABRIC_EF_VI_H

#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

#define ef_vi_inline static inline

typedef int ef_driver_handle;
typedef uint64_t ef_addr;
typedef int ef_request_id;

#define EF_REQUEST_ID_MASK 0xffffffff
#define EF_VI_EVENT_POLL_MIN_EVS 2
#define EF_VI_TRANSMIT_BATCH 64
#define EF_VI_CTPIO_CT_THRESHOLD_SNF 0xffff
#define EF_VI_SYNC_FLAG_CLOCK_SET 1
#define EF_VI_SYNC_FLAG_CLOCK_IN_SYNC 2

/* --- events ------------------------------------------------------------------------------ */

/* The library packs these into fewer bits; programs go by the names. */
typedef union {
    struct {
        uint16_t type;
    } generic;
    struct {
        uint16_t type, len, flags, subtype;
        uint32_t rq_id;
    } rx, rx_discard;
    struct {
        uint16_t type, desc_id;
    } tx;
    struct {
        uint16_t type, len, flags;
        uint32_t pkt_id;
    } rx_ref, rx_ref_discard;
} ef_event;

enum {
    EF_EVENT_TYPE_RX,
    EF_EVENT_TYPE_TX,
    EF_EVENT_TYPE_RX_DISCARD,
    EF_EVENT_TYPE_TX_ERROR,
    EF_EVENT_TYPE_RX_NO_DESC_TRUNC,
    EF_EVENT_TYPE_SW,
    EF_EVENT_TYPE_OFLOW,
    EF_EVENT_TYPE_RESET = 12,
    EF_EVENT_TYPE_RX_REF = 14,
    EF_EVENT_TYPE_RX_REF_DISCARD,
};

enum {
    EF_EVENT_RX_DISCARD_CSUM_BAD,
    EF_EVENT_RX_DISCARD_MCAST_MISMATCH,
    EF_EVENT_RX_DISCARD_CRC_BAD,
    EF_EVENT_RX_DISCARD_TRUNC,
    EF_EVENT_RX_DISCARD_RIGHTS,
    EF_EVENT_RX_DISCARD_EV_ERROR,
    EF_EVENT_RX_DISCARD_OTHER,
    EF_EVENT_RX_DISCARD_INNER_CSUM_BAD,
};

#define EF_EVENT_FLAG_SOP 0x1
#define EF_EVENT_FLAG_CONT 0x2
#define EF_EVENT_TYPE(e) ((e).generic.type)
#define EF_EVENT_RX_BYTES(e) ((e).rx.len)
#define EF_EVENT_RX_RQ_ID(e) ((e).rx.rq_id)
#define EF_EVENT_RX_SOP(e) ((e).rx.flags & EF_EVENT_FLAG_SOP)
#define EF_EVENT_RX_CONT(e) ((e).rx.flags & EF_EVENT_FLAG_CONT)
#define EF_EVENT_RX_DISCARD_TYPE(e) ((e).rx_discard.subtype)

typedef struct {
    int64_t tv_sec;
    uint32_t tv_nsec;
    uint16_t tv_nsec_frac;
    uint16_t tv_flags;
} ef_precisetime;

/* --- a virtual interface ----------------------------------------------------------------- */

enum ef_vi_flags {
    EF_VI_FLAGS_DEFAULT = 0,
    EF_VI_TX_IP_CSUM_DIS = 0x80,
    EF_VI_TX_TCPUDP_CSUM_DIS = 0x100,
    EF_VI_RX_TIMESTAMPS = 0x10000,
    EF_VI_TX_CTPIO = 0x1000000,
};

enum ef_vi_rx_discard_err_flags {
    EF_VI_DISCARD_RX_L4_CSUM_ERR = 0x1,
    EF_VI_DISCARD_RX_L3_CSUM_ERR = 0x2,
    EF_VI_DISCARD_RX_ETH_FCS_ERR = 0x4,
    EF_VI_DISCARD_RX_ETH_LEN_ERR = 0x8,
};

/* `own` and the counts are the double's; the library's look different and are nobody's business. */
typedef struct ef_vi {
    struct ciul_vi *own;
    unsigned rx_buffer_len;
    unsigned rx_prefix_len;
    uint32_t rx_mask, rx_added, rx_removed;
    uint32_t tx_mask, tx_added, tx_removed;
    int tx_space_bytes;
    struct ops {
        int (*transmit)(struct ef_vi *, ef_addr base, int len, ef_request_id id);
        void (*transmitv_ctpio)(struct ef_vi *, size_t frame_len, const struct iovec *iov,
                                int iov_len, unsigned threshold);
        int (*transmit_ctpio_fallback)(struct ef_vi *, ef_addr address, size_t len,
                                       ef_request_id id);
        int (*receive_set_discards)(struct ef_vi *, unsigned flags);
        int (*receive_init)(struct ef_vi *, ef_addr address, ef_request_id id);
        void (*receive_push)(struct ef_vi *);
        int (*receive_get_timestamp)(struct ef_vi *, const void *packet, ef_precisetime *out);
        int (*eventq_poll)(struct ef_vi *, ef_event *events, int events_len);
    } ops;
} ef_vi;

#define ef_vi_receive_init(vi, addr, dma_id) (vi)->ops.receive_init((vi), (addr), (dma_id))
#define ef_vi_receive_push(vi) (vi)->ops.receive_push((vi))
#define ef_vi_receive_set_discards(vi, flags) (vi)->ops.receive_set_discards((vi), flags)
#define ef_vi_receive_get_precise_timestamp(vi, pkt, ts_out) \
    (vi)->ops.receive_get_timestamp((vi), (pkt), (ts_out))
#define ef_eventq_poll(evq, evs, evs_len) (evq)->ops.eventq_poll((evq), (evs), (evs_len))
#define ef_vi_transmit(vi, base, len, dma_id) (vi)->ops.transmit((vi), (base), (len), (dma_id))
#define ef_vi_transmitv_ctpio(vi, frame_len, iov, iov_len, threshold) \
    (vi)->ops.transmitv_ctpio((vi), (frame_len), (iov), (iov_len), (threshold))
#define ef_vi_transmit_ctpio_fallback(vi, dma_addr, len, dma_id) \
    (vi)->ops.transmit_ctpio_fallback((vi), (dma_addr), (len), (dma_id))

ef_vi_inline int ef_vi_receive_prefix_len(const ef_vi *vi) {
    return (int)vi->rx_prefix_len;
}

ef_vi_inline void ef_vi_receive_set_buffer_len(ef_vi *vi, unsigned buf_len) {
    vi->rx_buffer_len = buf_len;
}

ef_vi_inline int ef_vi_receive_capacity(const ef_vi *vi) {
    return (int)vi->rx_mask;
}

ef_vi_inline int ef_vi_transmit_capacity(const ef_vi *vi) {
    return (int)vi->tx_mask;
}

ef_vi_inline int ef_vi_transmit_space(const ef_vi *vi) {
    return (int)(vi->tx_mask - (vi->tx_added - vi->tx_removed));
}

ef_vi_inline int ef_vi_transmit_space_bytes(const ef_vi *vi) {
    return vi->tx_space_bytes;
}

ef_vi_inline unsigned ef_vi_get_rx_discard_subtype_from_flags(unsigned flags) {
    if (flags & EF_VI_DISCARD_RX_ETH_FCS_ERR) return EF_EVENT_RX_DISCARD_CRC_BAD;
    if (flags & EF_VI_DISCARD_RX_ETH_LEN_ERR) return EF_EVENT_RX_DISCARD_TRUNC;
    if (flags & (EF_VI_DISCARD_RX_L4_CSUM_ERR | EF_VI_DISCARD_RX_L3_CSUM_ERR))
        return EF_EVENT_RX_DISCARD_CSUM_BAD;
    return EF_EVENT_RX_DISCARD_OTHER;
}

int ef_vi_transmit_unbundle(ef_vi *vi, const ef_event *event, ef_request_id *ids);

#endif
