/* atomic.c - the watched half of atomic.h: one point, the C11 operation, the edges. */
#include <heddle/atomic.h>

#include "happens_before.h"

#define SITE() __builtin_return_address(0)

static void before(const void *cell, size_t bytes, const void *site)
{
    if (HDI_CONTROLLED())
        hdi_seam->point(HD_EV_HD_ATOMIC, cell, site);
    hdi_hide(cell, bytes);
}

#define CELL(name, type)                                                                             \
    type hdi_##name##_load(const struct hd_atomic_##name *a)                                         \
    {                                                                                                \
        type seen;                                                                                   \
        before(a, sizeof *a, SITE());                                                                \
        seen = atomic_load(&a->value);                                                               \
        hdi_acquire(a);                                                                              \
        return seen;                                                                                 \
    }                                                                                                \
    void hdi_##name##_store(struct hd_atomic_##name *a, type value)                                  \
    {                                                                                                \
        before(a, sizeof *a, SITE());                                                                \
        hdi_release(a);                                                                              \
        atomic_store(&a->value, value);                                                              \
    }                                                                                                \
    type hdi_##name##_swap(struct hd_atomic_##name *a, type value)                                   \
    {                                                                                                \
        before(a, sizeof *a, SITE());                                                                \
        hdi_release(a);                                                                              \
        value = atomic_exchange(&a->value, value);                                                   \
        hdi_acquire(a);                                                                              \
        return value;                                                                                \
    }                                                                                                \
    /* A failed one has only read. Its release, told too early natively, can hide a race, never    \
     * make one; under the seam nothing runs between, and it is told when it is known. */ \
    bool hdi_##name##_cas(struct hd_atomic_##name *a, type old, type value)                          \
    {                                                                                                \
        bool done;                                                                                   \
        before(a, sizeof *a, SITE());                                                                \
        if (!HDI_CONTROLLED())                                                                       \
            hdi_release(a);                                                                          \
        done = atomic_compare_exchange_strong(&a->value, &old, value);                               \
        if (HDI_CONTROLLED() && done)                                                                \
            hdi_release(a);                                                                          \
        hdi_acquire(a);                                                                              \
        return done;                                                                                 \
    }

#define UPDATE(name, type, verb, operation)                                                        \
    type hdi_##name##_##verb(struct hd_atomic_##name *a, type operand)                             \
    {                                                                                              \
        type old;                                                                                  \
        before(a, sizeof *a, SITE());                                                              \
        hdi_release(a);                                                                            \
        old = operation(&a->value, operand);                                                       \
        hdi_acquire(a);                                                                            \
        return old;                                                                                \
    }

#define NUMBER(name, type)                                                                         \
    CELL(name, type)                                                                               \
    UPDATE(name, type, and, atomic_fetch_and)                                                      \
    UPDATE(name, type, or, atomic_fetch_or)                                                        \
    type hdi_##name##_add(struct hd_atomic_##name *a, type delta)                                  \
    {                                                                                              \
        type sum;                                                                                  \
        before(a, sizeof *a, SITE());                                                              \
        hdi_release(a);                                                                            \
        (void)__builtin_add_overflow(atomic_fetch_add(&a->value, delta), delta, &sum);             \
        hdi_acquire(a);                                                                            \
        return sum;                                                                                \
    }

NUMBER(int32, int32_t)
NUMBER(int64, int64_t)
NUMBER(uint32, uint32_t)
NUMBER(uint64, uint64_t)
CELL(bool, bool)
CELL(pointer, void *)
