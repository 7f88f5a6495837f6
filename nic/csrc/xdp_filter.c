/* The program that picks our lines out of an interface's traffic, and how it is attached.
 *
 * For IPv4 (behind up to two VLAN tags), UDP, no fragment, and a line that was joined: to the
 * socket of the queue it came on. All the rest goes on to the kernel as if nothing were there.
 * Attached by a link, which ends with the process that holds it.
 */
#define _GNU_SOURCE
#include "xdp_port.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/bpf.h>
#include <linux/if_link.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define PROGRAM_MAX 128
#define ETHERNET_BYTES 14
#define TAG_BYTES 4
#define IPV4_BYTES 20
#define UDP_BYTES 8
#define PROTOCOL_UDP 17
#define RETRIES 1000            /* what a closed port held goes a little later */
#define RETRY_PAUSE_NS 1000000

/* As the program finds it in the frame: network byte order, but for the VLAN. */
typedef struct {
    uint32_t group;
    uint16_t udp_port;
    uint16_t vlan;
} line_key;

#define KEY_AT (-8)
#define KEY_PORT_AT (KEY_AT + 4)
#define KEY_VLAN_AT (KEY_AT + 6)
#define ZERO_AT (-16)

static int bpf(int command, union bpf_attr *attributes) {
    return (int)syscall(SYS_bpf, command, attributes, sizeof *attributes);
}

/* --- the program ------------------------------------------------------------------------- */

typedef struct {
    struct bpf_insn code[PROGRAM_MAX];
    int count;
    int exits[PROGRAM_MAX];     /* jumps that leave the frame to the kernel */
    int exit_count;
} program;

static int emit(program *to, uint8_t code, uint8_t dst, uint8_t src, int offset, int32_t value) {
    to->code[to->count] = (struct bpf_insn){code, dst & 15u, src & 15u, (int16_t)offset, value};
    return to->count++;
}

static void load(program *to, uint8_t size, uint8_t dst, uint8_t src, int offset) {
    emit(to, BPF_LDX | BPF_MEM | size, dst, src, offset, 0);
}

static void store(program *to, uint8_t size, int offset, uint8_t src) {
    emit(to, BPF_STX | BPF_MEM | size, BPF_REG_10, src, offset, 0);
}

static void copy(program *to, uint8_t dst, uint8_t src) {
    emit(to, BPF_ALU64 | BPF_MOV | BPF_X, dst, src, 0, 0);
}

static void compute(program *to, uint8_t operation, uint8_t dst, int32_t value) {
    emit(to, BPF_ALU64 | operation | BPF_K, dst, 0, 0, value);
}

static void set(program *to, uint8_t dst, int32_t value) {
    compute(to, BPF_MOV, dst, value);
}

static void load_map(program *to, uint8_t dst, int map_fd) {
    emit(to, BPF_LD | BPF_IMM | BPF_DW, dst, BPF_PSEUDO_MAP_FD, 0, map_fd);
    emit(to, 0, 0, 0, 0, 0);
}

static void call(program *to, int helper) {
    emit(to, BPF_JMP | BPF_CALL, 0, 0, 0, helper);
}

static void pass_if(program *to, uint8_t condition, uint8_t dst, int32_t value) {
    to->exits[to->exit_count++] = emit(to, BPF_JMP | condition | BPF_K, dst, 0, 0, value);
}

/* The frame must reach `bytes` behind `from`; r8 is its end. */
static void pass_if_shorter(program *to, uint8_t from, int32_t bytes) {
    copy(to, BPF_REG_2, from);
    compute(to, BPF_ADD, BPF_REG_2, bytes);
    to->exits[to->exit_count++] =
        emit(to, BPF_JMP | BPF_JGT | BPF_X, BPF_REG_2, BPF_REG_8, 0, 0);
}

static void land_here(program *to, int jump) {
    to->code[jump].off = (int16_t)(to->count - jump - 1);
}

/* r9 is behind an EtherType, r3 holds it: steps over one tag and notes its VLAN. */
static void skip_tag(program *to) {
    int is_tag = emit(to, BPF_JMP | BPF_JEQ | BPF_K, BPF_REG_3, 0, 0, htons(0x8100));
    int none = emit(to, BPF_JMP | BPF_JNE | BPF_K, BPF_REG_3, 0, 0, htons(0x88a8));
    land_here(to, is_tag);
    pass_if_shorter(to, BPF_REG_9, TAG_BYTES);
    load(to, BPF_H, BPF_REG_4, BPF_REG_9, 0);
    emit(to, BPF_ALU | BPF_END | BPF_TO_BE, BPF_REG_4, 0, 0, 16);
    compute(to, BPF_AND, BPF_REG_4, 0xfff);
    store(to, BPF_H, KEY_VLAN_AT, BPF_REG_4);
    load(to, BPF_H, BPF_REG_3, BPF_REG_9, 2);
    compute(to, BPF_ADD, BPF_REG_9, TAG_BYTES);
    land_here(to, none);
}

