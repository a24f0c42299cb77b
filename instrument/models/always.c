/* always.c - see always.h
 *
 * What the program's functions do is no part of the program: what they call passes through, and what they access is
 * not looked at.
 */
#include "always.h"

#include <heddle/always.h>

#include <errno.h>
#include <stdatomic.h>

#include "core/control.h"
#include "core/real.h"
#include "core/thread.h"

static struct standing {
    const struct hd_invariant *invariant; /* NULL: free */
    bool lasting;                         /* it stood before the first schedule */
    struct standing *next;
} * list;
uint32_t hdi_always_standing;
static atomic_flag list_lock =
    ATOMIC_FLAG_INIT; /* threads without control begin and end some, too */

static void lock(void)
{
    while (atomic_flag_test_and_set_explicit(&list_lock, memory_order_acquire))
        ;
}

static void unlock(void)
{
    atomic_flag_clear_explicit(&list_lock, memory_order_release);
}

static bool holds(const struct hd_invariant *i)
{
    struct hdi_thread *self = hdi_self();
    int saved = errno;
    bool result;

    self->in_real++;
    hdi_memory_aside(true);
    result = i->holds(i->arg) != 0;
    hdi_memory_aside(false);
    self->in_real--;
    errno = saved;
    return result;
}

static void look(const struct hd_invariant *i, uint64_t site)
{
    char text[HDP_TEXT];
    struct hdp_finding *f;

    if (holds(i))
        return;
    snprintf(text, sizeof text, "always: %s", i->text);
    f = hdi_finding_begin(HD_FK_ASSERTION, text);
    hdi_note(f, HD_ROLE_HERE, hdi_self(), HD_EV_NONE, NULL, site, hdi_stack());
    hdi_finding_end(f, true);
}

void hdi_always_look(uint64_t site)
{
    if (hdi_draining() || hdi_self()->in_real)
        return;
    for (const struct standing *s = list; s; s = s->next)
        if (s->invariant)
            look(s->invariant, site);
}

void hdi_always_reset(void)
{
    for (struct standing *s = list; s; s = s->next)
        if (s->invariant && !s->lasting) {
            s->invariant = NULL;
            hdi_always_standing--;
        }
}

static struct standing *find(const struct hd_invariant *i)
{
    struct standing *s = list;

    while (s && s->invariant != i)
        s = s->next;
    return s;
}

static void begin(const struct hd_invariant *i, bool lasting)
{
    struct standing *s;

    lock();
    if (!find(i)) {
        s = find(NULL);
        if (!s) {
            s = hdi_alloc_lasting(sizeof *s);
            s->next = list;
            list = s;
        }
        s->invariant = i;
        s->lasting = lasting;
        hdi_always_standing++;
    }
    unlock();
}

static void end(const struct hd_invariant *i)
{
    struct standing *s;

    lock();
    s = find(i);
    if (s) {
        s->invariant = NULL;
        hdi_always_standing--;
    }
    unlock();
}

/* Both: did a program under control say so? Else it is the caller's affair to look. */
HDI_EXPORT int heddle_rt_always(const struct hd_invariant *i);
HDI_EXPORT int heddle_rt_always(const struct hd_invariant *i)
{
    bool controlled = hdi_enter();

    begin(i, !controlled);
    if (controlled) {
        hdi_touched_moment();
        look(i, HDI_SITE());
    }
    return controlled;
}

HDI_EXPORT int heddle_rt_always_end(const struct hd_invariant *i);
HDI_EXPORT int heddle_rt_always_end(const struct hd_invariant *i)
{
    bool controlled = hdi_enter();

    if (controlled) {
        hdi_touched_moment();
        look(i, HDI_SITE());
    }
    end(i);
    return controlled;
}
