/* lasting.c - see lasting.h */
#include "lasting.h"

#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "schedule.h"
#include "util/alloc.h"
#include "wire/hash.h"

void identity_free(struct identity *id)
{
    for (size_t i = 0; i < id->objects; i++)
        static_free(&id->object[i].variable);
    for (size_t i = 0; i < id->places; i++)
        place_free(&id->place[i].place);
    free(id->thread);
    free(id->object);
    free(id->place);
    free(id->stand);
    *id = (struct identity){0};
}

/* ---- recorded ---- */

/* Addresses, each with a number that all addresses of its line have. */
struct line_of {
    uint64_t addr, line;
    UT_hash_handle hh;
};

/* How often a thread did what. */
struct tally {
    struct {
        uint64_t where;
        uint32_t thread, kind;
    } key;
    uint32_t count;
    UT_hash_handle hh;
};

struct recording {
    struct symbols *symbols;
    struct line_of *lines;
    struct tally *tallies;
};

static uint64_t mix_text(uint64_t h, const char *text)
{
    return text ? hash_bytes(h, text, strlen(text) + 1) : h;
}

static uint64_t line_of(struct recording *r, uint64_t addr)
{
    struct line_of *l;
    struct code_place p;
    HASH_FIND(hh, r->lines, &addr, sizeof addr, l);
    if (l)
        return l->line;
    l = mem_zeroed(1, sizeof *l);
    l->addr = l->line = addr;
    if (addr && symbols_place(r->symbols, addr, true, &p)) {
        l->line = mix_text(mix_text(HASH_BASIS, p.file), p.file ? NULL : p.function);
        l->line = hash_bytes(l->line, &p.line, sizeof p.line);
        place_free(&p);
    }
    HASH_ADD(hh, r->lines, addr, sizeof addr, l);
    return l->line;
}

/* A wait is one for as long as it lasts, whatever it waits for meanwhile. */
static uint32_t lasting_kind(uint32_t kind)
{
    return kind == HD_EV_COND_RELOCK ? HD_EV_COND_WAIT : kind;
}

static struct tally *tally(struct recording *r, uint32_t thread, uint32_t kind, uint32_t object,
                           uint64_t site)
{
    struct tally *t, key = {0};
    key.key.thread = thread;
    key.key.kind = lasting_kind(kind);
    key.key.where = object ? object : line_of(r, site);
    HASH_FIND(hh, r->tallies, &key.key, sizeof key.key, t);
    if (t)
        return t;
    t = mem_zeroed(1, sizeof *t);
    t->key = key.key;
    HASH_ADD(hh, r->tallies, key, sizeof t->key, t);
    return t;
}

static uint32_t site_index(struct schedule *s, struct symbols *symbols, uint64_t addr)
{
    uint32_t index = UINT32_MAX;
    char *site = addr ? symbols_site(symbols, addr) : NULL;
    if (site && !names_number(&s->sites, site, &index)) {
        index = (uint32_t)s->sites.count;
        names_add(&s->sites, index, site);
    }
    free(site);
    return index;
}

static void record_events(struct schedule *s, const struct hdp_region *r, struct recording *to)
{
    uint32_t steps = r->result.steps < HDP_STEPS ? r->result.steps : HDP_STEPS, at = 0;
    struct identity *id = &s->identity;
    for (size_t i = 0; i < s->runs; i++) {
        struct schedule_run *run = &s->run[i];
        uint32_t nth = 1;
        for (uint32_t k = 0; k < run->count && at < steps; k++, at++) {
            const struct hdp_step *e = &r->trace[at];
            if (!(e->flags & HDP_STEP_CHOICE))
                nth = ++tally(to, e->thread, e->kind, e->object, e->site)->count;
        }
        run->nth = nth;
    }
    for (uint32_t i = 0; i < r->thread_count && i < HDP_THREADS; i++) {
        const struct hdp_thread *t = &r->thread[i];
        if (t->state == HDP_T_ENDED || t->kind == HD_EV_NONE ||
            (t->object && !names_text(&s->objects, t->object)))
            continue;
        id->stand = mem_grow(id->stand, id->stands, sizeof *id->stand);
        id->stand[id->stands++] =
            (struct known_stand){.thread = t->hash,
                                 .kind = lasting_kind(t->kind),
                                 .object = t->object,
                                 .site = site_index(s, to->symbols, t->site),
                                 .nth = tally(to, t->hash, t->kind, t->object, t->site)->count + 1};
    }
}

