/* What a send costs on this side of the kernel and the NIC: ports over AF_XDP and ef_vi whose far
 * end takes every frame at once. Linked with --wrap=sendto.
 */
#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ciul_control.h"
#include "efvi_port.h"
#include "xdp_port.h"

#define PUBLIC __attribute__((visibility("default")))
#define CHUNK_BYTES 2048u
#define TX_COUNT 64u
#define GATEWAY_MAC 0x020000000009u

static xdp_port *kicked;

ssize_t __wrap_sendto(int fd, const void *data, size_t size, int flags, const struct sockaddr *to,
                      socklen_t to_bytes);

/* The kernel's part: what lies in the tx ring is done. */
ssize_t __wrap_sendto(int fd, const void *data, size_t size, int flags, const struct sockaddr *to,
                      socklen_t to_bytes) {
    xdp_ring *tx = &kicked->queues[0].tx, *done = &kicked->queues[0].completion;
    (void)fd, (void)data, (void)size, (void)flags, (void)to, (void)to_bytes;
    for (; *tx->consumer != *tx->producer; ++*tx->consumer)
        *xdp_offset_at(done, (*done->producer)++) = xdp_desc_at(tx, *tx->consumer)->addr;
    return 0;
}

static xdp_ring make_ring(size_t entry_bytes) {
    uint32_t *counters = calloc(3, 64);
    return (xdp_ring){.producer = counters, .consumer = counters + 16, .flags = counters + 32,
                      .entries = calloc(TX_COUNT, entry_bytes), .mask = TX_COUNT - 1};
}

/* It is never closed. */
PUBLIC uint64_t bench_xdp_open(void) {
    xdp_port *port = calloc(1, sizeof *port);
    port->queues[0].tx = make_ring(sizeof(struct xdp_desc));
    port->queues[0].completion = make_ring(sizeof(uint64_t));
    port->pool = aligned_alloc(4096, TX_COUNT * CHUNK_BYTES);
    port->tx_free = calloc(TX_COUNT, sizeof *port->tx_free);
    for (; port->tx_free_count < TX_COUNT; port->tx_free_count++)
        port->tx_free[port->tx_free_count] = (uint64_t)port->tx_free_count * CHUNK_BYTES;
    port->tx_max_bytes = 1518;
    port->source.ip = 0x0a000001u;
    port->source.udp_port = 4000;
    port->config = (swp_xdp_config){.chunk_bytes = CHUNK_BYTES, .ttl = 1,
                                    .gateway_mac = GATEWAY_MAC};
    kicked = port;
    return (uint64_t)(uintptr_t)port;
}

/* --- ef_vi --------------------------------------------------------------------------------- */

static int take(ef_vi *vi, ef_addr base, int length, ef_request_id id) {
    efvi_port *port = (efvi_port *)((uint8_t *)vi - offsetof(efvi_port, tx_vi));
    (void)base, (void)length, (void)id;
    port->tx_done++;
    return 0;
}

PUBLIC uint64_t bench_efvi_open(void) {
    static const swp_efvi_peer peers[] = {{0x0a000002u, {2, 0, 0, 0, 0, 9}, {0}}};
    char text[SWP_EFVI_TEXT_BYTES];
    uint64_t handle = 0;
    swp_efvi_config config = {
        .device = "lo", .drops_path = "", .peers = peers, .peer_count = 1, .ring_count = 16,
        .rx_queue_count = 512, .tx_queue_count = 512, .source_ipv4 = 0x0a000001u,
        .source_port = 4000, .ttl = 1};
    ciul_reset();
    ciul_set(CIUL_MTU_BYTES, 1518);
    if (swp_efvi_open(&config, &handle, text)) return 0;
    ((efvi_port *)(uintptr_t)handle)->tx_vi.ops.transmit = take;
    return handle;
}

/* --- sending ------------------------------------------------------------------------------- */

/* So many sends by one of: 0 xdp, 1 efvi, or of the table `ops`. How many were taken. */
PUBLIC uint64_t bench_send(const swp_ops *ops, uint64_t handle, int backend, const uint8_t *data,
                    uint32_t length_bytes, uint64_t cookie, uint64_t times) {
    void *port = (void *)(uintptr_t)handle;
    int (*send_one)(void *, const void *, uint32_t, uint64_t) = backend ? efvi_tx : xdp_tx;
    uint64_t taken = 0;
    if (ops) send_one = ops->tx;
    for (uint64_t turn = 0; turn < times; turn++)
        taken += send_one(port, data, length_bytes, cookie) == 0;
    return taken;
}
