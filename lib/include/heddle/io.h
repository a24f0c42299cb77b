/* io.h - reading, writing, accepting and connecting, by a goroutine that waits alone.
 *
 * Each is the function of POSIX without the prefix: same results, same errno, same signals, whatever
 * descriptor it is called for and however that is set (O_NONBLOCK, SO_RCVTIMEO). Where goroutines are
 * fibres the others on the same thread run meanwhile; elsewhere it is that function itself. Regular
 * files are always ready, so that a slow disk keeps the thread: see hd_blocking().
 *   blocks     as that function does
 *   threads    any; goroutines that read (or write) one descriptor do so in the order in which they came
 *   departs    in a fibre that waits: it is not interrupted by signals (no EINTR); a descriptor must not
 *              be closed while one waits for it; SO_RCVLOWAT is not heeded; and while a connection is
 *              begun, whoever shares the socket may find it non-blocking for a moment
 * source: Go package net and os, whose files wait in the runtime's poller.
 */
#ifndef HEDDLE_IO_H
#define HEDDLE_IO_H

#include <stddef.h>
#include <sys/socket.h>
#include <sys/types.h>

#include <heddle/api.h>

HD_BEGIN_DECLS

HD_API ssize_t hd_read(int fd, void *to, size_t bytes);
HD_API ssize_t hd_write(int fd, const void *from, size_t bytes);
HD_API int hd_accept(int fd, struct sockaddr *address, socklen_t *length);
HD_API int hd_connect(int fd, const struct sockaddr *address, socklen_t length);

HD_END_DECLS

#endif /* HEDDLE_IO_H */
