/* What net_af_xdp leaves open: the driver of DPDK 22.11 unmaps the rings of its AF_XDP sockets when
 * a device is closed and forgets the sockets, which keep their queue until the process ends.
 *
 * A socket whose rings were mapped before a device was closed and are not any more was its own.
 */
#define _GNU_SOURCE
#include "dpdk_port.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define LINE_BYTES 512
#define GIVE_BACK_NS 100000000   /* the kernel takes up to 40 ms for it */

static int is_xdp_socket(int fd) {
    int domain = 0;
    socklen_t size = sizeof domain;
    return getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) == 0 && domain == AF_XDP;
}

static ino_t inode_of(int fd) {
    struct stat found;
    return fstat(fd, &found) ? 0 : found.st_ino;
}

/* -1 where it cannot be known. */
static int is_mapped(ino_t inode) {
    FILE *maps = fopen("/proc/self/maps", "re");
    char line[LINE_BYTES];
    int found = 0;
    if (maps == NULL) return -1;
    while (!found && fgets(line, sizeof line, maps)) {
        unsigned long number = 0;
        found = sscanf(line, "%*s %*s %*s %*s %lu", &number) == 1 && number == inode;
    }
    fclose(maps);
    return found;
}

void dpdk_sockets_note(dpdk_sockets *noted) {
    DIR *open_files = opendir("/proc/self/fd");
    noted->count = 0;
    if (open_files == NULL) return;
    for (struct dirent *entry; (entry = readdir(open_files)) && noted->count < DPDK_SOCKETS_MAX;) {
        int fd = atoi(entry->d_name);
        if (!is_xdp_socket(fd)) continue;
        ino_t inode = inode_of(fd);
        if (inode && is_mapped(inode) == 1)
            noted->sockets[noted->count++] = (dpdk_socket){fd, inode};
    }
    closedir(open_files);
}

int dpdk_sockets_close(const dpdk_sockets *noted) {
    int closed = 0;
    for (uint32_t index = 0; index < noted->count; index++) {
        const dpdk_socket *one = &noted->sockets[index];
        if (inode_of(one->fd) != one->inode || is_mapped(one->inode)) continue;
        close(one->fd);
        closed++;
    }
    struct timespec pause = {0, GIVE_BACK_NS};
    if (closed) nanosleep(&pause, NULL);
    return closed;
}
