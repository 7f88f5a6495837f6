/* A port over ordinary UDP sockets: works everywhere, with no privilege, at about 1 us a packet.
 *
 * Each join is a line: one socket bound to its group and port, so that the kernel filters.
 * Datagrams land in a ring of buffers with headroom, where Ethernet, IPv4 and UDP headers (with
 * the sender's address, the group and the port) are written in front: what comes out is a frame as
 * the wire had it, and one parser serves every backend.
 */
#define _GNU_SOURCE
#include "backends.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/sock_diag.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "socket_port.h"
#include "udp_frame.h"

#define HEADROOM_BYTES 64u     /* payloads start on a cache line */
#define CONTROL_BYTES 64u      /* SCM_TIMESTAMPNS 32, SO_RXQ_OVFL 24 */
#define READY_MAX 64
#define NS_PER_SECOND 1000000000ull

static uint8_t *payload_at(const socket_port *port, uint64_t slot) {
    return port->pool + slot * port->stride_bytes + HEADROOM_BYTES;
}

static void arm_slots(socket_port *port, uint64_t slot, uint64_t count) {
    for (uint64_t end = slot + count; slot < end; slot++) {
        struct msghdr *header = &port->messages[slot].msg_hdr;
        header->msg_namelen = sizeof *port->senders;
        header->msg_controllen = CONTROL_BYTES;
    }
}

static int allocate(socket_port *port) {
    size_t count = (size_t)port->ring_mask + 1;
    port->stride_bytes = HEADROOM_BYTES + ((port->frame_bytes + 63u) & ~63u);
    port->pool = aligned_alloc(64, count * port->stride_bytes);
    port->controls = calloc(count, CONTROL_BYTES);
    port->messages = calloc(count, sizeof *port->messages);
    port->vectors = calloc(count, sizeof *port->vectors);
    port->senders = calloc(count, sizeof *port->senders);
    if (!port->pool || !port->controls || !port->messages || !port->vectors || !port->senders)
        return socket_fail(port, "buffers", ENOMEM);
    memset(port->pool, 0, count * port->stride_bytes);  /* its pages are there before a burst is */
    for (size_t slot = 0; slot < count; slot++) {
        port->vectors[slot] = (struct iovec){payload_at(port, slot), port->frame_bytes};
        port->messages[slot].msg_hdr = (struct msghdr){
            .msg_name = &port->senders[slot], .msg_iov = &port->vectors[slot], .msg_iovlen = 1,
            .msg_control = port->controls + slot * CONTROL_BYTES};
    }
    arm_slots(port, 0, count);
    return 0;
}

/* --- receiving --------------------------------------------------------------------------- */

static uint64_t read_controls(socket_port *port, socket_line *line, struct msghdr *header) {
    uint64_t timestamp_ns = 0;
    for (struct cmsghdr *item = CMSG_FIRSTHDR(header); item; item = CMSG_NXTHDR(header, item)) {
        if (item->cmsg_level != SOL_SOCKET) continue;
        if (item->cmsg_type == SCM_TIMESTAMPNS) {
            struct timespec time;
            memcpy(&time, CMSG_DATA(item), sizeof time);
            timestamp_ns = (uint64_t)time.tv_sec * NS_PER_SECOND + (uint64_t)time.tv_nsec;
        } else if (item->cmsg_type == SO_RXQ_OVFL) {
            uint32_t drops;
            memcpy(&drops, CMSG_DATA(item), sizeof drops);
            port->stats.rx_dropped += drops - line->kernel_drops;
            line->kernel_drops = drops;
        }
    }
    return timestamp_ns;
}

static void hand_out(socket_port *port, socket_line *line, uint64_t slot, swp_descriptor *out) {
    struct mmsghdr *message = &port->messages[slot];
    const struct sockaddr_in *sender = &port->senders[slot];
    uint32_t wire_bytes = message->msg_len;  /* with MSG_TRUNC: the datagram's own length */
    int cut = (message->msg_hdr.msg_flags & MSG_TRUNC) != 0;
    uint32_t kept_bytes = wire_bytes < port->frame_bytes ? wire_bytes : port->frame_bytes;
    uint32_t headers_bytes = swp_udp_headers_bytes(line->joined.vlan);
    uint8_t *frame = payload_at(port, slot) - headers_bytes;
    swp_udp_addresses addresses = {
        .source_ip = ntohl(sender->sin_addr.s_addr), .destination_ip = line->joined.group,
        .source_port = ntohs(sender->sin_port), .destination_port = line->joined.udp_port,
        .vlan = line->joined.vlan};
    swp_udp_frame_write(frame, &addresses, wire_bytes);
    uint32_t flags = SWP_LINKTYPE_ETHERNET << 16 | (cut ? SWP_FLAG_TRUNCATED : 0u);
    uint64_t time_ns = read_controls(port, line, &message->msg_hdr);
    swp_describe(out, &port->stats, frame, headers_bytes + kept_bytes, flags, time_ns,
                 port->ring.handed_out++);
}

