/* file_locks.c - locks of files: flock, lockf, fcntl.
 *
 * They are the kernel's, and other processes may have them. Who has to wait does so in the model
 * until a try would do; who gets one comes after whoever unlocked that file. A fork shares or loses
 * them, so that the first one moves the point where schedules begin.
 */
#include "file_locks.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/observers.h"
#include "memory/descriptor_race.h"
#include "core/real.h"
#include "core/thread.h"
#include "identity.h"

static bool used; /* the program has locked a file */

static const void *clock_of(int fd)
{
    struct stat st;
    int saved = errno;
    uint64_t ino = fstat(fd, &st) == 0 ? (uint64_t)st.st_ino & 0xffffffffffffffu : 0;

    errno = saved;
    return (const void *)(uintptr_t)(1ull << 62 | 3ull << 56 | ino);
}

static void point(int fd, uint64_t site)
{
    hdi_first_thread();
    used = true;
    hdi_point(HD_EV_FD_WAIT,
              hdi_object_get((const void *)(uintptr_t)(unsigned)(fd + 1), HD_OB_FD,
                             sizeof(struct hdi_object), site),
              site);
}

static void unlocks(int fd)
{
    hdi_tell(SENT, .clock = clock_of(fd));
    hdi_to_others(true);
}

void hdi_file_unlocks(int fd, uint64_t site)
{
    struct stat st;
    int saved = errno;

    if (used && fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode)) {
        point(fd, site);
        unlocks(fd);
    }
    errno = saved;
}

/* What a try would do. */
struct attempt {
    int fd, operation; /* of flock */
    int command;       /* of fcntl; 0: it is flock */
    struct flock lock;
};

/* Only a try can tell of flock; who waits has given up what it had. */
static bool is_free(const struct hdi_op *op)
{
    const struct attempt *a = op->data;
    struct flock there = a->lock;
    int saved = errno;
    bool is;

    if (a->command) {
        is = hdi_real.fcntl(a->fd, a->command == F_OFD_SETLKW ? F_OFD_GETLK : F_GETLK, &there) !=
                 0 ||
             there.l_type == F_UNLCK;
    } else {
        is = hdi_real.flock(a->fd, a->operation | LOCK_NB) == 0 || errno != EWOULDBLOCK;
        hdi_real.flock(a->fd, LOCK_UN);
    }
    errno = saved;
    return is;
}

/* 0, or -1 and errno. */
static int await(struct attempt *a, uint64_t site)
{
    struct hdi_op op = {.kind = HD_EV_FD_WAIT,
                        .object = hdi_object_get((const void *)(uintptr_t)(unsigned)(a->fd + 1),
                                                 HD_OB_FD, sizeof(struct hdi_object), site),
                        .site = site,
                        .ready = is_free,
                        .data = a,
                        .outside = true,
                        .interrupt = HDI_RESTARTS,
                        .cancellable = a->command != 0};

    switch (hdi_perform(&op)) {
    case HDI_CANCELLED:
        hdi_cancel_self();
        return 0;
    case HDI_INTERRUPTED:
        errno = EINTR;
        return -1;
    default:
        return 0;
    }
}

static int taken(int fd, int rc)
{
    if (rc == 0) {
        hdi_tell(RECEIVED, .clock = clock_of(fd));
        hdi_from_others(true);
    }
    return rc;
}

HDI_EXPORT int flock(int fd, int operation)
{
    struct attempt a = {.fd = fd, .operation = operation & ~LOCK_NB};
    int rc;

    if (!hdi_enter())
        return hdi_real.flock(fd, operation);
    hdi_descriptor_used(fd, HDI_SITE());
    point(fd, HDI_SITE());
    if (operation & (LOCK_UN | LOCK_SH)) /* one for writing may become one for reading */
        unlocks(fd);
    if (operation & LOCK_UN)
        return hdi_real.flock(fd, operation);
    while ((rc = hdi_real.flock(fd, operation | LOCK_NB)) != 0 && errno == EWOULDBLOCK &&
           !(operation & LOCK_NB))
        if (await(&a, HDI_SITE()) != 0)
            return -1;
    return taken(fd, rc);
}

