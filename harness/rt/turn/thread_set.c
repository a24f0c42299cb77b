/* thread_set.c - see thread_set.h */
#include "thread_set.h"

#include <string.h>

#include "core/control.h"

void rt_set_grow(struct rt_set *s, uint32_t capacity)
{
    uint32_t words = (capacity + 4095) / 4096 * 64;
    uint64_t *word = hdi_alloc(words * sizeof *word),
             *above = hdi_alloc(words / 64 * sizeof *above);

    if (s->words) {
        memcpy(word, s->word, s->words * sizeof *word);
        memcpy(above, s->above, s->words / 64 * sizeof *above);
    }
    *s = (struct rt_set){.word = word, .above = above, .words = words};
}

uint32_t rt_set_next(const struct rt_set *s, uint32_t from)
{
    uint32_t w = from / 64;
    uint64_t bits;

    if (w >= s->words)
        return RT_SET_END;
    bits = s->word[w] & ~0ull << from % 64;
    if (bits)
        return w * 64 + (uint32_t)__builtin_ctzll(bits);
    for (w++; w < s->words; w = (w / 64 + 1) * 64) {
        bits = s->above[w / 64] & ~0ull << w % 64;
        if (bits) {
            w = w / 64 * 64 + (uint32_t)__builtin_ctzll(bits);
            return w * 64 + (uint32_t)__builtin_ctzll(s->word[w]);
        }
    }
    return RT_SET_END;
}
