/* lock_model.h - the lock-order graph as one would write it without a thought for speed: a list of
 * everything that happened, and a search through all of it. */
#ifndef LOCK_MODEL_H
#define LOCK_MODEL_H

#include <stdbool.h>
#include <stdint.h>

#define MODEL_THREADS 8u
#define MODEL_HELD 8u
#define MODEL_EVENTS 512u
#define MODEL_RINGS 4096u

struct model_held {
    uint32_t lock; /* serial, below 64 */
    bool shared, try;
};

struct model_event {
    uint32_t thread;
    uint32_t clock[MODEL_THREADS];
    uint32_t held_count;
    struct model_held held[MODEL_HELD];
    struct model_held wants;
};

struct model {
    uint32_t clock[MODEL_THREADS][MODEL_THREADS]; /* of forks and joins */
    struct model_held held[MODEL_THREADS][MODEL_HELD];
    uint32_t held_count[MODEL_THREADS];
    struct model_event event[MODEL_EVENTS];
    uint32_t events;
    uint32_t gone[64];          /* by lock: events before it was destroyed; 0: it was not */
    uint64_t ring[MODEL_RINGS]; /* sets of locks */
    uint32_t rings;
};

static inline void model_tick(struct model *m, uint32_t t)
{
    m->clock[t][t]++;
}

static inline void model_fork(struct model *m, uint32_t t, uint32_t child)
{
    for (uint32_t i = 0; i < MODEL_THREADS; i++)
        m->clock[child][i] = m->clock[t][i];
    model_tick(m, t);
    model_tick(m, child);
}

static inline void model_join(struct model *m, uint32_t t, uint32_t child)
{
    for (uint32_t i = 0; i < MODEL_THREADS; i++)
        if (m->clock[t][i] < m->clock[child][i])
            m->clock[t][i] = m->clock[child][i];
    model_tick(m, t);
}

static inline void model_take(struct model *m, uint32_t t, uint32_t lock, bool shared, bool try)
{
    struct model_held h = {lock, shared, try};
    if (!try && m->held_count[t]) {
        struct model_event *e = &m->event[m->events++];
        e->thread = t;
        e->held_count = m->held_count[t];
        e->wants = h;
        for (uint32_t i = 0; i < MODEL_THREADS; i++)
            e->clock[i] = m->clock[t][i];
        for (uint32_t i = 0; i < e->held_count; i++)
            e->held[i] = m->held[t][i];
    }
    m->held[t][m->held_count[t]++] = h;
}

static inline void model_release(struct model *m, uint32_t t, uint32_t lock)
{
    uint32_t i = m->held_count[t];
    while (m->held[t][--i].lock != lock)
        ;
    m->held_count[t]--;
    for (; i < m->held_count[t]; i++)
        m->held[t][i] = m->held[t][i + 1];
}

static inline bool model_before(const struct model_event *a, const struct model_event *b)
{
    return a->clock[a->thread] <= b->clock[a->thread];
}

static inline bool model_waits(const struct model_event *a, const struct model_event *b)
{
    for (uint32_t i = 0; i < b->held_count; i++)
        if (b->held[i].lock == a->wants.lock && !(b->held[i].shared && a->wants.shared))
            return true;
    return false;
}

static inline bool model_together(const struct model_event *a, const struct model_event *b)
{
    if (a->thread == b->thread || model_before(a, b) || model_before(b, a))
        return false;
    for (uint32_t i = 0; i < a->held_count; i++)
        for (uint32_t k = 0; k < b->held_count; k++)
            if (a->held[i].lock == b->held[k].lock && !(a->held[i].shared && b->held[k].shared))
                return false;
    return true;
}

/* No way back into the ring but the one step to the next: each waits for its successor alone. */
static inline bool model_lean(struct model_event *const *ring, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        for (uint32_t k = 0; k < n; k++)
            if (k != i && k != (i + 1) % n && model_waits(ring[i], ring[k]))
                return false;
    return true;
}

/* Every lock of the ring exists when the last of its events happens. */
static inline bool model_alive(const struct model *m, struct model_event *const *ring, uint32_t n)
{
    uint32_t last = 0;
    for (uint32_t i = 0; i < n; i++)
        if (ring[i] - m->event > last)
            last = (uint32_t)(ring[i] - m->event);
    for (uint32_t i = 0; i < n; i++)
        if (m->gone[ring[i]->wants.lock] && m->gone[ring[i]->wants.lock] <= last)
            return false;
    return true;
}

static inline void model_extend(struct model *m, struct model_event **ring, uint32_t n)
{
    if (n > 1 && model_waits(ring[n - 1], ring[0]) && model_lean(ring, n) &&
        model_alive(m, ring, n)) {
        uint64_t set = 0;
        for (uint32_t i = 0; i < n; i++)
            set |= 1ull << ring[i]->wants.lock;
        bool known = false;
        for (uint32_t i = 0; i < m->rings; i++)
            known |= m->ring[i] == set;
        if (!known)
            m->ring[m->rings++] = set;
    }
    if (n == MODEL_THREADS)
        return;
    for (uint32_t i = 0; i < m->events; i++) {
        struct model_event *e = &m->event[i];
        bool fits = model_waits(ring[n - 1], e);
        for (uint32_t k = 0; k < n && fits; k++)
            fits = model_together(ring[k], e);
        if (fits) {
            ring[n] = e;
            model_extend(m, ring, n + 1);
        }
    }
}

/* Every set of locks on which threads can wait in a ring. */
static inline void model_search(struct model *m)
{
    struct model_event *ring[MODEL_THREADS + 1];
    for (uint32_t i = 0; i < m->events; i++) {
        ring[0] = &m->event[i];
        model_extend(m, ring, 1);
    }
}

#endif /* LOCK_MODEL_H */
