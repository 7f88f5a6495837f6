#ifndef DOUBLE_ETHERFABRIC_EFCT_VI_H
#define DOUBLE_ETHERFABRIC_EFCT_VI_H

#include <etherfabric/ef_vi.h>

const void *efct_vi_rxpkt_get(struct ef_vi *vi, uint32_t pkt_id);
void efct_vi_rxpkt_release(struct ef_vi *vi, uint32_t pkt_id);

#endif
