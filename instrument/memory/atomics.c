/* atomics.c - what compilers call for atomics under -fsanitize=thread: 8 to 128 bits, all orders.
 *
 * Each is one point, then the operation, then its edges. The operation itself is always done with
 * the strongest order; what weaker orders would allow is the business of the memory model
 * (weak_memory.c).
 */
#include <string.h>

#include "weak_memory.h"
#include "memory/race/tape_writer.h"
#include "tsan_native.h"
#include "access.h"

#define HOOK __attribute__((visibility("default")))
#define PC() ((uint64_t)(uintptr_t)__builtin_return_address(0))

/* gcc passes hardware lock elision hints in the upper bits */
static int order_of(int order)
{
    return order & 0xff;
}

/* The calling thread's if memory is watched and the caller is the program itself. */
static struct hdi_memory_thread *watched(void)
{
    struct hdi_memory_thread *s = hdi_watched;
    return s && !s->busy ? s : NULL;
}

/* Behind the edges of what was read, and before those of what is written: what comes before a store
 * happens before the load that reads it, too. */
static void feed(struct hdi_memory_thread *s, uintptr_t addr, size_t bytes, enum hdp_tape_kind kind,
                 uint64_t pc)
{
    bool crosses = hdi_has_forked() && hdi_may_be_shared((const void *)addr);

    hdi_touched_memory(addr, bytes, kind != HDP_TAPE_ATOMIC_READ);
    if (kind != HDP_TAPE_ATOMIC_WRITE)
        hdi_from_others(crosses);
    if (kind != HDP_TAPE_ATOMIC_READ)
        hdi_to_others(crosses);
    hdi_note_context(s, pc);
    if (hdi_tape)
        hdi_tape_access(s, addr, bytes, kind, pc, true);
    hdi_race_access(s->racer, addr, bytes,
                    kind == HDP_TAPE_ATOMIC_READ ? HDI_ATOMIC_READ : HDI_ATOMIC_WRITE, pc);
}

/* Does the memory model say what is read? */
static bool modelled(unsigned bits)
{
    return hdi_watch.config.model && bits <= 64;
}

#define LOAD_STORE(bits, type)                                                                     \
    HOOK type __tsan_atomic##bits##_load(const volatile type *a, int order)                        \
    {                                                                                              \
        struct hdi_memory_thread *s = watched();                                                   \
        if (!s)                                                                                    \
            return native_load##bits(a);                                                           \
        uint64_t pc = PC();                                                                        \
        order = order_of(order);                                                                   \
        hdi_access_point(s, HD_EV_ATOMIC_LOAD, (uintptr_t)a, pc);                                  \
        type v = native_load##bits(a);                                                             \
        if (modelled(bits)) {                                                                      \
            v = (type)hdi_model_pick(s, (uintptr_t)a, bits / 8, order, pc);                        \
            hdi_model_read(s, order);                                                              \
        } else {                                                                                   \
            hdi_race_atomic_load(s->racer, (uintptr_t)a, order);                                   \
        }                                                                                          \
        feed(s, (uintptr_t)a, bits / 8, HDP_TAPE_ATOMIC_READ, pc);                                 \
        hdi_loaded(s, (uintptr_t)a, (uint64_t)v, pc);                                              \
        return v;                                                                                  \
    }                                                                                              \
    HOOK void __tsan_atomic##bits##_store(volatile type *a, type v, int order)                     \
    {                                                                                              \
        struct hdi_memory_thread *s = watched();                                                   \
        if (!s) {                                                                                  \
            native_store##bits(a, v);                                                              \
            return;                                                                                \
        }                                                                                          \
        uint64_t pc = PC();                                                                        \
        order = order_of(order);                                                                   \
        hdi_access_point(s, HD_EV_ATOMIC_STORE, (uintptr_t)a, pc);                                 \
        feed(s, (uintptr_t)a, bits / 8, HDP_TAPE_ATOMIC_WRITE, pc);                                \
        if (modelled(bits)) {                                                                      \
            hdi_model_store(s, (uintptr_t)a, bits / 8, (uint64_t)v, order, pc);                    \
        } else {                                                                                   \
            hdi_race_atomic_store(s->racer, (uintptr_t)a, order);                                  \
            native_store##bits(a, v);                                                              \
        }                                                                                          \
        hdi_progress(s);                                                                           \
    }
