/* What the C files of the DPDK driver share. */
#ifndef SWEEPWIRE_DPDK_DRIVER_H
#define SWEEPWIRE_DPDK_DRIVER_H

#include "dpdk_port.h"

#define GROUP 0xefc00709u
#define UDP_PORT 31777
#define VLAN 77
#define EXPECT(truth) ((truth) ? (void)0 : driver_failed(#truth, __FILE__, __LINE__))

extern const swp_ops *ops;

/* Says what was expected, and ends the process. */
void driver_failed(const char *what, const char *file, int line);
swp_dpdk_config usual(const char *device);
dpdk_port *open_port(const swp_dpdk_config *config);

void torment_list(void);
void torment_rules(void);
void torment_leftovers(void);

#endif
