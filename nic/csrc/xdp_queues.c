/* The port's shared memory, and one AF_XDP socket a queue with its rings. */
#define _GNU_SOURCE
#include "xdp_port.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#ifndef SO_PREFER_BUSY_POLL
#define SO_PREFER_BUSY_POLL 69
#endif
#ifndef SO_BUSY_POLL_BUDGET
#define SO_BUSY_POLL_BUDGET 70
#endif

#define HUGE_PAGE_BYTES (2u << 20)
#define RETRIES 1000            /* what a closed port held goes a little later */
#define RETRY_PAUSE_NS 1000000

static int set_option(xdp_port *port, int fd, int name, const void *value, socklen_t size,
                      const char *what) {
    return setsockopt(fd, SOL_XDP, name, value, size) ? xdp_fail(port, what, errno) : 0;
}

static int set_size(xdp_port *port, int fd, int name, uint32_t entries, const char *what) {
    return set_option(port, fd, name, &entries, sizeof entries, what);
}

/* On huge pages where the kernel has some to give: frames lie on a page each, and a burst would
 * miss the translation cache for every one of them. */
static int map_pool(xdp_port *port) {
    uint64_t frames = (uint64_t)port->rx_frames * port->queue_count + port->config.tx_count;
    port->pool_bytes = frames * port->config.chunk_bytes;
    port->pool_map_bytes = port->pool_bytes + HUGE_PAGE_BYTES;
    void *map = mmap(NULL, port->pool_map_bytes, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (map == MAP_FAILED) return xdp_fail(port, "mmap of the frames", errno);
    port->pool_map = map;
    uintptr_t end = (uintptr_t)map + HUGE_PAGE_BYTES - 1;
    port->pool = (uint8_t *)(end - end % HUGE_PAGE_BYTES);
    madvise(port->pool, port->pool_bytes, MADV_HUGEPAGE);
    memset(port->pool, 0, port->pool_bytes);  /* its pages are there before a frame is */
    return 0;
}

static int register_pool(xdp_port *port, int fd) {
    struct xdp_umem_reg wanted = {.addr = (uint64_t)(uintptr_t)port->pool, .len = port->pool_bytes,
                                  .chunk_size = port->config.chunk_bytes};
    return set_option(port, fd, XDP_UMEM_REG, &wanted, sizeof wanted,
                      "XDP_UMEM_REG (raise RLIMIT_MEMLOCK where it says No buffer space)");
}

static int map_ring(xdp_port *port, int fd, xdp_ring *ring, uint32_t entries, size_t entry_bytes,
                    const struct xdp_ring_offset *offset, off_t page_offset) {
    size_t size = offset->desc + entries * entry_bytes;
    uint8_t *map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd,
                        page_offset);
    if (map == MAP_FAILED) return xdp_fail(port, "mmap of a ring", errno);
    *ring = (xdp_ring){.producer = (uint32_t *)(map + offset->producer),
                       .consumer = (uint32_t *)(map + offset->consumer),
                       .flags = (uint32_t *)(map + offset->flags), .entries = map + offset->desc,
                       .mask = entries - 1, .map = map, .map_bytes = size};
    return 0;
}

/* The fill ring has room for every frame of the queue: a release need not ask. */
static uint32_t fill_entries(const xdp_port *port) {
    uint32_t larger = port->config.ring_count > port->config.depth_count ? port->config.ring_count
                                                                        : port->config.depth_count;
    return 2 * larger;
}

static int map_rings(xdp_port *port, xdp_queue *queue, int is_first) {
    const swp_xdp_config *config = &port->config;
    struct xdp_mmap_offsets offsets;
    socklen_t size = sizeof offsets;
    int fd = queue->fd;
    if (getsockopt(fd, SOL_XDP, XDP_MMAP_OFFSETS, &offsets, &size) || size < sizeof offsets)
        return xdp_fail(port, "XDP_MMAP_OFFSETS", errno);
    int failed = map_ring(port, fd, &queue->fill, fill_entries(port), sizeof(uint64_t),
                          &offsets.fr, XDP_UMEM_PGOFF_FILL_RING);
    if (!failed)
        failed = map_ring(port, fd, &queue->completion, config->tx_count, sizeof(uint64_t),
                          &offsets.cr, (off_t)XDP_UMEM_PGOFF_COMPLETION_RING);
    if (!failed)
        failed = map_ring(port, fd, &queue->rx, config->depth_count, sizeof(struct xdp_desc),
                          &offsets.rx, XDP_PGOFF_RX_RING);
    if (!failed && is_first)
        failed = map_ring(port, fd, &queue->tx, config->tx_count, sizeof(struct xdp_desc),
                          &offsets.tx, XDP_PGOFF_TX_RING);
    return failed;
}

