/* Delegated sends over a stand-in for Onload, a connection on the loopback interface and a frame
 * port that notes what it was given. Prints nothing and returns 0 when all went well.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "backends.h"
#include "delegated.h"
#include "onload.h"
#include "onload/extensions.h"
#include "tcp.h"

#define EXPECT(truth) ((truth) ? (void)0 : failed(#truth, __LINE__))
#define SAME_PLACE(ours, theirs) \
    _Static_assert(offsetof(delegated_headers, ours) == \
                   offsetof(struct onload_delegated_send, theirs), #theirs)

_Static_assert(sizeof(delegated_headers) == sizeof(struct onload_delegated_send), "size");
SAME_PLACE(headers, headers);
SAME_PLACE(headers_bytes, headers_len);
SAME_PLACE(segment_most, mss);
SAME_PLACE(send_window, send_wnd);
SAME_PLACE(congestion_window, cong_wnd);
SAME_PLACE(asked_bytes, user_size);
SAME_PLACE(sequence_at, tcp_seq_offset);
SAME_PLACE(ip_length_at, ip_len_offset);
SAME_PLACE(ip_tcp_bytes, ip_tcp_hdr_len);

static void failed(const char *what, int line) {
    fprintf(stderr, "delegated_driver.c:%d: expected %s; calls: %s\n", line, what,
            double_of_onload.log);
    exit(1);
}

/* --- a port that keeps the last frame ------------------------------------------------------- */

typedef struct {
    uint8_t bytes[4096];
    uint32_t length;
    int result;
    int closed;
} frame_sink;

static int sink_tx(void *handle, const void *data, uint32_t length_bytes, uint64_t cookie) {
    frame_sink *sink = handle;
    EXPECT(cookie == 0 && length_bytes <= sizeof sink->bytes);
    strcat(double_of_onload.log, "frame ");
    if (sink->result) return sink->result;
    memcpy(sink->bytes, data, length_bytes);
    sink->length = length_bytes;
    return 0;
}

static void sink_close(void *handle) {
    ((frame_sink *)handle)->closed++;
}

static const swp_ops sink_operations = {.tx = sink_tx, .close = sink_close};

/* --- a session ------------------------------------------------------------------------------ */

typedef struct {
    void *port;
    int far;
    frame_sink sink;
} session;

static void start(session *own) {
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof at;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    char text[SWP_ERROR_TEXT_BYTES] = "";
    EXPECT(bind(listener, (struct sockaddr *)&at, sizeof at) == 0 && listen(listener, 1) == 0);
    EXPECT(getsockname(listener, (struct sockaddr *)&at, &size) == 0);
    swp_tcp_config config = {.device = "", .venue_ip = INADDR_LOOPBACK,
                             .venue_port = ntohs(at.sin_port), .connect_ms = 5000,
                             .ring_count = 4, .frame_bytes = 100, .pending_bytes = 2000};
    memset(own, 0, sizeof *own);
    EXPECT(swp_tcp_open(&config, &own->port, text) == 0);
    own->far = accept(listener, NULL, NULL);
    close(listener);
    memset(&double_of_onload, 0, sizeof double_of_onload);
    double_of_onload.present = 1;
    double_of_onload.segment_most = 1460;
    double_of_onload.send_window = double_of_onload.congestion_window = 65535;
    double_of_onload.complete_takes = 1 << 20;
    double_of_onload.sequence = 1000;
    EXPECT(swp_tcp_delegate(own->port, &sink_operations, &own->sink, 1) == 0);
}

static void stop(session *own) {
    swp_tcp_ops()->close(own->port);
    EXPECT(own->sink.closed == 1);
    close(own->far);
}

static int send_text(session *own, const char *text) {
    return swp_tcp_ops()->tx(own->port, text, (uint32_t)strlen(text), 0);
}

static void expect_far(session *own, const char *text) {
    char heard[2048] = "";
    size_t wanted = strlen(text), at = 0;
    while (at < wanted) {
        ssize_t got = recv(own->far, heard + at, wanted - at, 0);
        EXPECT(got > 0);
        at += (size_t)got;
    }
    EXPECT(memcmp(heard, text, wanted) == 0);
    EXPECT(recv(own->far, heard, 1, MSG_DONTWAIT) < 0);
}

static void expect_calls(const char *calls) {
    if (strcmp(double_of_onload.log, calls)) failed(calls, 0);
    double_of_onload.log[0] = 0;
}

static swp_delegated_counts counts_of(const session *own) {
    swp_delegated_counts counts;
    EXPECT(swp_tcp_delegated(own->port, &counts) == 1);
    return counts;
}

/* --- what must hold ------------------------------------------------------------------------- */

/* One's complement sum of a range and `start`: 0xffff where the checksum in it is right. */
static uint32_t sum_of(const uint8_t *bytes, size_t length, uint32_t start) {
    for (size_t at = 0; at < length; at++) start += at % 2 ? bytes[at] : (uint32_t)bytes[at] << 8;
    while (start >> 16) start = (start & 0xffff) + (start >> 16);
    return start;
}

static void expect_frame(const session *own, const char *text, uint32_t sequence) {
    const uint8_t *frame = own->sink.bytes, *ip = frame + 14, *tcp = frame + 34;
    uint32_t length = (uint32_t)strlen(text), found;
    EXPECT(own->sink.length == 54 + length && memcmp(frame + 54, text, length) == 0);
    EXPECT(ip[2] == (40 + length) >> 8 && ip[3] == ((40 + length) & 0xff));
    EXPECT(sum_of(ip, 20, 0) == 0xffff);
    EXPECT(sum_of(tcp, 20 + length, sum_of(ip + 12, 8, 6 + 20 + length)) == 0xffff);
    EXPECT(tcp[13] == 0x18);
    memcpy(&found, tcp + 4, sizeof found);
    EXPECT(ntohl(found) == sequence);
}

