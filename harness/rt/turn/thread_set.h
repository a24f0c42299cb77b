/* thread_set.h - sets of threads by their index, walked in order of creation.
 *
 * A bit for each thread, and a bit above for each 64 of those that are not all zero: walking costs
 * as much as there are members, whatever the number of other threads. Guarded by rt.lock.
 */
#ifndef HEDDLE_THREAD_SET_H
#define HEDDLE_THREAD_SET_H

#include <stdbool.h>
#include <stdint.h>

struct rt_set {
    uint64_t *word, *above;
    uint32_t words; /* 64 threads each */
};

#define RT_SET_END UINT32_MAX

/* Room for indices below `capacity`; members stay. The memory is the models' (hdi_alloc). */
void rt_set_grow(struct rt_set *s, uint32_t capacity);

static inline void rt_set_add(struct rt_set *s, uint32_t i)
{
    s->word[i / 64] |= 1ull << i % 64;
    s->above[i / 4096] |= 1ull << i / 64 % 64;
}

static inline void rt_set_remove(struct rt_set *s, uint32_t i)
{
    s->word[i / 64] &= ~(1ull << i % 64);
    if (!s->word[i / 64])
        s->above[i / 4096] &= ~(1ull << i / 64 % 64);
}

static inline bool rt_set_has(const struct rt_set *s, uint32_t i)
{
    return s->word[i / 64] >> i % 64 & 1;
}

/* First member at `from` or after it, RT_SET_END when there is none:
 *     for (uint32_t i = rt_set_next(s, 0); i != RT_SET_END; i = rt_set_next(s, i + 1)) */
uint32_t rt_set_next(const struct rt_set *s, uint32_t from);

#endif /* HEDDLE_THREAD_SET_H */
