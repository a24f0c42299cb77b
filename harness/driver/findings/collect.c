/* collect.c - see collect.h
 *
 * The program writes the region, and may be broken: every index and length is checked.
 */
#include "collect.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "library_race.h"
#include "others.h"
#include "schedules/schedule.h"
#include "util/alloc.h"
#include "util/by_value.h"
#include "util/fault_words.h"
#include "wire/hash.h"

/* How much of the interleaving a person reads. */
#define MOMENTS 12

static void add_stack(const struct scene *scene, uint32_t index, uint64_t site, struct stack *to)
{
    const struct hdp_region *r = scene->region;
    uint64_t offset = (uint64_t)(index ? index - 1 : 0) * 16;
    if (index && r->stack_used <= HDP_STACK_BYTES && offset < r->stack_used)
        symbols_unwind(scene->symbols, (const struct hdp_stack *)(r->stacks + offset),
                       r->stack_used - offset, site, to);
    if (!to->count && site)
        symbols_frames(scene->symbols, site, !scene_starts_at(r, site), to);
}

/* A goroutine begins in the user's function; what called that is the library's. */
static void end_at_start(const struct scene *scene, uint32_t thread, struct stack *s)
{
    const struct hdp_region *r = scene->region;
    char *start = NULL;

    for (uint32_t i = 0; i < r->thread_count && i < HDP_THREADS && !start; i++)
        if (r->thread[i].hash == thread && r->thread[i].start)
            start = symbols_function(scene->symbols, r->thread[i].start);
    for (size_t i = s->count; start && i-- > 0;)
        if (s->frame[i].function && strcmp(s->frame[i].function, start) == 0) {
            stack_cut(s, i + 1);
            break;
        }
    free(start);
}

/* What called a handler is the kernel's doing: below it lies what was interrupted. */
static void end_at_handler(struct stack *s)
{
    for (size_t i = 1; i < s->count; i++)
        if (s->frame[i].module && strncmp(s->frame[i].module, "libc.so", 7) == 0) {
            stack_cut(s, i);
            return;
        }
}

static char *access_text(const struct hdp_note *n)
{
    unsigned size = n->extra & HD_ACCESS_SIZE;
    return mem_format("%s%s of %u byte%s at %#llx", n->extra & HD_ACCESS_ATOMIC ? "atomic " : "",
                      hdp_access_word(n->extra), size, size == 1 ? "" : "s",
                      (unsigned long long)n->addr);
}

/* What lies below this is no memory: a pointer that is NULL, and a member of what it points to. */
#define NULL_PAGE 4096u

static char *fault_text(const struct hdp_note *n)
{
    const char *verb = n->extra & HD_ACCESS_WRITE ? "write" : "read";
    if (n->addr < NULL_PAGE)
        return mem_format("%s through a null pointer, at address %#llx", verb,
                          (unsigned long long)n->addr);
    return mem_format("%s of %s, at address %#llx", verb,
                      n->extra & HD_ACCESS_FORBIDDEN ? "memory that does not permit it"
                                                     : "an address where there is no memory",
                      (unsigned long long)n->addr);
}

static void add_note(const struct scene *scene, struct finding *f, const struct hdp_note *raw)
{
    struct note *n =
        finding_note(f, raw->role < HD_ROLE_COUNT ? (enum hd_role)raw->role : HD_ROLE_HERE);
    n->kind = raw->kind < HD_EV_COUNT ? (enum hd_event)raw->kind : HD_EV_NONE;
    n->thread_id = raw->thread;
    n->object_id = raw->object;
    n->link = raw->link;
    n->addr = raw->addr;
    n->extra = raw->extra;
    n->step = raw->step;
    if (raw->thread)
        n->thread = scene_thread(scene, raw->thread);
    if (raw->object) {
        n->object_kind = scene_kind_of(scene_object_entry(scene->region, raw->object), n->kind);
        n->object = scene_object(scene, raw->object, n->object_kind);
    }
    if (n->role == HD_ROLE_HERE && n->extra & HD_ACCESS_FAULT)
        n->text = fault_text(raw);
    if (n->role == HD_ROLE_ACCESS || n->role == HD_ROLE_PREVIOUS_ACCESS) {
        n->text = access_text(raw);
        if (!n->object && raw->addr) {
            char *variable = symbols_variable(scene->symbols, raw->addr);
            n->object = variable ? mem_format("variable %s", variable) : NULL;
            n->object_kind = HD_OB_MEMORY;
            n->name_at = variable ? strlen("variable ") : 0;
            n->variable = symbols_variable_number(scene->symbols, raw->addr);
            free(variable);
        }
    }
    add_stack(scene, raw->stack, raw->site, &n->stack);
    end_at_start(scene, raw->thread, &n->stack);
    if (f->kind == HD_FK_HANDLER_CALL && n->role == HD_ROLE_HERE)
        end_at_handler(&n->stack);
}

