/* once.c - pthread_once: whoever comes while the initialiser runs waits for it in the model. */
#include "core/observers.h"
#include "core/real.h"
#include "core/thread.h"

struct hdi_once {
    struct hdi_object object;
    struct hdi_thread *runner; /* runs the initialiser now */
    bool done;
};

static bool idle(const struct hdi_op *op)
{
    return ((const struct hdi_once *)op->object)->runner == NULL;
}

/* The initialiser ended: by returning, by cancellation, or by an exception that passes through. */
static void leave(struct hdi_once **guard)
{
    struct hdi_once *x = *guard;

    hdi_tell(RELEASED, .object = &x->object, .thread = x->runner);
    x->runner = NULL;
    hdi_tell(SENT, .object = &x->object, .clock = (const void *)x->object.addr,
             .mode = HDI_STANDS_IN);
    hdi_changed(&x->object);
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
    if (x->done) {
        hdi_tell(RECEIVED, .object = &x->object, .clock = control, .mode = HDI_STANDS_IN);
        return 0;
    }
    x->runner = hdi_self();
    hdi_tell(ACQUIRED, .object = &x->object, .event = HD_EV_ONCE, .site = site);
    hdi_changed(&x->object);
    {
        struct hdi_once *guard __attribute__((cleanup(leave))) = x;
        (void)guard;
        rc = hdi_real.pthread_once(control, routine);
        x->done = rc == 0;
    }
    return rc;
}
