/* standstill.c - see standstill.h
 *
 * All threads were seen at one moment, and what each waits for then is what the kernel and the
 * object itself say. A thread can go on unless its wait has no time limit, ends by nothing outside
 * the process, was not yet ended by another (the word that it sleeps on is unchanged), and whoever
 * could end it cannot go on either: the holder of a lock, the thread that is joined, and for
 * everything else all other threads. What is left when those that can go on are taken away is stuck
 * for good.
 */
#include "standstill.h"

#include <stdlib.h>
#include <string.h>

#include "findings/phrase.h"
#include "util/alloc.h"

/* Only the thread that is known to hold it can end this wait. */
static bool has_holder(const struct wait *w)
{
    return w->holder != NOBODY || w->gone;
}

/* A thread that only carries goroutines holds what one took that is elsewhere now: any may be. */
static bool has_thread(const struct view *v, const struct wait *w)
{
    return w->holder != NOBODY && !v->thread[w->holder].wait.idle;
}

static bool *stuck_threads(const struct view *v, size_t *count)
{
    bool *stuck = mem_zeroed(v->threads ? v->threads : 1, sizeof *stuck);
    size_t left = 0, idle = 0;
    for (size_t i = 0; i < v->threads; i++) {
        const struct wait *w = &v->thread[i].wait;
        stuck[i] = w->kind != HD_EV_NONE && !w->ends && !w->woken && !w->idle &&
                   (has_holder(w) || !v->s->may_be_called);
        left += stuck[i];
        idle += w->idle;
    }
    for (bool changed = true; changed;) {
        changed = false;
        bool all = left + idle == v->threads && !v->s->lacks_fibres;
        for (size_t i = 0; i < v->threads; i++) {
            const struct wait *w = &v->thread[i].wait;
            bool stays = has_thread(v, w) ? stuck[w->holder] : w->gone || all;
            if (stuck[i] && !stays) {
                stuck[i] = false;
                left--;
                changed = true;
            }
        }
    }
    *count = left;
    return stuck;
}

/* ---- findings ---- */

/* Equal for equal objects, and never 0. */
static uint32_t object_id(const struct wait *w)
{
    uint64_t n = w->object ? w->object : 1;
    uint32_t id = (uint32_t)(n ^ n >> 32) & ~1u;
    return id ? id : 2;
}

static uint32_t thread_id(size_t i)
{
    return (uint32_t)(i + 1) * 2;
}

static void note_wait(const struct view *v, struct finding *f, size_t i)
{
    const struct viewed *t = &v->thread[i];
    const struct wait *w = &t->wait;
    const struct stack *stack = &v->shape[t->shape].stack;
    bool joins = w->kind == HD_EV_THREAD_JOIN && w->holder != NOBODY;
    struct note *n = finding_note(f, HD_ROLE_WAITS);
    uint32_t at = (uint32_t)(f->notes - 1);
    n->kind = w->kind;
    n->thread = mem_copy(t->label);
    n->thread_id = thread_id(i);
    n->object = mem_copy(joins ? v->thread[w->holder].label : w->name);
    n->object_id = joins ? thread_id(w->holder) | 1 : object_id(w);
    n->text = mem_copy(w->detail);
    n->link = at;
    for (size_t k = 0; k < stack->count; k++) {
        const struct frame *from = &stack->frame[k];
        stack_push(&n->stack, from->function, from->file, from->line, from->column, from->module,
                   from->offset)
            ->inlined = from->inlined;
    }
    for (size_t k = 0; k < w->cases && f->notes + 3 < HDP_NOTES; k++) {
        n = finding_note(f, HD_ROLE_CASE);
        n->kind = w->one[k].kind;
        n->object = mem_copy(w->one[k].name);
        n->thread_id = thread_id(i);
        n->thread = mem_copy(t->label);
        n->link = at;
    }
    if (w->with) {
        n = finding_note(f, HD_ROLE_WITH);
        n->object = view_object((struct view *)v, HD_EV_MUTEX_LOCK, w->with);
        n->thread_id = thread_id(i);
        n->thread = mem_copy(t->label);
        n->link = at;
    }
}

