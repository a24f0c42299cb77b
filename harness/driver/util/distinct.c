/* distinct.c - see distinct.h */
#include "distinct.h"

#include <math.h>
#include <stdlib.h>

#include "util/alloc.h"
#include "wire/hash.h"

#define SLOTS (2 * DISTINCT_EXACT)

static void add_spread(struct distinct *d, uint64_t h)
{
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

void distinct_add(struct distinct *d, uint64_t hash)
{
    add_spread(d, hash_spread(hash));
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

json_t *distinct_json(const struct distinct *d)
{
    json_t *numbers = json_array(), *ranks = json_array();

    for (size_t i = 0; d->slot && i < SLOTS; i++)
        if (d->slot[i])
            json_array_append_new(numbers, json_integer((json_int_t)d->slot[i]));
    for (size_t i = 0; d->full && i < DISTINCT_REGISTERS; i++)
        json_array_append_new(ranks, json_integer(d->reg[i]));
    return json_pack("{s:o, s:o}", "numbers", numbers, "ranks", ranks);
}

bool distinct_read(struct distinct *d, const json_t *from)
{
    const json_t *numbers = json_object_get(from, "numbers"),
                 *ranks = json_object_get(from, "ranks");
    json_t *one;
    size_t i;

    distinct_free(d);
    *d = (struct distinct){.full = json_array_size(ranks) == DISTINCT_REGISTERS};
    json_array_foreach(ranks, i, one) if (d->full) d->reg[i] =
        (unsigned char)json_integer_value(one);
    json_array_foreach(numbers, i, one) add_spread(d, (uint64_t)json_integer_value(one));
    return json_is_array(numbers) && json_is_array(ranks) && (d->full || !json_array_size(ranks));
}