static char *choice_text(const struct hdp_region *r, const struct hdp_step *at)
{
    uint32_t detail = HDP_STEP_DETAIL(at->flags);

    switch (HDP_STEP_WHAT(at->flags)) {
    case HDP_CHOSE_READ:
        return detail ? mem_format("old value, %u newer", detail) : mem_copy("last value");
    case HDP_CHOSE_NO_REASON:
        return mem_copy("fails for no reason");
    case HDP_CHOSE_PLACE:
        return detail ? mem_format("goes before %u earlier", detail) : mem_copy("goes last");
    case HDP_CHOSE_BUFFER:
        return !at->choice ? mem_copy("stores stay in buffers")
               : detail < r->thread_count && detail < HDP_THREADS
                   ? mem_format("stores of %.31s arrive", r->thread[detail].name)
                   : mem_copy("stores arrive");
    case HDP_CHOSE_HOW_MANY:
        return mem_format("%u of them", detail);
    case HDP_CHOSE_FAULT:
        return mem_format("fault: %s", detail < HDP_FAULT_KINDS ? fault_words[detail].text : "?");
    default:
        return mem_format("choose %u", at->choice);
    }
}

/* Does interleaving alone not show what was chosen? */
static bool is_weak(const struct hdp_step *at)
{
    uint32_t what = HDP_STEP_WHAT(at->flags), detail = HDP_STEP_DETAIL(at->flags);

    return at->flags & HDP_STEP_CHOICE && what != HDP_CHOSE_FAULT &&
           (what == HDP_CHOSE_BUFFER      ? !at->choice
            : what == HDP_CHOSE_NO_REASON ? true
                                          : what && what != HDP_CHOSE_HOW_MANY && detail);
}

static char *moment_text(const struct scene *scene, uint32_t step)
{
    const struct hdp_step *at = &scene->region->trace[step - 1];
    if (at->flags & HDP_STEP_CHOICE)
        return choice_text(scene->region, at);
    char *taken = at->kind == HD_EV_SELECT ? others_taken(scene, step) : NULL;
    if (taken) {
        char *whole = mem_format("select: %s", taken);
        free(taken);
        return whole;
    }
    const struct hdp_object *o = at->object ? scene_object_entry(scene->region, at->object) : NULL;
    enum hd_object kind = scene_kind_of(o, at->kind);
    const struct hdp_thread *t =
        kind == HD_OB_THREAD ? scene_thread_of(scene->region, at->object) : NULL;
    bool plain = at->kind == HD_EV_READ || at->kind == HD_EV_WRITE;
    char *variable = !o || kind != HD_OB_MEMORY ? NULL
                     : plain                    ? scene_word(scene, o)
                                                : scene_variable(scene, o);
    const char *name = t            ? t->name
                       : variable   ? variable
                       : at->object ? names_object(scene->objects, at->object, kind)
                                    : "";
    char *text = mem_format("%s%s%.31s%s", event_verb(at->kind), *name ? " " : "", name,
                            at->flags & HDP_STEP_TIMEOUT && at->kind != HD_EV_SLEEP ? ": timed out"
                            : at->flags & HDP_STEP_SPURIOUS ? ": woken for no reason"
                            : at->flags & HDP_STEP_CANCEL   ? ": cancelled"
                                                            : "");
    free(variable);
    return text;
}

