/* predicted_races.c - see predicted_races.h
 *
 * The schedule of a prediction is the recorded one without what is not in the reordering: each
 * thread's decisions up to its last event there, in the recorded order. Then the two threads are at
 * their accesses, or on their way through code without a decision; the runtime
 * (guide/predicted_race.c) sees to it that they meet.
 */
#include "predicted_races.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <heddle/event.h>
#include <uthash.h>

#include "sync_preserving.h"
#include "util/alloc.h"

#define LAST_TAPE 4096u
#define WORK 30000000u   /* of one search: about a second */
#define RACES 64u        /* pairs of places that one schedule may predict, */
#define GUESSES 16u      /* or guess */
#define MOST_GUESSES 64u /* of a campaign */

/* Two places of the code, by symbols_stable(), the lesser first. */
struct places {
    uint64_t key[2];
    UT_hash_handle hh;
};

struct meeting {
    uint64_t site[2];
    enum hd_event kind[2];
    uint64_t addr;
    uint32_t bytes;
    bool guess;
    bool doubted;    /* not even foreseen if all writes have read before (syncp_new) */
    uint32_t *until; /* by thread: decisions below are made. NULL: guess */
    struct hdp_race_place race_place[HDP_RACE_PLACES];
    uint32_t race_places;
};

struct prediction {
    struct known_races *known;
    struct symbols *symbols;
    uint64_t cut;                  /* searches that did not look at the whole of the schedule */
    struct syncp *syncp, *careful; /* while the tape is read */
    const struct hdp_tape *tape;
    struct hdp_config config; /* of the schedule */
    struct hdp_step *step;
    uint32_t steps;
    uint32_t *thread; /* name hashes */
    uint32_t threads;
    struct meeting *meeting;
    size_t meetings, races, guesses;
    bool guessing;
};

static bool is_power(uint64_t n)
{
    return n && (n & (n - 1)) == 0;
}

void predict_plan(uint64_t number, struct hdp_region *r)
{
    if (number > LAST_TAPE || !is_power(number) || !(r->config.flags & HDP_RACES) ||
        r->config.memory_model != HDP_MEMORY_SC)
        return;
    r->config.flags |= HDP_PREDICT;
    r->tape.events = 0;
}

/* ---- pairs of places that are done with ---- */

static bool is_same_pair(const uint64_t a[2], const uint64_t b[2])
{
    return (a[0] == b[0] && a[1] == b[1]) || (a[0] == b[1] && a[1] == b[0]);
}

static bool remember(struct known_races *known, struct symbols *symbols, uint64_t a, uint64_t b,
                     bool only_look)
{
    struct places *p;
    uint64_t x = symbols_stable(symbols, a), y = symbols_stable(symbols, b);
    uint64_t key[2] = {x < y ? x : y, x < y ? y : x};

    HASH_FIND(hh, known->places, key, sizeof key, p);
    if (p || only_look)
        return p != NULL;
    p = mem_zeroed(1, sizeof *p);
    memcpy(p->key, key, sizeof key);
    HASH_ADD(hh, known->places, key, sizeof p->key, p);
    return false;
}

void predict_forget(struct known_races *known)
{
    struct places *p, *next;

    HASH_ITER(hh, known->places, p, next)
    {
        HASH_DEL(known->places, p);
        free(p);
    }
    free(known->open);
    known->open = NULL;
    known->opens = 0;
}

/* The places of a race that the runtime found. */
static bool places_of(const struct hdp_finding *raw, uint64_t site[2])
{
    uint32_t n = 0;

    if (raw->kind != HD_FK_DATA_RACE && raw->kind != HD_FK_USE_AFTER_FREE)
        return false;
    for (uint32_t i = 0; i < raw->notes && i < HDP_NOTES && n < 2; i++)
        if (raw->note[i].role == HD_ROLE_ACCESS || raw->note[i].role == HD_ROLE_PREVIOUS_ACCESS ||
            raw->note[i].role == HD_ROLE_FREED)
            site[n++] = raw->note[i].site;
    return n == 2;
}

/* A race at one of the two places, about the same memory: what a thread did to it since it last
 * synchronised is told as the first access of those. */
