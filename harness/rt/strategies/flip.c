/* flip.c - the other order of two operations that conflict, as an earlier schedule had them.
 *
 * After Yu, Narayanasamy, Pereira, Pokam ("Maple: a coverage-driven testing tool for multithreaded
 * programs", OOPSLA 2012) and Wolff, Shi, Duck, Mathur, Roychoudhury ("Greybox fuzzing for concurrency
 * testing", ASPLOS 2024). Most bugs need one or two operations of a thread to come after what another
 * thread did later before. A constraint names them: operation `late` of one thread waits until another
 * thread has done `early`, on the same object. The schedule then runs the thread that waits until it
 * stands there, the other one until it has done its operation, and then goes on with either; a thread
 * is interrupted for a constraint only.
 *
 * Two of three schedules (config.depth counts them) go through the pairs of places in the code: each in the
 * other order, in the same with nothing else in between, and both once more with the other thread going on.
 * The third, and all after that, take two pairs in random orders.
 */
#include <string.h>

#include "profile.h"
#include "wire/conflict.h"

struct operation {
    uint32_t thread; /* hash of its name */
    uint32_t serial; /* which of the thread's operations on the object, from 1 */
    uint64_t site;
};

struct constraint {
    uint32_t object;
    struct operation late, early;
    uint32_t late_seen, early_seen; /* how many operations on the object these threads have done */
    const struct hdi_thread *late_thread; /* NULL: not made yet */
    bool over;
};

#define PAIRS 512u
#define NEAR 16u /* operations on the same object that are looked at after each */
#define CONSTRAINTS 2u

static struct constraint wanted[CONSTRAINTS];
static uint32_t constraints, looked;
static uint32_t kept;   /* hash of the thread that runs as long as it can */
static bool early_runs; /* who has done `early` goes on, not who has waited for it */
static bool walk;       /* who is in no constraint switches at random */

/* What a thread does behind a release may come later, and a signal to a thread may come behind its end. */
static enum hdp_access access_of(enum hd_event kind)
{
    return kind == HD_EV_RELEASED || kind == HD_EV_THREAD_EXIT || kind == HD_EV_THREAD_JOIN
               ? HDP_ACCESS_WRITES
               : hdp_access_of(kind);
}

static bool tells(const struct hdp_step *s)
{
    return !(s->flags & HDP_STEP_CHOICE) && s->object && s->site &&
           access_of(s->kind) != HDP_ACCESS_NONE;
}

static uint32_t steps;               /* of the profile */
static uint16_t serial[HDP_PROFILE]; /* which of its thread's operations on its object each is */

static void number_operations(void)
{
    static struct {
        uint32_t thread, object, count;
    } slot[2 * (HDP_PROFILE + 1)];
    uint32_t slots = 2 * (steps + 1);

    memset(slot, 0, slots * sizeof slot[0]);
    for (uint32_t i = 0; i < steps; i++) {
        const struct hdp_step *s = &rt.region->profile[i];
        uint32_t at = (uint32_t)(hash_next(s->thread ^ (uint64_t)s->object << 32) % slots);
        if (!tells(s))
            continue;
        while (slot[at].count && (slot[at].thread != s->thread || slot[at].object != s->object))
            at = (at + 1) % slots;
        slot[at].thread = s->thread;
        slot[at].object = s->object;
        serial[i] = (uint16_t)++slot[at].count;
    }
}

static bool conflict(const struct hdp_step *a, const struct hdp_step *b)
{
    return a->object == b->object && a->thread != b->thread &&
           (access_of(a->kind) == HDP_ACCESS_WRITES || access_of(b->kind) == HDP_ACCESS_WRITES);
}

static struct constraint make(uint32_t late, uint32_t early)
{
    const struct hdp_step *p = rt.region->profile;

    return (struct constraint){
        .object = p[late].object,
        .late = {.thread = p[late].thread, .serial = serial[late], .site = p[late].site},
        .early = {.thread = p[early].thread, .serial = serial[early], .site = p[early].site}};
}

static bool same_places(const struct constraint *c, const struct hdp_step *late,
                        const struct hdp_step *early)
{
    return c->object == late->object && c->late.site == late->site && c->early.site == early->site;
}

/* Every pair of places where a later operation conflicts with an earlier one, its first occurrence, or,
 * `any_of_them`, one at random. */
static uint32_t gather(struct constraint *pair, bool any_of_them)
{
    static uint32_t next[HDP_PROFILE]; /* the next step on the same object, + 1 */
    static struct {
        uint32_t object, step;
    } last[4096];
    static uint32_t times[PAIRS];
    const struct hdp_step *p = rt.region->profile;
    uint32_t count = 0;

    for (uint32_t i = 0; i < steps; i++)
        last[p[i].object % 4096].object = 0;
    for (uint32_t i = steps; i-- > 0;) {
        uint32_t at = p[i].object % 4096;
        next[i] = 0;
        if (!tells(&p[i]))
            continue;
        if (last[at].object == p[i].object)
            next[i] = last[at].step + 1;
        last[at].object = p[i].object;
        last[at].step = i;
    }
    for (uint32_t i = 0; i < steps; i++)
        for (uint32_t j = next[i], seen = 0; j && seen < NEAR; j = next[j - 1], seen++) {
            uint32_t k = 0;
            if (!conflict(&p[i], &p[j - 1]))
                continue;
            while (k < count && !same_places(&pair[k], &p[i], &p[j - 1]))
                k++;
            if (k == PAIRS)
                return count;
            if (k == count)
                times[count++] = 0;
            if (times[k]++ == 0 || (any_of_them && rt_random_below(times[k]) == 0))
                pair[k] = make(i, j - 1);
        }
    return count;
}

