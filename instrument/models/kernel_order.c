/* kernel_order.c - who reads what another wrote comes after it; who had to wait for room after who made
 * it; and whoever is told by poll, select or epoll that something is ready, or that a child has
 * ended, after all that was sent.
 *
 * The ends of a pipe are one inode. Which sockets belong together the kernel does not say, so all
 * others are taken for one: too much order, never too little.
 */
#include "kernel_order.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "core/control.h"
#include "core/observers.h"
#include "core/real.h"

static const char others, room_of_others, ready, ready_room;
static bool was_full; /* from here on who finds room comes after who made it */

static const void *clock_of(int fd, bool room)
{
    struct stat st;
    int saved = errno;
    bool is_pipe = fstat(fd, &st) == 0 && S_ISFIFO(st.st_mode);

    errno = saved;
    if (is_pipe)
        return (const void *)(1ull << 63 | (uint64_t)room << 60 | (uint64_t)st.st_ino);
    return room ? &room_of_others : &others;
}

void hdi_sends(int fd)
{
    hdi_tell(SENT, .clock = clock_of(fd, false));
    hdi_told_kernel();
    if (was_full)
        hdi_finds_room(fd);
}

/* Less than what is written at once: a writer may have to wait. */
static bool is_full(int fd)
{
    int bytes = 0, saved = errno;
    long room = hdi_real.syscall(SYS_fcntl, fd, F_GETPIPE_SZ);
    bool full = room > 0 && hdi_real.syscall(SYS_ioctl, fd, FIONREAD, &bytes) == 0 &&
                bytes + PIPE_BUF > room;

    errno = saved;
    return full;
}

void hdi_receives(int fd)
{
    was_full = was_full || is_full(fd);
    hdi_tell(RECEIVED, .clock = clock_of(fd, false));
    hdi_from_others(true);
    hdi_makes_room(fd);
}

void hdi_found_full(void)
{
    was_full = true;
}

void hdi_makes_room(int fd)
{
    hdi_tell(SENT, .clock = clock_of(fd, true));
    hdi_tell(SENT, .clock = &ready_room);
}

void hdi_finds_room(int fd)
{
    hdi_tell(RECEIVED, .clock = clock_of(fd, true));
}

void hdi_told_kernel(void)
{
    hdi_tell(SENT, .clock = &ready);
}

void hdi_heard(bool waited)
{
    hdi_tell(RECEIVED, .clock = &ready);
    if (waited || was_full)
        hdi_tell(RECEIVED, .clock = &ready_room);
}

void hdi_to_others(bool shared)
{
    if (shared && hdi_has_forked())
        hdi_told_kernel();
}

void hdi_from_others(bool shared)
{
    if (shared && hdi_has_forked())
        hdi_heard(false);
}
