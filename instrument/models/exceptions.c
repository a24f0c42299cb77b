/* exceptions.c - an exception object of C++ that threads pass on: whoever drops its last reference
 * destroys it after all that the others did to it. The counter is in the C++ runtime (libstdc++),
 * which no hook sees.
 *
 *   threads  the one that has the turn
 * source: Itanium C++ ABI, exception handling, 2.2.1; libstdc++'s unwind-cxx.h.
 */
#include <string.h>

#include "core/control.h"
#include "core/observers.h"
#include "core/real.h"

#define REAL(type, name, args) HDI_REAL_OF(type, #name, args, HDI_SITE())

/* Thrown, with its own destructor in place of which ours is called. */
static struct thrown {
    void *object;
    void (*destroy)(void *);
    struct thrown *next;
} * thrown, *unused;

static void ended(void *object)
{
    struct thrown **at = &thrown, *x;
    void (*destroy)(void *);

    while (*at && (*at)->object != object)
        at = &(*at)->next;
    if (!(x = *at))
        return;
    *at = x->next;
    x->next = unused;
    unused = x;
    destroy = x->destroy;
    hdi_tell(RECEIVED, .clock = object);
    if (destroy)
        destroy(object);
}

static void (*begun(void *object, void (*destroy)(void *)))(void *)
{
    struct thrown *x = unused;

    if (!hdi_controlled())
        return destroy;
    if (x)
        unused = x->next;
    else
        x = hdi_alloc_lasting(sizeof *x);
    *x = (struct thrown){object, destroy, thrown};
    thrown = x;
    return ended;
}

HDI_EXPORT void __cxa_throw(void *object, void *type, void (*destroy)(void *))
{
    REAL(void, __cxa_throw, (void *, void *, void (*)(void *)))
    real(object, type, begun(object, destroy));
}

HDI_EXPORT void *__cxa_init_primary_exception(void *object, void *type, void (*destroy)(void *))
{
    REAL(void *, __cxa_init_primary_exception, (void *, void *, void (*)(void *)))
    return real(object, type, begun(object, destroy));
}

/* What libstdc++ keeps in front of an exception object. */
struct header {
    void *primary; /* of one that was thrown anew: the object */
    void *fields[9];
    char class[8]; /* of the unwinder's part */
    uint64_t unwinder[3];
};
_Static_assert(sizeof(struct header) == 112, "the object is behind it");

/* The exception that the handler which ends now has caught; NULL: none, or another runtime's. */
static void *caught(void)
{
    static struct header **(*globals)(void);
    struct header *h;

    if (!globals)
        *(void **)&globals = hdi_real_of("__cxa_get_globals", HDI_SITE());
    h = globals ? *globals() : NULL;
    if (h && memcmp(h->class, "GNUCC++", sizeof h->class) == 0)
        return h + 1;
    return h && memcmp(h->class, "GNUCC++\1", sizeof h->class) == 0 ? h->primary : NULL;
}

HDI_EXPORT void __cxa_end_catch(void)
{
    void *object;
    REAL(void, __cxa_end_catch, (void))
    if (hdi_controlled() && (object = caught()))
        hdi_tell(SENT, .clock = object);
    real();
}

/* std::exception_ptr lets go of its object. */
HDI_EXPORT void _ZNSt15__exception_ptr13exception_ptr10_M_releaseEv(void **pointer)
{
    REAL(void, _ZNSt15__exception_ptr13exception_ptr10_M_releaseEv, (void **))
    if (hdi_controlled() && *pointer)
        hdi_tell(SENT, .clock = *pointer);
    real(pointer);
}
