/* A stand-in for Onload's extension interface, this project's own: what delegated sends need of it,
 * with the names, the order and the types that Onload's has. See onload.c beside this folder.
 */
#ifndef DOUBLE_ONLOAD_EXTENSIONS_H
#define DOUBLE_ONLOAD_EXTENSIONS_H

#include <sys/uio.h>

struct onload_delegated_send {
    void *headers;
    int headers_len;
    int mss;
    int send_wnd;
    int cong_wnd;
    int user_size;
    int tcp_seq_offset;
    int ip_len_offset;
    int ip_tcp_hdr_len;
    int reserved[5];
};

enum onload_delegated_send_rc {
    ONLOAD_DELEGATED_SEND_RC_OK = 0,
    ONLOAD_DELEGATED_SEND_RC_BAD_SOCKET,
    ONLOAD_DELEGATED_SEND_RC_SMALL_HEADER,
    ONLOAD_DELEGATED_SEND_RC_SENDQ_BUSY,
    ONLOAD_DELEGATED_SEND_RC_NOWIN,
    ONLOAD_DELEGATED_SEND_RC_NOARP,
    ONLOAD_DELEGATED_SEND_RC_NOCWIN,
};

int onload_is_present(void);
enum onload_delegated_send_rc onload_delegated_send_prepare(int fd, int size, unsigned flags,
                                                            struct onload_delegated_send *out);
int onload_delegated_send_complete(int fd, const struct iovec *iov, int iovlen, int flags);
int onload_delegated_send_cancel(int fd);

#endif