/* The slots up to the ring's end are one array: a burst does not go around it. */
static int64_t drain(socket_port *port, socket_line *line, swp_descriptor *out, int64_t max) {
    uint64_t slot = port->ring.handed_out & port->ring_mask;
    uint64_t wanted = swp_ring_room(&port->ring);
    if (wanted > port->ring_mask + 1 - slot) wanted = port->ring_mask + 1 - slot;
    if (wanted > (uint64_t)max) wanted = (uint64_t)max;
    if (wanted == 0) return 0;
    int count = recvmmsg(line->joined.fd, &port->messages[slot], (unsigned)wanted,
                         MSG_DONTWAIT | MSG_TRUNC, NULL);
    if (count < 0) {
        if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) return 0;
        int broken = errno == EBADF || errno == ENOTSOCK || errno == EFAULT;
        port->stats.rx_errors++;
        socket_fail(port, "recvmmsg", errno);
        return broken ? SWP_ERROR : 0;
    }
    for (int index = 0; index < count; index++)
        hand_out(port, line, slot + (uint64_t)index, &out[index]);
    arm_slots(port, slot, (uint64_t)count);
    return count;
}

/* Which lines have data. One line is asked by reading it: that saves a system call. */
static int find_ready(socket_port *port, uint32_t line_count, struct epoll_event *ready) {
    if (line_count > 1) return epoll_wait(port->epoll_fd, ready, READY_MAX, 0);
    ready[0].data.u32 = 0;
    return (int)line_count;
}

static int64_t socket_rx_burst(void *handle, swp_descriptor *out, int64_t max) {
    socket_port *port = handle;
    struct epoll_event ready[READY_MAX];
    uint32_t line_count = __atomic_load_n(&port->line_count, __ATOMIC_ACQUIRE);
    int ready_count = find_ready(port, line_count, ready);
    int64_t total = 0;
    for (int index = 0; index < ready_count && total < max; index++) {
        if (ready[index].data.u32 >= line_count) continue;  /* its join() is still under way */
        /* A busy line may not starve those behind it. */
        int64_t share = (max - total + ready_count - index - 1) / (ready_count - index);
        int64_t count = drain(port, &port->lines[ready[index].data.u32], out + total, share);
        if (count < 0) return total ? total : count;
        total += count;
    }
    return total;
}

/* So that a frame read after its release is seen to be. */
static void poison(socket_port *port, uint64_t first) {
    for (; first != port->ring.released; first++)
        memset(payload_at(port, first & port->ring_mask) - HEADROOM_BYTES, SWP_POISON,
               port->stride_bytes);
}

static void socket_release(void *handle, const swp_descriptor *frames, int64_t count) {
    socket_port *port = handle;
    uint64_t first = port->ring.released;
    if (!swp_release(&port->ring, &port->stats, port->error_text, frames, count)) return;
    if (port->config.poison) poison(port, first);
}

static int socket_thread_init(void *handle) {
    (void)handle;
    return 0;
}

/* --- sending ----------------------------------------------------------------------------- */

static int open_sender(socket_port *port) {
    struct ip_mreqn leave_by = {0};
    int failed = swp_line_interface(&(swp_line){.fd = -1}, port->device, &leave_by.imr_ifindex,
                                    port->error_text);
    if (failed) return failed;
    port->tx_fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_UDP);
    if (port->tx_fd < 0) return socket_fail(port, "socket", errno);
    if (setsockopt(port->tx_fd, IPPROTO_IP, IP_MULTICAST_IF, &leave_by, sizeof leave_by))
        return socket_fail(port, "IP_MULTICAST_IF", errno);
    return socket_option(port, port->tx_fd, IPPROTO_IP, IP_MULTICAST_TTL, (int)port->config.ttl,
                      "IP_MULTICAST_TTL");
}

