#ifndef DOUBLE_ETHERFABRIC_BASE_H
#define DOUBLE_ETHERFABRIC_BASE_H

#include <etherfabric/ef_vi.h>

#define EF_VI_NIC_PAGE_SHIFT 12
#define EF_VI_NIC_PAGE_SIZE (1 << EF_VI_NIC_PAGE_SHIFT)

int ef_driver_open(ef_driver_handle *out);
int ef_driver_close(ef_driver_handle handle);

#endif
