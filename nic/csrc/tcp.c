/* A port over a TCP connection to a venue: chunks of its byte stream in, whole messages out.
 *
 * Only one thread may poll and send at a time; it may be another one later. Reads and writes are
 * plain recv(2) and send(2), so that Onload's preload takes them over.
 */
#define _GNU_SOURCE
#include "tcp.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "tcp_port.h"

#define NS_PER_SECOND 1000000000ull

int tcp_fail(tcp_port *port, const char *what, int error) {
    return swp_fail(port->error_text, what, error);
}

int tcp_is_passing(int error) {
    return error == EAGAIN || error == EWOULDBLOCK || error == EINTR || error == ENOBUFS ||
           error == ENOMEM;
}

static uint64_t now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * NS_PER_SECOND + (uint64_t)now.tv_nsec;
}

static uint8_t *next_buffer(const tcp_port *port) {
    return port->pool + (port->ring.handed_out & port->ring_mask) * port->stride_bytes;
}

static void hand_out(tcp_port *port, uint32_t length_bytes, swp_descriptor *out) {
    out->address = (uint64_t)(uintptr_t)next_buffer(port);
    out->length_bytes = length_bytes;
    out->flags = 0;  /* a piece of a stream has no link type */
    out->timestamp_ns = now_ns();
    out->cookie = port->ring.handed_out++;
    port->stats.rx_packets++;
    port->stats.rx_bytes += length_bytes;
}

/* Linux goes back to delayed acknowledgements by itself. Said at the first poll that finds nothing:
 * what came is acted upon first, and what is not acknowledged yet is acknowledged then. */
static void acknowledge_at_once(tcp_port *port) {
    int on = 1;
    setsockopt(port->fd, IPPROTO_TCP, TCP_QUICKACK, &on, sizeof on);
    port->to_acknowledge = 0;
}

/* Nothing was read. What broke our sends is told only when all that the venue said was read. */
static void note_no_data(tcp_port *port, ssize_t got, int error) {
    if (got < 0 && tcp_is_passing(error) && port->send_error == 0) return;
    if (got == 0 && port->send_error == 0) {
        port->over = SWP_END;
        return;
    }
    port->over = SWP_ERROR;
    port->stats.rx_errors++;
    if (port->send_error) tcp_fail(port, "send", port->send_error);
    else tcp_fail(port, "recv", error);
}

/* A chunk shorter than its buffer was all there is: asking again would cost a system call. */
static int64_t read_chunks(tcp_port *port, swp_descriptor *out, int64_t most) {
    int64_t count = 0;
    while (count < most) {
        ssize_t got = recv(port->fd, next_buffer(port), port->frame_bytes, MSG_DONTWAIT);
        if (got <= 0) {
            note_no_data(port, got, errno);
            break;
        }
        hand_out(port, (uint32_t)got, &out[count++]);
        if ((uint32_t)got < port->frame_bytes) break;
    }
    return count;
}

static int64_t tcp_rx_burst(void *handle, swp_descriptor *out, int64_t max) {
    tcp_port *port = handle;
    uint64_t room = swp_ring_room(&port->ring);
    int64_t most = room < (uint64_t)INT64_MAX && (int64_t)room < max ? (int64_t)room : max;
    if (port->over) return port->over;
    if (port->pending_bytes) tcp_flush(port);
    int64_t count = read_chunks(port, out, most);
    if (count) port->to_acknowledge = port->config.quickack;
    else if (port->to_acknowledge) acknowledge_at_once(port);
    return count ? count : port->over;
}

static void tcp_release(void *handle, const swp_descriptor *frames, int64_t count) {
    tcp_port *port = handle;
    if (swp_ring_release(&port->ring, frames, count)) return;
    port->stats.rx_errors++;
    swp_set_error(port->error_text, "release: chunks came back out of order");
}

static int tcp_join(void *handle, uint32_t group, uint16_t udp_port, uint16_t vlan) {
    (void)group, (void)udp_port, (void)vlan;
    swp_set_error(((tcp_port *)handle)->error_text, "join: a TCP connection has no groups");
    return -EOPNOTSUPP;
}

static int tcp_thread_init(void *handle) {
    (void)handle;
    return 0;
}

static void tcp_stats(void *handle, swp_stats *out) {
    *out = ((tcp_port *)handle)->stats;
}

static const char *tcp_last_error(void *handle) {
    return ((tcp_port *)handle)->error_text;
}

int swp_tcp_socket(const void *handle) {
    return ((const tcp_port *)handle)->fd;
}

void swp_tcp_memory(const void *handle, uint64_t *address, uint64_t *size_bytes) {
    const tcp_port *port = handle;
    *address = (uint64_t)(uintptr_t)port->pool;
    *size_bytes = port->ring.capacity * port->stride_bytes;
}

static const swp_ops operations = {
    .join = tcp_join,
    .thread_init = tcp_thread_init,
    .rx_burst = tcp_rx_burst,
    .release = tcp_release,
    .tx = tcp_tx,
    .stats = tcp_stats,
    .close = tcp_close,
    .last_error = tcp_last_error,
};

const swp_ops *swp_tcp_ops(void) {
    return &operations;
}
