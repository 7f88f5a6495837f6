/* A double of libciul without a NIC: handles, domains, registered memory, filters, and the wire. */
#include "ciul.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REGISTRATIONS_MAX 64
#define TEXT_BYTES 256
#define DMA_BASE 0x6d00000000000ull   /* no address of memory looks like those of this NIC */
#define NO_VLAN (-1)

typedef struct {
    uint8_t *base;
    size_t size_bytes;
    ef_addr first;
} registration;

typedef struct {
    uint8_t *bytes;
    uint32_t length_bytes;
} sent_frame;

int64_t ciul_settings[CIUL_SETTINGS];
struct ciul_vi *ciul_vis[CIUL_VIS_MAX];

static registration registrations[REGISTRATIONS_MAX];
static sent_frame *wire;
static uint64_t wire_count, wire_room, ctpio_count, drop_count, violation_count;
static ef_addr next_dma = DMA_BASE;
static int64_t live_count;
static int handles_live, domains_live, next_id;
static char violation_text[TEXT_BYTES];

/* --- the test's side --------------------------------------------------------------------- */

void ciul_violate(const char *format, ...) {
    va_list values;
    if (violation_count++) return;
    va_start(values, format);
    vsnprintf(violation_text, sizeof violation_text, format, values);
    va_end(values);
}

void ciul_reset(void) {
    for (int index = 0; index < CIUL_VIS_MAX; index++) {
        if (ciul_vis[index]) ef_vi_free(ciul_vis[index]->vi, 0);
    }
    for (uint64_t index = 0; index < wire_count; index++) free(wire[index].bytes);
    free(wire);
    wire = NULL;
    wire_count = wire_room = ctpio_count = drop_count = violation_count = 0;
    violation_text[0] = '\0';
    memset(registrations, 0, sizeof registrations);
    live_count = handles_live = domains_live = 0;
    memset(ciul_settings, 0, sizeof ciul_settings);
    ciul_settings[CIUL_MTU_BYTES] = 1518;
    ciul_settings[CIUL_MIN_PAGE_BYTES] = EF_VI_NIC_PAGE_SIZE;
    ciul_settings[CIUL_HAS_CTPIO] = 1;
    ciul_settings[CIUL_HAS_TIMESTAMPS] = 1;
    ciul_settings[CIUL_SUPERBUFS] = 4;
    ciul_settings[CIUL_SUPERBUF_FRAMES] = 128;
    ciul_settings[CIUL_TX_FIFO_BYTES] = 16384;
    ciul_settings[CIUL_CLOCK_FLAGS] = EF_VI_SYNC_FLAG_CLOCK_SET | EF_VI_SYNC_FLAG_CLOCK_IN_SYNC;
}

void ciul_set(int setting, int64_t value) {
    if (setting >= 0 && setting < CIUL_SETTINGS) ciul_settings[setting] = value;
}

uint64_t ciul_drops(void) {
    return drop_count;
}

void ciul_count_drop(void) {
    drop_count++;
}

uint64_t ciul_violations(void) {
    return violation_count;
}

const char *ciul_violation(void) {
    return violation_text;
}

int64_t ciul_live(void) {
    return live_count;
}

void ciul_add_live(int count) {
    live_count += count;
}

int64_t ciul_filters(void) {
    int64_t count = 0;
    for (int index = 0; index < CIUL_VIS_MAX; index++)
        count += ciul_vis[index] ? ciul_vis[index]->filter_count : 0;
    return count;
}

/* --- the wire ---------------------------------------------------------------------------- */

void ciul_put_on_wire(const uint8_t *frame, uint32_t length_bytes, int by_ctpio) {
    if (wire_count == wire_room) {
        wire_room = wire_room ? 2 * wire_room : 64;
        wire = realloc(wire, wire_room * sizeof *wire);
    }
    if (length_bytes < 60 || length_bytes > ciul_settings[CIUL_MTU_BYTES])
        ciul_violate("a frame of %u bytes was sent", length_bytes);
    wire[wire_count].bytes = malloc(length_bytes ? length_bytes : 1);
    wire[wire_count].length_bytes = length_bytes;
    memcpy(wire[wire_count++].bytes, frame, length_bytes);
    ctpio_count += (uint64_t)by_ctpio;
}

uint64_t ciul_sent_count(void) {
    return wire_count;
}

uint64_t ciul_sent_by_ctpio(void) {
    return ctpio_count;
}

