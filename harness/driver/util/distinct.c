/* distinct.c - see distinct.h */
#include "distinct.h"

#include <math.h>
#include <stdlib.h>

#include "util/alloc.h"
#include "wire/hash.h"

#define SLOTS (2 * DISTINCT_EXACT)

void distinct_add(struct distinct *d, uint64_t hash)
{
    uint64_t h = hash_spread(hash);
    uint64_t rest = h << 14 | 1ull << 13; /* the guard bit bounds the rank */
    unsigned char rank = (unsigned char)(__builtin_clzll(rest) + 1);
    unsigned char *reg = &d->reg[h >> 50];
    if (rank > *reg)
        *reg = rank;
    if (d->full)
        return;
    if (!d->slot)
        d->slot = mem_zeroed(SLOTS, sizeof *d->slot);
    if (!h)
        h = 1;
    size_t at = h % SLOTS;
    while (d->slot[at] && d->slot[at] != h)
        at = (at + 1) % SLOTS;
    if (d->slot[at])
        return;
    if (d->exact == DISTINCT_EXACT) {
        d->full = true;
        free(d->slot);
        d->slot = NULL;
        return;
    }
    d->slot[at] = h;
    d->exact++;
}

uint64_t distinct_count(const struct distinct *d)
{
    if (!d->full)
        return d->exact;
    double sum = 0, m = DISTINCT_REGISTERS;
    unsigned zero = 0;
    for (unsigned i = 0; i < DISTINCT_REGISTERS; i++) {
        sum += ldexp(1, -d->reg[i]);
        zero += d->reg[i] == 0;
    }
    double estimate = 0.7213 / (1 + 1.079 / m) * m * m / sum;
    if (zero && estimate < 2.5 * m)
        estimate = m * log(m / zero);
    return estimate > DISTINCT_EXACT ? (uint64_t)estimate : DISTINCT_EXACT + 1;
}

void distinct_free(struct distinct *d)
{
    free(d->slot);
    d->slot = NULL;
}
