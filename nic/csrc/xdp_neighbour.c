/* Which MAC a unicast datagram goes to: asked of the kernel's routes and neighbour table, once.
 *
 * The netlink socket never blocks; the kernel answers such requests before send() returns.
 */
#define _GNU_SOURCE
#include "xdp_port.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/neighbour.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define ANSWER_BYTES 4096
#define USABLE_STATES (NUD_REACHABLE | NUD_STALE | NUD_DELAY | NUD_PROBE | NUD_PERMANENT)

typedef struct {
    struct nlmsghdr header;
    union {
        struct rtmsg route;
        struct ndmsg neighbour;
    } body;
    uint8_t attributes[64];
} request;

typedef struct {
    struct nlmsghdr header;
    uint8_t body[ANSWER_BYTES];
} answer;

static void begin(request *asked, uint16_t type, size_t body_bytes) {
    memset(asked, 0, sizeof *asked);
    asked->header.nlmsg_type = type;
    asked->header.nlmsg_flags = NLM_F_REQUEST;
    asked->header.nlmsg_len = (uint32_t)NLMSG_LENGTH(body_bytes);
}

static void add_u32(request *asked, uint16_t type, uint32_t value) {
    struct rtattr *attribute =
        (struct rtattr *)((uint8_t *)asked + NLMSG_ALIGN(asked->header.nlmsg_len));
    attribute->rta_type = type;
    attribute->rta_len = RTA_LENGTH(sizeof value);
    memcpy(RTA_DATA(attribute), &value, sizeof value);
    asked->header.nlmsg_len =
        (uint32_t)(NLMSG_ALIGN(asked->header.nlmsg_len) + RTA_SPACE(sizeof value));
}

/* 0 with the kernel's answer, or -errno: its own, or that of the socket. */
static int ask(xdp_port *port, request *asked, answer *got) {
    asked->header.nlmsg_seq = ++port->netlink_sequence;
    if (send(port->netlink_fd, asked, asked->header.nlmsg_len, MSG_DONTWAIT) < 0) return -errno;
    for (;;) {
        ssize_t size = recv(port->netlink_fd, got, sizeof *got, MSG_DONTWAIT);
        if (size < 0) return -errno;
        if (!NLMSG_OK(&got->header, (size_t)size)) return -EBADMSG;
        if (got->header.nlmsg_seq == port->netlink_sequence) break;
    }
    if (got->header.nlmsg_type != NLMSG_ERROR) return 0;
    const struct nlmsgerr *refused = NLMSG_DATA(&got->header);
    return got->header.nlmsg_len < NLMSG_LENGTH(sizeof *refused) ? -EBADMSG : refused->error;
}

/* The data of an attribute of at least `size_bytes`, or NULL. */
static const void *find_attribute(answer *got, size_t body_bytes, uint16_t type,
                                  size_t size_bytes) {
    if (got->header.nlmsg_len < NLMSG_LENGTH(body_bytes)) return NULL;
    size_t left = got->header.nlmsg_len - NLMSG_LENGTH(NLMSG_ALIGN(body_bytes));
    struct rtattr *attribute =
        (struct rtattr *)((uint8_t *)NLMSG_DATA(&got->header) + NLMSG_ALIGN(body_bytes));
    for (; RTA_OK(attribute, left); attribute = RTA_NEXT(attribute, left))
        if (attribute->rta_type == type && RTA_PAYLOAD(attribute) >= size_bytes)
            return RTA_DATA(attribute);
    return NULL;
}

static int unreachable(xdp_port *port, uint32_t ip, const char *why) {
    struct in_addr address = {htonl(ip)};
    char text[INET_ADDRSTRLEN] = "";
    inet_ntop(AF_INET, &address, text, sizeof text);
    swp_set_error(port->error_text, "tx: %s: %s", text, why);
    return -EHOSTUNREACH;
}

static int ask_route(xdp_port *port, uint32_t ip, uint32_t flags, answer *got) {
    request asked;
    begin(&asked, RTM_GETROUTE, sizeof asked.body.route);
    asked.body.route.rtm_family = AF_INET;
    asked.body.route.rtm_dst_len = 32;
    asked.body.route.rtm_flags = flags;
    add_u32(&asked, RTA_DST, htonl(ip));
    add_u32(&asked, RTA_OIF, (uint32_t)port->interface);
    return ask(port, &asked, got);
}

