/* lockgraph_memory.c - memory, hash tables and the lock of the lock-order graph. */
#include "lockgraph_inside.h"

#include <errno.h>
#include <linux/futex.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define SLAB_BYTES (64u << 10)
#define FIRST_SLOTS 512u

/* Before each mapping; what follows is as aligned as anything needs. */
struct lg_mapping {
    struct lg_mapping *next, *before;
    size_t bytes;
    size_t pad[5]; /* to a cache line */
};

void *lg_map(struct hdi_lockgraph *g, size_t bytes)
{
    bytes += sizeof(struct lg_mapping);
    struct lg_mapping *m = g->calls.memory ? g->calls.memory(bytes, g->calls.data)
                                           : mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                                                  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (m == MAP_FAILED || !m)
        return NULL;
    m->bytes = bytes;
    m->next = g->mappings;
    if (m->next)
        m->next->before = m;
    g->mappings = m;
    g->bytes += bytes;
    return m + 1;
}

void lg_unmap(struct hdi_lockgraph *g, void *p)
{
    if (!p)
        return;
    struct lg_mapping *m = (struct lg_mapping *)p - 1;
    if (m->next)
        m->next->before = m->before;
    if (m->before)
        m->before->next = m->next;
    else
        g->mappings = m->next;
    g->bytes -= m->bytes;
    if (g->calls.give_back)
        g->calls.give_back(m, m->bytes, g->calls.data);
    else
        munmap(m, m->bytes);
}

void lg_unmap_all(struct hdi_lockgraph *g)
{
    while (g->mappings)
        lg_unmap(g, g->mappings + 1);
}

void *lg_take(struct hdi_lockgraph *g, struct lg_pool *pool)
{
    void *item = pool->free;
    if (item) {
        memcpy(&pool->free, item, sizeof pool->free);
        memset(item, 0, pool->size);
    } else {
        if (pool->left < pool->size) {
            pool->at = lg_map(g, SLAB_BYTES - sizeof(struct lg_mapping));
            pool->left = pool->at ? SLAB_BYTES - sizeof(struct lg_mapping) : 0;
            if (!pool->at)
                return NULL;
        }
        item = pool->at;
        pool->at += pool->size;
        pool->left -= pool->size;
    }
    pool->used++;
    return item;
}

void lg_give(struct lg_pool *pool, void *item)
{
    memcpy(item, &pool->free, sizeof pool->free);
    pool->free = item;
    pool->used--;
}

static bool table_grow(struct hdi_lockgraph *g, struct lg_table *t)
{
    uint64_t slots = t->slot ? (t->mask + 1) * 2 : FIRST_SLOTS;
    struct lg_node **slot = lg_map(g, slots * sizeof *slot);
    if (!slot)
        return t->slot != NULL; /* a full table is slow, not wrong */
    for (uint64_t i = 0; t->slot && i <= t->mask; i++) {
        for (struct lg_node *n = t->slot[i], *next; n; n = next) {
            next = n->next;
            n->next = slot[n->hash & (slots - 1)];
            slot[n->hash & (slots - 1)] = n;
        }
    }
    if (t->slot)
        lg_unmap(g, t->slot);
    t->slot = slot;
    t->mask = slots - 1;
    return true;
}

bool lg_insert(struct hdi_lockgraph *g, struct lg_table *t, struct lg_node *n, uint64_t hash)
{
    if ((!t->slot || t->count > t->mask) && !table_grow(g, t))
        return false;
    n->hash = hash;
    n->next = t->slot[hash & t->mask];
    t->slot[hash & t->mask] = n;
    t->count++;
    return true;
}

void lg_remove(struct lg_table *t, struct lg_node *n)
{
    struct lg_node **at = &t->slot[n->hash & t->mask];
    while (*at != n)
        at = &(*at)->next;
    *at = n->next;
    t->count--;
}

/* A raw futex lock (Drepper, "Futexes are tricky", mutex 2): no tool sees an edge that the program
 * did not make. */
void lg_enter(struct hdi_lockgraph *g)
{
    uint32_t state = 0;
    if (atomic_compare_exchange_strong(&g->lock, &state, 1))
        return;
    int saved = errno;
    if (state != 2)
        state = atomic_exchange(&g->lock, 2);
    while (state != 0) {
        syscall(SYS_futex, &g->lock, FUTEX_WAIT_PRIVATE, 2, NULL, NULL, 0);
        state = atomic_exchange(&g->lock, 2);
    }
    errno = saved;
}

void lg_leave(struct hdi_lockgraph *g)
{
    if (atomic_exchange(&g->lock, 0) == 2)
        syscall(SYS_futex, &g->lock, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}
