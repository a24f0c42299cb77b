/* tsan_native.h - the atomic operations themselves, for both kinds of hooks: load, store, compare
 * and swap per width, always sequentially consistent, which is stronger than any order asked for.
 */
#ifndef HEDDLE_TSAN_NATIVE_H
#define HEDDLE_TSAN_NATIVE_H

#include <stdbool.h>
#include <stdint.h>

#include "tsan_abi.h"

#define TSAN_NATIVE(bits, type)                                                                    \
    static inline type native_load##bits(const volatile type *a)                                   \
    {                                                                                              \
        return __atomic_load_n(a, __ATOMIC_SEQ_CST);                                               \
    }                                                                                              \
    static inline void native_store##bits(volatile type *a, type v)                                \
    {                                                                                              \
        __atomic_store_n(a, v, __ATOMIC_SEQ_CST);                                                  \
    }                                                                                              \
    static inline bool native_cas##bits(volatile type *a, type *expected, type v)                  \
    {                                                                                              \
        return __atomic_compare_exchange_n(a, expected, v, false, __ATOMIC_SEQ_CST,                \
                                           __ATOMIC_SEQ_CST);                                      \
    }
TSAN_NATIVE(8, uint8_t)
TSAN_NATIVE(16, uint16_t)
TSAN_NATIVE(32, uint32_t)
TSAN_NATIVE(64, uint64_t)

/* 128 bits: cmpxchg16b (-mcx16) is the one instruction that there is */
static inline bool native_cas128(volatile tsan_u128 *a, tsan_u128 *expected, tsan_u128 v)
{
    tsan_u128 had = __sync_val_compare_and_swap(a, *expected, v);
    bool done = had == *expected;
    *expected = had;
    return done;
}

static inline tsan_u128 native_load128(const volatile tsan_u128 *a)
{
    return __sync_val_compare_and_swap((volatile tsan_u128 *)a, 0, 0);
}

static inline void native_store128(volatile tsan_u128 *a, tsan_u128 v)
{
    tsan_u128 had = 0;
    while (!native_cas128(a, &had, v))
        ;
}

#endif /* HEDDLE_TSAN_NATIVE_H */
