/* Connecting to a venue and taking leave of it: the two places where a TCP port may wait. */
#define _GNU_SOURCE
#include "tcp_port.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define LINE_BYTES 64u
#define KEEPALIVE_PROBES 3

static uint64_t monotonic_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000u + (uint64_t)now.tv_nsec / 1000000u;
}

/* Waits for `events` until a time of monotonic_ms(). 1, 0 when the time is over, or -errno. */
static int wait_for(int fd, short events, uint64_t until_ms) {
    struct pollfd item = {.fd = fd, .events = events};
    for (;;) {
        uint64_t now_ms = monotonic_ms();
        int left_ms = now_ms < until_ms ? (int)(until_ms - now_ms) : 0;
        int count = poll(&item, 1, left_ms);
        if (count >= 0) return count;
        if (errno != EINTR) return -errno;
    }
}

/* --- options ----------------------------------------------------------------------------- */

static int set(tcp_port *port, int level, int name, uint32_t value, const char *what) {
    int number = (int)value;
    if (setsockopt(port->fd, level, name, &number, sizeof number) == 0) return 0;
    return tcp_fail(port, what, errno);
}

/* Must be set before the connect, which settles the window's scale. The kernel doubles it. */
static int set_buffer(tcp_port *port, int name, int force_name, uint32_t asked, const char *what) {
    int wanted = (int)asked, granted = 0;
    socklen_t size = sizeof granted;
    if (asked == 0) return 0;
    if (setsockopt(port->fd, SOL_SOCKET, force_name, &wanted, sizeof wanted))
        setsockopt(port->fd, SOL_SOCKET, name, &wanted, sizeof wanted);
    getsockopt(port->fd, SOL_SOCKET, name, &granted, &size);
    if (granted / 2 >= wanted) return 0;
    swp_set_error(port->error_text, "%s: asked for %d bytes, the kernel grants %d", what, wanted,
                  granted / 2);
    return -ENOBUFS;
}

static int set_keepalive(tcp_port *port) {
    uint32_t idle_s = port->config.keepalive_s;
    if (idle_s == 0) return 0;
    int failed = set(port, SOL_SOCKET, SO_KEEPALIVE, 1, "SO_KEEPALIVE");
    if (!failed) failed = set(port, IPPROTO_TCP, TCP_KEEPIDLE, idle_s, "TCP_KEEPIDLE");
    if (!failed) failed = set(port, IPPROTO_TCP, TCP_KEEPINTVL, idle_s, "TCP_KEEPINTVL");
    if (!failed) failed = set(port, IPPROTO_TCP, TCP_KEEPCNT, KEEPALIVE_PROBES, "TCP_KEEPCNT");
    return failed;
}

static int set_options(tcp_port *port) {
    const swp_tcp_config *config = &port->config;
    int failed = set(port, IPPROTO_TCP, TCP_NODELAY, 1, "TCP_NODELAY");
    if (!failed) failed = set(port, IPPROTO_TCP, TCP_QUICKACK, config->quickack, "TCP_QUICKACK");
    if (!failed)
        failed = set_buffer(port, SO_RCVBUF, SO_RCVBUFFORCE, config->rcvbuf_bytes, "rcvbuf");
    if (!failed)
        failed = set_buffer(port, SO_SNDBUF, SO_SNDBUFFORCE, config->sndbuf_bytes, "sndbuf");
    if (!failed && config->busy_poll_us)
        failed = set(port, SOL_SOCKET, SO_BUSY_POLL, config->busy_poll_us, "SO_BUSY_POLL");
    if (!failed && config->user_timeout_ms)
        failed = set(port, IPPROTO_TCP, TCP_USER_TIMEOUT, config->user_timeout_ms,
                     "TCP_USER_TIMEOUT");
    return failed ? failed : set_keepalive(port);
}

/* --- connecting -------------------------------------------------------------------------- */

static int bind_device(tcp_port *port) {
    socklen_t size = (socklen_t)strlen(port->device);
    if (size == 0) return 0;
    if (setsockopt(port->fd, SOL_SOCKET, SO_BINDTODEVICE, port->device, size) == 0) return 0;
    return tcp_fail(port, port->device, errno);
}

static int bind_source(tcp_port *port) {
    struct sockaddr_in source = {.sin_family = AF_INET, .sin_port = htons(port->config.source_port),
                                 .sin_addr.s_addr = htonl(port->config.source_ip)};
    if (port->config.source_ip == 0 && port->config.source_port == 0) return 0;
    /* Without a port of its own the connect picks one, free for this venue and not for all. */
    int failed = set(port, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, port->config.source_port == 0,
                     "IP_BIND_ADDRESS_NO_PORT");
    if (!failed && port->config.source_port)
        failed = set(port, SOL_SOCKET, SO_REUSEADDR, 1, "SO_REUSEADDR");
    if (failed || bind(port->fd, (struct sockaddr *)&source, sizeof source) == 0) return failed;
    return tcp_fail(port, "bind", errno);
}

/* A connect to a free local port may meet itself, where the kernel picks that very port. */
static int check_not_itself(tcp_port *port) {
    struct sockaddr_in own = {0}, far = {0};
    socklen_t own_size = sizeof own, far_size = sizeof far;
    if (getsockname(port->fd, (struct sockaddr *)&own, &own_size) ||
        getpeername(port->fd, (struct sockaddr *)&far, &far_size))
        return tcp_fail(port, "connect", errno);
    int same = own.sin_port == far.sin_port && own.sin_addr.s_addr == far.sin_addr.s_addr;
    return same ? tcp_fail(port, "connect", ECONNREFUSED) : 0;
}