/* The address on this network that takes what is for `ip`: itself, or a router. Asked of an
 * interface, the kernel takes what it has no route to for its neighbour; so that is asked first. */
static int find_next_hop(xdp_port *port, uint32_t ip, uint32_t *next_hop) {
    answer got;
    if (ask_route(port, ip, RTM_F_FIB_MATCH, &got) || ask_route(port, ip, 0, &got))
        return unreachable(port, ip, "no route to it by this interface");
    const struct rtmsg *route = NLMSG_DATA(&got.header);
    const uint32_t *gateway = find_attribute(&got, sizeof *route, RTA_GATEWAY, sizeof *gateway);
    if (got.header.nlmsg_len < NLMSG_LENGTH(sizeof *route) || route->rtm_type != RTN_UNICAST)
        return unreachable(port, ip, "no address of another machine");
    *next_hop = gateway ? ntohl(*gateway) : ip;
    return 0;
}

static int find_mac(xdp_port *port, uint32_t ip, uint8_t *mac) {
    request asked;
    answer got;
    begin(&asked, RTM_GETNEIGH, sizeof asked.body.neighbour);
    asked.body.neighbour.ndm_family = AF_INET;
    asked.body.neighbour.ndm_ifindex = port->interface;
    add_u32(&asked, NDA_DST, htonl(ip));
    if (ask(port, &asked, &got)) return -ENOENT;
    const struct ndmsg *found = NLMSG_DATA(&got.header);
    const void *address = find_attribute(&got, sizeof *found, NDA_LLADDR, XDP_MAC_BYTES);
    if (address == NULL || !(found->ndm_state & USABLE_STATES)) return -ENOENT;
    memcpy(mac, address, XDP_MAC_BYTES);
    return 0;
}

/* Has the kernel send an ARP request, and so answer the next call. */
static void start_resolving(xdp_port *port, uint32_t ip) {
    request asked;
    answer got;
    begin(&asked, RTM_NEWNEIGH, sizeof asked.body.neighbour);
    asked.header.nlmsg_flags |= NLM_F_CREATE | NLM_F_ACK;
    asked.body.neighbour.ndm_family = AF_INET;
    asked.body.neighbour.ndm_ifindex = port->interface;
    asked.body.neighbour.ndm_state = NUD_NONE;
    asked.body.neighbour.ndm_flags = NTF_USE;
    add_u32(&asked, NDA_DST, htonl(ip));
    ask(port, &asked, &got);
}

static int look_up(xdp_port *port, uint32_t ip, uint8_t *mac) {
    uint32_t next_hop = ip;
    int failed = find_next_hop(port, ip, &next_hop);
    if (failed) return failed;
    if (find_mac(port, next_hop, mac) == 0) return 0;
    start_resolving(port, next_hop);
    return unreachable(port, ip, "its MAC address is not known yet; the network was asked for it");
}

int xdp_neighbour_find(xdp_port *port, uint32_t ip, uint8_t *mac) {
    xdp_neighbour *known = &port->neighbours[(ip * 0x9e3779b1u) >> 26];
    if (port->config.gateway_mac) {
        for (int at = 0; at < XDP_MAC_BYTES; at++)
            mac[at] = (uint8_t)(port->config.gateway_mac >> (40 - 8 * at));
        return 0;
    }
    if (known->ip != ip) {
        int failed = look_up(port, ip, known->mac);
        known->ip = failed ? 0 : ip;
        if (failed) return failed;
    }
    memcpy(mac, known->mac, XDP_MAC_BYTES);
    return 0;
}

int xdp_neighbour_open(xdp_port *port) {
    struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
    port->netlink_fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    if (port->netlink_fd < 0) return xdp_fail(port, "socket(AF_NETLINK)", errno);
    if (connect(port->netlink_fd, (struct sockaddr *)&kernel, sizeof kernel))
        return xdp_fail(port, "connect to the kernel's routes", errno);
    return 0;
}
