/* Memory for packets: in huge pages where there are some, known to the NIC where it must be. */
#define _GNU_SOURCE
#include "efvi_port.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#define HUGE_PAGE_BYTES (2u << 20)
#define MAP_FLAGS (MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE)

static void *map(size_t size_bytes) {
    void *base = MAP_FAILED;
    if (size_bytes % HUGE_PAGE_BYTES == 0)
        base = mmap(NULL, size_bytes, PROT_READ | PROT_WRITE, MAP_FLAGS | MAP_HUGETLB, -1, 0);
    if (base == MAP_FAILED)
        base = mmap(NULL, size_bytes, PROT_READ | PROT_WRITE, MAP_FLAGS, -1, 0);
    return base;
}

int efvi_memory_get(efvi_port *port, efvi_memory *memory, size_t size_bytes, int registered) {
    size_t page_bytes = size_bytes < HUGE_PAGE_BYTES / 2 ? EF_VI_NIC_PAGE_SIZE : HUGE_PAGE_BYTES;
    size_bytes = (size_bytes + page_bytes - 1) & ~(page_bytes - 1);
    void *base = map(size_bytes);
    if (base == MAP_FAILED) return efvi_fail(port, "buffers", errno);
    memory->base = base;
    memory->size_bytes = size_bytes;
    /* After a fork the pages that the NIC knows could become the child's: it gets none of them. */
    if (madvise(base, size_bytes, MADV_DONTFORK)) return efvi_fail(port, "madvise", errno);
    if (!registered) return 0;
    int failed = ef_memreg_alloc(&memory->registration, port->driver, &port->domain, port->driver,
                                 base, size_bytes);
    if (failed) return efvi_fail(port, "ef_memreg_alloc", -failed);
    memory->registered = 1;
    return 0;
}

void efvi_memory_free(efvi_port *port, efvi_memory *memory) {
    if (memory->registered) ef_memreg_free(&memory->registration, port->driver);
    if (memory->base) munmap(memory->base, memory->size_bytes);
    *memory = (efvi_memory){0};
}