static void record_threads(struct schedule *s, const struct hdp_region *r, struct symbols *symbols)
{
    struct identity *id = &s->identity;
    for (uint32_t i = 1; i < r->thread_count && i < HDP_THREADS; i++) {
        const struct hdp_thread *t = &r->thread[i];
        char name[sizeof t->name + 1]; /* the program may have written over its end */
        snprintf(name, sizeof name, "%.31s", t->name);
        const char *dot = strrchr(name, '.');
        uint64_t child = *name ? strtoull(dot ? dot + 1 : name + 1, NULL, 10) : 0;
        struct known_thread k = {.hash = t->hash,
                                 .creator = r->thread[t->creator % HDP_THREADS].hash,
                                 .start = site_index(s, symbols, t->start),
                                 .rank = 1,
                                 .child = (uint32_t)child};
        if (name[0] != 'T' || !child || !names_text(&s->threads, k.creator))
            continue;
        if (!names_text(&s->threads, t->hash))
            names_add(&s->threads, t->hash, name);
        for (size_t j = 0; j < id->threads; j++)
            k.rank += id->thread[j].creator == k.creator && id->thread[j].start == k.start;
        id->thread = mem_grow(id->thread, id->threads, sizeof *id->thread);
        id->thread[id->threads++] = k;
    }
}

static void record_objects(struct schedule *s, const struct hdp_region *r, struct recording *to)
{
    struct identity *id = &s->identity;
    uint32_t count = r->object_count < HDP_OBJECTS ? r->object_count : HDP_OBJECTS;
    for (uint32_t i = 0; i < count; i++) {
        const struct hdp_object *o = &r->object[i];
        struct known_object k = {.id = o->id, .kind = o->key_kind, .rank = 1, .site = UINT32_MAX};
        if (!names_text(&s->objects, o->id) || (o->ordinal && !names_text(&s->threads, o->creator)))
            continue;
        if (!o->ordinal && !symbols_static(to->symbols, o->addr, &k.variable))
            continue;
        if (o->ordinal) {
            k.creator = o->creator;
            k.ordinal = o->ordinal;
            k.site = site_index(s, to->symbols, o->created_site);
            uint64_t line = line_of(to, o->created_site);
            for (uint32_t j = 0; j < count; j++)
                k.rank += r->object[j].key_kind == o->key_kind &&
                          r->object[j].creator == o->creator && r->object[j].ordinal &&
                          r->object[j].ordinal < o->ordinal &&
                          line_of(to, r->object[j].created_site) == line;
        }
        id->object = mem_grow(id->object, id->objects, sizeof *id->object);
        id->object[id->objects++] = k;
    }
}

/* A function's beginning, where no code returns to: the event says it all. */
static bool is_beginning(const char *site)
{
    const char *plus = strrchr(site, '+');
    return plus && strcmp(plus, "+0") == 0 && strchr(site, '!');
}

static void record_places(struct schedule *s, struct symbols *symbols)
{
    struct identity *id = &s->identity;
    for (size_t i = 0; i < s->sites.count; i++) {
        uint32_t index;
        const char *site = names_at(&s->sites, i, &index);
        struct known_place k = {.site = index};
        if (!symbols_place(symbols, symbols_address(symbols, site), !is_beginning(site), &k.place))
            continue;
        id->place = mem_grow(id->place, id->places, sizeof *id->place);
        id->place[id->places++] = k;
    }
}

void identity_record(struct schedule *s, const struct hdp_region *r, struct symbols *symbols)
{
    struct recording to = {.symbols = symbols};
    struct line_of *l, *next_line;
    struct tally *t, *next_tally;
    identity_free(&s->identity);
    record_threads(s, r, symbols);
    record_events(s, r, &to);
    record_objects(s, r, &to);
    record_places(s, symbols);
    HASH_ITER(hh, to.lines, l, next_line)
    {
        HASH_DEL(to.lines, l);
        free(l);
    }
    HASH_ITER(hh, to.tallies, t, next_tally)
    {
        HASH_DEL(to.tallies, t);
        free(t);
    }
}

