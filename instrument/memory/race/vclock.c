/* vclock.c - vector clocks over pooled arrays of powers of two. */
#include <stddef.h>

#include "core/control.h"
#include "vclock.h"

#define SMALLEST 4u
#define CLASSES 9 /* 4, 8, ... 1024 components */

union room {
    union room *next;
    uint32_t c[SMALLEST];
};

static union room *free_rooms[CLASSES];

static unsigned class_of(uint32_t cap)
{
    unsigned k = 0;
    while ((SMALLEST << k) < cap)
        k++;
    return k;
}

static void grow(struct hdi_vclock *v, uint32_t n)
{
    if (n <= v->cap)
        return;
    unsigned k = class_of(n);
    uint32_t cap = SMALLEST << k;
    union room *room = free_rooms[k];
    if (room)
        free_rooms[k] = room->next;
    else
        room = hdi_alloc_lasting(cap * sizeof(uint32_t));
    uint32_t *c = room->c;
    for (uint32_t i = 0; i < v->n; i++)
        c[i] = v->c[i];
    uint32_t used = v->n;
    hdi_vclock_clear(v);
    v->c = c;
    v->cap = cap;
    v->n = used;
}

static void widen(struct hdi_vclock *v, uint32_t n)
{
    if (n <= v->n)
        return;
    grow(v, n);
    for (uint32_t i = v->n; i < n; i++)
        v->c[i] = 0;
    v->n = n;
}

void hdi_vclock_set(struct hdi_vclock *v, uint32_t tid, uint32_t clock)
{
    widen(v, tid + 1);
    v->c[tid] = clock;
}

void hdi_vclock_join(struct hdi_vclock *dst, const struct hdi_vclock *src)
{
    widen(dst, src->n);
    for (uint32_t i = 0; i < src->n; i++)
        if (src->c[i] > dst->c[i])
            dst->c[i] = src->c[i];
}

void hdi_vclock_copy(struct hdi_vclock *dst, const struct hdi_vclock *src)
{
    if (dst == src)
        return;
    dst->n = 0;
    grow(dst, src->n);
    for (uint32_t i = 0; i < src->n; i++)
        dst->c[i] = src->c[i];
    dst->n = src->n;
}

bool hdi_vclock_leq(const struct hdi_vclock *a, const struct hdi_vclock *b)
{
    for (uint32_t i = 0; i < a->n; i++)
        if (a->c[i] > hdi_vclock_get(b, i))
            return false;
    return true;
}

void hdi_vclock_clear(struct hdi_vclock *v)
{
    if (v->c) {
        union room *room = (union room *)(void *)v->c;
        unsigned k = class_of(v->cap);
        room->next = free_rooms[k];
        free_rooms[k] = room;
    }
    *v = (struct hdi_vclock){0};
}