int64_t ciul_sent(uint64_t index, void *out, uint32_t room_bytes) {
    if (index >= wire_count) return -1;
    uint32_t kept = wire[index].length_bytes < room_bytes ? wire[index].length_bytes : room_bytes;
    memcpy(out, wire[index].bytes, kept);
    return wire[index].length_bytes;
}

/* --- driver, domain, capabilities -------------------------------------------------------- */

int ef_driver_open(ef_driver_handle *out) {
    if (ciul_settings[CIUL_DRIVER_ERROR]) return -(int)ciul_settings[CIUL_DRIVER_ERROR];
    *out = 1000 + handles_live++;
    live_count++;
    return 0;
}

int ef_driver_close(ef_driver_handle handle) {
    if (handle < 1000) ciul_violate("ef_driver_close of %d", handle);
    if (domains_live >= handles_live) ciul_violate("the driver was closed under a domain");
    handles_live--;
    live_count--;
    return 0;
}

int ef_pd_alloc_by_name(ef_pd *pd, ef_driver_handle handle, const char *name,
                        enum ef_pd_flags flags) {
    if (handle < 1000 || flags != EF_PD_DEFAULT || !name[0]) ciul_violate("ef_pd_alloc_by_name");
    if (ciul_settings[CIUL_DOMAIN_ERROR]) return -(int)ciul_settings[CIUL_DOMAIN_ERROR];
    pd->id = ++next_id;
    domains_live++;
    live_count++;
    return 0;
}

int ef_pd_free(ef_pd *pd, ef_driver_handle handle) {
    if (handle < 1000 || pd->id == 0) ciul_violate("ef_pd_free of no domain");
    /* Every port has one domain, two interfaces and one or two pieces of memory. */
    if (ciul_vis_live() > 2 * (domains_live - 1))
        ciul_violate("the domain was freed under a virtual interface");
    if (ciul_registrations_live() > 2 * (domains_live - 1))
        ciul_violate("the domain was freed under registered memory");
    pd->id = 0;
    domains_live--;
    live_count--;
    return 0;
}

int ef_pd_capabilities_get(ef_driver_handle handle, ef_pd *pd, ef_driver_handle pd_dh,
                           enum ef_vi_capability capability, unsigned long *value) {
    int is_x3 = ciul_settings[CIUL_KIND] == CIUL_X3;
    if (handle != pd_dh || pd->id == 0) ciul_violate("ef_pd_capabilities_get of no domain");
    switch (capability) {
    case EF_VI_CAP_RX_REF:
        if (!is_x3) return -EOPNOTSUPP;
        *value = 1;
        return 0;
    case EF_VI_CAP_CTPIO_ONLY:
        *value = (unsigned long)is_x3;
        return 0;
    case EF_VI_CAP_CTPIO:
        *value = (unsigned long)ciul_settings[CIUL_HAS_CTPIO];
        return 0;
    case EF_VI_CAP_HW_RX_TIMESTAMPING:
        *value = (unsigned long)ciul_settings[CIUL_HAS_TIMESTAMPS];
        return 0;
    case EF_VI_CAP_MIN_BUFFER_MODE_SIZE:
        *value = (unsigned long)ciul_settings[CIUL_MIN_PAGE_BYTES];
        return 0;
    case EF_VI_CAP_RX_FORCE_EVENT_MERGING:
        *value = (unsigned long)ciul_settings[CIUL_MERGES_EVENTS];
        return 0;
    }
    return -ENOSYS;
}

/* --- registered memory ------------------------------------------------------------------- */

int ciul_registrations_live(void) {
    int count = 0;
    for (int index = 0; index < REGISTRATIONS_MAX; index++)
        count += registrations[index].base != NULL;
    return count;
}

int ef_memreg_alloc(ef_memreg *mr, ef_driver_handle mr_dh, ef_pd *pd, ef_driver_handle pd_dh,
                    void *memory, size_t length_bytes) {
    if (mr_dh != pd_dh || pd->id == 0) ciul_violate("ef_memreg_alloc without a domain");
    size_t page_bytes = (size_t)ciul_settings[CIUL_MIN_PAGE_BYTES];
    if ((uintptr_t)memory % page_bytes || length_bytes % page_bytes)
        ciul_violate("registered memory must be whole pages");
    if (ciul_settings[CIUL_MEMREG_ERROR]) return -(int)ciul_settings[CIUL_MEMREG_ERROR];
    size_t page_count = length_bytes >> EF_VI_NIC_PAGE_SHIFT;
    int slot = 0;
    while (slot < REGISTRATIONS_MAX && registrations[slot].base) slot++;
    if (slot == REGISTRATIONS_MAX) return -ENOSPC;
    registrations[slot] = (registration){memory, length_bytes, next_dma};
    mr->mr_dma_addrs_base = mr->mr_dma_addrs = malloc(page_count * sizeof *mr->mr_dma_addrs);
    /* Every second page of the NIC's addresses is nobody's. */
    for (size_t page = 0; page < page_count; page++)
        mr->mr_dma_addrs[page] = next_dma + (page << (EF_VI_NIC_PAGE_SHIFT + 1));
    next_dma += (page_count + 16) << (EF_VI_NIC_PAGE_SHIFT + 1);
    live_count++;
    return 0;
}

