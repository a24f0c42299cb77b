/* file_names.c - names in the file system that the program makes.
 *
 * The first one moves the point where schedules begin; from there on each schedule makes its own,
 * and the server removes what one has made before the next begins: so that what the last one has
 * made stays, as after any run.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>

#include "core/real.h"
#include "core/thread.h"
#include "io.h"
#include "memory/descriptor_race.h"
#include "named_pipe.h"
#include "proc_files.h"

#define NAME_BYTES 512
#define NAMES 1024

/* In memory that schedules share with the server; its pages are there when they are used. */
struct made {
    uint32_t count;
    char name[NAMES][NAME_BYTES];
};

static struct made *made;

void *hdi_file_names_start(void)
{
    made = mmap(NULL, sizeof *made, PROT_READ | PROT_WRITE,
                MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (made == MAP_FAILED)
        made = NULL;
    return made;
}

void hdi_file_names_remove(void)
{
    while (made && made->count) {
        const char *name = made->name[--made->count];
        if (hdi_real.syscall(SYS_unlink, name) != 0 && (errno == EISDIR || errno == EPERM))
            hdi_real.syscall(SYS_rmdir, name);
    }
}

/* A name that is about to be made: where it will be, empty when it is there already. */
struct place {
    char name[NAME_BYTES];
};

/* How much of it a folder of the process is: the current one, or that of a descriptor. */
static size_t put_folder(int at, char name[NAME_BYTES])
{
    char path[48];
    long n;

    if (at == AT_FDCWD) {
        n = hdi_real.syscall(SYS_getcwd, name, NAME_BYTES) - 1;
    } else {
        snprintf(path, sizeof path, "/proc/self/fd/%d", at);
        n = hdi_real.syscall(SYS_readlink, path, name, NAME_BYTES);
    }
    return n > 0 && n < NAME_BYTES && name[0] == '/' ? (size_t)n : NAME_BYTES;
}

static void put(int at, const char *name, struct place *p)
{
    size_t n = 0;

    if (name[0] != '/' && (n = put_folder(at, p->name)) < NAME_BYTES - 1)
        p->name[n++] = '/';
    if (n + strlen(name) < NAME_BYTES)
        strcpy(p->name + n, name);
    else
        p->name[0] = 0;
}

static void about_to_make(int at, const char *name, struct place *p)
{
    int saved = errno;

    hdi_touched_files();
    hdi_to_others(hdi_controlled());
    p->name[0] = 0;
    if (name && hdi_enter() && hdi_real.syscall(SYS_faccessat, at, name, F_OK) != 0 &&
        errno == ENOENT) {
        hdi_first_thread();
        put(at, name, p);
    }
    errno = saved;
}

static void has_made(const struct place *p, uint64_t site)
{
    if (!p->name[0] || !made)
        return;
    if (made->count < NAMES)
        strcpy(made->name[made->count++], p->name);
    else
        hdi_unmodelled("more new files than the next schedule is freed of", site);
}

/* ---- the calls ---- */

static int opened(int at, const char *name, int flags, mode_t mode, uint64_t site)
{
    struct place p = {""};
    struct hdi_named_pipe pipe;
    char own[HDI_PROC_PATH];
    int fd = hdi_proc_status(name, flags);

    hdi_touched_files();
    if (fd >= 0)
        return fd;
    if (flags & O_CREAT)
        about_to_make(at, name, &p);
    hdi_named_pipe_begin(&pipe, at, name, flags, site);
    fd = hdi_real.openat(at, hdi_proc_path(name, own), flags, mode);
    hdi_named_pipe_end(&pipe);
    hdi_from_others(hdi_controlled());
    if (fd >= 0)
        has_made(&p, site);
    return hdi_descriptor_opened(fd, site);
}

static bool has_mode(int flags)
{
    return (flags & O_CREAT) || (flags & O_TMPFILE) == O_TMPFILE;
}

#define OPEN(name)                                                                                 \
    HDI_EXPORT int name(const char *path, int flags, ...)                                          \
    {                                                                                              \
        mode_t mode = 0;                                                                           \
        va_list ap;                                                                                \
        va_start(ap, flags);                                                                       \
        if (has_mode(flags))                                                                       \
            mode = va_arg(ap, mode_t);                                                             \
        va_end(ap);                                                                                \
        return opened(AT_FDCWD, path, flags, mode, HDI_SITE());                                    \
    }

#define OPENAT(name)                                                                               \
    HDI_EXPORT int name(int at, const char *path, int flags, ...)                                  \
    {                                                                                              \
        mode_t mode = 0;                                                                           \
        va_list ap;                                                                                \
        va_start(ap, flags);                                                                       \
        if (has_mode(flags))                                                                       \
            mode = va_arg(ap, mode_t);                                                             \
        va_end(ap);                                                                                \
        return opened(at, path, flags, mode, HDI_SITE());                                          \
    }

OPEN(open)
OPEN(open64)
OPENAT(openat)
OPENAT(openat64)

HDI_EXPORT int creat(const char *path, mode_t mode)
{
    return opened(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode, HDI_SITE());
}

HDI_EXPORT int creat64(const char *path, mode_t mode)
{
    return opened(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode, HDI_SITE());
}

/* As far as they say which ends of a pipe are opened. */
static int flags_of(const char *how)
{
    return !how || strchr(how, '+') ? O_RDWR : how[0] == 'r' ? O_RDONLY : O_WRONLY;
}

#define FOPEN(name)                                                                                \
    HDI_EXPORT FILE *name(const char *restrict path, const char *restrict how)                     \
    {                                                                                              \
        struct place p = {""};                                                                     \
        struct hdi_named_pipe pipe;                                                                \
        char own[HDI_PROC_PATH];                                                                   \
        FILE *f;                                                                                   \
        int fd = how && how[0] == 'r' && !strchr(how, '+') ? hdi_proc_status(path, O_RDONLY) : -1; \
        hdi_touched_files();                                                                       \
        if (fd >= 0)                                                                               \
            return fdopen(fd, how);                                                                \
        if (how && how[0] != 'r')                                                                  \
            about_to_make(AT_FDCWD, path, &p);                                                     \
        hdi_named_pipe_begin(&pipe, AT_FDCWD, path, flags_of(how), HDI_SITE());                    \
        f = hdi_real.name(hdi_proc_path(path, own), how);                                          \
        hdi_named_pipe_end(&pipe);                                                                 \
        hdi_from_others(hdi_controlled());                                                         \
        if (f) {                                                                                   \
            has_made(&p, HDI_SITE());                                                              \
            hdi_descriptor_opened(fileno(f), HDI_SITE());                                          \
        }                                                                                          \
        return f;                                                                                  \
    }

FOPEN(fopen)
FOPEN(fopen64)

/* Names that are chosen for the program: each schedule chooses its own. */
#define CHOOSES(type, name, params, args, failed)                                                  \
    HDI_EXPORT type name params                                                                    \
    {                                                                                              \
        struct place p = {""};                                                                     \
        type rc;                                                                                   \
        if (hdi_enter())                                                                           \
            hdi_first_thread();                                                                    \
        rc = hdi_real.name args;                                                                   \
        if (rc != (failed) && hdi_enter()) {                                                       \
            put(AT_FDCWD, path, &p);                                                               \
            has_made(&p, HDI_SITE());                                                              \
        }                                                                                          \
        return rc;                                                                                 \
    }

CHOOSES(int, mkstemp, (char *path), (path), -1)
CHOOSES(int, mkstemp64, (char *path), (path), -1)
CHOOSES(int, mkostemp, (char *path, int flags), (path, flags), -1)
CHOOSES(int, mkostemp64, (char *path, int flags), (path, flags), -1)
CHOOSES(int, mkstemps, (char *path, int end), (path, end), -1)
CHOOSES(int, mkostemps, (char *path, int end, int flags), (path, end, flags), -1)
CHOOSES(char *, mkdtemp, (char *path), (path), NULL)

/* Others that make `path`, below `at`. */
#define MAKES(name, params, args, at)                                                              \
    HDI_EXPORT int name params                                                                     \
    {                                                                                              \
        struct place p;                                                                            \
        int rc;                                                                                    \
        about_to_make(at, path, &p);                                                               \
        rc = hdi_real.name args;                                                                   \
        hdi_from_others(hdi_controlled());                                                         \
        if (rc == 0)                                                                               \
            has_made(&p, HDI_SITE());                                                              \
        return rc;                                                                                 \
    }

MAKES(mkdir, (const char *path, mode_t mode), (path, mode), AT_FDCWD)
MAKES(mkdirat, (int at, const char *path, mode_t mode), (at, path, mode), at)
MAKES(mkfifo, (const char *path, mode_t mode), (path, mode), AT_FDCWD)
MAKES(link, (const char *from, const char *path), (from, path), AT_FDCWD)
MAKES(symlink, (const char *from, const char *path), (from, path), AT_FDCWD)
MAKES(rename, (const char *from, const char *path), (from, path), AT_FDCWD)
MAKES(renameat, (int from_at, const char *from, int at, const char *path),
      (from_at, from, at, path), at)

/* A local socket that is bound has a name. */
HDI_EXPORT int bind(int fd, __CONST_SOCKADDR_ARG address, socklen_t bytes)
{
    const struct sockaddr_un *local = address.__sockaddr_un__;
    char path[sizeof local->sun_path + 1] = "";
    struct place p;
    int rc;

    if (local && bytes > sizeof local->sun_family && local->sun_family == AF_UNIX)
        memcpy(path, local->sun_path,
               bytes - sizeof local->sun_family < sizeof path ? bytes - sizeof local->sun_family
                                                              : sizeof path - 1);
    about_to_make(AT_FDCWD, path[0] ? path : NULL, &p);
    rc = hdi_real.bind(fd, address.__sockaddr__, bytes);
    if (rc == 0)
        has_made(&p, HDI_SITE());
    return rc;
}
