/* A port over AF_XDP: frames as the driver had them, in memory that the kernel shares with us.
 *
 * Needs the kernel's own headers and nothing else. One program an interface, one socket a queue,
 * one piece of memory a port. What was not joined stays with the kernel.
 */
#define _GNU_SOURCE
#include "xdp_port.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define CLOCK_WINDOW_NS 5000000u   /* it is set anew as soon as the port is idle */
#define HEADROOM_BYTES 256u     /* that the kernel keeps in front of each received frame */
#define TAG_BYTES 4u
#define FRAME_MIN_BYTES 64u
#define FRAME_MAX_BYTES 65535u
#define ENTRIES_MAX (1u << 20)

int xdp_fail(xdp_port *port, const char *what, int error) {
    return swp_fail(port->error_text, what, error);
}

static int xdp_thread_init(void *handle) {
    (void)handle;
    return 0;
}

/* Frames that found no memory, or no room in the ring. What a NIC without copies had no memory for
 * is in its own counters. */
static uint64_t dropped_of(const xdp_queue *queue) {
    struct xdp_statistics counted = {0};
    socklen_t size = sizeof counted;
    if (getsockopt(queue->fd, SOL_XDP, XDP_STATISTICS, &counted, &size)) return 0;
    return counted.rx_dropped + (size >= sizeof counted ? counted.rx_ring_full : 0);
}

static void xdp_stats(void *handle, swp_stats *out) {
    const xdp_port *port = handle;
    *out = port->stats;
    out->rx_dropped += xdp_filter_missed(port);
    for (uint32_t number = 0; number < port->queue_count; number++)
        out->rx_dropped += dropped_of(&port->queues[number]);
}

static const char *xdp_last_error(void *handle) {
    return ((xdp_port *)handle)->error_text;
}

static void xdp_close(void *handle) {
    xdp_port *port = handle;
    if (port == NULL) return;
    xdp_filter_close(&port->filter);
    xdp_queues_close(port);
    for (uint32_t index = 0; index < port->line_count; index++)
        if (port->lines[index].fd >= 0) close(port->lines[index].fd);
    if (port->control_fd >= 0) close(port->control_fd);
    if (port->netlink_fd >= 0) close(port->netlink_fd);
    free(port->slots);
    free(port->tx_free);
    free(port->long_pool);
    free(port);
}

/* --- opening ----------------------------------------------------------------------------- */

static int ask_interface(xdp_port *port, unsigned long what, struct ifreq *request,
                         const char *name) {
    memset(request, 0, sizeof *request);
    memcpy(request->ifr_name, port->device, sizeof port->device);
    return ioctl(port->control_fd, what, request) ? xdp_fail(port, name, errno) : 0;
}

/* Datagrams leave from the interface's own addresses and from a port that nobody else has. */
static int learn_interface(xdp_port *port) {
    struct sockaddr_in own = {.sin_family = AF_INET};
    socklen_t size = sizeof own;
    struct ifreq request;
    port->control_fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, IPPROTO_UDP);
    if (port->control_fd < 0) return xdp_fail(port, "socket", errno);
    if (bind(port->control_fd, (struct sockaddr *)&own, size) ||
        getsockname(port->control_fd, (struct sockaddr *)&own, &size))
        return xdp_fail(port, "bind", errno);
    port->source.udp_port = ntohs(own.sin_port);
    port->interface = (int)if_nametoindex(port->device);
    if (port->interface == 0) {
        swp_set_error(port->error_text, "%s: no such interface", port->device);
        return -ENODEV;
    }
    int failed = ask_interface(port, SIOCGIFHWADDR, &request, "SIOCGIFHWADDR");
    if (failed) return failed;
    memcpy(port->source.mac, request.ifr_hwaddr.sa_data, XDP_MAC_BYTES);
    failed = ask_interface(port, SIOCGIFMTU, &request, "SIOCGIFMTU");
    if (failed) return failed;
    uint32_t wire_bytes = (uint32_t)request.ifr_mtu + SWP_ETHERNET_BYTES + TAG_BYTES;
    uint32_t chunk_bytes = port->config.chunk_bytes;
    port->tx_max_bytes = wire_bytes < chunk_bytes ? wire_bytes : chunk_bytes;
    if (ask_interface(port, SIOCGIFADDR, &request, "SIOCGIFADDR") == 0)
        memcpy(&port->source.ip, request.ifr_addr.sa_data + 2, sizeof port->source.ip);
    port->source.ip = ntohl(port->source.ip);
    port->error_text[0] = 0;
    return 0;
}

