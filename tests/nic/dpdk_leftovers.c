/* Sockets that a driver forgets, and namespaces that a port is closed from. Does nothing where the
 * kernel or the caller's rights have neither. */
#define _GNU_SOURCE
#include "dpdk_driver.h"

#include <linux/if_xdp.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define RING_BYTES 4096u

/* An AF_XDP socket with a mapped ring, or -1. */
static int open_socket(void **ring) {
    int fd = socket(AF_XDP, SOCK_RAW, 0);
    uint32_t entries = 64;
    if (fd < 0) return -1;
    EXPECT(setsockopt(fd, SOL_XDP, XDP_RX_RING, &entries, sizeof entries) == 0);
    *ring = mmap(NULL, RING_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, XDP_PGOFF_RX_RING);
    EXPECT(*ring != MAP_FAILED);
    return fd;
}

static int is_open(int fd) {
    struct stat found;
    return fstat(fd, &found) == 0;
}

static void torment_sockets(void) {
    dpdk_sockets noted;
    void *kept_ring, *dropped_ring;
    int kept = open_socket(&kept_ring), dropped = open_socket(&dropped_ring);
    if (kept < 0 || dropped < 0) return;
    int other = socket(AF_XDP, SOCK_RAW, 0);  /* without rings: not anybody's yet */
    dpdk_sockets_note(&noted);
    EXPECT(noted.count == 2 && dpdk_sockets_close(&noted) == 0);
    munmap(dropped_ring, RING_BYTES);
    EXPECT(dpdk_sockets_close(&noted) == 1);
    EXPECT(is_open(kept) && is_open(other) && !is_open(dropped));
    EXPECT(dpdk_sockets_close(&noted) == 0);
    int taken = socket(AF_INET, SOCK_DGRAM, 0);  /* most likely by the number that is free now */
    EXPECT(dpdk_sockets_close(&noted) == 0 && is_open(taken));
    munmap(kept_ring, RING_BYTES);
    close(kept);
    close(other);
    close(taken);
}

static ino_t namespace_now(void) {
    struct stat found;
    int fd = dpdk_namespace_here();
    EXPECT(fd >= 0 && fstat(fd, &found) == 0);
    close(fd);
    return found.st_ino;
}

static void torment_namespaces(void) {
    int home = dpdk_namespace_here();
    ino_t before = namespace_now();
    EXPECT(dpdk_namespace_enter(home) == -1 && dpdk_namespace_enter(-1) == -1);
    if (unshare(CLONE_NEWNET) == 0) {
        ino_t away = namespace_now();
        int back = dpdk_namespace_enter(home);
        EXPECT(back >= 0 && away != before && namespace_now() == before);
        dpdk_namespace_return(back);
        EXPECT(namespace_now() == away);
        back = dpdk_namespace_enter(home);  /* for good */
        EXPECT(back >= 0);
        close(back);
    }
    close(home);
}

void torment_leftovers(void) {
    torment_sockets();
    torment_namespaces();
}
