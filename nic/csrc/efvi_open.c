/* A port over ef_vi: the NIC's queues in this process, with no kernel in between.
 *
 * What the NIC can do is asked first, then come the virtual interfaces, then memory, then (in
 * join()) filters. Two kinds of NIC are served: EF10 (efvi_rx_classic.c) and X3 (efvi_rx_efct.c).
 */
#define _GNU_SOURCE
#include "efvi_port.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DROPS_TEXT_BYTES 32
#define FRAME_LIMIT_BYTES 16384u
#define DISCARDS (EF_VI_DISCARD_RX_L4_CSUM_ERR | EF_VI_DISCARD_RX_L3_CSUM_ERR | \
                  EF_VI_DISCARD_RX_ETH_FCS_ERR | EF_VI_DISCARD_RX_ETH_LEN_ERR)

_Static_assert((int)SWP_EFVI_TEXT_BYTES == (int)SWP_ERROR_TEXT_BYTES, "one size of error texts");

/* --- what the NIC can do ----------------------------------------------------------------- */

static int has_capability(efvi_port *port, enum ef_vi_capability capability) {
    unsigned long value = 0;
    return ef_pd_capabilities_get(port->driver, &port->domain, port->driver, capability,
                                  &value) == 0 && value != 0;
}

static int ask_capabilities(efvi_port *port) {
    if (has_capability(port, EF_VI_CAP_RX_FORCE_EVENT_MERGING)) {
        swp_set_error(port->error_text, "%s: its firmware merges receive events; give it the "
                      "low-latency firmware variant (sfboot)", port->device);
        return -EOPNOTSUPP;
    }
    if (has_capability(port, EF_VI_CAP_RX_REF)) port->features |= SWP_EFVI_SHARED_BUFFERS;
    if (has_capability(port, EF_VI_CAP_CTPIO_ONLY))
        port->features |= SWP_EFVI_CTPIO_ONLY | SWP_EFVI_CTPIO;
    else if (port->config.ctpio && has_capability(port, EF_VI_CAP_CTPIO))
        port->features |= SWP_EFVI_CTPIO;
    if (port->config.timestamps && has_capability(port, EF_VI_CAP_HW_RX_TIMESTAMPING))
        port->features |= SWP_EFVI_TIMESTAMPS;
    if (port->config.poison && efvi_is_shared(port) && !port->config.copy) {
        swp_set_error(port->error_text, "%s: poison=1 would overwrite buffers that the X3 shares "
                      "with other programs; it needs copy=1", port->device);
        return -EINVAL;
    }
    return 0;
}

static int open_domain(efvi_port *port) {
    int failed = ef_driver_open(&port->driver);
    if (failed) {
        swp_set_error(port->error_text, "the Onload driver does not answer (ef_driver_open: %s); "
                      "is it loaded, and a Solarflare or AMD NIC there?", strerror(-failed));
        return failed;
    }
    port->driver_open = 1;
    failed = ef_pd_alloc_by_name(&port->domain, port->driver, port->device, EF_PD_DEFAULT);
    if (failed) {
        swp_set_error(port->error_text, "%s: ef_pd_alloc_by_name: %s; is it an interface of a "
                      "Solarflare or AMD NIC?", port->device, strerror(-failed));
        return failed;
    }
    port->domain_open = 1;
    return ask_capabilities(port);
}

/* --- virtual interfaces ------------------------------------------------------------------ */

static int allocate_vi(efvi_port *port, ef_vi *vi, int rx_count, int tx_count, uint64_t flags) {
    return ef_vi_alloc_from_pd(vi, port->driver, &port->domain, port->driver, -1, rx_count,
                               tx_count, NULL, -1, (enum ef_vi_flags)flags);
}

static int open_receiver(efvi_port *port) {
    uint64_t flags = port->features & SWP_EFVI_TIMESTAMPS ? EF_VI_RX_TIMESTAMPS : 0;
    int q_id = allocate_vi(port, &port->rx_vi, (int)port->config.rx_queue_count, 0, flags);
    if (q_id < 0) return efvi_fail(port, "ef_vi_alloc_from_pd for receiving", -q_id);
    port->rx_open = 1;
    /* Where the NIC cannot choose, its own choice stays. */
    (void)ef_vi_receive_set_discards(&port->rx_vi, DISCARDS);
    return efvi_is_shared(port) ? efvi_efct_open(port) : efvi_classic_open(port);
}

/* CTPIO may be refused although the NIC has it: out of apertures, or not licensed. */
static int open_sender(efvi_port *port) {
    uint64_t flags = EF_VI_TX_IP_CSUM_DIS | EF_VI_TX_TCPUDP_CSUM_DIS;
    uint64_t ctpio = port->features & SWP_EFVI_CTPIO ? EF_VI_TX_CTPIO : 0;
    int tx_count = (int)port->config.tx_queue_count;
    int q_id = allocate_vi(port, &port->tx_vi, 0, tx_count, flags | ctpio);
    if (q_id < 0 && ctpio && !(port->features & SWP_EFVI_CTPIO_ONLY)) {
        port->features &= ~(uint32_t)SWP_EFVI_CTPIO;
        q_id = allocate_vi(port, &port->tx_vi, 0, tx_count, flags);
    }
    if (q_id < 0) return efvi_fail(port, "ef_vi_alloc_from_pd for sending", -q_id);
    port->tx_open = 1;
    int failed = ef_vi_get_mac(&port->tx_vi, port->driver, port->source.mac);
    if (failed) return efvi_fail(port, "ef_vi_get_mac", -failed);
    return efvi_tx_open(port);
}