bool predicted_race_is_shown(const struct predicted_race *race, const struct hdp_region *r)
{
    const uint64_t *place = race->site;
    uint64_t site[2];

    for (uint32_t k = 0; k < r->result.findings && k < HDP_FINDINGS; k++) {
        if (!places_of(&r->finding[k], site))
            continue;
        bool first = site[0] == place[0] || site[1] == place[0];
        bool second = site[0] == place[1] || site[1] == place[1];
        if ((first && second) ||
            ((first || second) && r->finding[k].note[0].addr >> 3 == race->addr >> 3))
            return true;
    }
    return false;
}

/* Chance brings the threads to the two places. */
static void meet_by_chance(struct hdp_config *config, const uint64_t site[2], unsigned attempt)
{
    config->seed = (site[0] * 31 + site[1] + attempt) * 0x9e3779b97f4a7c15ull;
    config->depth = 1;
    config->strategy = attempt % 2 ? HDP_RANDOM : HDP_BURST;
}

void predict_note(struct known_races *known, struct symbols *symbols, const struct hdp_region *r)
{
    uint64_t site[2];

    for (uint32_t i = 0; i < r->result.findings && i < HDP_FINDINGS; i++)
        if (places_of(&r->finding[i], site))
            remember(known, symbols, site[0], site[1], false);
    for (size_t i = 0; r->result.findings && i < known->opens; i++)
        known->open[i].shown |= predicted_race_is_shown(&known->open[i], r);
}

/* ---- left open by one campaign for the next ---- */

unsigned predict_leave_open(struct known_races *known, const struct predicted_race *race)
{
    for (size_t i = 0; i < known->opens; i++)
        if (is_same_pair(known->open[i].site, race->site))
            return known->open[i].tried += race->tried;
    known->open = mem_grow(known->open, known->opens, sizeof *known->open);
    known->open[known->opens++] = *race;
    return race->tried;
}

void predicted_race_prepare(const struct predicted_race *race, unsigned attempt,
                            struct hdp_config *config)
{
    config->race_places = 2;
    for (size_t k = 0; k < 2; k++)
        config->race_place[k] =
            (struct hdp_race_place){.site = race->site[k], .extra = race->extra[k]};
    meet_by_chance(config, race->site, attempt);
}

/* ---- from the tape ---- */

static bool wanted(void *arg, uint64_t a, uint64_t b)
{
    const struct prediction *p = arg;

    if (p->guessing ? p->guesses == GUESSES : p->races == RACES)
        return false;
    for (size_t i = 0; i < p->meetings; i++)
        if (is_same_pair(p->meeting[i].site, (uint64_t[]){a, b}))
            return false;
    return !remember(p->known, p->symbols, a, b, true);
}

static enum hd_event event_of(uint8_t kind)
{
    static const enum hd_event event[] = {
        [HDP_TAPE_READ] = HD_EV_READ,
        [HDP_TAPE_WRITE] = HD_EV_WRITE,
        [HDP_TAPE_FREE] = HD_EV_FREE,
        [HDP_TAPE_ATOMIC_READ] = HD_EV_ATOMIC_LOAD,
        [HDP_TAPE_ATOMIC_WRITE] = HD_EV_ATOMIC_STORE,
        [HDP_TAPE_ATOMIC_UPDATE] = HD_EV_ATOMIC_RMW,
    };
    return event[kind];
}

static bool is_access(const struct hdp_tape_event *e)
{
    return e->kind <= HDP_TAPE_ATOMIC_UPDATE;
}

static void add_place(struct prediction *p, struct meeting *m, const struct hdp_tape_event *e)
{
    if (m->race_places < HDP_RACE_PLACES)
        m->race_place[m->race_places++] = (struct hdp_race_place){
            .thread = p->thread[e->thread], .site = e->site, .addr = e->where, .extra = !e->point};
}