static bool is_lock_command(int command)
{
    return command == F_SETLK || command == F_SETLKW || command == F_OFD_SETLK ||
           command == F_OFD_SETLKW;
}

static int lock(int fd, int command, struct flock *wanted, uint64_t site)
{
    bool waits = command == F_SETLKW || command == F_OFD_SETLKW;
    int at_once = command == F_SETLKW ? F_SETLK : command == F_OFD_SETLKW ? F_OFD_SETLK : command;
    struct attempt a = {.fd = fd, .command = command, .lock = *wanted};
    int rc;

    hdi_descriptor_used(fd, site);
    point(fd, site);
    if (a.lock.l_type != F_WRLCK)
        unlocks(fd);
    if (a.lock.l_type == F_UNLCK)
        return hdi_real.fcntl(fd, at_once, wanted);
    while ((rc = hdi_real.fcntl(fd, at_once, wanted)) != 0 &&
           (errno == EAGAIN || errno == EACCES) && waits)
        if (await(&a, site) != 0)
            return -1;
    return taken(fd, rc);
}

/* As the C library makes it of fcntl. */
HDI_EXPORT int lockf(int fd, int command, off_t length)
{
    struct flock wanted = {
        .l_type = command == F_ULOCK ? F_UNLCK : F_WRLCK, .l_whence = SEEK_CUR, .l_len = length};

    if (!hdi_enter() || (command != F_ULOCK && command != F_LOCK && command != F_TLOCK))
        return hdi_real.lockf(fd, command, length);
    return lock(fd, command == F_LOCK ? F_SETLKW : F_SETLK, &wanted, HDI_SITE());
}

/* ---- fcntl ---- */

/* Who has a lock, and who is told of a descriptor, are processes. */
static int control(int fd, int command, void *arg, uint64_t site)
{
    struct f_owner_ex owner;
    int rc;

    if (arg && is_lock_command(command) && hdi_enter())
        return lock(fd, command, arg, site);
    if (hdi_enter()) {
        hdi_touched_files();
        if (command != F_GETFD && command != F_GETFL) /* which ask whether it is open */
            hdi_descriptor_used(fd, site);
    }
    if (command == F_SETOWN)
        arg = (void *)(intptr_t)hdi_process_or_group((int)(intptr_t)arg);
    if (command == F_SETOWN_EX) {
        owner = *(struct f_owner_ex *)arg;
        owner.pid = hdi_process(owner.pid);
        arg = &owner;
    }
    rc = hdi_real.fcntl(fd, command, arg);
    if (command == F_DUPFD || command == F_DUPFD_CLOEXEC)
        return hdi_descriptor_opened(rc, site);
    if (command == F_GETOWN)
        return rc < -1 ? -hdi_known_process(-rc) : hdi_known_process(rc);
    if (rc == 0 && command == F_GETLK)
        ((struct flock *)arg)->l_pid = hdi_known_process(((struct flock *)arg)->l_pid);
    if (rc == 0 && command == F_GETOWN_EX)
        ((struct f_owner_ex *)arg)->pid = hdi_known_process(((struct f_owner_ex *)arg)->pid);
    return rc;
}

#define CONTROL(name)                                                                              \
    HDI_EXPORT int name(int fd, int command, ...)                                                  \
    {                                                                                              \
        va_list ap;                                                                                \
        void *arg;                                                                                 \
        va_start(ap, command);                                                                     \
        arg = va_arg(ap, void *);                                                                  \
        va_end(ap);                                                                                \
        return control(fd, command, arg, HDI_SITE());                                              \
    }

CONTROL(fcntl)
CONTROL(fcntl64)
