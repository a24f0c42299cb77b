/* feedback.c - see feedback.h */
#include "feedback.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "heddle/event.h"
#include "util/alloc.h"
#include "util/by_value.h"
#include "wire/hash.h"
#include "wire/order_pairs.h"
#include "wire/tuples.h"

struct feedback {
    struct hdp_learned known;
    uint64_t profiled; /* number of the schedule that the profile is of */
    uint32_t news;     /* how much there is in it */
    uint32_t steps;
    struct hdp_step profile[HDP_PROFILE];
    uint16_t tuple[HDP_TUPLES];
    uint8_t order_pair[HDP_ORDER_PAIRS];
    uint32_t paths;
    struct {
        uint64_t signature;
        struct hdp_path path;
    } path[HDP_PATHS]; /* the newest first */
};

struct feedback *feedback_new(void)
{
    return mem_zeroed(1, sizeof(struct feedback));
}

void feedback_free(struct feedback *f)
{
    free(f);
}

/* How many different operations, each a thread at a place, the first steps have on objects that several
 * threads use; hashed, so that a few may be taken for one. */
static uint32_t different_operations(const struct hdp_step *step, uint32_t steps)
{
    enum { SLOTS = 1 << 14, BITS = 1 << 16 };
    static struct {
        uint32_t object, thread;
        bool shared;
    } use[SLOTS];
    uint64_t seen[BITS / 64] = {0};
    uint32_t count = 0;
    memset(use, 0, sizeof use);
    for (uint32_t i = 0; i < steps; i++) {
        uint32_t at = (uint32_t)(hash_next(step[i].object) % SLOTS);
        if (use[at].object != step[i].object) {
            use[at].object = step[i].object;
            use[at].thread = step[i].thread;
            use[at].shared = false;
        }
        use[at].shared |= use[at].thread != step[i].thread;
    }
    for (uint32_t i = 0; i < steps; i++) {
        uint32_t at = (uint32_t)(hash_next(step[i].object) % SLOTS);
        uint64_t h =
            hash_next(hash_next(step[i].site ^ (uint64_t)step[i].thread << 32) ^ step[i].object) %
            BITS;
        if (!step[i].object || use[at].object != step[i].object || !use[at].shared)
            continue;
        count += !(seen[h / 64] >> h % 64 & 1);
        seen[h / 64] |= UINT64_C(1) << h % 64;
    }
    return count;
}

/* What each thread did, in whatever order. */
static uint64_t signature(const struct hdp_step *step, uint32_t steps)
{
    uint64_t sum = 0;

    for (uint32_t i = 0; i < steps; i++)
        if (!(step[i].flags & HDP_STEP_CHOICE) && step[i].kind != HD_EV_RELEASED)
            sum += hash_next(hash_next(step[i].site ^ (uint64_t)step[i].thread << 32) ^
                             step[i].object);
    return sum;
}

void feedback_path(struct feedback *f, const struct hdp_region *r)
{
    uint32_t steps = r->result.steps < HDP_PATH_STEPS ? r->result.steps : HDP_PATH_STEPS;
    uint64_t s = signature(r->trace, steps);

    for (uint32_t i = 0; i < f->paths; i++)
        if (f->path[i].signature == s)
            return;
    if (f->paths < HDP_PATHS)
        f->paths++;
    memmove(&f->path[1], &f->path[0], (f->paths - 1) * sizeof f->path[0]);
    f->path[0].signature = s;
    f->path[0].path.steps = steps;
    memcpy(f->path[0].path.step, r->trace, steps * sizeof *r->trace);
}

void feedback_profile(struct feedback *f, const struct hdp_region *r, uint64_t number)
{
    uint32_t steps = r->result.steps < HDP_PROFILE ? r->result.steps : HDP_PROFILE;
    uint32_t news = different_operations(r->trace, steps);
    if (news < f->news || (news == f->news && number < f->profiled))
        return;
    f->news = news;
    f->profiled = number;
    f->steps = steps;
    memcpy(f->profile, r->trace, steps * sizeof *f->profile);
}

static void once_more(uint16_t *times)
{
    if (*times < UINT16_MAX)
        ++*times;
}

/* Up to the most that there is room for, so that it does not matter in which order schedules end. */
static void add_up(uint8_t *times, unsigned more)
{
    *times = (uint8_t)(*times + more < UINT8_MAX ? *times + more : UINT8_MAX);
}

