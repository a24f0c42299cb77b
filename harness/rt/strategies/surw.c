/* surw.c - selectively uniform random walk (Zhao, Wolff, Mathur, Roychoudhury: "Selectively uniform
 * concurrency testing", ASPLOS 2025).
 *
 * A random walk favours interleavings in which few choices were possible. If each thread is instead
 * chosen with a probability proportional to the number of operations that it still has to do, every
 * interleaving is equally likely. Counts are only known for operations that matter, so this holds
 * for the operations on one object, drawn anew for each schedule among those that several threads
 * used in the schedule before: the thread that is to do the next one of those is drawn by the
 * counts, and the others wait in front of theirs; all other operations are interleaved at random.
 * A thread that is not there yet is drawn like the others, or those that are made first would come
 * first.
 */
#include <string.h>

#include "profile.h"

#define THREADS 4096u /* slots of the table of counts */

static struct {
    uint32_t hash, left;
} counts[THREADS];
static uint16_t slots[THREADS]; /* those in use, in order of first appearance */
static uint32_t used;
static uint32_t chosen;   /* id of the object, 0: none is known yet */
static uint32_t intended; /* hash of the thread that does the next operation on it; 0: draw */

static uint32_t *left_of(uint32_t hash)
{
    uint32_t at = hash % THREADS;
    for (uint32_t tries = 0; tries < THREADS; tries++, at = (at + 1) % THREADS) {
        if (counts[at].hash == hash)
            return &counts[at].left;
        if (!counts[at].hash) {
            counts[at].hash = hash;
            slots[used++] = (uint16_t)at;
            return &counts[at].left;
        }
    }
    return NULL;
}

static void begin(const struct hdp_config *c)
{
    static struct rt_profile p;
    uint32_t shared = 0, k;
    (void)c;

    while (used)
        memset(&counts[slots[--used]], 0, sizeof counts[0]);
    chosen = intended = 0;
    rt_profile_objects(&p);
    for (uint32_t i = 0; i < p.count; i++)
        shared += p.place[i].threads > 1;
    if (!shared)
        return;
    k = rt_random_below(shared);
    for (uint32_t i = 0; i < p.count; i++)
        if (p.place[i].threads > 1 && k-- == 0)
            chosen = p.place[i].object;
    for (uint32_t i = 0; i < rt_profile_length(); i++) {
        const struct hdp_step *s = &rt.region->profile[i];
        uint32_t *left;
        if (s->object == chosen && (left = left_of(s->thread)))
            (*left)++;
    }
}

static bool matters(const struct hdi_thread *t)
{
    return chosen && t->op && t->op->object && t->op->object->id == chosen;
}

/* Of all threads that still have operations, by how many. */
static void draw_intended(void)
{
    uint64_t sum = 0, k;

    for (uint32_t i = 0; i < used; i++)
        sum += counts[slots[i]].left;
    if (!sum)
        return;
    k = rt_random() % sum;
    for (uint32_t i = 0; intended == 0; i++) {
        if (k < counts[slots[i]].left)
            intended = counts[slots[i]].hash;
        k -= counts[slots[i]].left;
    }
}

/* The same of those that can run, all of which stand in front of theirs. */
static uint32_t draw_of(struct hdi_thread *const *e, uint32_t n)
{
    uint64_t sum = 0, k;

    for (uint32_t i = 0; i < n; i++)
        sum += left_of(e[i]->hash) ? *left_of(e[i]->hash) : 0;
    if (!sum)
        return rt_random_below(n);
    k = rt_random() % sum;
    for (uint32_t i = 0;; i++) {
        uint32_t weight = left_of(e[i]->hash) ? *left_of(e[i]->hash) : 0;
        if (k < weight)
            return i;
        k -= weight;
    }
}

static bool may(const struct hdi_thread *t)
{
    return !matters(t) || !intended || t->hash == intended;
}

static uint32_t pick(struct hdi_thread *const *e, uint32_t n)
{
    uint32_t m = 0, i, k;

    if (!intended)
        draw_intended();
    for (i = 0; i < n; i++)
        m += may(e[i]);
    if (m)
        for (i = 0, k = rt_random_below(m); k || !may(e[i]); i++)
            k -= may(e[i]);
    else /* the intended one waits for something that comes after the others' operations */
        i = draw_of(e, n);
    if (matters(e[i])) {
        uint32_t *left = left_of(e[i]->hash);
        if (left && *left)
            --*left;
        intended = 0;
    }
    return i;
}

/* It will try again whatever we intend: somebody may have to move first who is kept waiting. */
static void yielded(struct hdi_thread *t)
{
    (void)t;
    intended = 0;
}

const struct rt_strategy rt_surw = {.begin = begin, .pick = pick, .yielded = yielded};
