/* future.c - a future that is ready when its thread has ended (set_value_at_thread_exit). libstdc++ says so
 * at the end of the thread, by an atomic store that no hook sees.
 */
#include "core/control.h"
#include "core/real.h"
#include "memory/access.h"
#include "memory/race/detector.h"

/* What libstdc++ keeps for it: a weak_ptr of what promise and future share. */
struct make_ready {
    void *next;
    void (*call)(void *);
    char *shared;
    const struct {
        void *functions;
        int owners;
    } * count;
};

/* In what is shared, behind a table of functions and the result. */
enum { STATUS = 16, READY = 1 };

static void (*makes_ready)(void *);

static void tells_first(void *call)
{
    const struct make_ready *made = call;

    if (hdi_controlled() && made->count && made->count->owners > 0)
        hdi_atomic_stores((const uint8_t *)made->shared + STATUS, READY, HDI_RELEASE, HDI_SITE());
    makes_ready(call);
}

HDI_EXPORT void _ZNSt13__future_base13_State_baseV211_Make_ready6_M_setEv(struct make_ready *made)
{
    HDI_REAL_OF(void, "_ZNSt13__future_base13_State_baseV211_Make_ready6_M_setEv",
                (struct make_ready *), HDI_SITE())
    real(made);
    makes_ready = made->call;
    made->call = tells_first;
}
