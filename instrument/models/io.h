/* io.h - descriptors that may block, and the order that the kernel makes between who uses them. */
#ifndef HEDDLE_IO_H
#define HEDDLE_IO_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "wire/faults.h"

/* A file or directory, or not open. */
bool hdi_never_blocks(int fd);
/* One of them is ready now, or wrong. */
bool hdi_polled(struct pollfd *fds, nfds_t n);

/* Wait until fd is ready for `events` (POLLIN, POLLOUT); what the other end did comes before.
 * False, with errno: a handler without SA_RESTART ran. At once for a file, and for what is not
 * open. */
bool hdi_await(int fd, short events, uint64_t site);
/* The same for a stream, which libc reads for: no handler ends it. */
void hdi_await_stream(int fd, uint64_t site);
/* The same for a call that may not wait: then a point, and the order. */
bool hdi_await_unless(bool at_once, int fd, short events, uint64_t site);
void hdi_touch(int fd, short events, uint64_t site);

/* The call that hands something on at a descriptor has returned rc, which this returns: whoever waits for
 * it may go on before the caller does. */
ssize_t hdi_handed_on(ssize_t rc, uint64_t site);

/* What is read of fd, a stream socket, may come in parts, and is waited for. */
bool hdi_comes_in_parts(int fd);

/* How many of `bytes` a call reads from fd, or writes to it: fewer if the schedule has it so, which may happen
 * to files and streams of bytes. */
size_t hdi_fewer(int fd, size_t bytes, enum hdp_fault_kind kind, uint64_t site);
/* The same of several pieces; *n of them are left, the first perhaps as *piece, which is returned then. */
const struct iovec *hdi_fewer_pieces(int fd, const struct iovec *v, int *n, struct iovec *piece,
                                     enum hdp_fault_kind kind, uint64_t site);

/* The bytes leave the process (BYTES_LEFT); how many. */
size_t hdi_bytes_left(const struct iovec *v, size_t n, uint64_t site);
/* `bytes` came into them. */
void hdi_bytes_came(const struct iovec *v, size_t n, ssize_t bytes, uint64_t site);
/* It is about to be written to fd, is more than a pipe takes at once, and may block half way. */
bool hdi_long_write(int fd, size_t bytes, uint64_t site);
/* And may come in parts: fd is a pipe, or a stream socket. */
bool hdi_takes_parts(int fd, size_t bytes);
/* Then, with the flags of send(): each part as soon as there is room for it. */
ssize_t hdi_write_parts(int fd, const struct iovec *v, size_t n, int flags, uint64_t site);

/* Return from the calling function what `call` returns, which may block outside control; what was
 * waited for at fd, if it is one, comes before. */
#define HDI_OUTSIDE(type, fd, site, call)                                                          \
    do {                                                                                           \
        type rc_;                                                                                  \
        hdi_external_enter(site);                                                                  \
        rc_ = (call);                                                                              \
        hdi_returns(fd);                                                                           \
        return rc_;                                                                                \
    } while (0)
void hdi_returns(int fd);

#endif /* HEDDLE_IO_H */
