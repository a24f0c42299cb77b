/* happens_before.c - finding the watchers, and the slow half of happens_before.h. */
#include <dlfcn.h>

#include "happens_before.h"
#include "operation.h"
#include "park.h"
#include "spawn.h"
#include "timer.h"
#include "unwind.h"

#if defined(__has_include)
#if __has_include(<valgrind/helgrind.h>) && __has_include(<valgrind/drd.h>)
#include <valgrind/drd.h>
#include <valgrind/helgrind.h>
#define HAVE_VALGRIND 1
#endif
#endif

/* Weak, so that a program without TSan, and a static one without dlsym, links. */
extern void __tsan_acquire(void *addr) __attribute__((weak));
extern void __tsan_release(void *addr) __attribute__((weak));
extern void *__tsan_create_fiber(unsigned flags) __attribute__((weak));
extern __typeof__(dlsym) dlsym __attribute__((weak));

unsigned hdi_watchers;
const struct hd_seam *hdi_seam;

void hd_seam_attach(const struct hd_seam *seam)
{
    hdi_timers_change_hands();
    hdi_locks_change_hands();
    hdi_seam = seam;
    hdi_watchers &= ~(unsigned)HDI_WATCH_SEAM;
    if (!seam)
        return;
    hdi_watchers |= HDI_WATCH_SEAM;
    hdi_go_locals(seam);
    hdi_panic_locals(seam);
}

/* First of the constructors, so that those of the program may already use the library. */
__attribute__((constructor(101))) static void find_watchers(void)
{
    const struct hd_seam *(*offer)(uint32_t) = NULL;

    if (dlsym)
        *(void **)&offer = dlsym(RTLD_DEFAULT, HD_SEAM_SYMBOL);
    if (offer)
        hd_seam_attach(offer(HD_SEAM_VERSION));
    /* Our own hooks have the first two as well; only the real one has fibers. */
    if (__tsan_acquire && __tsan_release && __tsan_create_fiber)
        hdi_watchers |= HDI_WATCH_TSAN;
#ifdef HAVE_VALGRIND
    if (RUNNING_ON_VALGRIND)
        hdi_watchers |= HDI_WATCH_VALGRIND;
#endif
}

#ifdef HAVE_VALGRIND
/* helgrind.h and drd.h give one name to two requests; a tool ignores those of the other. DRD keeps
 * its clocks in one table with real synchronisation objects: one byte on there lies none. */
static void tell_valgrind(const void *clock, int helgrind_request, int drd_request)
{
    VALGRIND_DO_CLIENT_REQUEST_STMT(helgrind_request, clock, 0, 0, 0, 0);
    VALGRIND_DO_CLIENT_REQUEST_STMT(drd_request, (const char *)clock + 1, 0, 0, 0, 0);
}
#endif

void hdi_release_told(const void *clock)
{
    if (hdi_seam)
        hdi_seam->release(clock);
    if (hdi_watchers & HDI_WATCH_TSAN)
        __tsan_release((void *)(uintptr_t)clock);
#ifdef HAVE_VALGRIND
    if (hdi_watchers & HDI_WATCH_VALGRIND)
        tell_valgrind(clock, _VG_USERREQ__HG_USERSO_SEND_PRE,
                      VG_USERREQ__DRD_ANNOTATE_HAPPENS_BEFORE);
#endif
}

void hdi_acquire_told(const void *clock)
{
    if (hdi_seam)
        hdi_seam->acquire(clock);
    if (hdi_watchers & HDI_WATCH_TSAN)
        __tsan_acquire((void *)(uintptr_t)clock);
#ifdef HAVE_VALGRIND
    if (hdi_watchers & HDI_WATCH_VALGRIND)
        tell_valgrind(clock, _VG_USERREQ__HG_USERSO_RECV_POST,
                      VG_USERREQ__DRD_ANNOTATE_HAPPENS_AFTER);
#endif
}

void hdi_weak(const void *memory, size_t bytes)
{
    if (HDI_TELLS(weak))
        hdi_seam->weak(memory, bytes);
}

void hdi_hide_told(const void *memory, size_t bytes)
{
#ifdef HAVE_VALGRIND
    if (hdi_watchers & HDI_WATCH_VALGRIND) {
        VALGRIND_HG_DISABLE_CHECKING(memory, bytes);
        VALGRIND_DO_CLIENT_REQUEST_STMT(VG_USERREQ__DRD_START_SUPPRESSION, memory, bytes, 0, 0, 0);
    }
#else
    (void)memory, (void)bytes;
#endif
}