/* What threads did on objects that several of them use and one writes. */
static void count_orders(struct feedback *f, const struct hdp_region *r, uint32_t steps)
{
    enum { SLOTS = 1 << 14 };
    static struct {
        uint32_t object, thread;
        uint16_t schedule;
        bool shared, written;
    } use[SLOTS];
    static uint16_t counted[HDP_ORDER_PAIRS], now;
    static struct hdp_orders orders, *o = &orders;
    if (++now == 0) {
        memset(counted, 0, sizeof counted);
        memset(use, 0, sizeof use);
        now = 1;
    }
    hdp_orders_begin(o);
    for (int pass = 0; pass < 2; pass++)
        for (uint32_t i = 0; i < steps; i++) {
            const struct hdp_step *s = &r->trace[i];
            uint32_t at = (uint32_t)(hash_next(s->object) % SLOTS);
            enum hdp_access access = hdp_access_of(s->kind);
            if (s->flags & HDP_STEP_CHOICE || !s->object || access == HDP_ACCESS_NONE)
                continue;
            if (pass == 0) {
                if (use[at].object != s->object || use[at].schedule != now) {
                    use[at].object = s->object;
                    use[at].schedule = now;
                    use[at].thread = s->thread;
                    use[at].shared = use[at].written = false;
                }
                use[at].shared |= use[at].thread != s->thread;
                use[at].written |= access == HDP_ACCESS_WRITES;
            } else if (use[at].object == s->object && use[at].shared && use[at].written) {
                uint32_t k = hdp_orders_add(o, s->object, s->site, s->thread, access);
                for (uint32_t j = 0; j < HDP_ORDER_WINDOW && j < o->count; j++) {
                    uint32_t pair = hdp_order_pair(&o->order[j], &o->order[k]);
                    if (counted[pair] != now)
                        add_up(&f->order_pair[pair], HDP_ORDER_ONCE);
                    counted[pair] = now;
                }
            }
        }
    for (uint32_t i = 0; i < r->result.expected_pairs && i < HDP_EXPECTED_PAIRS; i++)
        if (counted[r->result.expected_pair[i]] != now)
            add_up(&f->order_pair[r->result.expected_pair[i]], 1);
}

void feedback_count(struct feedback *f, const struct hdp_region *r)
{
    struct hdp_history *h = mem_zeroed(1, sizeof *h);
    uint32_t steps = r->result.steps < HDP_PROFILE ? r->result.steps : HDP_PROFILE, index[2];
    for (uint32_t i = 0; i < steps; i++) {
        const struct hdp_step *s = &r->trace[i];
        if (s->flags & HDP_STEP_CHOICE || !s->object || !hdp_tuple_tells(s->kind))
            continue;
        for (int by_thread = 0; by_thread < 2; by_thread++) {
            hdp_tuples(h, s->object, s->site, s->thread, by_thread, index);
            once_more(&f->tuple[index[0]]);
            once_more(&f->tuple[index[1]]);
        }
        hdp_history_add(h, s->object, s->site, s->thread);
    }
    free(h);
    count_orders(f, r, steps);
}

static int by_pair(const void *a, const void *b)
{
    const struct hdp_learned_pair *x = a, *y = b;
    return x->first != y->first ? by_value(&x->first, &y->first) : by_value(&x->second, &y->second);
}

/* Append `more` to `list`, which has room for `max`; sorted, each once. False: it did not fit. */
static bool join(void *list, uint32_t *used, uint32_t max, const void *more, uint32_t count,
                 size_t size, int (*order)(const void *, const void *))
{
    char *all = mem_zeroed(max + (size_t)count + 1, size);
    uint32_t kept = 0, n = *used + count;
    memcpy(all, list, *used * size);
    memcpy(all + *used * size, more, count * size);
    qsort(all, n, size, order);
    for (uint32_t i = 0; i < n && kept < max; i++)
        if (!i || order(all + (i - 1) * size, all + i * size))
            memcpy((char *)list + kept++ * size, all + i * size, size);
    *used = kept;
    free(all);
    return kept < max;
}

/* An access that will not be a point any more is none to wait for. */
static bool comes_again(const struct hdp_learned *known, const struct hdp_step *s)
{
    return (s->kind != HD_EV_READ && s->kind != HD_EV_WRITE) || known->full ||
           bsearch(&s->site, known->site, known->sites, sizeof *known->site, by_value);
}

static bool has_other(const void *list, uint32_t used, const void *more, uint32_t count,
                      size_t size, int (*order)(const void *, const void *))
{
    for (uint32_t i = 0; i < count; i++)
        if (!bsearch((const char *)more + i * size, list, used, size, order))
            return true;
    return false;
}