static char *place_text(const struct scene *scene, uint64_t site)
{
    struct stack s = {0};
    if (site)
        scene_place(scene, site, &s);
    char *text = NULL;
    if (s.count) {
        const struct frame *fr = &s.frame[0];
        if (fr->file)
            text = mem_format("%s:%u", base_name(fr->file), fr->line);
        else if (fr->function)
            text = mem_copy(fr->function);
        else if (fr->module)
            text = mem_format("%s+%#llx", fr->module, (unsigned long long)fr->offset);
    }
    stack_clear(&s);
    return text;
}

/* Kinds about which each step may matter; the story of the others is that of their objects and of
 * the threads that raced. */
static bool is_about_steps(enum hd_finding_kind kind)
{
    return kind == HD_FK_CRASH || kind == HD_FK_ASSERTION || kind == HD_FK_PANIC ||
           kind == HD_FK_EXIT_CODE || kind == HD_FK_OUTPUT || kind == HD_FK_ORACLE ||
           kind == HD_FK_LIVELOCK || kind == HD_FK_HANG || kind == HD_FK_NONDETERMINISM ||
           kind == HD_FK_SANITIZER || kind == HD_FK_TOOL;
}

static bool is_access(const struct note *n)
{
    return n->step && n->thread_id;
}

static bool is_about(const struct finding *f, const struct hdp_step *at)
{
    if (at->kind == HD_EV_RELEASED) /* nothing happens in it: the order of the others tells */
        return false;
    if (hdp_step_is_fault(at))
        return true;
    if (is_about_steps(f->kind))
        return at->kind != HD_EV_THREAD_START; /* what it does first tells that it has begun */
    bool objects = false;
    for (size_t i = 0; i < f->notes; i++) {
        const struct note *n = &f->note[i];
        if (is_access(n) && n->thread_id == at->thread)
            return true;
        if (!n->object_id)
            continue;
        objects = true;
        if (at->object == n->object_id)
            return true;
    }
    return !objects;
}

static void add_moment(const struct scene *scene, struct finding *f, uint32_t step, uint32_t thread,
                       const char *what, uint64_t site)
{
    const struct hdp_thread *t = scene_thread_entry(scene->region, thread);
    char *name = t ? mem_format("%.31s", t->name) : mem_format("?%08x", thread);
    char *place = place_text(scene, site);
    finding_moment(f, step, name, what, place);
    free(name);
    free(place);
}

/* Where everything stands still: the last rows. */
static void add_waits(const struct scene *scene, struct finding *f, const struct hdp_finding *raw)
{
    for (uint32_t i = 0; i < raw->notes && i < HDP_NOTES; i++) {
        const struct hdp_note *n = &raw->note[i];
        if (n->role != HD_ROLE_WAITS || !n->thread)
            continue;
        const struct hdp_object *o =
            n->object ? scene_object_entry(scene->region, n->object) : NULL;
        enum hd_object kind = scene_kind_of(o, n->kind);
        const struct hdp_thread *t =
            kind == HD_OB_THREAD ? scene_thread_of(scene->region, n->object) : NULL;
        char *what;
        if (n->object)
            what = mem_format("waits for %.31s",
                              t ? t->name : names_object(scene->objects, n->object, kind));
        else if (n->kind == HD_EV_SELECT)
            what = mem_copy("waits in select");
        else if (kind == HD_OB_CHAN)
            what = mem_copy("waits for ever");
        else
            what = mem_format("still %s", event_doing(n->kind));
        add_moment(scene, f, 0, n->thread, what, n->site);
        free(what);
    }
}

/* The accesses of a race that came after `step` decisions, unless each was the decision itself. */
static void add_accesses(const struct scene *scene, struct finding *f,
                         const struct hdp_finding *raw, uint32_t step)
{
    for (uint32_t i = 0; raw && i < raw->notes && i < HDP_NOTES; i++) {
        const struct hdp_note *n = &raw->note[i];
        const struct hdp_step *at = &scene->region->trace[step - 1];
        if (!is_access(&f->note[i]) || n->step != step ||
            (at->thread == n->thread && at->site == n->site))
            continue;
        const char *name = f->note[i].object;
        name += name ? f->note[i].name_at : 0;
        char *what =
            mem_format("%s%s%.31s", event_verb(n->kind), name ? " " : "", name ? name : "");
        add_moment(scene, f, step, n->thread, what, n->site);
        free(what);
    }
}

