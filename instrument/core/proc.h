/* proc.h - what the kernel says in /proc, read with system calls alone. */
#ifndef HEDDLE_PROC_H
#define HEDDLE_PROC_H

#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>

#include "digits.h"
#include "real.h"

/* As much of a file as fits, and a NUL behind it. How many bytes; -1 = it cannot be opened. */
static inline long hdi_proc_read(const char *path, char *to, size_t room)
{
    long got, fd = hdi_real.syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
    size_t have = 0;

    to[0] = '\0';
    if (fd < 0)
        return -1;
    while (have < room - 1 &&
           (got = hdi_real.syscall(SYS_read, fd, to + have, room - 1 - have)) > 0)
        have += (size_t)got;
    to[have] = '\0';
    hdi_real.syscall(SYS_close, fd);
    return (long)have;
}

/* The file `name` of a thread of ours, by its kernel id. */
static inline long hdi_task_read(int tid, const char *name, char *to, size_t room)
{
    char path[64] = "/proc/self/task/", *end = hdi_put_decimal(path + strlen(path), (unsigned)tid);

    *end++ = '/';
    strcpy(end, name);
    return hdi_proc_read(path, to, room);
}

/* One line of /proc/self/maps: "LOW-HIGH rwxp OFFSET DEVICE INODE   NAME" */
struct hdi_maps_line {
    uintptr_t low, high;
    bool readable, writable, executable, shared;
    const char *name; /* up to the end of the line; may be empty */
};

/* Read the line from `line` to `end`, where a newline or a NUL stands. False: it is none. */
static inline bool hdi_maps_line(const char *line, const char *end, struct hdi_maps_line *m)
{
    uint64_t low, high;
    const char *p = hdi_get_hex(line, &low);

    if (*p != '-')
        return false;
    p = hdi_get_hex(p + 1, &high);
    if (end - p < 6)
        return false;
    *m = (struct hdi_maps_line){.low = low,
                                .high = high,
                                .readable = p[1] == 'r',
                                .writable = p[2] == 'w',
                                .executable = p[3] == 'x',
                                .shared = p[4] == 's'};
    p += 6;
    for (int field = 0; field < 3 && p < end; field++) {
        while (p < end && *p != ' ')
            p++;
        while (p < end && *p == ' ')
            p++;
    }
    m->name = p;
    return true;
}

#endif /* HEDDLE_PROC_H */
