#ifndef DOUBLE_ETHERFABRIC_CAPABILITIES_H
#define DOUBLE_ETHERFABRIC_CAPABILITIES_H

#include <etherfabric/base.h>
#include <etherfabric/pd.h>

enum ef_vi_capability {
    EF_VI_CAP_HW_RX_TIMESTAMPING = 5,
    EF_VI_CAP_CTPIO = 43,
    EF_VI_CAP_RX_FORCE_EVENT_MERGING = 45,
    EF_VI_CAP_MIN_BUFFER_MODE_SIZE = 46,
    EF_VI_CAP_CTPIO_ONLY = 47,
    EF_VI_CAP_RX_REF = 52,
};

int ef_pd_capabilities_get(ef_driver_handle handle, ef_pd *pd, ef_driver_handle pd_dh,
                           enum ef_vi_capability capability, unsigned long *value);

#endif