static void note_holder(const struct view *v, struct finding *f, size_t waiter)
{
    const struct wait *w = &v->thread[waiter].wait;
    struct note *n;
    if (w->kind == HD_EV_THREAD_JOIN)
        return;
    n = finding_note(f, HD_ROLE_HOLDS);
    n->kind = w->kind == HD_EV_RWLOCK_RDLOCK ? HD_EV_RWLOCK_WRLOCK : w->kind;
    n->thread = mem_copy(v->thread[w->holder].label);
    n->thread_id = thread_id(w->holder);
    n->object = mem_copy(w->name);
    n->object_id = object_id(w);
    n->link = (uint32_t)(f->notes - 1);
}

/* The first of the ring that i's wait leads into, or NOBODY. */
static size_t ring_of(const struct view *v, const bool *stuck, size_t i)
{
    size_t slow = i, fast = i;
    for (;;) {
        for (int step = 0; step < 2; step++) {
            fast = stuck[fast] ? v->thread[fast].wait.holder : NOBODY;
            if (fast == NOBODY)
                return NOBODY;
        }
        slow = v->thread[slow].wait.holder;
        if (slow == fast)
            break;
    }
    size_t first = slow;
    for (size_t at = v->thread[slow].wait.holder; at != slow; at = v->thread[at].wait.holder)
        first = at < first ? at : first;
    return first;
}

/* "T7 (worker) holds mutex cache.lock and waits for mutex db.lock; T9 (main) holds ..." */
static char *ring_text(const struct view *v, size_t first)
{
    char *text = mem_copy("");
    size_t before = first;
    while (v->thread[before].wait.holder != first)
        before = v->thread[before].wait.holder;
    for (size_t at = first, n = 0;; before = at, at = v->thread[at].wait.holder, n++) {
        const struct wait *w = &v->thread[at].wait, *held = &v->thread[before].wait;
        bool joined = held->kind == HD_EV_THREAD_JOIN;
        char *waits = w->kind == HD_EV_THREAD_JOIN
                          ? phrase_wait(w->kind, v->thread[w->holder].label)
                          : phrase_wait(w->kind, w->name);
        char *more = mem_format("%s%s%s %s%s%s%s", text, n ? "; " : "", v->thread[at].label,
                                joined ? "" : "holds ", joined ? "" : held->name,
                                joined ? "" : " and ", waits);
        free(waits);
        free(text);
        text = more;
        if (n == 3) {
            more = mem_format("%s; ...", text);
            free(text);
            return more;
        }
        if (w->holder == first)
            return text;
    }
}

static void add(struct findings *to, struct finding *f)
{
    bool is_new;
    finding_fingerprint(f);
    findings_add(to, f, &is_new);
}

static void add_ring(const struct view *v, size_t first, struct findings *to)
{
    bool alone = v->thread[first].wait.holder == first;
    char *text = alone ? standstill_wait(v, &v->thread[first].wait) : ring_text(v, first);
    char *line = alone ? mem_format("%s %s", v->thread[first].label, text) : mem_copy(text);
    struct finding *f =
        finding_new(alone ? HD_FK_SELF_DEADLOCK : HD_FK_DEADLOCK, TOOL_HEDDLE, line);
    size_t at = first;
    f->text_is_all = true;
    free(line);
    free(text);
    do {
        note_wait(v, f, at);
        note_holder(v, f, at);
        at = v->thread[at].wait.holder;
    } while (at != first && f->notes + 3 < HDP_NOTES);
    add(to, f);
}

/* Thread i waits for what its holder, who is not there, cannot give. */
static void add_abandoned(const struct view *v, size_t i, struct findings *to)
{
    const struct viewed *t = &v->thread[i];
    char *text = mem_format("%s waits for %s, which is held by a thread that is not there (%d): it "
                            "ended without unlocking it, or lived in the process that this one was "
                            "forked from, or the lock was overwritten",
                            t->label, t->wait.name, (int)t->wait.gone);
    struct finding *f = finding_new(HD_FK_LOCK_AT_EXIT, TOOL_HEDDLE, text);
    free(text);
    note_wait(v, f, i);
    add(to, f);
}

