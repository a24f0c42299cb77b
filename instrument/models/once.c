/* once.c - pthread_once and C++'s function-local statics (Itanium C++ ABI, 3.3.3): whoever comes
 * while the initialiser runs waits for it in the model. libc++'s call_once waits by means of its own, and
 * says that it is done by a store that no hook sees. */
#include "core/observers.h"
#include "core/real.h"
#include "core/thread.h"
#include "memory/access.h"

struct hdi_once {
    struct hdi_object object;
    struct hdi_thread *runner; /* runs the initialiser now */
    bool done;
};

static bool idle(const struct hdi_op *op)
{
    return ((const struct hdi_once *)op->object)->runner == NULL;
}

/* The caller runs the initialiser. */
static void enter(struct hdi_once *x, uint64_t site)
{
    x->runner = hdi_self();
    hdi_tell(ACQUIRED, .object = &x->object, .event = HD_EV_ONCE, .site = site);
    hdi_changed(&x->object);
}

/* The initialiser ended: by returning, by cancellation, or by an exception that passes through. */
static void leave(struct hdi_once *x)
{
    hdi_tell(RELEASED, .object = &x->object, .thread = x->runner);
    x->runner = NULL;
    hdi_tell(SENT, .object = &x->object, .clock = (const void *)x->object.addr,
             .mode = HDI_STANDS_IN);
    hdi_changed(&x->object);
}

static void leave_at_end(struct hdi_once **x)
{
    leave(*x);
}

HDI_EXPORT int pthread_once(pthread_once_t *control, void (*routine)(void))
{
    uint64_t site = HDI_SITE();
    struct hdi_op op = {.kind = HD_EV_ONCE, .site = site, .ready = idle};
    struct hdi_once *x;
    int rc;

    if (!hdi_enter())
        return hdi_real.pthread_once(control, routine);
    x = (struct hdi_once *)hdi_object_get(control, HD_OB_ONCE, sizeof *x, site);
    if (x->done && *control == PTHREAD_ONCE_INIT) /* memory used anew */
        hdi_object_reborn(&x->object, sizeof *x, site);
    op.object = &x->object;
    hdi_perform(&op);
    hdi_tell(RECEIVED, .object = &x->object, .clock = control, .mode = HDI_STANDS_IN);
    if (x->done)
        return 0;
    enter(x, site);
    {
        struct hdi_once *guard __attribute__((cleanup(leave_at_end))) = x;
        (void)guard;
        rc = hdi_real.pthread_once(control, routine);
        x->done = rc == 0;
    }
    return rc;
}

static struct hdi_once *guarded(uint8_t *guard, uint64_t site)
{
    struct hdi_once *x = (struct hdi_once *)hdi_object_get(guard, HD_OB_ONCE, sizeof *x, site);

    if (x->done && !*guard) /* memory used anew */
        hdi_object_reborn(&x->object, sizeof *x, site);
    return x;
}

/* The first byte of a guard says that the object is there; code looks at it before it calls. */
HDI_EXPORT int __cxa_guard_acquire(uint8_t *guard)
{
    uint64_t site = HDI_SITE();
    struct hdi_op op = {.kind = HD_EV_ONCE, .site = site, .ready = idle};
    struct hdi_once *x;
    int first;

    HDI_REAL_OF(int, "__cxa_guard_acquire", (uint8_t *), site)
    if (!hdi_enter())
        return real(guard);
    x = guarded(guard, site);
    if (x->runner != hdi_self()) { /* an initialiser that comes back to itself: C++ says so */
        op.object = &x->object;
        hdi_perform(&op);
    }
    first = real(guard);
    hdi_tell(RECEIVED, .object = &x->object, .clock = guard, .mode = HDI_STANDS_IN);
    if (first) /* for the first time, or after one that threw */
        enter(x, site);
    return first;
}

HDI_EXPORT void __cxa_guard_release(uint8_t *guard)
{
    uint64_t site = HDI_SITE();
    struct hdi_once *x;

    HDI_REAL_OF(void, "__cxa_guard_release", (uint8_t *), site)
    if (!hdi_enter()) {
        real(guard);
        return;
    }
    hdi_atomic_stores(guard, 1, HDI_RELEASE, site);
    real(guard);
    x = guarded(guard, site);
    x->done = true;
    leave(x);
}

HDI_EXPORT void __cxa_guard_abort(uint8_t *guard)
{
    uint64_t site = HDI_SITE();

    HDI_REAL_OF(void, "__cxa_guard_abort", (uint8_t *), site)
    real(guard);
    if (hdi_enter())
        leave(guarded(guard, site));
}

struct libcxx_once {
    unsigned long *flag;
    void *argument;
    void (*call)(void *);
    uint64_t site;
};

/* The flag is all ones from here on; callers look at it before they call. */
static void call_and_tell(void *argument)
{
    const struct libcxx_once *once = argument;
    const uint8_t *flag = (const uint8_t *)once->flag;

    once->call(once->argument);
    for (size_t i = 0; hdi_controlled() && i < sizeof *once->flag; i++)
        hdi_atomic_stores(flag + i, UINT8_MAX, HDI_RELEASE, once->site);
}

HDI_EXPORT void _ZNSt3__111__call_onceERVmPvPFvS2_E(unsigned long *flag, void *argument,
                                                    void (*call)(void *))
{
    struct libcxx_once once = {flag, argument, call, HDI_SITE()};

    HDI_REAL_OF(void, "_ZNSt3__111__call_onceERVmPvPFvS2_E",
                (unsigned long *, void *, void (*)(void *)), once.site)
    real(flag, &once, call_and_tell);
}
