/* How a port over ef_vi (Solarflare and AMD NICs, Onload's libciul) is opened.
 *
 * nic._efvi is an extension of its own and gives addresses as integers: see nic/build_optional.py.
 */
#ifndef SWEEPWIRE_EFVI_H
#define SWEEPWIRE_EFVI_H

#include <stdint.h>

/* cffi: begin */

enum { SWP_EFVI_TEXT_BYTES = 256 };

/* What the NIC turned out to be. */
enum {
    SWP_EFVI_SHARED_BUFFERS = 1,  /* X3: frames lie in buffers of the driver's */
    SWP_EFVI_CTPIO = 2,
    SWP_EFVI_CTPIO_ONLY = 4,
    SWP_EFVI_TIMESTAMPS = 8,
};

/* Where datagrams to a unicast address go on the wire: the next hop's MAC. */
typedef struct {
    uint32_t ipv4;                /* host byte order */
    uint8_t mac[6];
    uint8_t reserved[2];
} swp_efvi_peer;

typedef struct {
    const char *device;           /* the NIC's interface */
    const char *drops_path;       /* file with the interface's count of lost frames, "" = none */
    const swp_efvi_peer *peers;
    uint32_t peer_count;
    uint32_t ring_count;          /* frames that may be unreleased at a time, a power of two */
    uint32_t frame_bytes;         /* largest frame kept whole, 0 = the interface's MTU says */
    uint32_t rx_queue_count;      /* the NIC's receive descriptors */
    uint32_t tx_queue_count;      /* the NIC's transmit descriptors */
    uint32_t cut_through_bytes;   /* CTPIO: on the NIC before it starts to send, 0 = all of them */
    uint32_t source_ipv4;         /* of datagrams sent, host byte order, 0 = none */
    uint16_t source_port;
    uint8_t ttl;                  /* of multicasts sent */
    uint8_t ctpio;
    uint8_t timestamps;
    uint8_t igmp;                 /* join through an ordinary socket too */
    uint8_t bad_frames;           /* give out what the NIC calls bad, flagged */
    uint8_t copy;                 /* X3: copy frames, give the shared buffers back at once */
    uint8_t exclusive;            /* X3: a receive queue that no other program shares */
    uint8_t poison;               /* overwrite released buffers */
} swp_efvi_config;

/* 0 and the port's address, or -errno and in `error_text` (of SWP_EFVI_TEXT_BYTES) why. */
int swp_efvi_open(const swp_efvi_config *config, uint64_t *port, char *error_text);
/* Address of the port's table of functions (swp_ops). */
uint64_t swp_efvi_ops(void);
/* OR of SWP_EFVI_*. */
uint32_t swp_efvi_features(uint64_t port);
/* The buffers that frames lie in; size 0 where they are the driver's. */
uint64_t swp_efvi_pool(uint64_t port, uint64_t *size_bytes);

/* cffi: end */

#endif
