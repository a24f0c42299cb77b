/* unseen.c - see unseen.h */
#include "unseen.h"

#include <stdlib.h>
#include <string.h>

#include "util/alloc.h"
#include "wire/hash.h"

#define SLOTS (2u * UNSEEN_KEPT)

struct unseen_kind {
    uint64_t hash;  /* 0: free */
    uint64_t first; /* number of the first draw of it */
    uint32_t times; /* 1, 2, or 3 for more */
};

static struct unseen_kind *find(const struct unseen *u, uint64_t hash)
{
    size_t at = hash % SLOTS;

    while (u->slot[at].hash && u->slot[at].hash != hash)
        at = (at + 1) % SLOTS;
    return &u->slot[at];
}

/* Which part of all a kind is in stands in the upper bits of its hash. */
static int is_in_part(uint64_t hash, unsigned part)
{
    return !part || hash >> (64 - part) == 0;
}

/* Half of what was looked at so far. */
static void halve(struct unseen *u)
{
    struct unseen_kind *old = u->slot;

    u->part++;
    u->slot = mem_zeroed(SLOTS, sizeof *u->slot);
    u->kept = 0;
    for (size_t i = 0; i < SLOTS; i++)
        if (old[i].hash && is_in_part(old[i].hash, u->part)) {
            *find(u, old[i].hash) = old[i];
            u->kept++;
        }
    free(old);
}

void unseen_add(struct unseen *u, uint64_t kind, uint64_t number)
{
    uint64_t hash = hash_spread(kind);
    struct unseen_kind *k;

    if (!u->slot)
        u->slot = mem_zeroed(SLOTS, sizeof *u->slot);
    u->draws++;
    if (!u->first || number < u->first)
        u->first = number;
    if (number > u->last)
        u->last = number;
    if (!hash)
        hash = 1;
    if (!is_in_part(hash, u->part))
        return;
    k = find(u, hash);
    if (k->hash) {
        k->times += k->times < 3;
        if (number < k->first)
            k->first = number;
        return;
    }
    *k = (struct unseen_kind){hash, number, 1};
    if (++u->kept == UNSEEN_KEPT)
        halve(u);
}

struct unseen_estimate unseen_estimate(const struct unseen *u, uint64_t known)
{
    struct unseen_estimate e = {.draws = u->draws, .share = unseen_share(u)};
    uint64_t numbers = u->draws ? u->last - u->first + 1 : 0;

    e.lately = (numbers + 9) / 10;
    for (size_t i = 0; u->slot && i < SLOTS; i++) {
        const struct unseen_kind *k = &u->slot[i];
        if (!k->hash)
            continue;
        e.once += k->times == 1;
        e.twice += k->times == 2;
        e.new_lately += k->first + e.lately > u->last;
    }
    e.once <<= u->part;
    e.twice <<= u->part;
    e.new_lately <<= u->part;
    double once = (double)e.once, twice = (double)e.twice;
    e.kinds = (double)known + (twice > 0 ? once * once / (2 * twice) : once * (once - 1) / 2);
    return e;
}

double unseen_share(const struct unseen *u)
{
    uint64_t once = 0;

    if (!u->draws)
        return 1;
    for (size_t i = 0; i < SLOTS; i++)
        once += u->slot[i].hash && u->slot[i].times == 1;
    double share = (double)(once << u->part) / (double)u->draws;
    return share < 1 ? share : 1;
}

void unseen_free(struct unseen *u)
{
    free(u->slot);
    u->slot = NULL;
}