bool feedback_is_new(const struct feedback *f, const struct hdp_learned *news)
{
    const struct hdp_learned *known = &f->known;
    if (known->full || news->sites > HDP_LEARNED_SITES || news->words > HDP_LEARNED_WORDS)
        return false;
    return news->full ||
           has_other(known->site, known->sites, news->site, news->sites, sizeof *news->site,
                     by_value) ||
           (known->words < HDP_LEARNED_WORDS &&
            has_other(known->word, known->words, news->word, news->words, sizeof *news->word,
                      by_value));
}

void feedback_share(struct feedback *f, struct crew *crew)
{
    struct hdp_learned *known = &f->known;
    for (unsigned i = 0; i < crew->workers; i++) {
        struct hdp_region *r = crew->worker[i].region;
        struct hdp_learned *news = r ? &r->news : NULL;
        if (!news || news->sites > HDP_LEARNED_SITES || news->words > HDP_LEARNED_WORDS ||
            news->pairs > HDP_LEARNED_PAIRS)
            continue; /* the program wrote over it */
        if (!join(known->site, &known->sites, HDP_LEARNED_SITES, news->site, news->sites,
                  sizeof *news->site, by_value) ||
            news->full)
            known->full = 1;
        if (!join(known->word, &known->words, HDP_LEARNED_WORDS, news->word, news->words,
                  sizeof *news->word, by_value) ||
            news->words_lost)
            known->words_lost = 1;
        join(known->pair, &known->pairs, HDP_LEARNED_PAIRS, news->pair, news->pairs,
             sizeof *news->pair, by_pair);
        news->sites = news->words = news->pairs = 0;
    }
    uint32_t kept = 0;
    for (uint32_t i = 0; i < f->steps; i++)
        if (comes_again(known, &f->profile[i]))
            f->profile[kept++] = f->profile[i];
    f->steps = kept;
    for (unsigned i = 0; i < crew->workers; i++) {
        struct hdp_region *r = crew->worker[i].region;
        if (!r)
            continue;
        r->learned = *known;
        memcpy(r->tuple, f->tuple, sizeof r->tuple);
        memcpy(r->order_pair, f->order_pair, sizeof r->order_pair);
        r->paths = f->paths;
        for (uint32_t k = 0; k < f->paths; k++) {
            const struct hdp_path *path = &f->path[k].path;
            r->path[k].steps = 0;
            for (uint32_t j = 0; j < path->steps; j++)
                if (comes_again(known, &path->step[j]))
                    r->path[k].step[r->path[k].steps++] = path->step[j];
        }
        r->profile_steps = f->steps;
        memcpy(r->profile, f->profile, f->steps * sizeof *f->profile);
    }
}

/* ---- as data ---- */

static json_t *numbers(const uint64_t *list, size_t count)
{
    json_t *o = json_array();

    for (size_t i = 0; i < count; i++)
        json_array_append_new(o, json_integer((json_int_t)list[i]));
    return o;
}

/* How many there are; UINT32_MAX: it is no list of numbers, or does not fit. */
static uint32_t read_numbers(const json_t *from, uint64_t *list, size_t most)
{
    size_t n = json_array_size(from), i;
    json_t *item;

    if (!json_is_array(from) || n > most)
        return UINT32_MAX;
    json_array_foreach(from, i, item)
    {
        if (!json_is_integer(item))
            return UINT32_MAX;
        list[i] = (uint64_t)json_integer_value(item);
    }
    return (uint32_t)n;
}

/* thread, kind, flags, choice, object, site */
enum { STEP_NUMBERS = 6 };

static json_t *steps_json(const struct hdp_step *step, uint32_t steps)
{
    json_t *o = json_array();

    for (const struct hdp_step *s = step; s < step + steps; s++)
        json_array_append_new(o, numbers((const uint64_t[]){s->thread, s->kind, s->flags, s->choice,
                                                            s->object, s->site},
                                         STEP_NUMBERS));
    return o;
}

/* How many there are; UINT32_MAX: these are no steps, or do not fit. */
static uint32_t read_steps(const json_t *from, struct hdp_step *step, uint32_t most)
{
    uint64_t n[STEP_NUMBERS];
    json_t *item;
    size_t i;

    if (!json_is_array(from) || json_array_size(from) > most)
        return UINT32_MAX;
    json_array_foreach(from, i, item)
    {
        if (read_numbers(item, n, STEP_NUMBERS) != STEP_NUMBERS || n[1] >= HD_EV_COUNT)
            return UINT32_MAX;
        step[i] = (struct hdp_step){.thread = (uint32_t)n[0],
                                    .kind = (uint16_t)n[1],
                                    .flags = (uint16_t)n[2],
                                    .choice = (uint32_t)n[3],
                                    .object = (uint32_t)n[4],
                                    .site = n[5]};
    }
    return (uint32_t)i;
}