static int finish_connect(tcp_port *port, uint64_t until_ms) {
    int ready = wait_for(port->fd, POLLOUT, until_ms), error = 0;
    socklen_t size = sizeof error;
    if (ready < 0) return tcp_fail(port, "poll", -ready);
    if (ready == 0) {
        swp_set_error(port->error_text, "connect: no answer within %" PRIu32 " ms",
                      port->config.connect_ms);
        return -ETIMEDOUT;
    }
    if (getsockopt(port->fd, SOL_SOCKET, SO_ERROR, &error, &size)) error = errno;
    return error ? tcp_fail(port, "connect", error) : 0;
}

static int connect_venue(tcp_port *port) {
    struct sockaddr_in venue = {.sin_family = AF_INET, .sin_port = htons(port->config.venue_port),
                                .sin_addr.s_addr = htonl(port->config.venue_ip)};
    uint64_t until_ms = monotonic_ms() + port->config.connect_ms;
    port->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP);
    if (port->fd < 0) return tcp_fail(port, "socket", errno);
    int failed = set_options(port);
    if (!failed) failed = bind_device(port);
    if (!failed) failed = bind_source(port);
    if (failed) return failed;
    if (connect(port->fd, (struct sockaddr *)&venue, sizeof venue)) {
        if (errno != EINPROGRESS && errno != EINTR) return tcp_fail(port, "connect", errno);
        failed = finish_connect(port, until_ms);
    }
    return failed ? failed : check_not_itself(port);
}

/* --- the port ---------------------------------------------------------------------------- */

static int allocate(tcp_port *port) {
    port->stride_bytes = ((uint64_t)port->frame_bytes + LINE_BYTES - 1) & ~(LINE_BYTES - 1ull);
    uint64_t size = port->stride_bytes * port->ring.capacity;
    port->pool = aligned_alloc(LINE_BYTES, size);
    port->pending = malloc(port->config.pending_bytes);
    if (!port->pool || !port->pending) return tcp_fail(port, "buffers", ENOMEM);
    memset(port->pool, 0, size);  /* its pages are there before a chunk is */
    memset(port->pending, 0, port->config.pending_bytes);
    return 0;
}

static int check_config(const swp_tcp_config *config, char *error_text) {
    uint32_t count = config->ring_count;
    if (count == 0 || (count & (count - 1)) || !config->frame_bytes || !config->pending_bytes) {
        swp_set_error(error_text, "ring must be a power of two, frame and pending at least 1 byte");
        return -EINVAL;
    }
    if (config->venue_ip == 0 || config->venue_port == 0 || config->connect_ms > INT32_MAX ||
        config->frame_bytes > INT32_MAX || config->pending_bytes > INT32_MAX) {
        swp_set_error(error_text, "a venue needs an address and a port, sizes and times have 31 "
                      "bits");
        return -EINVAL;
    }
    if (strlen(config->device) < IF_NAMESIZE) return 0;
    swp_set_error(error_text, "%s: no such interface", config->device);
    return -ENODEV;
}

static void free_port(tcp_port *port) {
    delegated_close(port);
    if (port->fd >= 0) close(port->fd);
    free(port->pool);
    free(port->pending);
    free(port);
}

int swp_tcp_open(const swp_tcp_config *config, void **out, char *error_text) {
    int failed = check_config(config, error_text);
    *out = NULL;
    if (failed) return failed;
    tcp_port *port = calloc(1, sizeof *port);
    if (port == NULL) {
        swp_set_error(error_text, "port: %s", strerror(ENOMEM));
        return -ENOMEM;
    }
    port->config = *config;
    port->config.device = NULL;
    strcpy(port->device, config->device);
    port->fd = -1;
    port->ring.capacity = config->ring_count;
    port->ring_mask = config->ring_count - 1;
    port->frame_bytes = config->frame_bytes;
    failed = allocate(port);
    if (!failed) failed = connect_venue(port);
    if (failed) {
        swp_set_error(error_text, "%s", port->error_text);
        free_port(port);
        return failed;
    }
    *out = port;
    return 0;
}

/* Unread bytes would make the kernel reset the connection, and the venue lose what we said last. */
static void drain_until_end(tcp_port *port, uint64_t until_ms) {
    uint8_t unread[4096];
    for (;;) {
        ssize_t got = recv(port->fd, unread, sizeof unread, MSG_DONTWAIT);
        if (got > 0 && monotonic_ms() <= until_ms) continue;
        if (got >= 0 || !tcp_is_passing(errno)) return;
        if (wait_for(port->fd, POLLIN, until_ms) <= 0) return;
    }
}

void tcp_close(void *handle) {
    tcp_port *port = handle;
    if (port == NULL) return;
    uint64_t until_ms = monotonic_ms() + port->config.linger_ms;
    while (tcp_flush(port) == 0 && port->pending_bytes)
        if (wait_for(port->fd, POLLOUT, until_ms) <= 0 || monotonic_ms() >= until_ms) break;
    if (port->uncompleted_bytes) delegated_close(port);  /* Onload wants it before a shutdown */
    shutdown(port->fd, SHUT_WR);
    drain_until_end(port, until_ms);
    free_port(port);
}