static void find_key(program *to) {
    set(to, BPF_REG_4, 0);
    store(to, BPF_H, KEY_VLAN_AT, BPF_REG_4);
    pass_if_shorter(to, BPF_REG_7, ETHERNET_BYTES);
    load(to, BPF_H, BPF_REG_3, BPF_REG_7, ETHERNET_BYTES - 2);
    copy(to, BPF_REG_9, BPF_REG_7);
    compute(to, BPF_ADD, BPF_REG_9, ETHERNET_BYTES);
    skip_tag(to);
    skip_tag(to);
    pass_if(to, BPF_JNE, BPF_REG_3, htons(0x0800));
    pass_if_shorter(to, BPF_REG_9, IPV4_BYTES);
    load(to, BPF_B, BPF_REG_3, BPF_REG_9, 0);
    copy(to, BPF_REG_4, BPF_REG_3);
    compute(to, BPF_AND, BPF_REG_4, 0xf0);
    pass_if(to, BPF_JNE, BPF_REG_4, 0x40);
    compute(to, BPF_AND, BPF_REG_3, 15);
    pass_if(to, BPF_JLT, BPF_REG_3, IPV4_BYTES / 4);
    compute(to, BPF_LSH, BPF_REG_3, 2);
    load(to, BPF_B, BPF_REG_4, BPF_REG_9, 9);
    pass_if(to, BPF_JNE, BPF_REG_4, PROTOCOL_UDP);
    load(to, BPF_H, BPF_REG_4, BPF_REG_9, 6);
    compute(to, BPF_AND, BPF_REG_4, htons(0x3fff));  /* more fragments, or an offset */
    pass_if(to, BPF_JNE, BPF_REG_4, 0);
    load(to, BPF_W, BPF_REG_4, BPF_REG_9, 16);
    store(to, BPF_W, KEY_AT, BPF_REG_4);
    emit(to, BPF_ALU64 | BPF_ADD | BPF_X, BPF_REG_9, BPF_REG_3, 0, 0);
    pass_if_shorter(to, BPF_REG_9, UDP_BYTES);
    load(to, BPF_H, BPF_REG_4, BPF_REG_9, 2);
    store(to, BPF_H, KEY_PORT_AT, BPF_REG_4);
}

static void look_up(program *to, int map_fd, int key_at) {
    load_map(to, BPF_REG_1, map_fd);
    copy(to, BPF_REG_2, BPF_REG_10);
    compute(to, BPF_ADD, BPF_REG_2, key_at);
    call(to, BPF_FUNC_map_lookup_elem);
    pass_if(to, BPF_JEQ, BPF_REG_0, 0);
}