json_t *feedback_json(const struct feedback *f)
{
    const struct hdp_learned *k = &f->known;
    json_t *o = json_object(), *pairs = json_array(), *tuples = json_array(),
           *orders = json_array(), *paths = json_array();

    for (uint32_t i = 0; i < k->pairs; i++)
        json_array_append_new(pairs,
                              numbers((const uint64_t[]){k->pair[i].first, k->pair[i].second}, 2));
    for (uint32_t i = 0; i < HDP_TUPLES; i++)
        json_array_append_new(tuples, json_integer(f->tuple[i]));
    for (uint32_t i = 0; i < HDP_ORDER_PAIRS; i++)
        if (f->order_pair[i])
            json_array_append_new(orders, numbers((const uint64_t[]){i, f->order_pair[i]}, 2));
    for (uint32_t i = 0; i < f->paths; i++)
        json_array_append_new(paths, steps_json(f->path[i].path.step, f->path[i].path.steps));
    json_object_set_new(o, "orders", orders);
    json_object_set_new(o, "paths", paths);
    json_object_set_new(o, "sites", numbers(k->site, k->sites));
    json_object_set_new(o, "words", numbers(k->word, k->words));
    json_object_set_new(o, "pairs", pairs);
    json_object_set_new(o, "full", json_boolean(k->full));
    json_object_set_new(o, "words_lost", json_boolean(k->words_lost));
    json_object_set_new(o, "tuples", tuples);
    json_object_set_new(o, "profile", steps_json(f->profile, f->steps));
    json_object_set_new(o, "profile_of", json_integer((json_int_t)f->profiled));
    json_object_set_new(o, "profile_news", json_integer(f->news));
    return o;
}

static bool read_learned(struct hdp_learned *k, const json_t *from)
{
    json_t *list = json_object_get(from, "pairs"), *item;
    uint64_t pair[2];
    size_t i;

    k->sites = read_numbers(json_object_get(from, "sites"), k->site, HDP_LEARNED_SITES);
    k->words = read_numbers(json_object_get(from, "words"), k->word, HDP_LEARNED_WORDS);
    if (k->sites == UINT32_MAX || k->words == UINT32_MAX || !json_is_array(list) ||
        json_array_size(list) > HDP_LEARNED_PAIRS)
        return false;
    json_array_foreach(list, i, item)
    {
        if (read_numbers(item, pair, 2) != 2)
            return false;
        k->pair[k->pairs++] = (struct hdp_learned_pair){pair[0], pair[1]};
    }
    qsort(k->site, k->sites, sizeof *k->site, by_value);
    qsort(k->word, k->words, sizeof *k->word, by_value);
    qsort(k->pair, k->pairs, sizeof *k->pair, by_pair);
    k->full = json_is_true(json_object_get(from, "full"));
    k->words_lost = json_is_true(json_object_get(from, "words_lost"));
    return true;
}

static bool read_rest(struct feedback *f, const json_t *from)
{
    json_t *tuples = json_object_get(from, "tuples"), *paths = json_object_get(from, "paths"),
           *item;
    uint64_t n[2];
    size_t i;

    f->steps = read_steps(json_object_get(from, "profile"), f->profile, HDP_PROFILE);
    if (f->steps == UINT32_MAX || json_array_size(tuples) != HDP_TUPLES ||
        json_array_size(paths) > HDP_PATHS)
        return false;
    json_array_foreach(tuples, i, item)
    {
        if (!json_is_integer(item))
            return false;
        f->tuple[i] = (uint16_t)json_integer_value(item);
    }
    json_array_foreach(json_object_get(from, "orders"), i, item)
    {
        if (read_numbers(item, n, 2) != 2 || n[0] >= HDP_ORDER_PAIRS || n[1] > UINT8_MAX)
            return false;
        f->order_pair[n[0]] = (uint8_t)n[1];
    }
    json_array_foreach(paths, i, item)
    {
        struct hdp_path *path = &f->path[f->paths].path;
        path->steps = read_steps(item, path->step, HDP_PATH_STEPS);
        if (path->steps == UINT32_MAX)
            return false;
        f->path[f->paths++].signature = signature(path->step, path->steps);
    }
    f->profiled = (uint64_t)json_integer_value(json_object_get(from, "profile_of"));
    f->news = (uint32_t)json_integer_value(json_object_get(from, "profile_news"));
    return true;
}

bool feedback_read(struct feedback *f, const json_t *from)
{
    struct feedback *read = feedback_new();
    bool whole = read_learned(&read->known, from) && read_rest(read, from);

    if (whole)
        *f = *read;
    feedback_free(read);
    return whole;
}