/* Where it ended, after the last decision: the last row. */
static void add_end(struct finding *f)
{
    const char *what = f->kind == HD_FK_CRASH       ? "crashes"
                       : f->kind == HD_FK_ASSERTION ? "assertion fails"
                       : f->kind == HD_FK_PANIC     ? "panics"
                                                    : NULL;
    for (size_t i = 0; what && i < f->notes; i++) {
        const struct note *n = &f->note[i];
        if (n->role != HD_ROLE_HERE || !n->thread)
            continue;
        const struct frame *fr = n->stack.count ? &n->stack.frame[0] : NULL;
        char *name = mem_format("%.*s", (int)strcspn(n->thread, " "), n->thread);
        char *place = !fr        ? NULL
                      : fr->file ? mem_format("%s:%u", base_name(fr->file), fr->line)
                                 : mem_copy(fr->function ? fr->function : "");
        finding_moment(f, 0, name, what, place);
        free(name);
        free(place);
    }
}

static char *joined(char *before, const char *between, const char *more)
{
    char *text = before ? mem_format("%s%s%s", before, between, more) : mem_copy(more);
    free(before);
    return text;
}

/* All that --faults had happen before, in a sentence. */
static void add_faults(const struct scene *scene, struct finding *f, uint32_t end)
{
    char *options = NULL;
    for (uint32_t i = 0; i < end; i++) {
        const struct hdp_step *at = &scene->region->trace[i];
        const struct hdp_thread *t = scene_thread_entry(scene->region, at->thread);
        uint32_t kind = HDP_STEP_DETAIL(at->flags);
        if (!hdp_step_is_fault(at))
            continue;
        char *place = place_text(scene, at->site);
        char *one = mem_format("%s in %.31s at %s", fault_words[kind].text, t ? t->name : "?",
                               place ? place : "an unknown place");
        f->fault = joined(f->fault, ", and ", one);
        if (!options || !strstr(options, fault_words[kind].option))
            options = joined(options, ",", fault_words[kind].option);
        free(place);
        free(one);
    }
    if (options) {
        char *whole = mem_format("%s: chosen by --faults=%s", f->fault, options);
        free(f->fault);
        f->fault = whole;
    }
    free(options);
}

/* The last decisions that concern the finding, up to the moment when it was noticed, and all faults. */
static void add_moments(const struct scene *scene, struct finding *f, const struct hdp_finding *raw)
{
    const struct hdp_region *r = scene->region;
    uint32_t steps = r->result.steps < HDP_STEPS ? r->result.steps : HDP_STEPS;
    uint32_t end = raw && raw->step && raw->step < steps ? raw->step : steps, from, chosen = 0;
    for (from = end; from > 0 && chosen < MOMENTS; from--)
        chosen += is_about(f, &r->trace[from - 1]);
    for (uint32_t i = 0; i < f->notes; i++)
        if (is_access(&f->note[i]) && f->note[i].step <= from)
            add_accesses(scene, f, raw, f->note[i].step);
    add_faults(scene, f, end);
    for (uint32_t i = 0; i < end; i++) {
        f->weak |= is_weak(&r->trace[i]);
        if (i < from && hdp_step_is_fault(&r->trace[i])) {
            char *what = moment_text(scene, i + 1);
            add_moment(scene, f, i + 1, r->trace[i].thread, what, r->trace[i].site);
            free(what);
        }
    }
    for (uint32_t i = from; i < end; i++) {
        const struct hdp_step *at = &r->trace[i];
        if (is_about(f, at)) {
            char *what = moment_text(scene, i + 1);
            add_moment(scene, f, i + 1, at->thread, what, at->site);
            free(what);
        }
        add_accesses(scene, f, raw, i + 1);
    }
    add_end(f);
}

