/* A stand-in for Onload that delegated sends can be tested with: it makes headers of its own and
 * hands what was completed to the kernel's connection, so that the other end sees every byte once.
 * It insists on Onload's rules: no prepare before the bytes of the last one are completed or
 * cancelled.
 */
#define _GNU_SOURCE
#include "onload.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "onload/extensions.h"

#define HEADERS_BYTES 54           /* Ethernet 14, IPv4 20, TCP 20 */
#define FULL_SEGMENT 1460

onload_double double_of_onload = {.present = 1, .segment_most = FULL_SEGMENT,
                                  .send_window = 65535, .congestion_window = 65535,
                                  .complete_takes = 1 << 20, .sequence = 1000};

static int reserved_bytes;

static void note(const char *what, long value) {
    char *log = double_of_onload.log;
    size_t length = strlen(log), room = sizeof double_of_onload.log - length;
    if (value < 0) snprintf(log + length, room, "%s ", what);
    else snprintf(log + length, room, "%s(%ld) ", what, value);
}

int onload_is_present(void) {
    return double_of_onload.present;
}

static void make_headers(uint8_t *headers) {
    static const uint8_t ip[20] = {0x45, 0, 0, 0, 0, 1, 0x40, 0, 64, 6, 0, 0,
                                   127, 0, 0, 1, 127, 0, 0, 1};
    uint32_t sequence = htonl(double_of_onload.sequence);
    uint16_t length = htons(40 + FULL_SEGMENT);
    memset(headers, 0, HEADERS_BYTES);
    headers[12] = 0x08;
    memcpy(headers + 14, ip, sizeof ip);
    memcpy(headers + 16, &length, sizeof length);
    headers[34] = 0x12, headers[36] = 0x34;      /* ports */
    memcpy(headers + 38, &sequence, sizeof sequence);
    headers[46] = 0x50, headers[47] = 0x10;      /* five words, ACK */
}

enum onload_delegated_send_rc onload_delegated_send_prepare(int fd, int size, unsigned flags,
                                                            struct onload_delegated_send *out) {
    (void)fd, (void)flags;
    note("prepare", size);
    if (reserved_bytes) abort();
    if (double_of_onload.prepare_code)
        return (enum onload_delegated_send_rc)double_of_onload.prepare_code;
    if (out->headers_len < HEADERS_BYTES) return ONLOAD_DELEGATED_SEND_RC_SMALL_HEADER;
    make_headers(out->headers);
    out->headers_len = HEADERS_BYTES;
    out->mss = double_of_onload.segment_most;
    out->send_wnd = double_of_onload.send_window;
    out->cong_wnd = double_of_onload.congestion_window;
    out->user_size = reserved_bytes = size;
    out->ip_len_offset = double_of_onload.misplaced ? 60 : 16;
    out->tcp_seq_offset = 38;
    out->ip_tcp_hdr_len = 40;
    return ONLOAD_DELEGATED_SEND_RC_OK;
}

int onload_delegated_send_complete(int fd, const struct iovec *iov, int iovlen, int flags) {
    int taken = (int)iov[0].iov_len;
    note("complete", taken);
    if (iovlen != 1 || taken > reserved_bytes) abort();
    if (double_of_onload.complete_takes < 0) {
        errno = double_of_onload.complete_errno;
        return -1;
    }
    if (taken > double_of_onload.complete_takes) taken = double_of_onload.complete_takes;
    if (taken && send(fd, iov[0].iov_base, (size_t)taken, flags) != taken) abort();
    reserved_bytes -= taken;
    double_of_onload.sequence += (uint32_t)taken;
    return taken;
}

int onload_delegated_send_cancel(int fd) {
    (void)fd;
    note("cancel", -1);
    reserved_bytes = 0;
    return 0;
}
