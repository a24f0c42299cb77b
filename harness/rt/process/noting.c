/* noting.c - see noting.h */
#include "noting.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "core/proc.h"
#include "core/real.h"
#include "turn/rt.h"

char *rt_scratch;

bool rt_scratch_begin(void)
{
    rt_scratch = mmap(NULL, RT_SCRATCH_BYTES, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return rt_scratch != MAP_FAILED;
}

void rt_scratch_end(void)
{
    munmap(rt_scratch, RT_SCRATCH_BYTES);
}

long rt_scratch_read(const char *path)
{
    return hdi_proc_read(path, rt_scratch, RT_SCRATCH_BYTES);
}

void rt_descriptor_path(char to[48], const char *name, int fd)
{
    char *end = stpcpy(stpcpy(to, "/proc/self/"), name);

    *end++ = '/';
    hdi_put_decimal(end, (unsigned)fd);
}

void rt_each_descriptor(void (*f)(int fd))
{
    struct entry {
        uint64_t ino;
        int64_t off;
        unsigned short length;
        unsigned char type;
        char name[];
    };
    char buffer[4096] __attribute__((aligned(8)));
    long n, dir = hdi_real.syscall(SYS_openat, AT_FDCWD, "/proc/self/fd",
                                   O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (dir < 0) { /* no /proc, or no descriptor left to read it with */
        for (int fd = 0; fd < 1024; fd++)
            if (hdi_real.syscall(SYS_fcntl, fd, F_GETFD) >= 0)
                f(fd);
        return;
    }
    while ((n = hdi_real.syscall(SYS_getdents64, dir, buffer, sizeof buffer)) > 0)
        for (long at = 0; at < n;) {
            const struct entry *e = (const void *)(buffer + at);
            int fd = 0;
            at += e->length;
            if (e->name[0] < '0' || e->name[0] > '9')
                continue;
            for (const char *p = e->name; *p; p++)
                fd = fd * 10 + (*p - '0');
            if (fd != dir)
                f(fd);
        }
    hdi_real.syscall(SYS_close, dir);
}

void rt_shared(int fd, const char *what)
{
    struct hdp_region *r = rt.region;
    char text[sizeof r->shared[0]];

    if (fd >= 0)
        snprintf(text, sizeof text, "descriptor %d (%s)", fd, what);
    else
        snprintf(text, sizeof text, "%s", what);
    for (uint32_t i = 0; i < r->shared_count; i++)
        if (strcmp(r->shared[i], text) == 0)
            return;
    if (r->shared_count < HDP_SHARED)
        strcpy(r->shared[r->shared_count++], text);
}
