/* tool.c - see tool.h. */
#include "tool.h"

#include <dlfcn.h>
#include <link.h>
#include <stdint.h>

#include <valgrind/drd.h>
#include <valgrind/helgrind.h>
#include <valgrind/valgrind.h>

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

void hdi_tool_release(const void *clock)
{
    if (tool != HDI_TOOL_VALGRIND)
        return;
    DO_CREQ_v_W(_VG_USERREQ__HG_USERSO_SEND_PRE, uintptr_t, tag_of(clock));
}

void hdi_tool_acquire(const void *clock)
{
    if (tool != HDI_TOOL_VALGRIND)
        return;
    DO_CREQ_v_W(_VG_USERREQ__HG_USERSO_RECV_POST, uintptr_t, tag_of(clock));
}

void hdi_tool_seam_release(const void *clock)
{
    hdi_tool_release(clock);
    if (tsan_release)
        tsan_release((void *)(uintptr_t)clock);
}

void hdi_tool_seam_acquire(const void *clock)
{
    hdi_tool_acquire(clock);
    if (tsan_acquire)
        tsan_acquire((void *)(uintptr_t)clock);
}

bool hdi_tool_own_thread(const pthread_attr_t *attr)
{
    return tool == HDI_TOOL_TSAN && !attr;
}

void **hdi_tool_start_words(void *arg)
{
    return tool == HDI_TOOL_TSAN ? arg : NULL;
}
