/* burst.c - few switches and long starvation, for bugs that need one thread to run far ahead.
 *
 * Uniform switching keeps all threads abreast: a queue never fills, a slow thread never falls
 * behind. Here a thread keeps the turn for a run of random length (its mean drawn once a schedule),
 * and during windows of random length a random part of the threads is not run at all unless nobody
 * else can (the starvation windows of rr's chaos mode, O'Callahan 2016).
 */
#include "turn/rt.h"

static uint32_t mean, left, window;
static uint64_t salt, kept;

static void begin(const struct hdp_config *c)
{
    static const uint32_t means[] = {4, 16, 64, 1024};
    (void)c;
    mean = means[rt_random_below(4)];
    left = window = 0;
    kept = 0;
}

static bool starved(const struct hdi_thread *t)
{
    return hash_next(salt ^ t->hash) % 3 == 0;
}

static uint32_t pick(struct hdi_thread *const *e, uint32_t n)
{
    uint32_t well = 0, k;

    if (window-- == 0) {
        window = rt_random_below(4 * mean + 8);
        salt = rt_random();
    }
    if (left > 0 && kept) {
        for (uint32_t i = 0; i < n; i++)
            if (e[i]->hash == kept) {
                left--;
                return i;
            }
    }
    for (uint32_t i = 0; i < n; i++)
        well += !starved(e[i]);
    k = rt_random_below(well ? well : n);
    if (well)
        for (uint32_t i = 0; i < n; i++)
            if (!starved(e[i]) && k-- == 0) {
                k = i;
                break;
            }
    kept = e[k]->hash;
    left = rt_random_below(2 * mean);
    return k;
}

/* Whom it waits for may be starved. */
static void yielded(struct hdi_thread *t)
{
    if (kept == t->hash)
        left = 0;
    window /= 2;
}

const struct rt_strategy rt_burst = {.begin = begin, .pick = pick, .yielded = yielded};