static int send_datagram(socket_port *port, const swp_udp_datagram *datagram) {
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(datagram->destination_port),
                             .sin_addr.s_addr = htonl(datagram->destination_ip)};
    ssize_t sent = sendto(port->tx_fd, datagram->payload, datagram->payload_bytes,
                          MSG_DONTWAIT | MSG_NOSIGNAL, (struct sockaddr *)&to, sizeof to);
    return sent < 0 ? socket_fail(port, "sendto", errno) : 0;
}

static int socket_tx(void *handle, const void *data, uint32_t length_bytes, uint64_t cookie) {
    socket_port *port = handle;
    swp_udp_datagram datagram = {data, length_bytes, (uint32_t)(cookie >> 16), (uint16_t)cookie};
    int failed = 0;
    if (data == NULL || length_bytes == 0) failed = socket_fail(port, "tx", EINVAL);
    else if (cookie == 0 && swp_udp_frame_read(data, length_bytes, &datagram))
        failed = socket_fail(port, "tx: no whole IPv4 UDP datagram in the frame", EINVAL);
    else if (datagram.payload_bytes > SWP_UDP_PAYLOAD_MAX_BYTES)
        failed = socket_fail(port, "tx", EMSGSIZE);
    else failed = send_datagram(port, &datagram);
    return swp_count_tx(&port->stats, length_bytes, failed);
}

/* --- state ------------------------------------------------------------------------------- */

/* SO_RXQ_OVFL comes with the next datagram only; the kernel also tells on being asked. */
static uint32_t unreported_drops(const socket_line *line) {
    uint32_t memory[SK_MEMINFO_VARS] = {0};
    socklen_t size = sizeof memory;
    if (getsockopt(line->joined.fd, SOL_SOCKET, SO_MEMINFO, memory, &size)) return 0;
    if (size <= SK_MEMINFO_DROPS * sizeof *memory) return 0;
    return memory[SK_MEMINFO_DROPS] - line->kernel_drops;
}

static void socket_stats(void *handle, swp_stats *out) {
    const socket_port *port = handle;
    uint32_t line_count = __atomic_load_n(&port->line_count, __ATOMIC_ACQUIRE);
    *out = port->stats;
    for (uint32_t index = 0; index < line_count; index++)
        out->rx_dropped += unreported_drops(&port->lines[index]);
}

static const char *socket_last_error(void *handle) {
    return ((socket_port *)handle)->error_text;
}

static void socket_close(void *handle) {
    socket_port *port = handle;
    if (port == NULL) return;
    for (uint32_t index = 0; index < port->line_count; index++) close(port->lines[index].joined.fd);
    if (port->epoll_fd >= 0) close(port->epoll_fd);
    if (port->tx_fd >= 0) close(port->tx_fd);
    free(port->pool);
    free(port->controls);
    free(port->messages);
    free(port->vectors);
    free(port->senders);
    free(port);
}

static int check_config(const swp_socket_config *config, char *error_text) {
    uint32_t count = config->ring_count;
    if (count == 0 || (count & (count - 1)) || config->frame_bytes == 0) {
        swp_set_error(error_text, "ring must be a power of two and frame at least 1 byte");
        return -EINVAL;
    }
    if (strlen(config->device) < IF_NAMESIZE) return 0;
    swp_set_error(error_text, "%s: no such interface", config->device);
    return -ENODEV;
}

int swp_socket_open(const swp_socket_config *config, void **out, char *error_text) {
    uint32_t count = config->ring_count;
    int failed = check_config(config, error_text);
    *out = NULL;
    if (failed) return failed;
    socket_port *port = calloc(1, sizeof *port);
    if (port == NULL) return -ENOMEM;
    port->config = *config;
    port->config.device = NULL;
    strcpy(port->device, config->device);
    port->ring.capacity = count;
    port->ring_mask = count - 1;
    port->frame_bytes = config->frame_bytes;
    port->tx_fd = -1;
    port->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    failed = port->epoll_fd < 0 ? socket_fail(port, "epoll_create1", errno) : allocate(port);
    if (!failed) failed = open_sender(port);
    if (failed) {
        swp_set_error(error_text, "%s", port->error_text);
        socket_close(port);
        return failed;
    }
    *out = port;
    return 0;
}

static const swp_ops operations = {
    .join = socket_join,
    .thread_init = socket_thread_init,
    .rx_burst = socket_rx_burst,
    .release = socket_release,
    .tx = socket_tx,
    .stats = socket_stats,
    .close = socket_close,
    .last_error = socket_last_error,
};

const swp_ops *swp_socket_ops(void) {
    return &operations;
}