static bool is_signal(uint32_t kind)
{
    return kind == HD_EV_COND_SIGNAL || kind == HD_EV_COND_BROADCAST ||
           kind == HD_EV_HD_COND_SIGNAL;
}

/* Did nobody wait when the thread of a note last signalled? Of a broadcast: did `waiter` not? Who
 * waits makes no decision until it is woken. */
static bool was_in_vain(const struct hdp_region *r, const struct note *n, uint32_t waiter)
{
    uint32_t at = r->result.steps < HDP_STEPS ? r->result.steps : HDP_STEPS;
    const struct hdp_step *e = r->trace, *signal;
    while (at > 0 && !(e[at - 1].thread == n->thread_id && e[at - 1].object == n->object_id &&
                       is_signal(e[at - 1].kind)))
        at--;
    if (!at || e[at - 1].kind != n->kind)
        return false;
    signal = &e[at - 1];
    for (uint32_t i = at - 1; i-- > 0;) {
        uint32_t later = i + 1;
        if (e[i].object != n->object_id ||
            (e[i].kind != HD_EV_COND_WAIT && e[i].kind != HD_EV_HD_COND_WAIT) ||
            (signal->kind == HD_EV_COND_BROADCAST && e[i].thread != waiter))
            continue;
        while (&e[later] != signal && e[later].thread != e[i].thread)
            later++;
        if (&e[later] == signal)
            return false;
    }
    return true;
}

static void add_signals_in_vain(struct finding *f, const struct hdp_region *r)
{
    for (size_t i = 0; i < f->notes; i++) {
        struct note *n = &f->note[i];
        if (n->role == HD_ROLE_COULD_WAKE || n->role == HD_ROLE_WOULD_WAKE)
            n->in_vain = was_in_vain(r, n, f->note[n->link].thread_id);
    }
}

/* A panic about a channel that was closed: who did. */
static void add_closer(const struct scene *scene, struct finding *f)
{
    const struct hdp_story_event *e =
        f->kind == HD_FK_PANIC && f->notes ? others_closed(scene, f->note[0].object_id) : NULL;

    if (e)
        add_note(scene, f,
                 &(struct hdp_note){.role = HD_ROLE_EARLIER,
                                    .kind = HD_EV_CHAN_CLOSE,
                                    .thread = scene->region->thread[e->thread].hash,
                                    .object = e->object,
                                    .stack = e->stack,
                                    .site = e->site,
                                    .link = (uint32_t)f->notes});
}

struct finding *collect_finding(const struct scene *scene, const struct hdp_finding *raw)
{
    schedule_name_threads(scene->region, scene->objects);
    enum hd_finding_kind kind =
        raw->kind < HD_FK_COUNT ? (enum hd_finding_kind)raw->kind : HD_FK_TOOL;
    char *text = mem_format("%.*s", HDP_TEXT - 1, raw->text);
    struct finding *f = finding_new(kind, TOOL_HEDDLE, text);
    free(text);
    f->fatal = raw->fatal != 0;
    f->causes = raw->causes;
    f->only_sleeps = raw->only_sleeps != 0;
    f->charged_at = raw->charged_at < strlen(f->text) ? raw->charged_at : 0;
    for (uint32_t i = 0; i < raw->notes && i < HDP_NOTES; i++)
        add_note(scene, f, &raw->note[i]);
    for (size_t i = 0; i < f->notes; i++)
        if (f->note[i].link >= f->notes)
            f->note[i].link = (uint32_t)i;
    add_closer(scene, f);
    add_moments(scene, f, raw);
    add_waits(scene, f, raw);
    add_signals_in_vain(f, scene->region);
    others_add(scene, f);
    library_race_mark(scene, raw, f);
    finding_fingerprint(f);
    return f;
}

static const struct hdp_thread *thread_of_tid(const struct hdp_region *r, pid_t tid)
{
    for (uint32_t i = 0; i < r->thread_count && i < HDP_THREADS; i++)
        if (r->thread[i].tid == tid)
            return &r->thread[i];
    return NULL;
}