static struct constraint reversed(const struct constraint *c)
{
    return (struct constraint){.object = c->object, .late = c->early, .early = c->late};
}

static void begin(const struct hdp_config *c)
{
    static struct constraint pair[PAIRS];
    uint32_t count, turn = c->depth / 3 * 2 + c->depth % 3 - 1;

    looked = constraints = kept = 0;
    early_runs = rt_random_below(2) == 0;
    walk = false;
    steps = rt_profile_length();
    number_operations();
    count = gather(pair, false);
    if (!count)
        return;
    if (c->depth % 3 && turn < 4 * count) {
        uint32_t which = turn % count, pass = turn / count;
        early_runs = pass >= 2;
        wanted[constraints++] = pass % 2 ? reversed(&pair[which]) : pair[which];
        return;
    }
    if (rt_random_below(2) == 0)
        count = gather(pair, true);
    walk = rt_random_below(2) == 0;
    wanted[constraints++] = pair[rt_random_below(count)];
    if (rt_random_below(4) != 0)
        wanted[constraints++] = pair[rt_random_below(count)];
    for (uint32_t i = 0; i < constraints; i++)
        if (rt_random_below(2) == 0)
            wanted[i] = reversed(&wanted[i]);
}

/* What has been done since we were last asked. */
static void look(void)
{
    for (uint32_t n = rt.region->result.steps; looked < n && looked < HDP_STEPS; looked++) {
        const struct hdp_step *s = &rt.region->trace[looked];
        if (!tells(s))
            continue;
        for (uint32_t i = 0; i < constraints; i++) {
            struct constraint *c = &wanted[i];
            if (s->object != c->object)
                continue;
            c->late_seen += s->thread == c->late.thread;
            c->early_seen += s->thread == c->early.thread;
            if (!c->over && (c->late_seen >= c->late.serial || c->early_seen >= c->early.serial)) {
                c->over = true;
                kept = early_runs ? c->early.thread : c->late.thread;
            }
        }
    }
}

static bool stands_at(const struct hdi_thread *t, const struct constraint *c,
                      const struct operation *o, uint32_t seen)
{
    return t && t->hash == o->thread && seen + 1 == o->serial && t->op && t->op->object &&
           t->op->object->id == c->object && access_of(t->op->kind) != HDP_ACCESS_NONE;
}

static bool late_stands(const struct constraint *c)
{
    return stands_at(c->late_thread, c, &c->late, c->late_seen);
}

/* Both wait for each other: who is to be early for the late one to stand there, who is to be late for
 * the early one to be done. */
static bool waits(const struct hdi_thread *t)
{
    for (uint32_t i = 0; i < constraints; i++) {
        const struct constraint *c = &wanted[i];
        if (!c->over && (stands_at(t, c, &c->late, c->late_seen) ||
                         (stands_at(t, c, &c->early, c->early_seen) && !late_stands(c))))
            return true;
    }
    return false;
}

/* Index of this thread among e, if it need not wait; else n. */
static uint32_t find(struct hdi_thread *const *e, uint32_t n, uint32_t hash)
{
    uint32_t i = 0;

    while (i < n && e[i]->hash != hash)
        i++;
    return i < n && !waits(e[i]) ? i : n;
}

static uint32_t random_of_those(struct hdi_thread *const *e, uint32_t n, bool who_wait)
{
    uint32_t m = 0, k, i = 0;

    for (uint32_t j = 0; j < n; j++)
        m += waits(e[j]) == who_wait;
    if (!m)
        return n;
    for (k = rt_random_below(m); waits(e[i]) != who_wait || k-- > 0; i++)
        ;
    return i;
}

static uint32_t pick(struct hdi_thread *const *e, uint32_t n)
{
    uint32_t i = n;

    look();
    for (uint32_t j = 0; j < n; j++)
        for (uint32_t k = 0; k < constraints; k++)
            if (e[j]->hash == wanted[k].late.thread)
                wanted[k].late_thread = e[j];
    for (uint32_t k = constraints; k-- > 0 && i == n;)
        if (!wanted[k].over && late_stands(&wanted[k]))
            i = find(e, n, wanted[k].early.thread);
    for (uint32_t k = 0; k < constraints && i == n; k++)
        if (!wanted[k].over)
            i = find(e, n, wanted[k].late.thread);
    if (i == n && !walk)
        i = find(e, n, kept);
    if (i == n)
        i = random_of_those(e, n, false);
    if (i == n) { /* those who wait, wait for each other: this order is not possible */
        i = random_of_those(e, n, true);
        for (uint32_t k = 0; k < constraints; k++)
            wanted[k].over |=
                e[i]->hash == wanted[k].late.thread || e[i]->hash == wanted[k].early.thread;
    }
    kept = e[i]->hash;
    return i;
}

static void yielded(struct hdi_thread *t)
{
    if (kept == t->hash)
        kept = 0;
}

const struct rt_strategy rt_flip = {.begin = begin, .pick = pick, .yielded = yielded};
