/* Memory for packets: in huge pages where there are some, known to the NIC where it must be. */
#define _GNU_SOURCE
#include "efvi_port.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#define HUGE_PAGE_BYTES ((size_t)2 << 20)
#define READ_WRITE (PROT_READ | PROT_WRITE)
#define MAP_FLAGS (MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE)

/* The NIC's pages may be larger than the kernel's, and large pieces that begin on a border of huge
 * pages take fewer of them. What was mapped in excess is given back. */
static void *map_aligned(size_t size_bytes, size_t align_bytes) {
    uint8_t *base = mmap(NULL, size_bytes + align_bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS,
                         -1, 0);
    if (base == MAP_FAILED) return MAP_FAILED;
    size_t before = (align_bytes - (uintptr_t)base % align_bytes) % align_bytes;
    if (before) munmap(base, before);
    munmap(base + before + size_bytes, align_bytes - before);
    void *wanted = mmap(base + before, size_bytes, READ_WRITE, MAP_FLAGS | MAP_FIXED, -1, 0);
    if (wanted == MAP_FAILED) munmap(base + before, size_bytes);
    return wanted;
}

static int map(efvi_port *port, efvi_memory *memory, size_t size_bytes, size_t page_bytes) {
    void *base = MAP_FAILED;
    if (size_bytes % HUGE_PAGE_BYTES == 0)
        base = mmap(NULL, size_bytes, READ_WRITE, MAP_FLAGS | MAP_HUGETLB, -1, 0);
    if (base == MAP_FAILED && page_bytes >= HUGE_PAGE_BYTES) {
        swp_set_error(port->error_text, "%s: the NIC wants its buffers in huge pages, and the "
                      "kernel has not enough: raise vm.nr_hugepages by %zu", port->device,
                      size_bytes / HUGE_PAGE_BYTES);
        return -ENOMEM;
    }
    if (base == MAP_FAILED)
        base = map_aligned(size_bytes, size_bytes % HUGE_PAGE_BYTES ? page_bytes : HUGE_PAGE_BYTES);
    if (base == MAP_FAILED) return efvi_fail(port, "buffers", errno);
    memory->base = base;
    memory->size_bytes = size_bytes;
    return 0;
}

/* The smallest page that the NIC can be told. */
static size_t nic_page_bytes(efvi_port *port) {
    unsigned long value = 0;
    int failed = ef_pd_capabilities_get(port->driver, &port->domain, port->driver,
                                        EF_VI_CAP_MIN_BUFFER_MODE_SIZE, &value);
    int is_size = !failed && value > EF_VI_NIC_PAGE_SIZE && (value & (value - 1)) == 0;
    return is_size ? value : EF_VI_NIC_PAGE_SIZE;
}

int efvi_memory_get(efvi_port *port, efvi_memory *memory, size_t size_bytes, int registered) {
    size_t page_bytes = registered ? nic_page_bytes(port) : EF_VI_NIC_PAGE_SIZE;
    size_t round_bytes = page_bytes;
    if (size_bytes >= HUGE_PAGE_BYTES / 2 && round_bytes < HUGE_PAGE_BYTES)
        round_bytes = HUGE_PAGE_BYTES;
    int failed = map(port, memory, (size_bytes + round_bytes - 1) & ~(round_bytes - 1), page_bytes);
    if (failed) return failed;
    /* After a fork the pages that the NIC knows could become the child's: it gets none of them. */
    if (madvise(memory->base, memory->size_bytes, MADV_DONTFORK))
        return efvi_fail(port, "madvise", errno);
    if (!registered) return 0;
    failed = ef_memreg_alloc(&memory->registration, port->driver, &port->domain, port->driver,
                             memory->base, memory->size_bytes);
    if (failed) return efvi_fail(port, "ef_memreg_alloc", -failed);
    memory->registered = 1;
    return 0;
}

void efvi_memory_unregister(efvi_port *port, efvi_memory *memory) {
    if (memory->registered) ef_memreg_free(&memory->registration, port->driver);
    memory->registered = 0;
}

void efvi_memory_free(efvi_memory *memory) {
    if (memory->base) munmap(memory->base, memory->size_bytes);
    *memory = (efvi_memory){0};
}
