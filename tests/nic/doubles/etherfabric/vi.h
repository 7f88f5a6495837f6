#ifndef DOUBLE_ETHERFABRIC_VI_H
#define DOUBLE_ETHERFABRIC_VI_H

#include <etherfabric/base.h>

struct ef_pd;

int ef_vi_alloc_from_pd(ef_vi *vi, ef_driver_handle vi_dh, struct ef_pd *pd,
                        ef_driver_handle pd_dh, int evq_capacity, int rxq_capacity,
                        int txq_capacity, ef_vi *evq_opt, ef_driver_handle evq_dh,
                        enum ef_vi_flags flags);
int ef_vi_free(ef_vi *vi, ef_driver_handle nic);
unsigned ef_vi_mtu(ef_vi *vi, ef_driver_handle vi_dh);
int ef_vi_get_mac(ef_vi *vi, ef_driver_handle vi_dh, void *mac_out);

enum ef_filter_flags {
    EF_FILTER_FLAG_NONE = 0,
    EF_FILTER_FLAG_EXCLUSIVE_RXQ = 4,
};

typedef struct ef_filter_spec {
    unsigned flags;
    int protocol;
    unsigned host_be32;
    int port_be16;
    int vlan_id;
} ef_filter_spec;

typedef struct ef_filter_cookie {
    int filter_id;
    int filter_type;
} ef_filter_cookie;

void ef_filter_spec_init(ef_filter_spec *spec, enum ef_filter_flags flags);
int ef_filter_spec_set_ip4_local(ef_filter_spec *spec, int protocol, unsigned host_be32,
                                 int port_be16);
int ef_filter_spec_set_vlan(ef_filter_spec *spec, int vlan_id);
int ef_vi_filter_add(ef_vi *vi, ef_driver_handle vi_dh, const ef_filter_spec *spec,
                     ef_filter_cookie *cookie_out);
int ef_vi_filter_del(ef_vi *vi, ef_driver_handle vi_dh, ef_filter_cookie *cookie);

#endif