int ef_memreg_free(ef_memreg *mr, ef_driver_handle mr_dh) {
    if (mr_dh < 1000 || mr->mr_dma_addrs == NULL) {
        ciul_violate("ef_memreg_free of nothing");
        return -EINVAL;
    }
    for (int slot = 0; slot < REGISTRATIONS_MAX; slot++) {
        if (registrations[slot].first != mr->mr_dma_addrs[0]) continue;
        if (ciul_vis_live() > 2 * (domains_live - 1))
            ciul_violate("memory was unregistered under a virtual interface");
        registrations[slot] = (registration){0};
    }
    free(mr->mr_dma_addrs_base);
    mr->mr_dma_addrs = mr->mr_dma_addrs_base = NULL;
    live_count--;
    return 0;
}

uint8_t *ciul_translate(ef_addr address, uint32_t size_bytes) {
    size_t in_page = address & (EF_VI_NIC_PAGE_SIZE - 1);
    for (int slot = 0; slot < REGISTRATIONS_MAX; slot++) {
        const registration *one = &registrations[slot];
        if (!one->base || address < one->first) continue;
        size_t page = (address - one->first) >> (EF_VI_NIC_PAGE_SHIFT + 1);
        if ((address - one->first - in_page) != page << (EF_VI_NIC_PAGE_SHIFT + 1)) continue;
        if (page >= one->size_bytes >> EF_VI_NIC_PAGE_SHIFT) continue;
        if (in_page + size_bytes > EF_VI_NIC_PAGE_SIZE) return NULL;
        return one->base + (page << EF_VI_NIC_PAGE_SHIFT) + in_page;
    }
    return NULL;
}

/* --- filters ----------------------------------------------------------------------------- */

void ef_filter_spec_init(ef_filter_spec *spec, enum ef_filter_flags flags) {
    memset(spec, 0, sizeof *spec);
    spec->flags = flags;
    spec->vlan_id = NO_VLAN;
}

int ef_filter_spec_set_ip4_local(ef_filter_spec *spec, int protocol, unsigned host_be32,
                                 int port_be16) {
    if (spec->protocol) return -EPROTONOSUPPORT;
    spec->protocol = protocol;
    spec->host_be32 = host_be32;
    spec->port_be16 = port_be16;
    return 0;
}

int ef_filter_spec_set_vlan(ef_filter_spec *spec, int vlan_id) {
    spec->vlan_id = vlan_id;
    return 0;
}

int ef_vi_filter_add(ef_vi *vi, ef_driver_handle vi_dh, const ef_filter_spec *spec,
                     ef_filter_cookie *cookie_out) {
    struct ciul_vi *own = vi->own;
    if (vi_dh < 1000 || own == NULL || spec->protocol != 17)
        ciul_violate("ef_vi_filter_add: no filter for UDP");
    if (ciul_settings[CIUL_KIND] == CIUL_EF10 && own->rx_pushed == 0)
        ciul_violate("a filter was added before the first buffer was posted");
    if (ciul_settings[CIUL_FILTER_ERROR]) return -(int)ciul_settings[CIUL_FILTER_ERROR];
    if (own->filter_count == CIUL_FILTERS_MAX) return -EBUSY;
    own->filters[own->filter_count] = (ciul_filter){++next_id, spec->host_be32,
                                                    (uint16_t)spec->port_be16, spec->vlan_id};
    if (cookie_out) cookie_out->filter_id = own->filters[own->filter_count].id;
    own->filter_count++;
    live_count++;
    return 0;
}

int ef_vi_filter_del(ef_vi *vi, ef_driver_handle vi_dh, ef_filter_cookie *cookie) {
    struct ciul_vi *own = vi->own;
    for (int index = 0; vi_dh >= 1000 && index < own->filter_count; index++) {
        if (own->filters[index].id != cookie->filter_id) continue;
        own->filters[index] = own->filters[--own->filter_count];
        live_count--;
        return 0;
    }
    ciul_violate("ef_vi_filter_del of no filter");
    return -EINVAL;
}