/* How far each thread goes, and where third ones are stopped in the middle of their code. */
static void set_ways(struct prediction *p, struct meeting *m, uint32_t a, uint32_t b)
{
    const struct hdp_tape_event *event = p->tape->event;
    uint32_t *prefix = mem_zeroed(p->threads, sizeof *prefix);

    syncp_witness(p->syncp, a, b, prefix);
    m->until = mem_zeroed(p->threads, sizeof *m->until);
    for (uint32_t t = 0; t < p->threads; t++) {
        uint32_t next = syncp_event_of(p->syncp, t, prefix[t]);
        uint32_t last = prefix[t] ? syncp_event_of(p->syncp, t, prefix[t] - 1) : UINT32_MAX;
        if (next == a || next == b) {
            m->until[t] = event[next].step - (event[next].point && event[next].step);
            continue;
        }
        m->until[t] = last == UINT32_MAX ? 0 : event[last].step;
        if (last != UINT32_MAX && next != UINT32_MAX && is_access(&event[next]) &&
            event[next].step == event[last].step)
            add_place(p, m, &event[next]);
    }
    free(prefix);
}

static void found(void *arg, uint32_t a, uint32_t b)
{
    struct prediction *p = arg;
    const struct hdp_tape_event *x = &p->tape->event[a], *y = &p->tape->event[b];

    p->meeting = mem_grow(p->meeting, p->meetings, sizeof *p->meeting);
    struct meeting *m = &p->meeting[p->meetings++];
    *m = (struct meeting){
        .site = {x->site, y->site},
        .kind = {event_of(x->kind), event_of(y->kind)},
        .addr = x->where > y->where ? x->where : y->where,
        .bytes = (uint32_t)(x->bytes < y->bytes ? x->bytes : y->bytes) & HD_ACCESS_SIZE,
        .guess = p->guessing,
    };
    add_place(p, m, x);
    add_place(p, m, y);
    *(p->guessing ? &p->guesses : &p->races) += 1;
    if (p->guessing)
        return;
    if (!p->careful)
        p->careful = syncp_new(p->tape->event, syncp_events(p->syncp), p->threads, true);
    m->doubted = !syncp_is_race(p->careful, a, b);
    set_ways(p, m, a, b);
}

static void search(struct prediction *p, bool guesses)
{
    struct syncp_search search = {
        .guesses = guesses, .work = WORK, .wanted = wanted, .found = found, .arg = p};

    p->guessing = guesses;
    if (!syncp_search(p->syncp, &search))
        p->cut++;
}

void prediction_free(struct prediction *p)
{
    for (size_t i = 0; i < p->meetings; i++)
        free(p->meeting[i].until);
    free(p->meeting);
    free(p->step);
    free(p->thread);
    free(p);
}

struct prediction *predict_read(struct known_races *known, struct symbols *symbols,
                                struct hdp_region *r, uint64_t *cut)
{
    const struct hdp_result *result = &r->result;
    uint32_t events = r->tape.events < HDP_TAPE_EVENTS ? r->tape.events : HDP_TAPE_EVENTS;

    if (!(r->config.flags & HDP_PREDICT))
        return NULL;
    r->config.flags &= ~(uint32_t)HDP_PREDICT;
    if (!events || result->control_lost || result->outcome == HDP_KILLED)
        return NULL;
    struct prediction *p = mem_zeroed(1, sizeof *p);
    p->known = known;
    p->symbols = symbols;
    p->tape = &r->tape;
    p->config = r->config;
    p->threads = r->thread_count < HDP_THREADS ? r->thread_count : HDP_THREADS;
    p->thread = mem_zeroed(p->threads, sizeof *p->thread);
    for (uint32_t i = 0; i < p->threads; i++)
        p->thread[i] = r->thread[i].hash;
    *cut += r->tape.full != 0;
    p->syncp = syncp_new(r->tape.event, events, p->threads, false);
    *cut += syncp_events(p->syncp) < events;
    search(p, false);
    if (known->guesses < MOST_GUESSES)
        search(p, true);
    syncp_free(p->syncp);
    syncp_free(p->careful);
    p->syncp = p->careful = NULL;
    *cut += p->cut;
    if (!p->meetings) {
        prediction_free(p);
        return NULL;
    }
    p->steps = result->steps < HDP_STEPS ? result->steps : HDP_STEPS;
    p->step = mem_zeroed(p->steps, sizeof *p->step);
    memcpy(p->step, r->trace, p->steps * sizeof *p->step);
    return p;
}

