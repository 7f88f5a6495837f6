/* How an order session's TCP connection to a venue is opened as a port. */
#ifndef SWEEPWIRE_TCP_H
#define SWEEPWIRE_TCP_H

#include <stdint.h>

#include "port.h"

/* cffi: begin */

/* Addresses and ports in host byte order; 0 leaves what is not said to the kernel. */
typedef struct {
    const char *device;          /* interface that the connection keeps to, "" = by route */
    uint32_t venue_ip;
    uint32_t source_ip;
    uint16_t venue_port;
    uint16_t source_port;
    uint32_t connect_ms;         /* limit of the connect */
    uint32_t ring_count;         /* buffers, a power of two */
    uint32_t frame_bytes;        /* a buffer: the longest chunk that one read takes */
    uint32_t pending_bytes;      /* room for what the kernel did not take; the longest message */
    uint32_t rcvbuf_bytes;       /* 0 = the system's default */
    uint32_t sndbuf_bytes;
    uint32_t busy_poll_us;       /* SO_BUSY_POLL, 0 = off */
    uint32_t user_timeout_ms;    /* TCP_USER_TIMEOUT, 0 = the system's default */
    uint32_t keepalive_s;        /* idle time before keepalive probes and between them, 0 = off */
    uint32_t linger_ms;          /* how long close waits for the venue, 0 = not at all */
    uint32_t quickack;           /* 1: acknowledge at once, said again after reads */
} swp_tcp_config;

/* What became of messages that were to leave as frames of our own (delegated sends). */
typedef struct {
    uint64_t delegated;          /* left by the frame port */
    uint64_t not_prepared;       /* Onload gave no headers: plain send */
    uint64_t short_window;       /* longer than a window or segment has room for: plain send */
    uint64_t frame_refused;      /* the frame port did not take it: plain send */
} swp_delegated_counts;

/* 0 and the connected port, or -errno and in `error_text` (of SWP_ERROR_TEXT_BYTES) why. */
int swp_tcp_open(const swp_tcp_config *config, void **port, char *error_text);
const swp_ops *swp_tcp_ops(void);
/* The socket of an open port, for looking at its options: it stays the port's. */
int swp_tcp_socket(const void *port);
/* Where received chunks lie: first address, and size in bytes. */
void swp_tcp_memory(const void *port, uint64_t *address, uint64_t *size_bytes);
/* Whether this process runs under Onload. */
int swp_onload_present(void);
/* From now on messages leave as frames of another port while Onload keeps the connection. 0, or
 * -errno and sends stay plain. A frame port that is `owned` is closed with the port. */
int swp_tcp_delegate(void *port, const swp_ops *frame_ops, void *frame_port, int owned);
/* Whether sends are delegated, and the counts. */
int swp_tcp_delegated(const void *port, swp_delegated_counts *out);

/* cffi: end */

#endif
