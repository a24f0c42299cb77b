/* files.c - open files and directories of the program: their offsets, and the sizes and contents of
 * those that it may write to, are set back before each schedule, which opens them again: what is
 * locked through one goes with the schedule, or when it is closed there.
 */
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/control.h"
#include "core/real.h"
#include "noting.h"
#include "turn/rt.h"
#include "world.h"

#define KEPT_BYTES ((off_t)64 << 20) /* of all files together */

static struct file {
    struct file *next;
    int fd, flags;
    dev_t dev;
    ino_t ino;
    bool writable, opened_again, close_on_exec;
    const struct file *same; /* another number of the same open file description */
    off_t offset, size;
    char *contents; /* of a writable one; NULL: it was empty, or was too much to keep */
} * files;
static off_t kept;

/* To read from the same file, whatever it was opened for. */
static int reader(const struct file *f)
{
    char path[48];

    if ((f->flags & O_ACCMODE) == O_RDWR)
        return f->fd;
    rt_descriptor_path(path, "fd", f->fd);
    return (int)hdi_real.syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
}

static void close_reader(const struct file *f, int in)
{
    if (in >= 0 && in != f->fd)
        hdi_real.syscall(SYS_close, in);
}

static void keep_contents(struct file *f)
{
    int in = reader(f);
    off_t have = 0;
    long got;

    if (in >= 0 && kept + f->size <= KEPT_BYTES) {
        f->contents = hdi_alloc((size_t)f->size);
        while (have < f->size && (got = hdi_real.syscall(SYS_pread64, in, f->contents + have,
                                                         f->size - have, have)) > 0)
            have += got;
        kept += f->size;
    }
    if (have < f->size) {
        f->contents = NULL;
        rt_shared(f->fd, "contents of a file");
    }
    close_reader(f, in);
}

static void note(int fd)
{
    struct stat st;
    int flags = (int)hdi_real.syscall(SYS_fcntl, fd, F_GETFL);
    struct file *f;

    if (flags < 0 || (flags & O_PATH) || fstat(fd, &st) != 0 ||
        (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode)))
        return;
    f = hdi_alloc(sizeof *f);
    *f = (struct file){.next = files,
                       .fd = fd,
                       .flags = flags,
                       .dev = st.st_dev,
                       .ino = st.st_ino,
                       .opened_again = S_ISREG(st.st_mode) && !rt_was_open(fd, &st),
                       .close_on_exec = hdi_real.syscall(SYS_fcntl, fd, F_GETFD) & FD_CLOEXEC,
                       .writable = S_ISREG(st.st_mode) && (flags & O_ACCMODE) != O_RDONLY,
                       .offset = lseek(fd, 0, SEEK_CUR),
                       .size = st.st_size};
    for (const struct file *o = files; o && f->opened_again && !f->same; o = o->next)
        if (o->ino == f->ino && o->dev == f->dev && rt_share_description(o->fd, fd))
            f->same = o->same ? o->same : o;
    files = f;
    if (f->writable && f->size)
        keep_contents(f);
}

void rt_files_note(void)
{
    rt_each_descriptor(note);
}

/* With O_APPEND the kernel would write to the end, whatever the offset. */
static bool write_at(const struct file *f, const char *bytes, size_t n, off_t at)
{
    bool done;

    if (f->flags & O_APPEND)
        hdi_real.syscall(SYS_fcntl, f->fd, F_SETFL, f->flags & ~O_APPEND);
    done = hdi_real.syscall(SYS_pwrite64, f->fd, bytes, n, at) == (long)n;
    if (f->flags & O_APPEND)
        hdi_real.syscall(SYS_fcntl, f->fd, F_SETFL, f->flags);
    return done;
}

static void set_back_contents(const struct file *f)
{
    char now[16384];
    int in = reader(f);

    for (off_t at = 0; in >= 0 && at < f->size;) {
        size_t want = f->size - at < (off_t)sizeof now ? (size_t)(f->size - at) : sizeof now;
        long got = hdi_real.syscall(SYS_pread64, in, now, want, at);
        if (got <= 0)
            break;
        if (memcmp(now, f->contents + at, (size_t)got) != 0 &&
            !write_at(f, f->contents + at, (size_t)got, at))
            rt_shared(f->fd, "contents of a file");
        at += got;
    }
    close_reader(f, in);
}

void rt_files_set_back(void)
{
    for (const struct file *f = files; f; f = f->next) {
        struct stat st;
        if (f->writable && fstat(f->fd, &st) == 0 && st.st_size != f->size &&
            ftruncate(f->fd, f->size) != 0)
            rt_shared(f->fd, "size of a file");
        if (f->contents)
            set_back_contents(f);
        lseek(f->fd, f->offset, SEEK_SET);
    }
}

static void open_again(const struct file *f)
{
    char path[48];
    int fd;

    rt_descriptor_path(path, "fd", f->fd);
    fd = (int)hdi_real.syscall(SYS_openat, AT_FDCWD, path, f->flags | O_CLOEXEC);
    if (fd < 0)
        return; /* its permissions have changed: it stays the server's */
    lseek(fd, f->offset, SEEK_SET);
    for (const struct file *o = files; o; o = o->next)
        if (o == f || o->same == f)
            hdi_real.syscall(SYS_dup3, fd, o->fd, o->close_on_exec ? O_CLOEXEC : 0);
    hdi_real.syscall(SYS_close, fd);
}

void rt_files_make(void)
{
    for (const struct file *f = files; f; f = f->next)
        if (f->opened_again && !f->same)
            open_again(f);
}
