/* Uses the double of libciul wrongly, once a run, and prints what the double says of it.
 *
 * Usage: misuse CASE; the cases are those of the table at the end.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "ciul.h"

#define BUFFER_BYTES 2048
#define POOL_BYTES (64 * BUFFER_BYTES)

static ef_driver_handle driver;
static ef_pd domain;
static ef_vi vi;
static ef_memreg registration;
static uint8_t *pool;
static uint8_t frame[100];

static void open_all(int kind) {
    ciul_reset();
    ciul_set(CIUL_KIND, kind);
    pool = mmap(NULL, POOL_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ef_driver_open(&driver);
    ef_pd_alloc_by_name(&domain, driver, "lo", EF_PD_DEFAULT);
    ef_vi_alloc_from_pd(&vi, driver, &domain, driver, -1, 512, 512, NULL, -1,
                        (enum ef_vi_flags)(EF_VI_TX_CTPIO | EF_VI_RX_TIMESTAMPS));
    ef_memreg_alloc(&registration, driver, &domain, driver, pool, POOL_BYTES);
    ef_vi_receive_set_buffer_len(&vi, BUFFER_BYTES);
    ciul_set(CIUL_SHARES_QUEUE, 1);
}

static ef_addr address_of(int slot) {
    return ef_memreg_dma_addr(&registration, (size_t)slot * BUFFER_BYTES);
}

static void post_eight(void) {
    for (int slot = 0; slot < 8; slot++) ef_vi_receive_init(&vi, address_of(slot), slot);
    ef_vi_receive_push(&vi);
}

static void add_filter(void) {
    ef_filter_spec spec;
    ef_filter_spec_init(&spec, EF_FILTER_FLAG_NONE);
    ef_filter_spec_set_ip4_local(&spec, 17, 0x010007efu, 0x0100);
    ef_vi_filter_add(&vi, driver, &spec, NULL);
}

/* A datagram to the address and port of that filter. */
static void come_in(void) {
    static const uint8_t head[42] = {
        [12] = 8, [14] = 0x45, [17] = 86, [23] = 17, [30] = 0xef, 7, 0, 1, [36] = 0, 1, [39] = 66};
    memcpy(frame, head, sizeof head);
    ciul_inject(frame, sizeof frame, CIUL_GOOD);
}

static uint32_t take_packet(void) {
    ef_event events[4];
    memset(events, 0, sizeof events);
    come_in();
    ef_eventq_poll(&vi, events, 4);
    return events[0].rx_ref.pkt_id;
}

static void send_by_ctpio(void) {
    struct iovec part = {pool, sizeof frame};
    ef_vi_transmitv_ctpio(&vi, sizeof frame, &part, 1, EF_VI_CTPIO_CT_THRESHOLD_SNF);
}

static void time_after_next_poll(void) {
    ef_event events[4];
    ef_precisetime time;
    post_eight();
    add_filter();
    come_in();
    ef_eventq_poll(&vi, events, 4);
    ef_eventq_poll(&vi, events, 4);
    ef_vi_receive_get_precise_timestamp(&vi, pool, &time);
}

static void post_twice(void) {
    post_eight();
    ef_vi_receive_init(&vi, address_of(9), 3);
}

static void post_unregistered(void) {
    ef_vi_receive_init(&vi, (ef_addr)(uintptr_t)pool, 0);
}

static void post_across_pages(void) {
    ef_vi_receive_init(&vi, address_of(1) + 8, 0);
}

static void post_too_many(void) {
    for (int id = 0; id < 512; id++) ef_vi_receive_init(&vi, address_of(id % 64), id);
}

static void filter_before_buffers(void) {
    add_filter();
}

static void poll_one(void) {
    ef_event event;
    ef_eventq_poll(&vi, &event, 1);
}

static void ctpio_twice(void) {
    send_by_ctpio();
    send_by_ctpio();
}

static void send_before_fallback(void) {
    send_by_ctpio();
    ef_vi_transmit(&vi, address_of(0), sizeof frame, 0);
}

static void fallback_alone(void) {
    ef_vi_transmit_ctpio_fallback(&vi, address_of(0), sizeof frame, 0);
}

static void fallback_differs(void) {
    send_by_ctpio();
    pool[5] ^= 1;
    ef_vi_transmit_ctpio_fallback(&vi, address_of(0), sizeof frame, 0);
}

static void ctpio_beyond_ring(void) {
    ciul_set(CIUL_HOLDS_COMPLETIONS, 1);
    for (int id = 0; id < 512; id++) {
        send_by_ctpio();
        ef_vi_transmit_ctpio_fallback(&vi, address_of(0), sizeof frame, id);
    }
}