TSAN_ATOMIC_TYPES(LOAD_STORE)

void hdi_atomic_stores(const uint8_t *at, uint8_t v, int order, uint64_t pc)
{
    struct hdi_memory_thread *s = watched();
    if (!s)
        return;
    feed(s, (uintptr_t)at, 1, HDP_TAPE_ATOMIC_WRITE, pc);
    if (modelled(8))
        hdi_model_store(s, (uintptr_t)at, 1, v, order, pc);
    else
        hdi_race_atomic_store(s->racer, (uintptr_t)at, order);
    hdi_progress(s);
}

/* The edges of an update that was made; `changed`: the value is another one. */
static void updated(struct hdi_memory_thread *s, uintptr_t addr, unsigned bytes, uint64_t old,
                    uint64_t v, bool changed, int order, uint64_t pc)
{
    if (modelled(8 * bytes))
        hdi_model_read(s, order);
    else
        hdi_race_atomic_load(s->racer, addr, order);
    feed(s, addr, bytes, HDP_TAPE_ATOMIC_UPDATE, pc);
    if (modelled(8 * bytes))
        hdi_model_update(s, v, order);
    else
        hdi_race_atomic_rmw(s->racer, addr, order);
    if (changed) {
        hdi_progress(s);
        hdi_got_on();
    } else {
        hdi_loaded(s, addr, old, pc);
    }
}

void hdi_atomic_done(struct hdi_memory_thread *s, uintptr_t addr, size_t bytes,
                     enum hdi_atomic_step step, uint64_t value, int order, uint64_t pc)
{
    if (step != HDI_STORED)
        hdi_race_atomic_load(s->racer, addr, order);
    feed(s, addr, bytes,
         step == HDI_LOADED   ? HDP_TAPE_ATOMIC_READ
         : step == HDI_STORED ? HDP_TAPE_ATOMIC_WRITE
                              : HDP_TAPE_ATOMIC_UPDATE,
         pc);
    if (step == HDI_LOADED) {
        hdi_loaded(s, addr, value, pc);
        return;
    }
    if (step == HDI_STORED)
        hdi_race_atomic_store(s->racer, addr, order);
    else
        hdi_race_atomic_rmw(s->racer, addr, order);
    hdi_progress(s);
}

