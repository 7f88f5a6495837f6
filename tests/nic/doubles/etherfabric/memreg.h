#ifndef DOUBLE_ETHERFABRIC_MEMREG_H
#define DOUBLE_ETHERFABRIC_MEMREG_H

#include <etherfabric/base.h>

typedef struct ef_memreg {
    ef_addr *mr_dma_addrs;
    ef_addr *mr_dma_addrs_base;
} ef_memreg;

struct ef_pd;

int ef_memreg_alloc(ef_memreg *mr, ef_driver_handle mr_dh, struct ef_pd *pd,
                    ef_driver_handle pd_dh, void *memory, size_t length_bytes);
int ef_memreg_free(ef_memreg *mr, ef_driver_handle mr_dh);

/* Only the bytes of one 4 KiB page stand side by side in the NIC's addresses. */
ef_vi_inline ef_addr ef_memreg_dma_addr(ef_memreg *mr, size_t offset) {
    return mr->mr_dma_addrs[offset >> EF_VI_NIC_PAGE_SHIFT] | (offset & (EF_VI_NIC_PAGE_SIZE - 1));
}

#endif
