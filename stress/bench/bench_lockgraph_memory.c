/* bench_lockgraph_memory.c - what the lock-order graph takes of memory: bytes a lock and an edge.
 *
 * Measured, tables and all, as what the graph's mappings grow by: orders between all pairs of 300
 * locks (an edge), of one lock and 30,000 others (an edge and a lock), of a million neighbours
 * (folded). bench_lockgraph.sh prints it below the times.
 */
#include <stdio.h>
#include <stdlib.h>

#include "locks/lockgraph.h"

struct measured {
    struct hdi_lockgraph *g;
    struct hdi_lock_thread *t;
    uint64_t before;
};

static uint64_t bytes(const struct measured *m)
{
    struct hdi_lock_stats s;
    hdi_lockgraph_stats(m->g, &s);
    return s.bytes;
}

static struct measured begin(void)
{
    struct measured m = {.g = hdi_lockgraph_new(NULL)};
    m.t = m.g ? hdi_lock_thread_made(m.g, NULL, NULL) : NULL;
    if (!m.t) {
        fputs("bench_lockgraph_memory: out of memory\n", stderr);
        exit(1);
    }
    m.before = bytes(&m);
    return m;
}

static void pair(const struct measured *m, const void *outer, const void *inner)
{
    hdi_lock_acquired(m->t, outer, 0, 0x1000);
    hdi_lock_acquired(m->t, inner, 0, 0x1004);
    hdi_lock_released(m->t, inner);
    hdi_lock_released(m->t, outer);
}

static double per(struct measured *m, uint32_t n)
{
    double each = (double)(bytes(m) - m->before) / n;
    hdi_lockgraph_delete(m->g);
    return each;
}

int main(void)
{
    enum { DENSE = 300, MANY = 30000, NEIGHBOURS = 1000000 };
    uint64_t *lock = calloc(NEIGHBOURS + 1, sizeof *lock);
    if (!lock)
        return 1;
    struct measured m = begin();
    for (uint32_t i = 0; i < MANY; i++) { /* nothing held: the graph need not know them */
        hdi_lock_acquired(m.t, &lock[i], 0, 0x1000);
        hdi_lock_released(m.t, &lock[i]);
    }
    double alone = per(&m, MANY);
    m = begin();
    for (uint32_t i = 0; i < DENSE; i++)
        for (uint32_t k = i + 1; k < DENSE; k++)
            pair(&m, &lock[i], &lock[k]);
    double edge = per(&m, DENSE * (DENSE - 1) / 2);
    m = begin();
    for (uint32_t i = 1; i <= MANY; i++)
        pair(&m, &lock[0], &lock[i]);
    double both = per(&m, MANY);
    m = begin();
    for (uint32_t i = 0; i < NEIGHBOURS; i++)
        pair(&m, &lock[i], &lock[i + 1]);
    uint64_t whole = bytes(&m) - m.before;
    hdi_lockgraph_delete(m.g);
    printf("bytes a lock: %.0f when never held together with another, else %.0f\n", alone,
           both - edge);
    printf("bytes an edge (one thread, one pair of places): %.0f\n", edge);
    printf(
        "1,000,000 locks, each held while the next is taken: %.0f MB, past 65,536 orders folded\n",
        (double)whole / 1e6);
    free(lock);
    return 0;
}
