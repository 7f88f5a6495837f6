#define _GNU_SOURCE
#include "delegated.h"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "inet_sum.h"
#include "tcp_port.h"

#define IPV4_BYTES 20
#define TCP_BYTES 20
#define TCP_SEQUENCE_AT 4
#define TCP_FLAGS_AT 13
#define TCP_CHECKSUM_AT 16
#define TCP_PUSH 0x08u
#define PROTOCOL_TCP 6u

static void *find(const char *name) {
    return dlsym(RTLD_DEFAULT, name);
}

int swp_onload_present(void) {
    int (*is_present)(void);
    *(void **)&is_present = find("onload_is_present");
    return is_present != NULL && is_present() != 0;
}

/* --- one message --------------------------------------------------------------------------- */

static int least(int one, int other) {
    return one < other ? one : other;
}

static int payload_most(const delegated_headers *headers) {
    int most = least(headers->send_window, headers->congestion_window);
    return least(most, least(headers->asked_bytes, headers->segment_most));
}

/* Whether the places that Onload names lie in its headers, IPv4 before TCP. */
static int are_sane(const delegated_headers *headers) {
    int ip_at = headers->ip_length_at - 2, tcp_at = headers->sequence_at - TCP_SEQUENCE_AT;
    return headers->headers_bytes <= DELEGATED_HEADERS_MOST && ip_at >= 0 &&
           tcp_at >= ip_at + IPV4_BYTES && tcp_at + TCP_BYTES <= headers->headers_bytes &&
           headers->ip_tcp_bytes == headers->headers_bytes - ip_at;
}

/* Onload's headers are those of a full segment. Checksums are ours: not all ways out make them. */
static void finish_headers(uint8_t *frame, const delegated_headers *headers,
                           uint32_t length_bytes) {
    uint8_t *ip = frame + headers->ip_length_at - 2;
    uint8_t *tcp = frame + headers->sequence_at - TCP_SEQUENCE_AT;
    uint32_t tcp_bytes = (uint32_t)(frame + headers->headers_bytes - tcp) + length_bytes;
    swp_sum_store(ip + 2, htons((uint16_t)((uint32_t)headers->ip_tcp_bytes + length_bytes)));
    swp_sum_store(ip + 10, 0);
    swp_sum_store(ip + 10, swp_checksum(swp_sum_add(0, ip, (uint32_t)(tcp - ip))));
    tcp[TCP_FLAGS_AT] |= TCP_PUSH;
    swp_sum_store(tcp + TCP_CHECKSUM_AT, 0);
    uint64_t sum = swp_sum_pseudo(ip, PROTOCOL_TCP, tcp_bytes);
    swp_sum_store(tcp + TCP_CHECKSUM_AT, swp_checksum(swp_sum_add(sum, tcp, tcp_bytes)));
}

/* Gives back what was prepared, so that a plain send may follow. */
static int give_up(tcp_port *port, uint64_t *count) {
    port->delegated->cancel(port->fd);
    (*count)++;
    return 0;
}

int64_t delegated_complete(tcp_port *port, const uint8_t *data, uint32_t length_bytes) {
    struct iovec piece = {(void *)(uintptr_t)data, length_bytes};
    int taken = port->delegated->complete(port->fd, &piece, 1, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (taken >= 0) return (uint32_t)taken < length_bytes ? (uint32_t)taken : length_bytes;
    if (tcp_is_passing(errno)) return 0;
    port->send_error = errno;
    return tcp_fail(port, "onload_delegated_send_complete", errno);
}

int delegated_send(tcp_port *port, const uint8_t *data, uint32_t length_bytes) {
    delegated_sends *sends = port->delegated;
    delegated_headers headers = {.headers = sends->frame, .headers_bytes = DELEGATED_HEADERS_MOST};
    if (sends->prepare(port->fd, (int)length_bytes, 0, &headers))
        return give_up(port, &sends->counts.not_prepared);
    if (!are_sane(&headers)) return give_up(port, &sends->counts.not_prepared);
    if (payload_most(&headers) < (int)length_bytes)
        return give_up(port, &sends->counts.short_window);
    uint32_t headers_bytes = (uint32_t)headers.headers_bytes;
    memcpy(sends->frame + headers_bytes, data, length_bytes);
    finish_headers(sends->frame, &headers, length_bytes);
    if (sends->frame_ops->tx(sends->frame_port, sends->frame, headers_bytes + length_bytes, 0))
        return give_up(port, &sends->counts.frame_refused);
    sends->counts.delegated++;
    /* It is on the wire; if the connection is broken, the next send and the next poll say so. */
    int64_t taken = delegated_complete(port, data, length_bytes);
    if (taken >= 0 && taken < length_bytes) {
        port->uncompleted_bytes = length_bytes - (uint32_t)taken;
        memcpy(port->pending, data + taken, port->uncompleted_bytes);
        port->pending_bytes = port->uncompleted_bytes;
    }
    return 1;
}

/* --- the way out --------------------------------------------------------------------------- */

int swp_tcp_delegate(void *handle, const swp_ops *frame_ops, void *frame_port, int owned) {
    tcp_port *port = handle;
    delegated_sends *sends = calloc(1, sizeof *sends);
    size_t room = DELEGATED_HEADERS_MOST + (size_t)port->config.pending_bytes;
    if (sends) sends->frame = calloc(1, room);
    if (sends == NULL || sends->frame == NULL) {
        free(sends);
        return tcp_fail(port, "delegated", ENOMEM);
    }
    *(void **)&sends->prepare = find("onload_delegated_send_prepare");
    *(void **)&sends->complete = find("onload_delegated_send_complete");
    *(void **)&sends->cancel = find("onload_delegated_send_cancel");
    if (!swp_onload_present() || !sends->prepare || !sends->complete || !sends->cancel) {
        free(sends->frame);
        free(sends);
        swp_set_error(port->error_text, "delegated: not run under Onload, sends are plain");
        return -ENOSYS;
    }
    sends->frame_ops = frame_ops;
    sends->frame_port = frame_port;
    sends->owned = owned;
    delegated_close(port);
    port->delegated = sends;
    return 0;
}

int swp_tcp_delegated(const void *handle, swp_delegated_counts *out) {
    const tcp_port *port = handle;
    memset(out, 0, sizeof *out);
    if (port->delegated) *out = port->delegated->counts;
    return port->delegated != NULL;
}

void delegated_close(tcp_port *port) {
    delegated_sends *sends = port->delegated;
    if (sends == NULL) return;
    if (port->uncompleted_bytes) sends->cancel(port->fd);
    if (sends->owned) sends->frame_ops->close(sends->frame_port);
    free(sends->frame);
    free(sends);
    port->delegated = NULL;
}
