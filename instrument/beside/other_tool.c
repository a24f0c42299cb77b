/* other_tool.c - see other_tool.h. */
#include "other_tool.h"

#include "core/observers.h"
#include "core/proc.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <link.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <valgrind/drd.h>
#include <valgrind/helgrind.h>
#include <valgrind/valgrind.h>

#include <heddle/annotate.h>

/* The header does without Valgrind's own. */
_Static_assert(HDI_HELGRIND_UNTRACKED == _VG_USERREQ__HG_ARANGE_MAKE_UNTRACKED, "Helgrind's");
_Static_assert(HDI_DRD_SUPPRESSED == VG_USERREQ__DRD_START_SUPPRESSION, "DRD's");

static enum hdi_tool tool;
static void (*tsan_acquire)(void *addr), (*tsan_release)(void *addr);

/* DRD understands Helgrind's request, too, and keeps one table of objects by address: a tag inside
 * a barrier would be the "wrong type of synchronization object". None lies in the upper half of the
 * address space. */
static uintptr_t tag_of(const void *clock)
{
    return (uintptr_t)clock | (uintptr_t)1 << 62;
}

static int hide_own_segments(struct dl_phdr_info *info, size_t size, void *self)
{
    uintptr_t at = (uintptr_t)self;

    (void)size;
    for (int pass = 0, ours = 0; pass < 2; pass++)
        for (int i = 0; i < info->dlpi_phnum; i++) {
            const ElfW(Phdr) *ph = &info->dlpi_phdr[i];
            uintptr_t low = info->dlpi_addr + ph->p_vaddr;
            if (ph->p_type != PT_LOAD)
                continue;
            if (pass == 0)
                ours |= at >= low && at < low + ph->p_memsz;
            else if (ours && (ph->p_flags & PF_W))
                hdi_tool_hide((const void *)low, ph->p_memsz);
        }
    return 0;
}

void hdi_tool_start(void)
{
    /* We define TSan's names, too, and so do programs built for our hooks: a sanitizer's interface
     * tells it from the latter, and AddressSanitizer has that, but not __tsan_init. */
    void *init = dlsym(RTLD_DEFAULT, "__tsan_init");
    Dl_info theirs, ours;
    bool sanitizer = init && dlsym(RTLD_DEFAULT, "__sanitizer_set_report_path") &&
                     dladdr(init, &theirs) && dladdr(&tool, &ours) &&
                     theirs.dli_fbase != ours.dli_fbase;

    if (RUNNING_ON_VALGRIND) {
        tool = HDI_TOOL_VALGRIND;
        dl_iterate_phdr(hide_own_segments, &tool);
        return;
    }
    if (!sanitizer)
        return;
    tool = HDI_TOOL_TSAN;
    tsan_acquire = (void (*)(void *))(uintptr_t)dlsym(RTLD_DEFAULT, "__tsan_acquire");
    tsan_release = (void (*)(void *))(uintptr_t)dlsym(RTLD_DEFAULT, "__tsan_release");
}

enum hdi_tool hdi_tool(void)
{
    return tool;
}

void hdi_tool_hide(const void *addr, size_t bytes)
{
    if (tool != HDI_TOOL_VALGRIND)
        return;
    VALGRIND_HG_DISABLE_CHECKING(addr, bytes);
    VALGRIND_DO_CLIENT_REQUEST_STMT(VG_USERREQ__DRD_START_SUPPRESSION, addr, bytes, 0, 0, 0);
}

/* An order that a model makes in place of the real pthread function is told to Valgrind's tools:
 * TSan's interceptor has made it already. Primitives of lib/ are known to none of them. */
void hdi_tool_observes(enum hdi_what what, const struct hdi_happened *e)
{
    void *clock = (void *)(uintptr_t)e->clock;

    if (tool == HDI_TOOL_NONE || !(e->mode & (HDI_STANDS_IN | HDI_OF_LIB)))
        return;
    if (what == HDI_SENT && tool == HDI_TOOL_VALGRIND)
        DO_CREQ_v_W(_VG_USERREQ__HG_USERSO_SEND_PRE, uintptr_t, tag_of(clock));
    else if (what == HDI_RECEIVED && tool == HDI_TOOL_VALGRIND)
        DO_CREQ_v_W(_VG_USERREQ__HG_USERSO_RECV_POST, uintptr_t, tag_of(clock));
    else if (what == HDI_SENT && tsan_release && e->mode & HDI_OF_LIB)
        tsan_release(clock);
    else if (what == HDI_RECEIVED && tsan_acquire && e->mode & HDI_OF_LIB)
        tsan_acquire(clock);
}

bool hdi_tool_own_thread(const pthread_attr_t *attr)
{
    return tool == HDI_TOOL_TSAN && !attr;
}

void **hdi_tool_start_words(void *arg)
{
    return tool == HDI_TOOL_TSAN ? arg : NULL;
}

#define PAGE ((uintptr_t)4096)
/* Larger mappings are shadow memory and heaps: address space, hardly any of it touched. */
#define SLIM_BOUND ((uintptr_t)64 << 20)
#define SLIM_MAPS (256u << 10)

static bool is_zero(uintptr_t page)
{
    const uint64_t *word = (const uint64_t *)page;
    for (size_t i = 0; i < PAGE / sizeof *word; i++)
        if (word[i])
            return false;
    return true;
}

static void slim(uintptr_t low, uintptr_t high)
{
    static unsigned char resident[SLIM_BOUND / PAGE];
    uintptr_t from = 0; /* of the run of zero pages; 0 = none */

    if (syscall(SYS_mincore, low, high - low, resident) != 0)
        return;
    for (uintptr_t at = low; at <= high; at += PAGE) {
        bool zero = at < high && (resident[(at - low) / PAGE] & 1) && is_zero(at);
        if (zero && !from)
            from = at;
        if (!zero && from) {
            syscall(SYS_madvise, from, at - from, MADV_DONTNEED);
            from = 0;
        }
    }
}

/* One line of maps: is it a private, writable mapping without a name? The heap and the stack have
 * names, files too. */
static void slim_line(const char *line, const char *end)
{
    struct hdi_maps_line m;

    if (hdi_maps_line(line, end, &m) && m.readable && m.writable && !m.executable && !m.shared &&
        m.name == end && m.high - m.low <= SLIM_BOUND)
        slim(m.low, m.high);
}

void hdi_tool_slim(void)
{
    if (tool != HDI_TOOL_TSAN)
        return;
    char *text = (char *)syscall(SYS_mmap, NULL, SLIM_MAPS, PROT_READ | PROT_WRITE,
                                 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (text == MAP_FAILED)
        return;
    if (hdi_proc_read("/proc/self/maps", text, SLIM_MAPS) > 0)
        for (char *line = text, *end; (end = strchr(line, '\n')); line = end + 1)
            slim_line(line, end);
    syscall(SYS_munmap, text, SLIM_MAPS);
}
