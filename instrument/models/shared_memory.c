/* shared_memory.c - may other processes see this address?
 *
 * "Shared" is what a program says of an object that others could use; most say so of memory that is
 * theirs alone. What nobody else maps, nobody else can wake.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

#include "core/control.h"
#include "core/real.h"

enum answer { NOT_THERE, PRIVATE, SHARED };

/* "LOW-HIGH rwxs OFFSET DEVICE INODE NAME" */
static enum answer look_at(char *line, uintptr_t addr)
{
    char *end;
    uintptr_t low = strtoul(line, &end, 16), high = *end == '-' ? strtoul(end + 1, &end, 16) : 0;

    if (addr < low || addr >= high || strlen(end) < 5)
        return NOT_THERE;
    return end[4] == 's' ? SHARED : PRIVATE;
}

static enum answer ask(uintptr_t addr)
{
    char text[4096];
    long got, fd = hdi_real.syscall(SYS_openat, AT_FDCWD, "/proc/self/maps", O_RDONLY | O_CLOEXEC);
    enum answer answer = NOT_THERE;
    size_t have = 0;

    if (fd < 0)
        return SHARED;
    while (answer == NOT_THERE &&
           (got = hdi_real.syscall(SYS_read, fd, text + have, sizeof text - 1 - have)) > 0) {
        char *line = text, *end;

        have += (size_t)got;
        text[have] = 0;
        for (; answer == NOT_THERE && (end = strchr(line, '\n')); line = end + 1) {
            *end = 0;
            answer = look_at(line, addr);
        }
        have -= (size_t)(line - text);
        memmove(text, line, have);
        if (have == sizeof text - 1)
            have = 0; /* no line of the kernel's is so long */
    }
    hdi_real.syscall(SYS_close, fd);
    return answer;
}

#define PAGE_BITS 12
#define KNOWN 256u

static struct {
    uintptr_t page;
    uint32_t when; /* as of which change of the mappings, + 1; 0: nothing is known */
    bool shared;
} known[KNOWN];
static _Atomic uint32_t changes;

void hdi_mappings_changed(void)
{
    changes++;
}

bool hdi_may_be_shared(const void *addr)
{
    uintptr_t page = (uintptr_t)addr >> PAGE_BITS;
    uint32_t i = page % KNOWN, now = changes + 1;

    if (known[i].page != page || known[i].when != now) {
        known[i].page = page;
        known[i].when = now;
        /* also before a fork: the child may be made later */
        known[i].shared = ask((uintptr_t)addr) == SHARED;
    }
    return known[i].shared;
}