static void write_program(program *to, const xdp_filter *filter) {
    copy(to, BPF_REG_6, BPF_REG_1);
    load(to, BPF_W, BPF_REG_7, BPF_REG_6, offsetof(struct xdp_md, data));
    load(to, BPF_W, BPF_REG_8, BPF_REG_6, offsetof(struct xdp_md, data_end));
    find_key(to);
    look_up(to, filter->lines_fd, KEY_AT);
    load(to, BPF_W, BPF_REG_2, BPF_REG_6, offsetof(struct xdp_md, rx_queue_index));
    load_map(to, BPF_REG_1, filter->sockets_fd);
    set(to, BPF_REG_3, XDP_PASS);
    call(to, BPF_FUNC_redirect_map);
    int missed = emit(to, BPF_JMP | BPF_JNE | BPF_K, BPF_REG_0, 0, 0, XDP_REDIRECT);
    emit(to, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
    land_here(to, missed);
    set(to, BPF_REG_4, 0);
    store(to, BPF_W, ZERO_AT, BPF_REG_4);
    look_up(to, filter->missed_fd, ZERO_AT);
    set(to, BPF_REG_4, 1);
    emit(to, BPF_STX | BPF_ATOMIC | BPF_DW, BPF_REG_0, BPF_REG_4, 0, BPF_ADD);
    for (int index = 0; index < to->exit_count; index++) land_here(to, to->exits[index]);
    set(to, BPF_REG_0, XDP_PASS);
    emit(to, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
}

/* --- maps and attaching ------------------------------------------------------------------ */

static int make_map(uint32_t type, uint32_t key_bytes, uint32_t value_bytes, uint32_t entries) {
    union bpf_attr attributes;
    memset(&attributes, 0, sizeof attributes);
    attributes.map_type = type;
    attributes.key_size = key_bytes;
    attributes.value_size = value_bytes;
    attributes.max_entries = entries;
    return bpf(BPF_MAP_CREATE, &attributes);
}

static int set_in_map(int map_fd, const void *key, const void *value) {
    union bpf_attr attributes;
    memset(&attributes, 0, sizeof attributes);
    attributes.map_fd = (uint32_t)map_fd;
    attributes.key = (uint64_t)(uintptr_t)key;
    attributes.value = (uint64_t)(uintptr_t)value;
    return bpf(BPF_MAP_UPDATE_ELEM, &attributes);
}

static int load_program(xdp_port *port) {
    static const char license[] = "Apache-2.0";
    program written = {.count = 0};
    union bpf_attr attributes;
    write_program(&written, &port->filter);
    memset(&attributes, 0, sizeof attributes);
    attributes.prog_type = BPF_PROG_TYPE_XDP;
    attributes.expected_attach_type = BPF_XDP;
    attributes.insns = (uint64_t)(uintptr_t)written.code;
    attributes.insn_cnt = (uint32_t)written.count;
    attributes.license = (uint64_t)(uintptr_t)license;
    strcpy(attributes.prog_name, "sweepwire");
#ifdef BPF_F_XDP_HAS_FRAGS
    if (port->long_pool) attributes.prog_flags = BPF_F_XDP_HAS_FRAGS;
#endif
    port->filter.program_fd = bpf(BPF_PROG_LOAD, &attributes);
    return port->filter.program_fd < 0 ? xdp_fail(port, "BPF_PROG_LOAD", errno) : 0;
}

int xdp_filter_load(xdp_port *port) {
    xdp_filter *filter = &port->filter;
    uint32_t queues_end = port->config.first_queue + port->config.queue_count;
    filter->lines_fd = make_map(BPF_MAP_TYPE_HASH, sizeof(line_key), 4, SWP_LINES_MAX);
    if (filter->lines_fd < 0) return xdp_fail(port, "BPF_MAP_CREATE", errno);
    filter->sockets_fd = make_map(BPF_MAP_TYPE_XSKMAP, 4, 4, queues_end);
    if (filter->sockets_fd < 0) return xdp_fail(port, "BPF_MAP_CREATE of sockets", errno);
    filter->missed_fd = make_map(BPF_MAP_TYPE_ARRAY, 4, 8, 1);
    if (filter->missed_fd < 0) return xdp_fail(port, "BPF_MAP_CREATE of a counter", errno);
    return load_program(port);
}

static int create_link(const xdp_port *port, uint32_t flags) {
    struct timespec pause = {0, RETRY_PAUSE_NS};
    for (int attempt = 0;; attempt++) {
        union bpf_attr attributes;
        memset(&attributes, 0, sizeof attributes);
        attributes.link_create.prog_fd = (uint32_t)port->filter.program_fd;
        attributes.link_create.target_ifindex = (uint32_t)port->interface;
        attributes.link_create.attach_type = BPF_XDP;
        attributes.link_create.flags = flags;
        int link_fd = bpf(BPF_LINK_CREATE, &attributes);
        if (link_fd >= 0 || errno != EBUSY || attempt == RETRIES) return link_fd;
        nanosleep(&pause, NULL);
    }
}

static int explain_attach(xdp_port *port, const char *way, int error) {
    const char *hint = "";
    if (error == EBUSY || error == EEXIST) hint = "; another XDP program is on it";
    if (error == ERANGE || error == EINVAL) hint = "; a large MTU wants frame= beyond the chunk";
    swp_set_error(port->error_text, "attaching to %s (%s): %s%s", port->device, way,
                  strerror(error), hint);
    return -error;
}

int xdp_filter_attach(xdp_port *port) {
    xdp_filter *filter = &port->filter;
    if (port->config.attach != SWP_XDP_ATTACH_GENERIC) {
        filter->link_fd = create_link(port, XDP_FLAGS_DRV_MODE);
        filter->is_native = filter->link_fd >= 0;
        if (filter->is_native) return 0;
        if (port->config.attach == SWP_XDP_ATTACH_NATIVE || errno == EBUSY || errno == EEXIST)
            return explain_attach(port, "native", errno);
    }
    filter->link_fd = create_link(port, XDP_FLAGS_SKB_MODE);
    return filter->link_fd < 0 ? explain_attach(port, "generic", errno) : 0;
}

int xdp_filter_serve(xdp_port *port, uint32_t queue, int fd) {
    return set_in_map(port->filter.sockets_fd, &queue, &fd)
               ? xdp_fail(port, "a queue of the filter", errno) : 0;
}

int xdp_filter_add(xdp_port *port, const swp_line *line) {
    line_key key = {htonl(line->group), htons(line->udp_port), line->vlan};
    uint32_t present = 1;
    return set_in_map(port->filter.lines_fd, &key, &present)
               ? xdp_fail(port, "a line of the filter", errno) : 0;
}

uint64_t xdp_filter_missed(const xdp_port *port) {
    union bpf_attr attributes;
    uint32_t key = 0;
    uint64_t missed = 0;
    memset(&attributes, 0, sizeof attributes);
    attributes.map_fd = (uint32_t)port->filter.missed_fd;
    attributes.key = (uint64_t)(uintptr_t)&key;
    attributes.value = (uint64_t)(uintptr_t)&missed;
    return bpf(BPF_MAP_LOOKUP_ELEM, &attributes) ? 0 : missed;
}

/* The link goes first: nothing is to be sent to a socket that is closing. */
void xdp_filter_close(xdp_filter *filter) {
    int *fds[] = {&filter->link_fd, &filter->program_fd, &filter->lines_fd, &filter->sockets_fd,
                  &filter->missed_fd};
    for (size_t index = 0; index < sizeof fds / sizeof *fds; index++) {
        if (*fds[index] >= 0) close(*fds[index]);
        *fds[index] = -1;
    }
}