static int allocate(xdp_port *port) {
    const swp_xdp_config *config = &port->config;
    uint64_t tx_first = (uint64_t)port->rx_frames * port->queue_count;
    port->slots = calloc(config->ring_count, sizeof *port->slots);
    port->tx_free = calloc(config->tx_count, sizeof *port->tx_free);
    if (port->slots == NULL || port->tx_free == NULL) return xdp_fail(port, "slots", ENOMEM);
    for (uint32_t frame = 0; frame < config->tx_count; frame++)
        port->tx_free[port->tx_free_count++] = (tx_first + frame) * config->chunk_bytes;
    if (config->frame_bytes <= config->chunk_bytes - HEADROOM_BYTES) return 0;
    port->long_stride_bytes = (config->frame_bytes + 63u) & ~63u;
    port->long_pool_bytes = config->ring_count * port->long_stride_bytes;
    port->long_pool = aligned_alloc(64, port->long_pool_bytes);
    if (port->long_pool == NULL) return xdp_fail(port, "long frames", ENOMEM);
    memset(port->long_pool, 0, port->long_pool_bytes);  /* its pages are there before a frame is */
    return 0;
}

static int is_size(uint32_t count) {
    return count && count <= ENTRIES_MAX && !(count & (count - 1));
}

static const char *find_fault(const swp_xdp_config *config) {
    if (!is_size(config->ring_count) || !is_size(config->depth_count) || !is_size(config->tx_count))
        return "ring, depth and tx must be powers of two";
    if (config->chunk_bytes != 2048 && config->chunk_bytes != 4096)
        return "chunk must be 2048 or 4096";
    if (config->frame_bytes < FRAME_MIN_BYTES || config->frame_bytes > FRAME_MAX_BYTES)
        return "frame must be 64 to 65535 bytes";
    if (config->queue_count == 0 || config->queue_count > SWP_XDP_QUEUES_MAX)
        return "1 to 64 queues";
    return NULL;
}

static xdp_port *make_port(const swp_xdp_config *config) {
    xdp_port *port = calloc(1, sizeof *port);
    if (port == NULL) return NULL;
    port->config = *config;
    port->config.device = NULL;
    strcpy(port->device, config->device);
    port->ring.capacity = config->ring_count;
    port->ring_mask = config->ring_count - 1;
    port->rx_frames = config->ring_count + config->depth_count;
    port->frame_bytes = config->frame_bytes;
    port->queue_count = config->queue_count;
    port->poison = config->poison;
    port->polls_itself = config->busy_poll_us != 0;
    port->control_fd = port->netlink_fd = -1;
    port->filter = (xdp_filter){-1, -1, -1, -1, -1, 0};
    for (uint32_t number = 0; number < SWP_XDP_QUEUES_MAX; number++) port->queues[number].fd = -1;
    return port;
}

static int set_up(xdp_port *port) {
    int failed = swp_clock_calibrate(&port->clock, CLOCK_WINDOW_NS);
    if (failed) port->clock.source = SWP_CLOCK_REALTIME;  /* it was stepped meanwhile */
    failed = learn_interface(port);
    if (!failed) failed = xdp_neighbour_open(port);
    if (!failed) failed = allocate(port);
    if (!failed) failed = xdp_filter_load(port);
    if (!failed) failed = xdp_filter_attach(port);
    if (!failed) failed = xdp_queues_open(port);
    return failed;
}

static const swp_ops operations = {
    .join = xdp_join,
    .thread_init = xdp_thread_init,
    .rx_burst = xdp_rx_burst,
    .release = xdp_release,
    .tx = xdp_tx,
    .stats = xdp_stats,
    .close = xdp_close,
    .last_error = xdp_last_error,
};

static void describe(const xdp_port *port, swp_xdp_opened *out) {
    *out = (swp_xdp_opened){
        .ops = (uint64_t)(uintptr_t)&operations, .handle = (uint64_t)(uintptr_t)port,
        .pool = (uint64_t)(uintptr_t)port->pool, .pool_bytes = port->pool_bytes,
        .long_pool = (uint64_t)(uintptr_t)port->long_pool,
        .long_pool_bytes = port->long_pool_bytes, .is_native = (uint32_t)port->filter.is_native,
        .is_zerocopy = port->is_zerocopy};
}

int swp_xdp_open(const swp_xdp_config *config, swp_xdp_opened *out, char *error_text) {
    const char *fault = find_fault(config);
    *out = (swp_xdp_opened){0};
    if (fault) {
        swp_set_error(error_text, "%s", fault);
        return -EINVAL;
    }
    if (strlen(config->device) >= IF_NAMESIZE) {
        swp_set_error(error_text, "%s: no such interface", config->device);
        return -ENODEV;
    }
    xdp_port *port = make_port(config);
    if (port == NULL) return -ENOMEM;
    int failed = set_up(port);
    if (failed) {
        swp_set_error(error_text, "%s", port->error_text);
        xdp_close(port);
        return failed;
    }
    describe(port, out);
    return 0;
}
