/* The inside of the double of libciul. */
#ifndef DOUBLE_CIUL_H
#define DOUBLE_CIUL_H

#include <etherfabric/base.h>
#include <etherfabric/capabilities.h>
#include <etherfabric/efct_vi.h>
#include <etherfabric/memreg.h>
#include <etherfabric/pd.h>
#include <etherfabric/vi.h>

#include "ciul_control.h"

#define CIUL_VIS_MAX 16
#define CIUL_FILTERS_MAX 600
#define CIUL_IDS_MAX (1 << 17)
#define CIUL_FRESH_MAX 64
#define CIUL_PREFIX_BYTES 14          /* EF10: in front of a frame, begins with its time */
#define CIUL_X3_STRIDE_BYTES 2048
#define CIUL_X3_HEADER_BYTES 64
#define CIUL_SCRIBBLE 0xa5            /* what a buffer holds while the NIC owns it */
#define CIUL_POISON 0xdb

typedef struct {
    ef_addr address;
    ef_request_id id;
} ciul_descriptor;

typedef struct {
    ef_event event;
    const void *stamp;                /* with which the frame's time may be asked for */
} ciul_event;

typedef struct {
    ef_request_id id;
    uint32_t length_bytes;
    uint32_t fifo_bytes;
    const uint8_t *bytes;             /* where the NIC reads, and what it read there */
    uint32_t digest;
} ciul_send;

typedef struct {
    int id;
    uint32_t group_be;
    uint16_t port_be;
    int vlan;                         /* -1 = whatever it is */
} ciul_filter;

enum { CIUL_PACKET_FREE, CIUL_PACKET_FILLED, CIUL_PACKET_WITH_READER };

struct ciul_vi {
    ef_vi *vi;
    uint64_t flags;
    ciul_filter filters[CIUL_FILTERS_MAX];
    int filter_count;
    ciul_event *events;
    uint32_t event_room, event_head, event_count;
    int overflowed;
    const void *fresh[CIUL_FRESH_MAX];  /* stamps of the latest poll */
    int fresh_count;
    ciul_descriptor *rx;
    uint32_t rx_pushed, rx_filled;
    uint8_t *id_in_ring;
    uint8_t *superbufs;               /* X3 */
    uint8_t *packet_state;
    uint32_t *superbuf_filled, *superbuf_held;
    uint32_t superbuf_count, superbuf_frames, superbuf_now;
    ciul_send *tx;
    uint32_t tx_done, tx_reported;    /* completed, and told in an event */
    int awaits_fallback, ctpio_failed;
    uint8_t ctpio_frame[65536];
    uint32_t ctpio_bytes;
};

extern int64_t ciul_settings[CIUL_SETTINGS];
extern struct ciul_vi *ciul_vis[CIUL_VIS_MAX];

__attribute__((format(printf, 1, 2)))
void ciul_violate(const char *format, ...);
/* Memory at an address of the NIC's: NULL where those bytes are not registered, or in two pages. */
uint8_t *ciul_translate(ef_addr address, uint32_t size_bytes);
void ciul_count_drop(void);
void ciul_add_live(int count);
int ciul_vis_live(void);
int ciul_registrations_live(void);
void ciul_put_on_wire(const uint8_t *frame, uint32_t length_bytes, int by_ctpio);
void ciul_push_event(struct ciul_vi *own, const ef_event *event, const void *stamp);

/* ciul_rx.c */
void ciul_rx_ops(ef_vi *vi);
int ciul_rx_open(struct ciul_vi *own, int rxq_capacity);
void ciul_rx_close(struct ciul_vi *own);
/* The event goes to the caller: its buffer is out of the ring. */
void ciul_rx_deliver(struct ciul_vi *own, const ef_event *event);

/* ciul_tx.c */
void ciul_tx_ops(ef_vi *vi);
int ciul_tx_open(struct ciul_vi *own, int txq_capacity);
void ciul_tx_close(struct ciul_vi *own);
/* Makes an event of what was sent since the last one. */
void ciul_tx_report(struct ciul_vi *own);

#endif
