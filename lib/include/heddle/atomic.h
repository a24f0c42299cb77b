/* atomic.h - typed atomics: int32, int64, uint32, uint64, bool, pointer.
 *
 * Every operation is sequentially consistent, as in Go: if B sees what A wrote, all that came
 * before A happens before B. The zero value is ready to use. Natively each is the C11 operation
 * behind one predictable branch; under Heddle each is one scheduling point.
 *
 * For each integer NAME of type T, with struct hd_atomic_NAME:
 *     T    hd_NAME_load(const a)         T hd_NAME_add(a, delta)   the *new* value; wraps around
 *     void hd_NAME_store(a, value)       T hd_NAME_and(a, mask)    the *old* value
 *     T    hd_NAME_swap(a, value)        T hd_NAME_or(a, mask)     the *old* value
 *     bool hd_NAME_cas(a, old, value)    whether it was `old` and now is `value`
 * hd_atomic_bool and hd_atomic_pointer (a void *) have load, store, swap and cas.
 * HD_ATOMIC_POINTER(config_ptr, struct config) makes a typed pointer with the functions
 * config_ptr_load and so on; the atomic owns nothing that it points to.
 *   errors none    threads any    blocks never
 * source: Go package sync/atomic.
 */
#ifndef HEDDLE_ATOMIC_H
#define HEDDLE_ATOMIC_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <heddle/api.h>

/* In code that the compiler instruments, the C11 operation itself is an access that is seen: it
 * races with a plain one. Elsewhere the library speaks. */
#if defined(__SANITIZE_THREAD__)
#define HDI_ATOMIC_PLAIN() 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define HDI_ATOMIC_PLAIN() 1
#endif
#endif
#ifndef HDI_ATOMIC_PLAIN
#define HDI_ATOMIC_PLAIN() __builtin_expect((hdi_watchers & ~2u) == 0, 1)
#endif

#define HDI_ATOMIC_CELL(name, type)                                                                \
    struct hd_atomic_##name {                                                                      \
        _Atomic(type) value;                                                                       \
    };                                                                                             \
    HD_API type hdi_##name##_load(const struct hd_atomic_##name *a);                               \
    HD_API void hdi_##name##_store(struct hd_atomic_##name *a, type value);                        \
    HD_API type hdi_##name##_swap(struct hd_atomic_##name *a, type value);                         \
    HD_API bool hdi_##name##_cas(struct hd_atomic_##name *a, type old, type value);                \
    static inline type hd_##name##_load(const struct hd_atomic_##name *a)                          \
    {                                                                                              \
        return HDI_ATOMIC_PLAIN() ? atomic_load(&a->value) : hdi_##name##_load(a);                 \
    }                                                                                              \
    static inline void hd_##name##_store(struct hd_atomic_##name *a, type value)                   \
    {                                                                                              \
        if (HDI_ATOMIC_PLAIN())                                                                    \
            atomic_store(&a->value, value);                                                        \
        else                                                                                       \
            hdi_##name##_store(a, value);                                                          \
    }                                                                                              \
    static inline type hd_##name##_swap(struct hd_atomic_##name *a, type value)                    \
    {                                                                                              \
        return HDI_ATOMIC_PLAIN() ? atomic_exchange(&a->value, value)                              \
                                  : hdi_##name##_swap(a, value);                                   \
    }                                                                                              \
    static inline bool hd_##name##_cas(struct hd_atomic_##name *a, type old, type value)           \
    {                                                                                              \
        return HDI_ATOMIC_PLAIN() ? atomic_compare_exchange_strong(&a->value, &old, value)         \
                                  : hdi_##name##_cas(a, old, value);                               \
    }

#define HDI_ATOMIC_NUMBER(name, type)                                                              \
    HDI_ATOMIC_CELL(name, type)                                                                    \
    HD_API type hdi_##name##_add(struct hd_atomic_##name *a, type delta);                          \
    HD_API type hdi_##name##_and(struct hd_atomic_##name *a, type mask);                           \
    HD_API type hdi_##name##_or(struct hd_atomic_##name *a, type mask);                            \
    static inline type hd_##name##_add(struct hd_atomic_##name *a, type delta)                     \
    {                                                                                              \
        type sum;                                                                                  \
        if (!HDI_ATOMIC_PLAIN())                                                                   \
            return hdi_##name##_add(a, delta);                                                     \
        (void)__builtin_add_overflow(atomic_fetch_add(&a->value, delta), delta, &sum);             \
        return sum;                                                                                \
    }                                                                                              \
    static inline type hd_##name##_and(struct hd_atomic_##name *a, type mask)                      \
    {                                                                                              \
        return HDI_ATOMIC_PLAIN() ? atomic_fetch_and(&a->value, mask) : hdi_##name##_and(a, mask); \
    }                                                                                              \
    static inline type hd_##name##_or(struct hd_atomic_##name *a, type mask)                       \
    {                                                                                              \
        return HDI_ATOMIC_PLAIN() ? atomic_fetch_or(&a->value, mask) : hdi_##name##_or(a, mask);   \
    }

HDI_ATOMIC_NUMBER(int32, int32_t)
HDI_ATOMIC_NUMBER(int64, int64_t)
HDI_ATOMIC_NUMBER(uint32, uint32_t)
HDI_ATOMIC_NUMBER(uint64, uint64_t)
HDI_ATOMIC_CELL(bool, bool)
HDI_ATOMIC_CELL(pointer, void *)

/* In a program's own file clang says so of a function that nobody calls. */
#define HDI_MAY_BE_UNUSED __attribute__((unused)) static inline

/* A typed pointer.  Go: atomic.Pointer[T] */
#define HD_ATOMIC_POINTER(name, type)                                                              \
    struct name {                                                                                  \
        struct hd_atomic_pointer cell;                                                             \
    };                                                                                             \
    HDI_MAY_BE_UNUSED type *name##_load(const struct name *p)                                      \
    {                                                                                              \
        return (type *)hd_pointer_load(&p->cell);                                                  \
    }                                                                                              \
    HDI_MAY_BE_UNUSED void name##_store(struct name *p, type *value)                               \
    {                                                                                              \
        hd_pointer_store(&p->cell, (void *)(uintptr_t)value);                                      \
    }                                                                                              \
    HDI_MAY_BE_UNUSED type *name##_swap(struct name *p, type *value)                               \
    {                                                                                              \
        return (type *)hd_pointer_swap(&p->cell, (void *)(uintptr_t)value);                        \
    }                                                                                              \
    HDI_MAY_BE_UNUSED bool name##_cas(struct name *p, type *old, type *value)                      \
    {                                                                                              \
        return hd_pointer_cas(&p->cell, (void *)(uintptr_t)old, (void *)(uintptr_t)value);         \
    }                                                                                              \
    struct name

#endif /* HEDDLE_ATOMIC_H */