static void messages_leave_as_frames(void) {
    session own;
    start(&own);
    EXPECT(send_text(&own, "order") == 0);
    expect_calls("prepare(5) frame complete(5) ");
    expect_frame(&own, "order", 1000);
    EXPECT(send_text(&own, "odd and longer") == 0);
    expect_frame(&own, "odd and longer", 1005);
    expect_calls("prepare(14) frame complete(14) ");
    expect_far(&own, "orderodd and longer");
    swp_stats stats;
    swp_tcp_ops()->stats(own.port, &stats);
    EXPECT(stats.tx_packets == 2 && stats.tx_bytes == 19 && stats.tx_failed == 0);
    EXPECT(counts_of(&own).delegated == 2);
    stop(&own);
}

static void a_refused_prepare_sends_plainly(void) {
    session own;
    start(&own);
    for (int code = 1; code <= ONLOAD_DELEGATED_SEND_RC_NOCWIN; code++) {
        double_of_onload.prepare_code = code;
        EXPECT(send_text(&own, "order") == 0);
        expect_calls("prepare(5) cancel ");
        expect_far(&own, "order");
    }
    EXPECT(counts_of(&own).not_prepared == ONLOAD_DELEGATED_SEND_RC_NOCWIN);
    double_of_onload.prepare_code = 0;
    double_of_onload.misplaced = 1;
    EXPECT(send_text(&own, "order") == 0);
    expect_calls("prepare(5) cancel ");
    expect_far(&own, "order");
    EXPECT(counts_of(&own).not_prepared == ONLOAD_DELEGATED_SEND_RC_NOCWIN + 1);
    stop(&own);
}

static void a_short_window_sends_plainly(void) {
    session own;
    int *limits[] = {&double_of_onload.segment_most, &double_of_onload.send_window,
                     &double_of_onload.congestion_window};
    start(&own);
    for (int index = 0; index < 3; index++) {
        int before = *limits[index];
        *limits[index] = 4;
        EXPECT(send_text(&own, "order") == 0);
        expect_calls("prepare(5) cancel ");
        expect_far(&own, "order");
        *limits[index] = 5;
        EXPECT(send_text(&own, "order") == 0);
        expect_calls("prepare(5) frame complete(5) ");
        expect_far(&own, "order");
        *limits[index] = before;
    }
    EXPECT(counts_of(&own).short_window == 3 && counts_of(&own).delegated == 3);
    stop(&own);
}

static void a_frame_that_does_not_leave_is_sent_plainly(void) {
    session own;
    start(&own);
    own.sink.result = -EAGAIN;
    EXPECT(send_text(&own, "order") == 0);
    expect_calls("prepare(5) frame cancel ");
    expect_far(&own, "order");
    EXPECT(counts_of(&own).frame_refused == 1 && counts_of(&own).delegated == 0);
    stop(&own);
}

/* What left but was not taken by complete is completed before anything else goes out. */
static void a_complete_in_parts_keeps_the_order(void) {
    session own;
    swp_descriptor chunk;
    start(&own);
    double_of_onload.complete_takes = 2;
    EXPECT(send_text(&own, "order") == 0);
    expect_calls("prepare(5) frame complete(5) ");
    EXPECT(send_text(&own, "next") == 0);
    expect_calls("complete(3) ");
    EXPECT(swp_tcp_ops()->rx_burst(own.port, &chunk, 1) == 0);
    expect_calls("complete(1) ");
    expect_far(&own, "ordernext");
    double_of_onload.complete_takes = 0;
    EXPECT(send_text(&own, "kept") == 0);
    expect_calls("prepare(4) frame complete(4) ");
    double_of_onload.complete_takes = 100;
    EXPECT(send_text(&own, "frame") == 0);
    expect_calls("complete(4) prepare(5) frame complete(5) ");
    expect_far(&own, "keptframe");
    double_of_onload.complete_takes = -1;
    double_of_onload.complete_errno = EAGAIN;
    EXPECT(send_text(&own, "left") == 0);
    expect_calls("prepare(4) frame complete(4) ");
    stop(&own);
    expect_calls("complete(4) cancel ");
}

static void a_complete_that_fails_breaks_the_connection(void) {
    session own;
    swp_descriptor chunk;
    start(&own);
    double_of_onload.complete_takes = -1;
    double_of_onload.complete_errno = ENOTCONN;
    EXPECT(send_text(&own, "order") == 0);
    EXPECT(send_text(&own, "order") == -ENOTCONN);
    EXPECT(swp_tcp_ops()->rx_burst(own.port, &chunk, 1) == SWP_ERROR);
    EXPECT(strstr(swp_tcp_ops()->last_error(own.port), "not connected"));
    stop(&own);
}

static void without_onload_sends_are_plain(void) {
    session own;
    swp_delegated_counts counts;
    start(&own);
    void *delegated = own.port;
    double_of_onload.present = 0;
    EXPECT(swp_onload_present() == 0);
    EXPECT(swp_tcp_delegate(delegated, &sink_operations, &own.sink, 1) == -ENOSYS);
    EXPECT(strstr(swp_tcp_ops()->last_error(own.port), "not run under Onload"));
    EXPECT(swp_tcp_delegated(delegated, &counts) == 1);  /* as it was before */
    stop(&own);
}

int main(void) {
    EXPECT(swp_onload_present() == 1);
    messages_leave_as_frames();
    a_refused_prepare_sends_plainly();
    a_short_window_sends_plainly();
    a_frame_that_does_not_leave_is_sent_plainly();
    a_complete_in_parts_keeps_the_order();
    a_complete_that_fails_breaks_the_connection();
    without_onload_sends_are_plain();
    return 0;
}