#define FETCH(bits, type, name, result)                                                            \
    HOOK type __tsan_atomic##bits##_##name(volatile type *a, type v, int order)                    \
    {                                                                                              \
        struct hdi_memory_thread *s = watched();                                                   \
        uint64_t pc = PC();                                                                        \
        if (s)                                                                                     \
            hdi_access_point(s, HD_EV_ATOMIC_RMW, (uintptr_t)a, pc);                               \
        type old;                                                                                  \
        if (s && modelled(bits)) {                                                                 \
            old = (type)hdi_model_pick_update(s, (uintptr_t)a, bits / 8, order_of(order), pc);     \
        } else {                                                                                   \
            old = native_load##bits(a);                                                            \
            while (!native_cas##bits(a, &old, (type)(result)))                                     \
                ;                                                                                  \
        }                                                                                          \
        if (s)                                                                                     \
            updated(s, (uintptr_t)a, bits / 8, (uint64_t)old, (uint64_t)(type)(result),            \
                    (type)(result) != old, order_of(order), pc);                                   \
        return old;                                                                                \
    }
#define FETCHES(bits, type)                                                                        \
    FETCH(bits, type, exchange, v)                                                                 \
    FETCH(bits, type, fetch_add, old + v)                                                          \
    FETCH(bits, type, fetch_sub, old - v)                                                          \
    FETCH(bits, type, fetch_and, old &v)                                                           \
    FETCH(bits, type, fetch_or, old | v)                                                           \
    FETCH(bits, type, fetch_xor, old ^ v)                                                          \
    FETCH(bits, type, fetch_nand, ~(old & v))
TSAN_ATOMIC_TYPES(FETCHES)

/* A compare-and-swap that fails is a load with the failure order. */
static void not_exchanged(struct hdi_memory_thread *s, uintptr_t addr, unsigned bytes,
                          uint64_t value, int order, uint64_t pc)
{
    if (modelled(8 * bytes))
        hdi_model_read(s, order);
    else
        hdi_race_atomic_load(s->racer, addr, order);
    feed(s, addr, bytes, HDP_TAPE_ATOMIC_READ, pc);
    hdi_loaded(s, addr, value, pc);
}

/* Does the memory model let a compare-exchange succeed? What it reads is in *expected. */
static bool exchanged(struct hdi_memory_thread *s, uintptr_t addr, unsigned bytes, void *expected,
                      const struct hdi_exchange *x, uint64_t pc)
{
    uint64_t value;
    bool done = hdi_model_pick_exchange(s, addr, bytes, x, &value, pc);

    memcpy(expected, &value, bytes); /* little endian */
    return done;
}

/* The memory model's own choice has that, too. */
static bool fails_for_no_reason(unsigned bits, bool equal, uint64_t pc)
{
    return equal && !modelled(bits) && hdi_fault(HDP_FAULT_EXCHANGE, pc);
}

#define CAS(bits, type)                                                                            \
    static bool cas##bits(volatile type *a, type *expected, type v, int order, int failure,        \
                          bool weak, uint64_t pc)                                                  \
    {                                                                                              \
        struct hdi_memory_thread *s = watched();                                                   \
        if (s)                                                                                     \
            hdi_access_point(s, HD_EV_ATOMIC_RMW, (uintptr_t)a, pc);                               \
        type old = *expected;                                                                      \
        bool done = weak && s && fails_for_no_reason(bits, native_load##bits(a) == old, pc)        \
                        ? false                                                                    \
                    : s && modelled(bits)                                                          \
                        ? exchanged(s, (uintptr_t)a, bits / 8, expected,                           \
                                    &(struct hdi_exchange){(uint64_t)old, order_of(order),         \
                                                           order_of(failure), weak},               \
                                    pc)                                                            \
                        : native_cas##bits(a, expected, v);                                        \
        if (s && done)                                                                             \
            updated(s, (uintptr_t)a, bits / 8, (uint64_t)old, (uint64_t)v, v != old,               \
                    order_of(order), pc);                                                          \
        else if (s)                                                                                \
            not_exchanged(s, (uintptr_t)a, bits / 8, (uint64_t)*expected, order_of(failure), pc);  \
        return done;                                                                               \
    }                                                                                              \
    HOOK int __tsan_atomic##bits##_compare_exchange_strong(volatile type *a, type *expected,       \
                                                           type v, int order, int failure)         \
    {                                                                                              \
        return cas##bits(a, expected, v, order, failure, false, PC());                             \
    }                                                                                              \
    HOOK int __tsan_atomic##bits##_compare_exchange_weak(volatile type *a, type *expected, type v, \
                                                         int order, int failure)                   \
    {                                                                                              \
        return cas##bits(a, expected, v, order, failure, true, PC());                              \
    }                                                                                              \
    HOOK type __tsan_atomic##bits##_compare_exchange_val(volatile type *a, type expected, type v,  \
                                                         int order, int failure)                   \
    {                                                                                              \
        cas##bits(a, &expected, v, order, failure, false, PC());                                   \
        return expected;                                                                           \
    }
TSAN_ATOMIC_TYPES(CAS)

HOOK void __tsan_atomic_thread_fence(int order)
{
    struct hdi_memory_thread *s = watched();
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    if (!s)
        return;
    s->busy++;
    hdi_point(HD_EV_FENCE, NULL, PC());
    s->busy--;
    if (hdi_watch.config.model)
        hdi_model_fence(s, order_of(order), PC());
    hdi_race_fence(s->racer, order_of(order));
}

/* Orders a thread with its own signal handlers: nothing that another thread could see. */
HOOK void __tsan_atomic_signal_fence(int order)
{
    (void)order;
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
}
