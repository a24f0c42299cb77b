/* shared_mappings.c - mappings that a fork shares: of files and memory files, of shared memory, and
 * anonymous ones. Their contents are set back before each schedule.
 *
 * They are read and written through /proc/self/mem: behind the end of a file there is no memory,
 * and looking there would end the process.
 */
#include <fcntl.h>
#include <string.h>
#include <sys/syscall.h>

#include "core/control.h"
#include "core/proc.h"
#include "core/real.h"
#include "noting.h"
#include "turn/rt.h"
#include "world.h"

#define KEPT_BYTES ((size_t)64 << 20) /* a mapping that is larger stays shared */

static struct mapping {
    struct mapping *next;
    uintptr_t low;
    size_t bytes; /* that are there */
    char *contents;
} * mappings;

static int open_memory(void)
{
    return (int)hdi_real.syscall(SYS_openat, AT_FDCWD, "/proc/self/mem", O_RDWR | O_CLOEXEC);
}

static bool is_ours(uintptr_t low)
{
    return low == (uintptr_t)rt.bell || low == (uintptr_t)rt.region ||
           low == (uintptr_t)rt.ipc_names || low == (uintptr_t)rt.file_names;
}

static void keep(int memory, uintptr_t low, size_t bytes)
{
    struct mapping *m = hdi_alloc(sizeof *m);
    long got;

    *m = (struct mapping){.next = mappings, .low = low, .contents = hdi_alloc(bytes)};
    while (m->bytes < bytes && (got = hdi_real.syscall(SYS_pread64, memory, m->contents + m->bytes,
                                                       bytes - m->bytes, low + m->bytes)) > 0)
        m->bytes += (size_t)got;
    mappings = m;
}

static void note_line(int memory, const char *line, const char *end)
{
    struct hdi_maps_line m;

    if (!hdi_maps_line(line, end, &m) || !m.writable || !m.shared || is_ours(m.low))
        return;
    const char *name = strchr(m.name, '/');
    if (name && strncmp(name, "/dev/", 5) == 0 && strncmp(name, "/dev/zero", 9) != 0 &&
        strncmp(name, "/dev/shm/", 9) != 0)
        rt_shared(-1, name);
    else if (m.high - m.low > KEPT_BYTES)
        rt_shared(-1, "a shared mapping of more than 64 MiB");
    else
        keep(memory, m.low, m.high - m.low);
}

void rt_shared_memory_note(void)
{
    long bytes = rt_scratch_read("/proc/self/maps");
    int memory = -1;

    for (char *line = rt_scratch, *end; bytes > 0 && (end = strchr(line, '\n')); line = end + 1) {
        *end = 0;
        if (memory < 0)
            memory = open_memory();
        note_line(memory, line, end);
    }
    if (memory >= 0)
        hdi_real.syscall(SYS_close, memory);
}

static void set_back(int memory, const struct mapping *m)
{
    char now[16384];

    for (size_t at = 0; at < m->bytes;) {
        size_t want = m->bytes - at < sizeof now ? m->bytes - at : sizeof now;
        long got = hdi_real.syscall(SYS_pread64, memory, now, want, m->low + at);
        if (got <= 0)
            return;
        if (memcmp(now, m->contents + at, (size_t)got) != 0 &&
            hdi_real.syscall(SYS_pwrite64, memory, m->contents + at, got, m->low + at) != got)
            rt_shared(-1, "a shared mapping that cannot be written");
        at += (size_t)got;
    }
}

void rt_shared_memory_set_back(void)
{
    int memory = mappings ? open_memory() : -1;

    if (memory < 0)
        return;
    for (const struct mapping *m = mappings; m; m = m->next)
        set_back(memory, m);
    hdi_real.syscall(SYS_close, memory);
}

bool rt_shared_memory_any(void)
{
    return mappings != NULL;
}