size_t prediction_pairs(const struct prediction *p)
{
    return p->meetings;
}

bool prediction_begin(struct prediction *p, size_t i)
{
    const struct meeting *m = &p->meeting[i];

    if (remember(p->known, p->symbols, m->site[0], m->site[1], false))
        return false;
    p->known->guesses += m->guess;
    return true;
}

bool prediction_is_sure(const struct prediction *p, size_t i)
{
    return !p->meeting[i].guess && !p->meeting[i].doubted;
}

/* ---- bringing it about ---- */

static uint32_t thread_of(const struct prediction *p, uint32_t hash)
{
    uint32_t i = 0;
    while (i < p->threads && p->thread[i] != hash)
        i++;
    return i;
}

/* The decisions of the reordering, as a replay. */
static void prepare_way(const struct prediction *p, const struct meeting *m, struct hdp_region *r)
{
    struct hdp_config *config = &r->config;
    uint32_t n = 0;

    for (uint32_t i = 0; i < p->steps; i++) {
        uint32_t t = thread_of(p, p->step[i].thread);
        if (t == p->threads || i >= m->until[t])
            continue;
        r->replay[n++] = p->step[i];
        for (uint32_t k = 0; k < config->race_places; k++)
            if (config->race_place[k].thread == p->step[i].thread)
                config->race_place[k].from = n;
    }
    config->flags |= HDP_REPLAY;
    config->replay_steps = n;
    config->replay_points = 0;
}

/* A prediction is followed first to the very address, then to the place alone; what fails so, and
 * guesses, is left to whichever threads come to the two places. */
void prediction_prepare(const struct prediction *p, size_t i, unsigned attempt,
                        struct hdp_region *r)
{
    const struct meeting *m = &p->meeting[i];
    struct hdp_config *config = &r->config;
    bool follow = !m->guess && attempt < 2;

    *config = p->config;
    config->race_places = follow ? m->race_places : 2;
    memcpy(config->race_place, m->race_place, sizeof config->race_place);
    for (uint32_t k = 0; k < config->race_places; k++) {
        if (!follow || attempt == 1)
            config->race_place[k].addr = 0;
        if (!follow)
            config->race_place[k].thread = 0;
    }
    meet_by_chance(config, m->site, attempt);
    if (follow) {
        config->strategy = p->config.strategy;
        prepare_way(p, m, r);
    }
}

struct predicted_race prediction_race(const struct prediction *p, size_t i)
{
    const struct meeting *m = &p->meeting[i];

    return (struct predicted_race){.site = {m->site[0], m->site[1]},
                                   .extra = {m->race_place[0].extra, m->race_place[1].extra},
                                   .addr = m->addr};
}

void prediction_unshown(const struct prediction *p, size_t i, uint64_t number, unsigned tries,
                        struct hdp_finding *raw)
{
    const struct meeting *m = &p->meeting[i];

    *raw = (struct hdp_finding){.kind = HD_FK_PREDICTED_RACE, .notes = 2};
    snprintf(raw->text, sizeof raw->text,
             "a reordering of the events of schedule %llu has both side by side; %u tries to bring "
             "that about did not",
             (unsigned long long)number, tries);
    for (uint32_t k = 0; k < 2; k++) {
        bool write = m->kind[k] != HD_EV_READ && m->kind[k] != HD_EV_ATOMIC_LOAD;
        bool atomic = m->kind[k] >= HD_EV_ATOMIC_LOAD && m->kind[k] <= HD_EV_ATOMIC_RMW;
        raw->note[k] = (struct hdp_note){.role = k ? HD_ROLE_PREVIOUS_ACCESS : HD_ROLE_ACCESS,
                                         .kind = (uint16_t)m->kind[k],
                                         .thread = m->race_place[k].thread,
                                         .site = m->site[k],
                                         .addr = m->addr,
                                         .extra = m->bytes | (write ? HD_ACCESS_WRITE : 0) |
                                                  (atomic ? HD_ACCESS_ATOMIC : 0),
                                         .link = k};
    }
}