/* What running_stacks() saw: one note a thread. */
static void add_stuck(const struct scene *scene, struct finding *f)
{
    for (size_t i = 0; i < scene->stuck_count && f->notes < HDP_NOTES; i++) {
        const struct running_thread *t = &scene->stuck[i];
        if (!t->stack.count)
            continue;
        const struct hdp_thread *known = thread_of_tid(scene->region, t->tid);
        struct note *n = finding_note(f, HD_ROLE_LAST_OP);
        n->thread_id = known ? known->hash : (uint32_t)t->tid;
        n->thread = known    ? scene_thread(scene, known->hash)
                    : i == 0 ? mem_copy("T0 (main)") /* the kernel lists it first */
                             : mem_format("thread %zu (%s)", i + 1, t->name);
        for (size_t k = 0; k < t->stack.count; k++) {
            const struct frame *fr = &t->stack.frame[k];
            stack_push(&n->stack, fr->function, fr->file, fr->line, fr->column, fr->module,
                       fr->offset)
                ->inlined = fr->inlined;
        }
    }
}

/* Who ended the program, and where. */
static void add_exit(const struct scene *scene, struct finding *f)
{
    const struct hdp_region *r = scene->region;
    uint32_t at = r->result.steps < HDP_STEPS ? r->result.steps : HDP_STEPS;

    while (at > 0 && r->trace[at - 1].kind != HD_EV_EXIT)
        at--;
    if (at > 0)
        add_note(scene, f,
                 &(struct hdp_note){.role = HD_ROLE_HERE,
                                    .kind = HD_EV_EXIT,
                                    .thread = r->trace[at - 1].thread,
                                    .site = r->trace[at - 1].site});
}

struct finding *collect_ending(const struct scene *scene, enum hd_finding_kind kind,
                               const char *text)
{
    const struct hdp_region *r = scene->region;
    struct finding *f = finding_new(kind, TOOL_HEDDLE, text);
    f->fatal = true;
    schedule_name_threads(r, scene->objects);
    bool stuck = kind == HD_FK_HANG || kind == HD_FK_CRASH;
    if (kind == HD_FK_HANG && scene->stuck_count) {
        add_stuck(scene, f);
        stuck = false;
    }
    for (uint32_t i = 0; stuck && i < r->thread_count && i < HDP_THREADS && f->notes < HDP_NOTES;
         i++) {
        const struct hdp_thread *t = &r->thread[i];
        if (t->state == HDP_T_ENDED || !t->site)
            continue;
        add_note(scene, f,
                 &(struct hdp_note){.role = HD_ROLE_LAST_OP,
                                    .kind = (uint16_t)t->kind,
                                    .thread = t->hash,
                                    .object = t->object,
                                    .stack = t->stack,
                                    .site = t->site,
                                    .link = (uint32_t)f->notes});
    }
    if (kind == HD_FK_EXIT_CODE)
        add_exit(scene, f);
    add_moments(scene, f, NULL);
    finding_fingerprint(f);
    return f;
}

uint64_t collect_key(const struct scene *scene, const struct hdp_finding *raw)
{
    uint64_t side[HDP_NOTES];
    size_t sides = 0;
    for (uint32_t i = 0; i < raw->notes && i < HDP_NOTES; i++) {
        const struct hdp_note *n = &raw->note[i];
        if (!finding_decides((enum hd_finding_kind)raw->kind, (enum hd_role)n->role) || !n->site ||
            (raw->causes && i >= raw->causes))
            continue;
        side[sides++] =
            hash_mix(hash_mix(n->kind, n->role), symbols_stable(scene->symbols, n->site));
    }
    qsort(side, sides, sizeof *side, by_value);
    uint64_t h = hash_mix(1, raw->kind);
    for (size_t i = 0; i < sides; i++)
        if (i == 0 || side[i] != side[i - 1])
            h = hash_mix(h, side[i]);
    for (size_t i = 0; !sides && i < HDP_TEXT && raw->text[i]; i++)
        if (raw->text[i] < '0' || raw->text[i] > '9')
            h = hash_mix(h, (unsigned char)raw->text[i]);
    return h;
}