/* ---- found again ---- */

static void add_place(struct hdp_known *k, uint32_t *place, const struct code_range *found,
                      size_t n)
{
    if (!n || k->places == HDP_KNOWN_PLACES || n > HDP_KNOWN_RANGES - k->ranges)
        return;
    *place = k->places;
    k->place[k->places++] = (struct hdp_known_place){k->ranges, (uint32_t)n};
    for (size_t i = 0; i < n; i++)
        k->range[k->ranges++] = (struct hdp_known_range){found[i].low, found[i].high};
}

static void expand_places(const struct schedule *s, struct symbols *symbols, struct hdp_known *k,
                          uint32_t *place)
{
    const struct identity *id = &s->identity;
    for (size_t i = 0; i < s->sites.count; i++)
        place[i] = HDP_ANYWHERE;
    for (size_t i = 0; i < id->places; i++) {
        struct code_range *found = NULL;
        const char *site = names_text(&s->sites, id->place[i].site);
        size_t n = is_beginning(site)
                       ? 0
                       : symbols_find_place(symbols, site, &id->place[i].place, false, &found);
        add_place(k, &place[id->place[i].site], found, n);
        free(found);
    }
}

static uint64_t start_of(const struct schedule *s, struct symbols *symbols, uint32_t site)
{
    const struct identity *id = &s->identity;
    for (size_t i = 0; i < id->places; i++)
        if (id->place[i].site == site)
            return symbols_find_function(symbols, names_text(&s->sites, site), &id->place[i].place);
    return 0;
}

static void expand_threads(const struct schedule *s, struct symbols *symbols, struct hdp_known *k)
{
    const struct identity *id = &s->identity;
    for (size_t i = 0; i < id->threads && k->threads < HDP_KNOWN_THREADS; i++) {
        const struct known_thread *t = &id->thread[i];
        uint64_t start = t->start == UINT32_MAX ? 0 : start_of(s, symbols, t->start);
        k->thread[k->threads++] = (struct hdp_known_thread){.hash = t->hash,
                                                            .creator = t->creator,
                                                            .child = t->child,
                                                            .start = start,
                                                            .rank = start ? t->rank : t->child};
    }
}

static void expand_objects(const struct schedule *s, struct symbols *symbols, struct hdp_known *k,
                           const uint32_t *place)
{
    const struct identity *id = &s->identity;
    for (size_t i = 0; i < id->objects && k->objects < HDP_KNOWN_OBJECTS; i++) {
        const struct known_object *o = &id->object[i];
        struct hdp_known_object to = {.id = o->id,
                                      .kind = o->kind,
                                      .creator = o->creator,
                                      .place = HDP_ANYWHERE,
                                      .rank = o->ordinal};
        if (o->variable.name) {
            to.addr = symbols_find_static(symbols, &o->variable);
            if (!to.addr)
                continue;
        } else if (o->site != UINT32_MAX && place[o->site] != HDP_ANYWHERE) {
            to.place = place[o->site];
            to.rank = o->rank;
        }
        k->object[k->objects++] = to;
    }
}

struct event {
    struct hdp_known_event what;
    uint32_t entry;
};

static int by_thread(const void *a, const void *b)
{
    const struct hdp_known_event *x = &((const struct event *)a)->what,
                                 *y = &((const struct event *)b)->what;
    uint32_t left[] = {x->thread, x->kind, x->object, x->place},
             right[] = {y->thread, y->kind, y->object, y->place};
    for (size_t i = 0; i < 4; i++)
        if (left[i] != right[i])
            return left[i] < right[i] ? -1 : 1;
    return 0;
}