static void add_all_wait(const struct view *v, const bool *stuck, struct findings *to)
{
    struct finding *f = finding_new(HD_FK_LOST_WAKEUP, TOOL_HEDDLE, NULL);
    bool *told = mem_zeroed(v->shapes ? v->shapes : 1, sizeof *told);
    for (size_t i = 0; i < v->threads && f->notes + 3 < HDP_NOTES; i++) {
        const struct viewed *t = &v->thread[i];
        if (!stuck[i] || told[t->shape])
            continue;
        told[t->shape] = true;
        note_wait(v, f, i);
        if (t->wait.holder != NOBODY)
            note_holder(v, f, i);
    }
    free(told);
    add(to, f);
}

void standstill_find(struct view *v, struct findings *to)
{
    size_t count, before = to->count;
    bool *stuck = stuck_threads(v, &count);
    bool *told = mem_zeroed(v->threads ? v->threads : 1, sizeof *told);
    for (size_t i = 0; i < v->threads; i++) {
        size_t first = stuck[i] ? ring_of(v, stuck, i) : NOBODY;
        if (first == NOBODY || told[first])
            continue;
        told[first] = true;
        add_ring(v, first, to);
    }
    for (size_t i = 0; i < v->threads; i++)
        if (stuck[i] && v->thread[i].wait.gone)
            add_abandoned(v, i, to);
    if (count && to->count == before)
        add_all_wait(v, stuck, to);
    free(told);
    free(stuck);
}

char *standstill_wait(const struct view *v, const struct wait *w)
{
    const char *holder = w->holder != NOBODY ? v->thread[w->holder].label : NULL;
    bool joins = w->kind == HD_EV_THREAD_JOIN;
    char *text =
             w->text ? mem_copy(w->text) : phrase_wait(w->kind, joins && holder ? holder : w->name),
         *more;
    more = mem_format(
        "%s%s%s%s%s%s%s", text, holder && !joins ? " held by " : "", holder && !joins ? holder : "",
        w->gone ? " held by a thread that is not there" : "",
        w->woken ? ", and is being woken" : "", w->detail ? "; " : "", w->detail ? w->detail : "");
    free(text);
    return more;
}

static bool is_static(const struct view *v)
{
    return !v->s->maps || !strstr(v->s->maps, "/ld-");
}

/* A global variable has a name; others are called after the place where they are taken. */
static char *aim_of(struct view *v, const struct viewed *t)
{
    char *variable = symbols_variable(v->symbols, t->wait.object);
    if (variable && !strpbrk(variable, " ,"))
        return variable;
    free(variable);
    return t->wait.from < t->places ? symbols_site(v->symbols, t->place[t->wait.from].pc) : NULL;
}

char *standstill_aim(struct view *v, const struct finding *f)
{
    char *text = NULL;
    size_t locks = 0;
    if (f->kind != HD_FK_DEADLOCK || is_static(v))
        return NULL;
    for (size_t i = 0; i < v->threads; i++) {
        const struct viewed *t = &v->thread[i];
        bool waits = false;
        for (size_t k = 0; k < f->notes; k++)
            waits |= f->note[k].role == HD_ROLE_WAITS && f->note[k].thread_id == thread_id(i) &&
                     f->note[k].kind != HD_EV_THREAD_JOIN && f->note[k].kind != HD_EV_ONCE;
        char *name = waits ? aim_of(v, t) : NULL;
        if (!name)
            continue;
        char *more = mem_format("%s%s%s", text ? text : "", text ? "," : "", name);
        free(text);
        free(name);
        text = more;
        locks++;
    }
    if (locks >= 2)
        return text;
    free(text);
    return NULL;
}
