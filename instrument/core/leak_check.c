/* leak_check.c - see leak_check.h.
 *
 * A thread works for the check that it began, or that its maker worked for. At the end of a check
 * the others run until none can, sleepers with a bounded number of wake-ups: who is left then would
 * be left for ever, and no grace is needed. Threads in real system calls are given a little time,
 * as nobody knows when those end.
 */
#include "leak_check.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "real.h"
#include "thread.h"

#define JUMPS 64u /* as many as at the program's end, see leak.c */
#define GRACE_NS 1000000000
#define PAUSE_NS 1000000

struct hdi_check {
    struct hdi_check *outer;
    const struct hdi_thread *by; /* who may end it */
    const char *file;
    int line;
    char name[64];
};

struct ending {
    struct hdi_check *check;
    void (*tell)(const struct hd_seam_left *left, void *arg);
    void *arg;
    uint32_t left, step;
};
static struct ending *ending; /* of the check that ends now: objects_each() has no argument */

void *hdi_check_swap(void *check)
{
    struct hdi_thread *self = hdi_enter() ? hdi_self() : NULL;
    void *before;

    if (!self)
        return NULL;
    before = self->leak.check;
    self->leak.check = check;
    return before;
}

void hdi_check_begin(const char *name, const char *file, int line, const void *site)
{
    struct hdi_check *check;
    struct hdi_thread *self = hdi_enter() ? hdi_self() : NULL;

    (void)site;
    if (!self)
        return;
    check = hdi_alloc(sizeof *check);
    *check = (struct hdi_check){.outer = self->leak.check, .by = self, .file = file, .line = line};
    for (size_t i = 0; i + 1 < sizeof check->name && name && name[i]; i++)
        check->name[i] = name[i];
    self->leak.check = check;
}

/* ---- what is left ---- */

static bool is_left(const struct hdi_thread *t, const struct hdi_check *check)
{
    if (t == hdi_self() || t->leak.check != check || t->leak.expected || t->leak.told)
        return false;
    if (!t->life.ended)
        return true;
    return t->life.known && !t->life.joined && !t->life.detached &&
           (t->creator == hdi_self() || t->creator->life.ended);
}

static bool is_owed(const struct hdi_object *o, const struct hdi_check *check)
{
    return o->owed && !o->leak_told && o->check == check &&
           (o->creator == hdi_self() || !o->creator || o->creator->life.ended);
}

static void count_owed(struct hdi_object *o)
{
    ending->left += is_owed(o, ending->check);
}

static bool any_left(void *arg)
{
    struct hdi_thread *t;

    ending = arg;
    ending->left = 0;
    for (uint32_t i = 0; (t = hdi_thread_known(i)); i++)
        ending->left += is_left(t, ending->check);
    hdi_objects_each(count_owed);
    return ending->left > 0;
}

static bool any_outside(const struct hdi_check *check)
{
    struct hdi_thread *t;

    for (uint32_t i = 0; (t = hdi_thread_known(i)); i++)
        if (is_left(t, check) && !t->life.ended &&
            (t->outside || t->state == HDP_T_EXTERNAL || t->state == HDP_T_LOST))
            return true;
    return false;
}

static int64_t real_now(void)
{
    struct timespec now;

    hdi_real.clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void wait_for_the_others(struct ending *end, uint64_t site)
{
    int64_t from = real_now();

    for (;;) {
        struct timespec pause = {0, PAUSE_NS};
        hdi_let_others_run(any_left, end, JUMPS, site);
        if (!any_left(end) || !any_outside(end->check) || real_now() - from > GRACE_NS)
            return;
        hdi_external_enter(site);
        hdi_real.nanosleep(&pause, NULL);
        hdi_external_leave();
    }
}

/* ---- telling ---- */

static void *address(uint64_t site)
{
    return (void *)(uintptr_t)site;
}

/* Returns where the charge begins in text. */
static uint32_t charge(const struct hdi_check *check, char text[HDP_TEXT], const char *what)
{
    const char *slash = check->file ? strrchr(check->file, '/') : NULL;
    int n = snprintf(text, HDP_TEXT, "%s at the end of \"%s\"", what, check->name);

    if (check->file)
        snprintf(text + n, HDP_TEXT - (size_t)n, " (%.80s:%d)", slash ? slash + 1 : check->file,
                 check->line);
    return (uint32_t)strlen(what);
}

static void tell_thread(struct hdi_thread *t)
{
    const struct hdi_op *op = !t->life.ended && t->op ? t->op : NULL;
    char text[HDP_TEXT];
    bool runs = !op || t->enabled;

    uint32_t at = charge(ending->check, text,
                         t->life.ended                ? "thread not joined"
                         : runs                       ? "thread still running"
                         : t->state == HDP_T_SLEEPING ? "thread still sleeping"
                                                      : "thread still blocked");
    hdi_leaked_thread(t, text)->charged_at = at;
    ending->tell(&(struct hd_seam_left){.kind = HD_OB_THREAD,
                                        .goroutine = t->goroutine,
                                        .name = t->label[0] ? t->label : t->name,
                                        .ended = t->life.ended,
                                        .event = runs ? HD_EV_NONE : op->kind,
                                        .object = !runs && op->object ? op->object->label : "",
                                        .site = runs ? NULL : address(op->site),
                                        .made = address(t->created_site),
                                        .since_ns = -1},
                 ending->arg);
}

static void tell_object(struct hdi_object *o)
{
    char text[HDP_TEXT];

    if (!is_owed(o, ending->check))
        return;
    uint32_t at = charge(ending->check, text, hdi_owed_text(o));
    hdi_leaked_object(o, text, ending->step)->charged_at = at;
    ending->tell(&(struct hd_seam_left){.kind = (enum hd_object)o->label_kind,
                                        .name = o->label,
                                        .object = "",
                                        .made = address(o->created_site),
                                        .since_ns = -1},
                 ending->arg);
}

int hdi_check_end(struct hd_seam_check *of,
                  void (*tell)(const struct hd_seam_left *left, void *arg), void *arg,
                  const void *site)
{
    struct hdi_thread *self = hdi_enter() ? hdi_self() : NULL, *t;
    struct ending end = {.tell = tell, .arg = arg, .step = hdi_step()};

    if (!self || !self->leak.check || self->leak.check->by != self)
        return 0;
    end.check = self->leak.check;
    *of = (struct hd_seam_check){end.check->name, end.check->file, end.check->line};
    wait_for_the_others(&end, (uint64_t)(uintptr_t)site);
    ending = &end;
    for (uint32_t i = 0; (t = hdi_thread_known(i)); i++)
        if (is_left(t, end.check))
            tell_thread(t);
    hdi_objects_each(tell_object);
    self->leak.check = end.check->outer;
    return 1;
}
