#ifndef DOUBLE_ETHERFABRIC_PD_H
#define DOUBLE_ETHERFABRIC_PD_H

#include <etherfabric/base.h>

enum ef_pd_flags { EF_PD_DEFAULT = 0 };

typedef struct ef_pd {
    int id;
} ef_pd;

int ef_pd_alloc_by_name(ef_pd *pd, ef_driver_handle handle, const char *cluster_or_intf_name,
                        enum ef_pd_flags flags);
int ef_pd_free(ef_pd *pd, ef_driver_handle handle);

#endif
