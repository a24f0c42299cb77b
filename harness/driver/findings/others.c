/* others.c - see others.h
 *
 * The program writes the region, and may be broken: every index is checked.
 */
#include "others.h"

#include <stdlib.h>
#include <string.h>

#include "phrase.h"
#include "util/alloc.h"

/* Threads that are told one by one. */
#define TOLD 6u

/* What one thread did to the object. */
struct share {
    uint32_t thread; /* index in the table */
    uint64_t sent, received, given;
    int64_t units;
    uint64_t sent_site, received_site, given_site; /* of the last one */
    uint32_t given_step;
    uint32_t passed_step; /* a select that could have taken it took something else then; 0 = none */
    const struct hdp_story_event *instead;
};

/* All that happened to one object. */
struct history {
    const struct scene *scene;
    const struct hdp_story *story;
    uint32_t events, id, self; /* self: the thread that waits */
    enum hd_object kind;
    const char *name; /* "CH1" */
    int64_t room, level;
    bool room_known, level_known;
    const struct hdp_story_event *closed;
    struct share share[HDP_THREADS];
    uint32_t shares;
};

static uint32_t events_of(const struct hdp_region *r)
{
    return r->story.events < HDP_STORY_EVENTS ? r->story.events : HDP_STORY_EVENTS;
}

static bool is_thread(const struct hdp_region *r, uint32_t index)
{
    return index < r->thread_count && index < HDP_THREADS;
}

static struct share *share_of(struct history *h, uint32_t thread)
{
    for (uint32_t i = 0; i < h->shares; i++)
        if (h->share[i].thread == thread)
            return &h->share[i];
    if (h->shares == HDP_THREADS)
        return NULL;
    h->share[h->shares] = (struct share){.thread = thread};
    return &h->share[h->shares++];
}

/* ---- selects ---- */

