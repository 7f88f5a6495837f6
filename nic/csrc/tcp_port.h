/* What the files of the TCP backend share: tcp.c receives, tcp_send.c sends, tcp_open.c connects
 * and closes, delegated.c sends frames under Onload. */
#ifndef SWEEPWIRE_TCP_PORT_H
#define SWEEPWIRE_TCP_PORT_H

#include <net/if.h>
#include <stdint.h>

#include "common.h"
#include "delegated.h"
#include "tcp.h"

typedef struct tcp_port {
    int fd;
    uint32_t to_acknowledge;  /* 1: bytes were read since TCP_QUICKACK was set */
    uint32_t ring_mask;
    uint32_t frame_bytes;
    uint64_t stride_bytes;
    uint8_t *pool;
    swp_ring_account ring;
    swp_stats stats;
    int64_t over;             /* SWP_END or SWP_ERROR once the venue's side is, else 0 */
    int send_error;           /* errno that broke our side of the connection, else 0 */
    uint8_t *pending;         /* bytes that the kernel has not taken, from pending_begin on */
    uint32_t pending_begin;
    uint32_t pending_bytes;
    uint32_t uncompleted_bytes;  /* of these, the first: they left, and Onload is not told yet */
    delegated_sends *delegated;  /* NULL where sends are plain */
    swp_tcp_config config;
    char device[IF_NAMESIZE];
    char error_text[SWP_ERROR_TEXT_BYTES];
} tcp_port;

/* Notes the failure in the port's error text. Returns -error. */
int tcp_fail(tcp_port *port, const char *what, int error);
/* Hands pending bytes to the kernel, as many as it takes now. 0, or -errno once sending broke. */
int tcp_flush(tcp_port *port);
/* swp_ops.tx and swp_ops.close. */
int tcp_tx(void *handle, const void *data, uint32_t length_bytes, uint64_t cookie);
void tcp_close(void *handle);
/* Whether a send or receive that failed so may be tried again later. */
int tcp_is_passing(int error);

#endif