static int set_busy_poll(xdp_port *port, int fd) {
    int on = 1, wait_us = (int)port->config.busy_poll_us, budget = (int)port->config.busy_budget;
    if (wait_us == 0) return 0;
    if (setsockopt(fd, SOL_SOCKET, SO_PREFER_BUSY_POLL, &on, sizeof on))
        return xdp_fail(port, "SO_PREFER_BUSY_POLL", errno);
    if (setsockopt(fd, SOL_SOCKET, SO_BUSY_POLL, &wait_us, sizeof wait_us))
        return xdp_fail(port, "SO_BUSY_POLL", errno);
    if (setsockopt(fd, SOL_SOCKET, SO_BUSY_POLL_BUDGET, &budget, sizeof budget))
        return xdp_fail(port, "SO_BUSY_POLL_BUDGET", errno);
    return 0;
}

static void give_frames(xdp_port *port, xdp_queue *queue, uint32_t number) {
    uint64_t offset = (uint64_t)number * port->rx_frames * port->config.chunk_bytes;
    for (uint32_t frame = 0; frame < port->rx_frames; frame++) {
        *xdp_offset_at(&queue->fill, queue->fill.ours++) = offset;
        offset += port->config.chunk_bytes;
    }
    xdp_publish(queue->fill.producer, queue->fill.ours);
}

static int open_queue(xdp_port *port, uint32_t number) {
    const swp_xdp_config *config = &port->config;
    xdp_queue *queue = &port->queues[number];
    queue->fd = socket(AF_XDP, SOCK_RAW | SOCK_CLOEXEC, 0);
    if (queue->fd < 0) return xdp_fail(port, "socket(AF_XDP)", errno);
    int failed = number ? 0 : register_pool(port, queue->fd);
    if (!failed)
        failed = set_size(port, queue->fd, XDP_UMEM_FILL_RING, fill_entries(port), "fill ring");
    if (!failed)
        failed = set_size(port, queue->fd, XDP_UMEM_COMPLETION_RING, config->tx_count,
                          "completion ring");
    if (!failed) failed = set_size(port, queue->fd, XDP_RX_RING, config->depth_count, "rx ring");
    if (!failed && number == 0)
        failed = set_size(port, queue->fd, XDP_TX_RING, config->tx_count, "tx ring");
    if (!failed) failed = map_rings(port, queue, number == 0);
    if (!failed) failed = set_busy_poll(port, queue->fd);
    if (!failed) give_frames(port, queue, number);
    return failed;
}

/* The first socket says how; the others share its memory, and with it that. */
static uint16_t bind_flags(const xdp_port *port, uint32_t number) {
    uint16_t flags = 0;
    if (number) return XDP_SHARED_UMEM;
    if (port->config.mode == SWP_XDP_MODE_COPY) flags |= XDP_COPY;
    if (port->config.mode == SWP_XDP_MODE_ZEROCOPY) flags |= XDP_ZEROCOPY;
    if (port->config.need_wakeup) flags |= XDP_USE_NEED_WAKEUP;
    if (port->long_pool) flags |= XDP_USE_SG;
    return flags;
}

static int bind_queue(xdp_port *port, uint32_t number) {
    struct timespec pause = {0, RETRY_PAUSE_NS};
    uint32_t queue_id = port->config.first_queue + number;
    struct sockaddr_xdp address = {
        .sxdp_family = AF_XDP, .sxdp_flags = bind_flags(port, number),
        .sxdp_ifindex = (uint32_t)port->interface, .sxdp_queue_id = queue_id,
        .sxdp_shared_umem_fd = number ? (uint32_t)port->queues[0].fd : 0u};
    int fd = port->queues[number].fd;
    for (int attempt = 0;; attempt++) {
        if (bind(fd, (struct sockaddr *)&address, sizeof address) == 0) break;
        int error = errno;
        if (error == EBUSY && attempt < RETRIES) {
            nanosleep(&pause, NULL);
            continue;
        }
        swp_set_error(port->error_text, "queue %u of %s: bind: %s", queue_id, port->device,
                      strerror(error));
        return -error;
    }
    return xdp_filter_serve(port, queue_id, fd);
}

static void note_mode(xdp_port *port) {
    struct xdp_options options = {0};
    socklen_t size = sizeof options;
    if (getsockopt(port->queues[0].fd, SOL_XDP, XDP_OPTIONS, &options, &size) == 0)
        port->is_zerocopy = (options.flags & XDP_OPTIONS_ZEROCOPY) != 0;
}

int xdp_queues_open(xdp_port *port) {
    int failed = map_pool(port);
    for (uint32_t number = 0; !failed && number < port->queue_count; number++) {
        failed = open_queue(port, number);
        if (!failed) failed = bind_queue(port, number);
    }
    if (!failed) note_mode(port);
    return failed;
}

void xdp_queues_close(xdp_port *port) {
    for (uint32_t number = 0; number < port->queue_count; number++) {
        xdp_queue *queue = &port->queues[number];
        xdp_ring *rings[] = {&queue->fill, &queue->completion, &queue->rx, &queue->tx};
        if (queue->fd >= 0) close(queue->fd);
        for (size_t index = 0; index < sizeof rings / sizeof *rings; index++)
            if (rings[index]->map) munmap(rings[index]->map, rings[index]->map_bytes);
    }
    if (port->pool_map) munmap(port->pool_map, port->pool_map_bytes);
}