/* The first event behind so many decisions. */
static uint32_t first_event(const struct hdp_story *s, uint32_t events, uint32_t step)
{
    uint32_t low = 0, high = events;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (s->event[middle].step < step)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool is_value(unsigned kind)
{
    return kind == HD_EV_CHAN_SEND || kind == HD_EV_CHAN_RECV;
}

char *others_taken(const struct scene *scene, uint32_t step)
{
    const struct hdp_region *r = scene->region;
    uint32_t events = events_of(r);

    for (uint32_t i = first_event(&r->story, events, step);
         i < events && r->story.event[i].step == step; i++) {
        const struct hdp_story_event *e = &r->story.event[i];
        if (e->what != HDP_STORY_MOVES || !is_value(e->kind) || !is_thread(r, e->thread) ||
            r->thread[e->thread].hash != r->trace[step - 1].thread)
            continue;
        return mem_format("%s %s%s", event_verb(e->kind),
                          names_object(scene->objects, e->object, HD_OB_CHAN),
                          e->n ? "" : " (closed)");
    }
    return NULL;
}

/* Did the select that e is of offer the object, too? It waited for it since the thread's last move, or
 * is known by it. */
static bool offered(const struct history *h, uint32_t at)
{
    const struct hdp_region *r = h->scene->region;
    const struct hdp_story_event *e = &h->story->event[at];
    uint32_t steps = r->result.steps < HDP_STEPS ? r->result.steps : HDP_STEPS;

    if (!e->step || e->step > steps || r->trace[e->step - 1].kind != HD_EV_SELECT)
        return false;
    if (r->trace[e->step - 1].object == h->id)
        return true;
    for (uint32_t i = at; i-- > 0;) {
        const struct hdp_story_event *before = &h->story->event[i];
        if (before->thread != e->thread)
            continue;
        if (before->what == HDP_STORY_MOVES)
            return false;
        if (before->what == HDP_STORY_CASE && before->object == h->id)
            return true;
    }
    return false;
}

/* ---- reading ---- */

static void move(struct history *h, const struct hdp_story_event *e)
{
    struct share *s = share_of(h, e->thread);

    if (!s)
        return;
    s->units += e->n;
    switch (e->kind) {
    case HD_EV_CHAN_SEND:
        s->sent++;
        s->sent_site = e->site;
        h->level++;
        break;
    case HD_EV_CHAN_RECV:
        s->received += e->n != 0;
        s->received_site = e->site;
        h->level -= e->n != 0;
        break;
    case HD_EV_CHAN_CLOSE:
        h->closed = e;
        break;
    case HD_EV_HD_WAITGROUP_ADD:
        h->level += e->n;
        s->given += e->n < 0 ? (uint64_t)-e->n : 0;
        if (e->n < 0)
            s->given_site = e->site;
        break;
    case HD_EV_COND_SIGNAL:
    case HD_EV_COND_BROADCAST:
    case HD_EV_HD_COND_SIGNAL:
    case HD_EV_SEM_POST:
        s->given++;
        s->given_site = e->site;
        s->given_step = e->step;
        break;
    default:
        break;
    }
}

static void read_story(struct history *h)
{
    for (uint32_t i = 0; i < h->events; i++) {
        const struct hdp_story_event *e = &h->story->event[i];
        if (e->what == HDP_STORY_MOVES && e->object != h->id && is_value(e->kind) &&
            e->thread != h->self && is_thread(h->scene->region, e->thread) && offered(h, i)) {
            struct share *s = share_of(h, e->thread);
            if (s) {
                s->passed_step = e->step;
                s->instead = e;
            }
        }
        if (e->object != h->id)
            continue;
        if (e->what == HDP_STORY_ROOM) {
            h->room = e->n;
            h->room_known = e->n >= 0;
            h->level_known = true;
        } else if (e->what == HDP_STORY_FILLED) {
            h->level = e->n;
        } else if (e->what == HDP_STORY_MOVES && is_thread(h->scene->region, e->thread)) {
            move(h, e);
        }
    }
}

/* ---- words ---- */

static void more(char **text, char *sentence)
{
    char *both = mem_format("%s%s%s", *text ? *text : "", *text ? "; " : "", sentence);
    free(*text);
    free(sentence);
    *text = both;
}

static const char *who(const struct history *h, uint32_t thread)
{
    return h->scene->region->thread[thread].name;
}

static char *place_in(const struct scene *scene, uint64_t site)
{
    struct stack s = {0};
    scene_place(scene, site, &s);
    const struct frame *fr = s.count ? &s.frame[0] : NULL;
    char *text = !fr        ? mem_copy("an unknown place")
                 : fr->file ? mem_format("%s:%u", base_name(fr->file), fr->line)
                            : mem_copy(fr->function ? fr->function : "an unknown place");
    stack_clear(&s);
    return text;
}

static char *place(const struct history *h, uint64_t site)
{
    return place_in(h->scene, site);
}

/* "T0 sent (3 times, last at a.c:5)", for each who did; otherwise `nobody`. */
static void tell(struct history *h, char **text, const char *verb, const char *nobody,
                 uint64_t (*count)(const struct share *s), uint64_t (*site)(const struct share *s))
{
    uint32_t told = 0;
    for (uint32_t i = 0; i < h->shares; i++) {
        const struct share *s = &h->share[i];
        uint64_t n = count(s);
        if (!n || ++told > TOLD)
            continue;
        char *where = place(h, site(s));
        char *times = n > 1 ? mem_format("%llu times, last at ", (unsigned long long)n) : NULL;
        more(text,
             mem_format("%.31s %s (%s%s)", who(h, s->thread), verb, times ? times : "", where));
        free(times);
        free(where);
    }
    if (told > TOLD)
        more(text, mem_format("%u more threads, too", told - TOLD));
    if (!told && nobody)
        more(text, mem_copy(nobody));
}

static uint64_t sent(const struct share *s)
{
    return s->sent;
}

static uint64_t sent_site(const struct share *s)
{
    return s->sent_site;
}

static uint64_t received(const struct share *s)
{
    return s->received;
}

static uint64_t received_site(const struct share *s)
{
    return s->received_site;
}

static uint64_t given(const struct share *s)
{
    return s->given;
}

static uint64_t given_site(const struct share *s)
{
    return s->given_site;
}

/* Selects that could have taken it, and took something else. */
static void tell_passed(struct history *h, char **text)
{
    for (uint32_t i = 0; i < h->shares; i++) {
        const struct share *s = &h->share[i];
        if (!s->instead || s->sent || s->received)
            continue;
        char *where = place(h, s->instead->site);
        more(text,
             mem_format("the select of %.31s at %s took %s%s instead", who(h, s->thread), where,
                        names_object(h->scene->objects, s->instead->object, HD_OB_CHAN),
                        s->instead->n ? "" : ", which was closed,"));
        free(where);
    }
}

static void tell_channel(struct history *h, char **text)
{
    uint64_t out = 0, in = 0;

    for (uint32_t i = 0; i < h->shares; i++) {
        out += h->share[i].received;
        in += h->share[i].sent;
    }
    if (h->room_known && h->room)
        more(text, h->level_known && h->level >= 0 && h->level <= h->room
                       ? mem_format("%s has room for %lld, %lld in it", h->name, (long long)h->room,
                                    (long long)h->level)
                       : mem_format("%s has room for %lld", h->name, (long long)h->room));
    else
        more(text, mem_format(h->room_known ? "%s has no buffer" : "of %s", h->name));
    if (in + out == 0) {
        more(text, mem_copy(h->closed ? "nobody sent" : "nobody sent, received or closed"));
    } else {
        tell(h, text, "sent", "nobody sent", sent, sent_site);
        tell(h, text, "received", "nobody received", received, received_site);
    }
    tell_passed(h, text);
    if (h->closed) {
        char *where = place(h, h->closed->site);
        more(text, mem_format("%.31s closed it (%s)", who(h, h->closed->thread), where));
        free(where);
    } else if (in + out) {
        more(text, mem_copy("nobody closed it"));
    }
}

/* Whom the last signal of a thread woke: a choice of whom is a decision of its own. */
static char *woken_by(const struct history *h, const struct share *s)
{
    char *list = NULL;

    for (uint32_t i = first_event(h->story, h->events, s->given_step);
         i < h->events && h->story->event[i].step <= s->given_step + 1; i++) {
        const struct hdp_story_event *e = &h->story->event[i];
        if (e->what != HDP_STORY_GOES_ON || e->other != s->thread || e->object != h->id ||
            !is_thread(h->scene->region, e->thread))
            continue;
        char *longer =
            mem_format("%s%s%.31s", list ? list : "", list ? ", " : "", who(h, e->thread));
        free(list);
        list = longer;
    }
    return list;
}

static void tell_signals(struct history *h, char **text)
{
    uint32_t told = 0;

    for (uint32_t i = 0; i < h->shares; i++) {
        const struct share *s = &h->share[i];
        if (!s->given || ++told > TOLD)
            continue;
        char *where = place(h, s->given_site), *woken = woken_by(h, s);
        char *times =
            s->given > 1 ? mem_format("%llu times, last at ", (unsigned long long)s->given) : NULL;
        more(text, mem_format("%.31s signalled %s (%s%s) and woke %s", who(h, s->thread), h->name,
                              times ? times : "", where, woken ? woken : "nobody"));
        free(times);
        free(where);
        free(woken);
    }
    if (!told)
        more(text, mem_format("nobody signalled %s in this schedule", h->name));
}

static void tell_group(struct history *h, char **text)
{
    int64_t added = 0;

    for (uint32_t i = 0; i < h->shares; i++)
        added += h->share[i].units + (int64_t)h->share[i].given;
    more(text, mem_format("%s stands at %lld: %lld added", h->name, (long long)h->level,
                          (long long)added));
    tell(h, text, "said done", "nobody said done", given, given_site);
}

static void tell_semaphore(struct history *h, char **text)
{
    if (h->room_known)
        more(text, mem_format("%s began with %lld", h->name, (long long)h->room));
    tell(h, text, "posted", "nobody posted", given, given_site);
}

/* What a thread did last that others could see. */
static const struct hdp_story_event *last_act(const struct history *h, uint32_t thread)
{
    for (uint32_t i = h->events; i-- > 0;) {
        const struct hdp_story_event *e = &h->story->event[i];
        if (e->thread == thread &&
            (e->what == HDP_STORY_MOVES || e->what == HDP_STORY_GIVES ||
             e->what == HDP_STORY_JOINS) &&
            e->kind != HD_EV_THREAD_EXIT && e->site)
            return e;
    }
    return NULL;
}

/* "its select took channel CH2 ("quit"), which was closed" */
static char *act_text(const struct history *h, const struct hdp_story_event *e)
{
    const struct hdp_region *r = h->scene->region;
    uint32_t steps = r->result.steps < HDP_STEPS ? r->result.steps : HDP_STEPS;
    bool select = is_value(e->kind) && e->step && e->step <= steps &&
                  r->trace[e->step - 1].kind == HD_EV_SELECT;
    char *object = e->object
                       ? scene_object(h->scene, e->object, scene_kind(h->scene, e->object, e->kind))
                       : NULL;
    char *did = select ? mem_format("its select took %s", object) : phrase_did(e->kind, object);
    char *text =
        mem_format("%s%s", did, e->kind == HD_EV_CHAN_RECV && !e->n ? ", which was closed" : "");
    free(object);
    free(did);
    return text;
}

/* Did nobody do yet what this thread waits for? Then whoever is gone may be the one who was to. */
static bool nobody_helped(const struct history *h)
{
    for (uint32_t i = 0; i < h->shares; i++)
        if (h->share[i].thread != h->self)
            return false;
    return true;
}

static bool has_share(const struct history *h, uint32_t thread)
{
    for (uint32_t i = 0; i < h->shares; i++)
        if (h->share[i].thread == thread)
            return true;
    return false;
}

/* Those that are gone: what they did last. What that was to the object itself is told already. */
static void tell_ended(struct history *h, char **text)
{
    const struct hdp_region *r = h->scene->region;
    bool all = nobody_helped(h);
    uint32_t told = 0;

    for (uint32_t t = 0; t < r->thread_count && t < HDP_THREADS && told < TOLD; t++) {
        if (t == h->self || r->thread[t].state != HDP_T_ENDED || !(all || has_share(h, t)))
            continue;
        const struct hdp_story_event *e = last_act(h, t);
        if (!e)
            continue;
        char *name = scene_thread(h->scene, r->thread[t].hash);
        char *did = e->object == h->id ? NULL : act_text(h, e);
        char *where = did ? place(h, e->site) : NULL;
        more(text, did ? mem_format("%s has ended, before that %s%s (%s)", name,
                                    strncmp(did, "its ", 4) == 0 ? "" : "it ", did, where)
                       : mem_format("%s has ended", name));
        free(name);
        free(did);
        free(where);
        told++;
    }
}

static char *history_of(const struct scene *scene, uint32_t id, unsigned event, uint32_t waiter)
{
    const struct hdp_region *r = scene->region;
    struct history *h = mem_zeroed(1, sizeof *h);
    char *text = NULL;

    h->scene = scene;
    h->story = &r->story;
    h->events = events_of(r);
    h->id = id;
    h->self = HDP_STORY_NOBODY;
    for (uint32_t i = 0; i < r->thread_count && i < HDP_THREADS; i++)
        if (r->thread[i].hash == waiter)
            h->self = i;
    h->kind = scene_kind(scene, id, event);
    h->name = names_object(scene->objects, id, h->kind);
    read_story(h);
    switch (h->kind) {
    case HD_OB_CHAN:
        tell_channel(h, &text);
        break;
    case HD_OB_COND:
    case HD_OB_HD_COND:
        tell_signals(h, &text);
        break;
    case HD_OB_WAITGROUP:
        tell_group(h, &text);
        break;
    case HD_OB_SEM:
        tell_semaphore(h, &text);
        break;
    default:
        break;
    }
    if (text)
        tell_ended(h, &text);
    free(h);
    return text;
}

const struct hdp_story_event *others_closed(const struct scene *scene, uint32_t channel)
{
    const struct hdp_region *r = scene->region;

    for (uint32_t i = channel ? events_of(r) : 0; i-- > 0;) {
        const struct hdp_story_event *e = &r->story.event[i];
        if (e->what == HDP_STORY_MOVES && e->kind == HD_EV_CHAN_CLOSE && e->object == channel &&
            is_thread(r, e->thread))
            return e;
    }
    return NULL;
}

/* ---- sides of a race ---- */

#define LOCKS 32u

/* The locks that a thread held behind so many decisions; returns how many. */
static size_t held_then(const struct scene *scene, uint32_t thread, uint32_t step,
                        const struct hdp_story_event *lock[LOCKS])
{
    const struct hdp_region *r = scene->region;
    uint32_t events = events_of(r);
    size_t n = 0;

    for (uint32_t i = 0; i < events && r->story.event[i].step <= step; i++) {
        const struct hdp_story_event *e = &r->story.event[i];
        if (e->thread != thread)
            continue;
        if (e->what == HDP_STORY_TAKES && n < LOCKS) {
            lock[n++] = e;
        } else if (e->what == HDP_STORY_GIVES) {
            for (size_t k = n; k-- > 0;)
                if (lock[k]->object == e->object) {
                    memmove(&lock[k], &lock[k + 1], (n - k - 1) * sizeof *lock);
                    n--;
                    break;
                }
        }
    }
    return n;
}

/* "with mutex M1 (lock) held; T0 (main) made T1 (a.c:5)"; and marks the side if a lock is held. */
static char *side_of_race(const struct scene *scene, struct note *n)
{
    const struct hdp_region *r = scene->region;
    const struct hdp_story_event *lock[LOCKS];
    uint32_t thread = 0;
    char *text = NULL;

    while (is_thread(r, thread) && r->thread[thread].hash != n->thread_id)
        thread++;
    if (!is_thread(r, thread))
        return NULL;
    size_t held = held_then(scene, thread, n->step, lock);
    n->with_lock = held != 0;
    for (size_t i = 0; i < held; i++) {
        char *name =
            scene_object(scene, lock[i]->object, scene_kind(scene, lock[i]->object, lock[i]->kind));
        char *longer = mem_format("%s%s%s%s", text ? text : "with ", text ? ", " : "", name,
                                  lock[i]->n ? " (for reading)" : "");
        free(name);
        free(text);
        text = longer;
    }
    const struct hdp_thread *t = &r->thread[thread];
    char *locks = text ? mem_format("%s held", text) : mem_copy("with no lock held");
    char *whole;
    if (thread && is_thread(r, t->creator) && t->created_site) {
        char *maker = scene_thread(scene, r->thread[t->creator].hash);
        char *where = place_in(scene, t->created_site);
        whole = mem_format("%s; %s made %.31s (%s)", locks, maker, t->name, where);
        free(maker);
        free(where);
    } else {
        whole = mem_copy(locks);
    }
    free(text);
    free(locks);
    return whole;
}

static bool is_race(enum hd_finding_kind kind)
{
    return kind == HD_FK_DATA_RACE || kind == HD_FK_PREDICTED_RACE;
}

void others_add(const struct scene *scene, struct finding *f)
{
    const struct hdp_region *r = scene->region;

    if (!r->story.events || r->story.full)
        return;
    for (size_t i = 0; i < f->notes; i++) {
        struct note *n = &f->note[i];
        if ((n->role == HD_ROLE_WAITS || n->role == HD_ROLE_CASE) && n->object_id && !n->history)
            n->history = history_of(scene, n->object_id, n->kind, f->note[n->link].thread_id);
        if (is_race(f->kind) && n->step &&
            (n->role == HD_ROLE_ACCESS || n->role == HD_ROLE_PREVIOUS_ACCESS))
            n->history = side_of_race(scene, n);
    }
}