static uint32_t expand_events(const struct schedule *s, struct hdp_region *r, const uint32_t *place)
{
    const struct identity *id = &s->identity;
    struct hdp_known *k = &r->known;
    size_t most = s->runs + id->stands, events = 0;
    struct event *event = mem_zeroed(most, sizeof *event);
    uint32_t n = 0;
    for (size_t i = 0; i < most && n < HDP_STEPS; i++) {
        const struct schedule_run *run = i < s->runs ? &s->run[i] : NULL;
        if (run && schedule_run_is_fault(run))
            continue;
        const struct known_stand *stand = run ? NULL : &id->stand[i - s->runs];
        uint32_t site = run ? run->site : stand->site, object = run ? run->object : stand->object;
        struct hdp_step e = {.thread = run ? run->thread : stand->thread,
                             .kind = (uint16_t)lasting_kind(run ? run->kind : stand->kind),
                             .flags = run ? run->flags : HDP_STEP_STANDS,
                             .object = object,
                             .choice = run ? run->nth : stand->nth,
                             .site = site == UINT32_MAX ? HDP_ANYWHERE : place[site]};
        if (e.flags & HDP_STEP_CHOICE) {
            e.choice = run->choice;
        } else {
            event[events].what =
                (struct hdp_known_event){.thread = e.thread,
                                         .kind = e.kind,
                                         .object = object,
                                         .place = object ? HDP_ANYWHERE : (uint32_t)e.site};
            event[events++].entry = n;
        }
        r->replay[n++] = e;
    }
    qsort(event, events, sizeof *event, by_thread);
    for (size_t i = 0; i < events; i++) {
        bool is_new = i == 0 || by_thread(&event[i], &event[i - 1]) != 0;
        if (is_new && k->events == HDP_KNOWN_EVENTS) {
            r->replay[event[i].entry].flags = HDP_STEP_STANDS; /* more than are told apart */
            continue;
        }
        if (is_new)
            k->event[k->events++] = event[i].what;
        r->replay[event[i].entry].site = k->events - 1;
    }
    free(event);
    return n;
}

/* Every address at which an access of a point's line may return. */
static uint32_t expand_points(const struct schedule *s, struct symbols *symbols,
                              struct hdp_region *r, uint32_t n)
{
    const struct identity *id = &s->identity;
    bool *wanted = mem_zeroed(s->sites.count, sizeof *wanted);
    for (size_t i = 0; i < s->points; i++)
        wanted[s->point[i].site] = true;
    for (size_t i = 0; i < s->runs; i++)
        if (s->run[i].kind >= HD_EV_READ && s->run[i].kind <= HD_EV_FENCE &&
            s->run[i].site != UINT32_MAX)
            wanted[s->run[i].site] = true;
    for (size_t i = 0; i < id->places; i++) {
        struct code_range *found = NULL;
        const char *site = names_text(&s->sites, id->place[i].site);
        size_t ranges = wanted[id->place[i].site]
                            ? symbols_find_place(symbols, site, &id->place[i].place, true, &found)
                            : 0;
        for (size_t j = 0; j < ranges; j++)
            for (uint64_t at = found[j].low + 1; at <= found[j].high && n < HDP_STEPS; at++)
                r->replay[n++] = (struct hdp_step){.kind = HD_EV_READ, .site = at};
        free(found);
    }
    free(wanted);
    return n;
}

bool identity_known(const struct schedule *s)
{
    return s->identity.places != 0;
}

void identity_expand(const struct schedule *s, struct symbols *symbols, struct hdp_region *r,
                     const uint32_t *fault_site, uint32_t faults)
{
    struct hdp_known *k = &r->known;
    uint32_t *place = mem_zeroed(s->sites.count, sizeof *place);
    memset(k, 0, sizeof *k);
    expand_places(s, symbols, k, place);
    expand_threads(s, symbols, k);
    expand_objects(s, symbols, k, place);
    for (uint32_t i = 0; i < faults; i++)
        if (fault_site[i] != UINT32_MAX)
            r->config.fault[i].place = place[fault_site[i]];
    uint32_t steps = expand_events(s, r, place);
    uint32_t n = expand_points(s, symbols, r, steps);
    free(place);
    r->config.flags |= HDP_REPLAY | HDP_EDITED;
    r->config.replay_steps = steps;
    r->config.replay_points = n - steps;
}