/* --- losses ------------------------------------------------------------------------------ */

/* A NIC that finds no buffer tells nobody but its interface's counter, which is one for all
 * programs on that interface. */
static uint64_t read_drops(const efvi_port *port) {
    char text[DROPS_TEXT_BYTES] = "";
    if (port->drops_fd < 0) return 0;
    ssize_t size = pread(port->drops_fd, text, sizeof text - 1, 0);
    return size > 0 ? strtoull(text, NULL, 10) : 0;
}

static void open_drops(efvi_port *port) {
    const char *path = port->config.drops_path;
    if (path && path[0]) port->drops_fd = open(path, O_RDONLY | O_CLOEXEC);
    port->drops_before = read_drops(port);
}

/* --- the port ---------------------------------------------------------------------------- */

static void efvi_close(void *handle) {
    efvi_port *port = handle;
    if (port == NULL) return;
    if (port->rx_open) {
        efvi_leave_all(port);
        if (efvi_is_shared(port)) efvi_efct_release(port, port->ring.released, port->produced);
        ef_vi_free(&port->rx_vi, port->driver);
    }
    if (port->tx_open) ef_vi_free(&port->tx_vi, port->driver);
    efvi_memory_unregister(port, &port->rx_memory);
    efvi_memory_unregister(port, &port->tx_memory);
    if (port->domain_open) ef_pd_free(&port->domain, port->driver);
    if (port->driver_open) ef_driver_close(port->driver);
    /* Only now is it sure that the NIC writes no more. */
    efvi_memory_free(&port->rx_memory);
    efvi_memory_free(&port->tx_memory);
    if (port->drops_fd >= 0) close(port->drops_fd);
    free(port->peers);
    free(port->held);
    free(port);
}

static int check_config(const swp_efvi_config *config, char *error_text) {
    uint32_t count = config->ring_count;
    if (count == 0 || (count & (count - 1)) || count > 1u << 20) {
        swp_set_error(error_text, "ring must be a power of two up to 1048576");
        return -EINVAL;
    }
    if (config->frame_bytes > FRAME_LIMIT_BYTES) {
        swp_set_error(error_text, "frame must be at most %u bytes", FRAME_LIMIT_BYTES);
        return -EINVAL;
    }
    if (strlen(config->device) < IF_NAMESIZE) return 0;
    swp_set_error(error_text, "%s: no such interface", config->device);
    return -ENODEV;
}

static efvi_port *allocate(const swp_efvi_config *config) {
    uint64_t held_count = config->ring_count;
    efvi_port *port = calloc(1, sizeof *port);
    if (port == NULL) return NULL;
    while (held_count < (uint64_t)config->ring_count + EFVI_EVENTS_MAX) held_count *= 2;
    port->held_mask = held_count - 1;
    port->held = calloc(held_count, sizeof *port->held);
    port->peers = calloc(config->peer_count + 1u, sizeof *port->peers);
    port->config = *config;
    port->ring.capacity = config->ring_count;
    port->frame_bytes = config->frame_bytes;
    port->source.ip = config->source_ipv4;
    port->source.udp_port = config->source_port;
    port->drops_fd = -1;
    strcpy(port->device, config->device);
    if (port->held && port->peers) {
        for (uint32_t index = 0; index < config->peer_count; index++)
            port->peers[index] = config->peers[index];
        return port;
    }
    efvi_close(port);
    return NULL;
}

int swp_efvi_open(const swp_efvi_config *config, uint64_t *out, char *error_text) {
    int failed = check_config(config, error_text);
    *out = 0;
    if (failed) return failed;
    efvi_port *port = allocate(config);
    if (port == NULL) {
        swp_set_error(error_text, "no memory for the port");
        return -ENOMEM;
    }
    open_drops(port);
    failed = open_domain(port);
    if (!failed) failed = open_receiver(port);
    if (!failed) failed = open_sender(port);
    if (failed) {
        swp_set_error(error_text, "%s", port->error_text);
        efvi_close(port);
        return failed;
    }
    port->config.device = port->config.drops_path = NULL;
    port->config.peers = NULL;
    *out = (uint64_t)(uintptr_t)port;
    return 0;
}

static int efvi_thread_init(void *handle) {
    (void)handle;
    return 0;
}

static void efvi_stats(void *handle, swp_stats *out) {
    const efvi_port *port = handle;
    *out = port->stats;
    out->rx_dropped += read_drops(port) - port->drops_before;
}

static const char *efvi_last_error(void *handle) {
    return ((efvi_port *)handle)->error_text;
}

static const swp_ops operations = {
    .join = efvi_join,
    .thread_init = efvi_thread_init,
    .rx_burst = efvi_rx_burst,
    .release = efvi_release,
    .tx = efvi_tx,
    .stats = efvi_stats,
    .close = efvi_close,
    .last_error = efvi_last_error,
};

uint64_t swp_efvi_ops(void) {
    return (uint64_t)(uintptr_t)&operations;
}

uint32_t swp_efvi_features(uint64_t port) {
    return ((const efvi_port *)(uintptr_t)port)->features;
}

uint64_t swp_efvi_pool(uint64_t port, uint64_t *size_bytes) {
    const efvi_memory *memory = &((const efvi_port *)(uintptr_t)port)->rx_memory;
    *size_bytes = memory->size_bytes;
    return (uint64_t)(uintptr_t)memory->base;
}
