/* Delegated sends: TCP messages that leave as frames of our own while Onload keeps the connection.
 *
 * Onload's functions are looked up at run time: nothing of it is needed to build, and without it
 * sends are plain. What is declared here is the interface of Onload's onload/extensions.h, of which
 * the layout has not changed since it came.
 */
#ifndef SWEEPWIRE_DELEGATED_H
#define SWEEPWIRE_DELEGATED_H

#include <stdint.h>
#include <sys/uio.h>

#include "port.h"
#include "tcp.h"

#define DELEGATED_HEADERS_MOST 128   /* Ethernet, a VLAN tag, IPv4, TCP with all options */

/* As struct onload_delegated_send. */
typedef struct {
    void *headers;
    int headers_bytes;        /* room on input, what is filled in on output */
    int segment_most;         /* one packet's payload may not exceed this */
    int send_window;
    int congestion_window;
    int asked_bytes;
    int sequence_at;          /* of the TCP sequence number, in the headers */
    int ip_length_at;         /* of the IPv4 total length */
    int ip_tcp_bytes;         /* of both headers */
    int reserved[5];
} delegated_headers;

typedef struct {
    int (*prepare)(int fd, int size_bytes, unsigned flags, delegated_headers *out);
    int (*complete)(int fd, const struct iovec *pieces, int count, int flags);
    int (*cancel)(int fd);
    const swp_ops *frame_ops;
    void *frame_port;
    int owned;                /* the frame port is closed with us */
    swp_delegated_counts counts;
    uint8_t *frame;           /* headers, and the payload behind them */
} delegated_sends;

struct tcp_port;

/* 1: the message left. 0: it did not, and a plain send may take it. */
int delegated_send(struct tcp_port *port, const uint8_t *data, uint32_t length_bytes);
/* Tells Onload of bytes that left: how many it took now, or -errno: the connection is broken. */
int64_t delegated_complete(struct tcp_port *port, const uint8_t *data, uint32_t length_bytes);
void delegated_close(struct tcp_port *port);

#endif