static void ctpio_lengths(void) {
    struct iovec part = {pool, 99};
    ef_vi_transmitv_ctpio(&vi, 100, &part, 1, EF_VI_CTPIO_CT_THRESHOLD_SNF);
}

static void same_send_twice(void) {
    ef_vi_transmit(&vi, address_of(0), sizeof frame, 7);
    ef_vi_transmit(&vi, address_of(1), sizeof frame, 7);
}

static void write_under_send(void) {
    ef_event events[4];
    ef_request_id ids[EF_VI_TRANSMIT_BATCH];
    ef_vi_transmit(&vi, address_of(0), sizeof frame, 7);
    ef_eventq_poll(&vi, events, 4);
    pool[0] ^= 1;
    ef_vi_transmit_unbundle(&vi, &events[0], ids);
}

static void unbundle_twice(void) {
    ef_event events[4];
    ef_request_id ids[EF_VI_TRANSMIT_BATCH];
    ef_vi_transmit(&vi, address_of(0), sizeof frame, 7);
    ef_eventq_poll(&vi, events, 4);
    ef_vi_transmit_unbundle(&vi, &events[0], ids);
    ef_vi_transmit_unbundle(&vi, &events[0], ids);
}

static void send_runt(void) {
    ef_vi_transmit(&vi, address_of(0), 59, 0);
}

static void send_unregistered(void) {
    ef_vi_transmit(&vi, (ef_addr)(uintptr_t)pool, sizeof frame, 0);
}

static void release_twice(void) {
    uint32_t packet = take_packet();
    efct_vi_rxpkt_release(&vi, packet);
    efct_vi_rxpkt_release(&vi, packet);
}

static void read_after_release(void) {
    uint32_t packet = take_packet();
    efct_vi_rxpkt_release(&vi, packet);
    efct_vi_rxpkt_get(&vi, packet);
}

static void free_while_held(void) {
    take_packet();
    ef_vi_free(&vi, driver);
}

static void unregister_under_vi(void) {
    ef_memreg_free(&registration, driver);
}

static void free_domain_first(void) {
    ef_pd_free(&domain, driver);
}

static void close_driver_first(void) {
    ef_driver_close(driver);
}

static void nothing_wrong(void) {
    post_eight();
    add_filter();
    come_in();
    send_by_ctpio();
    ef_vi_transmit_ctpio_fallback(&vi, address_of(0), sizeof frame, 0);
}

static const struct {
    const char *name;
    int kind;
    void (*run)(void);
} cases[] = {
    {"time_after_next_poll", CIUL_EF10, time_after_next_poll},
    {"post_twice", CIUL_EF10, post_twice},
    {"post_unregistered", CIUL_EF10, post_unregistered},
    {"post_across_pages", CIUL_EF10, post_across_pages},
    {"post_too_many", CIUL_EF10, post_too_many},
    {"filter_before_buffers", CIUL_EF10, filter_before_buffers},
    {"poll_one", CIUL_EF10, poll_one},
    {"ctpio_twice", CIUL_EF10, ctpio_twice},
    {"send_before_fallback", CIUL_EF10, send_before_fallback},
    {"fallback_alone", CIUL_EF10, fallback_alone},
    {"fallback_differs", CIUL_EF10, fallback_differs},
    {"ctpio_beyond_ring", CIUL_EF10, ctpio_beyond_ring},
    {"ctpio_lengths", CIUL_EF10, ctpio_lengths},
    {"same_send_twice", CIUL_EF10, same_send_twice},
    {"write_under_send", CIUL_EF10, write_under_send},
    {"unbundle_twice", CIUL_EF10, unbundle_twice},
    {"send_runt", CIUL_EF10, send_runt},
    {"send_unregistered", CIUL_EF10, send_unregistered},
    {"release_twice", CIUL_X3, release_twice},
    {"read_after_release", CIUL_X3, read_after_release},
    {"free_while_held", CIUL_X3, free_while_held},
    {"unregister_under_vi", CIUL_EF10, unregister_under_vi},
    {"free_domain_first", CIUL_EF10, free_domain_first},
    {"close_driver_first", CIUL_EF10, close_driver_first},
    {"nothing_wrong", CIUL_EF10, nothing_wrong},
};

int main(int count, char **arguments) {
    for (size_t index = 0; count == 2 && index < sizeof cases / sizeof *cases; index++) {
        if (strcmp(cases[index].name, arguments[1])) continue;
        open_all(cases[index].kind);
        cases[index].run();
        puts(ciul_violation());
        return 0;
    }
    return 2;
}
