/* Sending on a TCP connection: whole messages or nothing.
 *
 * The kernel may take a part of a message. The rest waits in the pending buffer and leaves before
 * anything else, at the next send or poll, so that messages are neither torn nor reordered.
 */
#define _GNU_SOURCE
#include "tcp_port.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/socket.h>

/* Bytes that the kernel took (0: none now), or -errno once the connection is broken. */
static int64_t put(tcp_port *port, const void *data, uint32_t length_bytes) {
    ssize_t sent = send(port->fd, data, length_bytes, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent >= 0) return sent;
    if (tcp_is_passing(errno)) return 0;
    port->send_error = errno;
    return tcp_fail(port, "send", errno);
}

static void take_pending(tcp_port *port, uint32_t count) {
    port->pending_begin += count;
    port->pending_bytes -= count;
    if (port->pending_bytes == 0) port->pending_begin = 0;
}

/* Until Onload knows of all that left as frames, nothing may be sent in another way. */
static int complete_delegated(tcp_port *port) {
    int64_t taken = delegated_complete(port, port->pending + port->pending_begin,
                                       port->uncompleted_bytes);
    if (taken < 0) return (int)taken;
    port->uncompleted_bytes -= (uint32_t)taken;
    take_pending(port, (uint32_t)taken);
    return 0;
}

int tcp_flush(tcp_port *port) {
    if (port->send_error) return tcp_fail(port, "send", port->send_error);
    int failed = port->uncompleted_bytes ? complete_delegated(port) : 0;
    if (failed || port->uncompleted_bytes || port->pending_bytes == 0) return failed;
    int64_t sent = put(port, port->pending + port->pending_begin, port->pending_bytes);
    if (sent < 0) return (int)sent;
    take_pending(port, (uint32_t)sent);
    return 0;
}

/* Keeps bytes behind those that wait already: all of them, or -EAGAIN and none. */
static int hold(tcp_port *port, const uint8_t *data, uint32_t length_bytes) {
    uint32_t room = port->config.pending_bytes - port->pending_bytes;
    if (length_bytes > room) {
        swp_set_error(port->error_text, "tx: the venue reads too slowly, %" PRIu32
                      " bytes wait to be sent", port->pending_bytes);
        return -EAGAIN;
    }
    if (length_bytes > room - port->pending_begin) {
        memmove(port->pending, port->pending + port->pending_begin, port->pending_bytes);
        port->pending_begin = 0;
    }
    memcpy(port->pending + port->pending_begin + port->pending_bytes, data, length_bytes);
    port->pending_bytes += length_bytes;
    return 0;
}

static int check_message(tcp_port *port, const void *data, uint32_t length_bytes,
                         uint64_t cookie) {
    if (data == NULL || length_bytes == 0) return tcp_fail(port, "tx", EINVAL);
    if (cookie) return tcp_fail(port, "tx with a cookie", EINVAL);
    if (length_bytes > port->config.pending_bytes) return tcp_fail(port, "tx", EMSGSIZE);
    return 0;
}

static int send_message(tcp_port *port, const uint8_t *data, uint32_t length_bytes) {
    if (port->pending_bytes) return hold(port, data, length_bytes);
    if (port->delegated && delegated_send(port, data, length_bytes)) return 0;
    int64_t sent = put(port, data, length_bytes);
    if (sent < 0) return (int)sent;
    if ((uint32_t)sent == length_bytes) return 0;
    return hold(port, data + sent, length_bytes - (uint32_t)sent);
}

int tcp_tx(void *handle, const void *data, uint32_t length_bytes, uint64_t cookie) {
    tcp_port *port = handle;
    int failed = check_message(port, data, length_bytes, cookie);
    if (!failed) failed = tcp_flush(port);
    if (!failed) failed = send_message(port, data, length_bytes);
    if (failed) {
        port->stats.tx_failed++;
        return failed;
    }
    port->stats.tx_packets++;
    port->stats.tx_bytes += length_bytes;
    return 0;
}
