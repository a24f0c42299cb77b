/* proc_files.c - files of /proc that are about the process itself: under the number that it calls
 * itself by, with the processors that it may use.
 */
#include "proc_files.h"

#include <dirent.h>
#include <errno.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/control.h"
#include "core/proc.h"
#include "core/real.h"

static const char *number_at(const char *p, int *number)
{
    for (*number = 0; *p >= '0' && *p <= '9'; p++)
        *number = *number * 10 + (*p - '0');
    return p;
}

/* The number at *path, as the kernel knows it, to *to; both move on. False: there is none. */
static bool put_number(const char **path, char **to)
{
    int number;
    const char *end = number_at(*path, &number);

    if (end == *path || end - *path > 9)
        return false;
    *to = hdi_put_decimal(*to, (uint64_t)hdi_process(number));
    *path = end;
    return true;
}

const char *hdi_proc_path(const char *path, char own[HDI_PROC_PATH])
{
    static const char proc[] = "/proc/", self[] = "self", task[] = "/task/";
    const char *p = path;
    char *to;

    if (!p || strncmp(p, proc, strlen(proc)) != 0 || strlen(p) + 32 > HDI_PROC_PATH)
        return path;
    p += strlen(proc);
    to = stpcpy(own, proc);
    if (strncmp(p, self, strlen(self)) == 0) {
        to = stpcpy(to, self);
        p += strlen(self);
    } else if (!put_number(&p, &to)) {
        return path;
    }
    if (strncmp(p, task, strlen(task)) == 0) {
        p += strlen(task);
        to = stpcpy(to, task);
        put_number(&p, &to);
    }
    strcpy(to, p);
    return own;
}

/* ---- status ---- */

static bool is_own_status(const char *path)
{
    char own[HDI_PROC_PATH], whole[32];
    const char *p = hdi_proc_path(path, own);
    size_t n;

    if (p != own)
        return strcmp(path, "/proc/thread-self/status") == 0;
    n = strlen(p);
    snprintf(whole, sizeof whole, "/proc/%d/", (int)hdi_real.syscall(SYS_getpid));
    return n > 7 && strcmp(p + n - 7, "/status") == 0 &&
           (strncmp(p, "/proc/self/", 11) == 0 || strncmp(p, whole, strlen(whole)) == 0);
}

/* What is put together: no stream, which would take memory of the program's heap. */
struct text {
    size_t bytes;
    char at[8192];
};

__attribute__((format(printf, 2, 3))) static void put(struct text *out, const char *format, ...)
{
    size_t room = sizeof out->at - out->bytes;
    va_list ap;
    int n;

    va_start(ap, format);
    n = vsnprintf(out->at + out->bytes, room, format, ap);
    va_end(ap);
    if (n > 0)
        out->bytes += (size_t)n < room ? (size_t)n : room - 1;
}

static void put_cpus(struct text *out, bool as_list)
{
    cpu_set_t set;
    int words = CPU_SETSIZE / 32, from = -1;
    bool first = true;

    sched_getaffinity(0, sizeof set, &set); /* as this process's model has it */
    if (!as_list) {
        const uint32_t *word = (const uint32_t *)&set;
        while (words > 1 && !word[words - 1])
            words--;
        for (int i = words - 1; i >= 0; i--)
            put(out, "%0*x%s", i == words - 1 ? 1 : 8, word[i], i ? "," : "\n");
        return;
    }
    for (int cpu = 0; cpu <= CPU_SETSIZE; cpu++) {
        bool in = cpu < CPU_SETSIZE && CPU_ISSET((size_t)cpu, &set);
        if (in && from < 0)
            from = cpu;
        if (in || from < 0)
            continue;
        put(out, "%s%d", first ? "" : ",", from);
        if (cpu - 1 > from)
            put(out, "-%d", cpu - 1);
        first = false;
        from = -1;
    }
    put(out, "\n");
}

/* A line of the file, without its end. */
static void put_line(struct text *out, const char *line, size_t n)
{
    static const char *const numbers[] = {"Tgid:\t", "Pid:\t", "NStgid:\t", "NSpid:\t",
                                          "NSpgid:\t"};
    int number;

    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        if (strncmp(line, numbers[i], strlen(numbers[i])) == 0) {
            if (number_at(line + strlen(numbers[i]), &number) != line + n)
                break; /* of several name spaces */
            put(out, "%s%d\n", numbers[i], hdi_known_process(number));
            return;
        }
    if (strncmp(line, "PPid:\t", 6) == 0) {
        number_at(line + 6, &number);
        put(out, "PPid:\t%d\n", hdi_known_parent(number));
    } else if (strncmp(line, "Cpus_allowed:\t", 14) == 0) {
        put(out, "Cpus_allowed:\t");
        put_cpus(out, false);
    } else if (strncmp(line, "Cpus_allowed_list:\t", 19) == 0) {
        put(out, "Cpus_allowed_list:\t");
        put_cpus(out, true);
    } else {
        put(out, "%.*s\n", (int)n, line);
    }
}

int hdi_proc_status(const char *path, int flags)
{
    char own[HDI_PROC_PATH], text[8192];
    struct text seen = {0};
    int fd, saved = errno;

    if ((flags & O_ACCMODE) != O_RDONLY || !path || strncmp(path, "/proc/", 6) != 0 ||
        !hdi_enter() || !is_own_status(path) ||
        hdi_proc_read(hdi_proc_path(path, own), text, sizeof text) <= 0)
        return -1;
    for (const char *line = text, *end; (end = strchr(line, '\n')); line = end + 1)
        put_line(&seen, line, (size_t)(end - line));
    fd = (int)hdi_real.syscall(SYS_memfd_create, "status", flags & O_CLOEXEC ? MFD_CLOEXEC : 0);
    if (fd >= 0 && hdi_real.syscall(SYS_pwrite64, fd, seen.at, seen.bytes, 0) != (long)seen.bytes) {
        hdi_real.syscall(SYS_close, fd);
        fd = -1;
    }
    errno = saved;
    return fd;
}

/* ---- calls that only look ---- */

#define LOOKS(type, name, params, args)                                                            \
    HDI_EXPORT type name params                                                                    \
    {                                                                                              \
        char own[HDI_PROC_PATH];                                                                   \
        path = hdi_proc_path(path, own);                                                           \
        hdi_from_others(hdi_controlled());                                                         \
        return hdi_real.name args;                                                                 \
    }

LOOKS(int, access, (const char *path, int how), (path, how))
LOOKS(int, faccessat, (int at, const char *path, int how, int flags), (at, path, how, flags))
LOOKS(int, stat, (const char *restrict path, struct stat *restrict st), (path, st))
LOOKS(int, lstat, (const char *restrict path, struct stat *restrict st), (path, st))
LOOKS(ssize_t, readlink, (const char *restrict path, char *restrict to, size_t room),
      (path, to, room))
LOOKS(DIR *, opendir, (const char *path), (path))
