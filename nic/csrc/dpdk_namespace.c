/* Network namespaces. A device over a kernel interface is named, and closed, where that is: seen
 * from elsewhere its driver (net_af_xdp) finds no such interface and leaves its program on it.
 */
#define _GNU_SOURCE
#include "dpdk_port.h"

#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define HERE "/proc/thread-self/ns/net"

int dpdk_namespace_here(void) {
    return open(HERE, O_RDONLY | O_CLOEXEC);
}

static int is_same(int one, int other) {
    struct stat first, second;
    if (fstat(one, &first) || fstat(other, &second)) return 0;
    return first.st_dev == second.st_dev && first.st_ino == second.st_ino;
}

int dpdk_namespace_enter(int namespace_fd) {
    int here = dpdk_namespace_here();
    if (here < 0) return -1;
    if (namespace_fd >= 0 && !is_same(here, namespace_fd) && setns(namespace_fd, CLONE_NEWNET) == 0)
        return here;
    close(here);
    return -1;
}

void dpdk_namespace_return(int here) {
    if (here < 0) return;
    /* It was here a moment ago and needed no more than it has; a thread in the wrong namespace
     * would trade with the wrong network. */
    if (setns(here, CLONE_NEWNET)) abort();
    close(here);
}
