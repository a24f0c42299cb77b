/* libatomic.c - atomics that compilers leave to libatomic: of 16 bytes, and of any other number. It does
 * them with locks of its own, or with instructions that no hook sees; here each is one point and one
 * access with its order.
 * source: GCC's wiki, Atomic/GCCMM/LIbrary.
 */
#include <string.h>

#include "core/real.h"
#include "core/thread.h"
#include "access.h"

#define HOOK __attribute__((visibility("default")))

__extension__ typedef unsigned __int128 wide;

struct step {
    struct hdi_memory_thread *s;
    uintptr_t addr;
    size_t bytes;
    uint64_t pc;
};

/* The locks of libatomic are none of the program's. */
static struct step begin(const volatile void *a, size_t bytes, enum hd_event kind, uint64_t pc)
{
    struct step step = {hdi_watched_caller(pc), (uintptr_t)a, bytes, pc};

    if (step.s)
        hdi_access_point(step.s, kind, step.addr, pc);
    if (hdi_self())
        hdi_self()->in_real++;
    return step;
}

static void end(struct step step, enum hdi_atomic_step kind, const void *read, int order)
{
    uint64_t value = 0;

    if (hdi_self())
        hdi_self()->in_real--;
    if (!step.s)
        return;
    if (read)
        memcpy(&value, read, step.bytes < sizeof value ? step.bytes : sizeof value);
    hdi_atomic_done(step.s, step.addr, step.bytes, kind, value, order & 0xff, step.pc);
}

#define AS(function) __asm__(#function)
#define LIBATOMIC(type, ours, name, parameters)                                                    \
    HOOK type ours parameters AS(name);                                                            \
    HOOK type ours parameters

#define REAL(type, name, parameters) HDI_REAL_OF(type, #name, parameters, pc)

LIBATOMIC(void, load_any, __atomic_load, (size_t bytes, void *a, void *to, int order))
{
    uint64_t pc = HDI_SITE();
    REAL(void, __atomic_load, (size_t, void *, void *, int))
    struct step step = begin(a, bytes, HD_EV_ATOMIC_LOAD, pc);

    real(bytes, a, to, order);
    end(step, HDI_LOADED, to, order);
}

LIBATOMIC(void, store_any, __atomic_store, (size_t bytes, void *a, void *value, int order))
{
    uint64_t pc = HDI_SITE();
    REAL(void, __atomic_store, (size_t, void *, void *, int))
    struct step step = begin(a, bytes, HD_EV_ATOMIC_STORE, pc);

    real(bytes, a, value, order);
    end(step, HDI_STORED, NULL, order);
}

LIBATOMIC(void, exchange_any, __atomic_exchange,
          (size_t bytes, void *a, void *value, void *to, int order))
{
    uint64_t pc = HDI_SITE();
    REAL(void, __atomic_exchange, (size_t, void *, void *, void *, int))
    struct step step = begin(a, bytes, HD_EV_ATOMIC_RMW, pc);

    real(bytes, a, value, to, order);
    end(step, HDI_UPDATED, NULL, order);
}

LIBATOMIC(bool, compare_any, __atomic_compare_exchange,
          (size_t bytes, void *a, void *expected, void *value, int order, int failure))
{
    uint64_t pc = HDI_SITE();
    REAL(bool, __atomic_compare_exchange, (size_t, void *, void *, void *, int, int))
    struct step step = begin(a, bytes, HD_EV_ATOMIC_RMW, pc);
    bool done = real(bytes, a, expected, value, order, failure);

    end(step, done ? HDI_UPDATED : HDI_LOADED, done ? NULL : expected, done ? order : failure);
    return done;
}

LIBATOMIC(wide, load_wide, __atomic_load_16, (const volatile void *a, int order))
{
    uint64_t pc = HDI_SITE();
    REAL(wide, __atomic_load_16, (const volatile void *, int))
    struct step step = begin(a, sizeof(wide), HD_EV_ATOMIC_LOAD, pc);
    wide value = real(a, order);

    end(step, HDI_LOADED, &value, order);
    return value;
}

LIBATOMIC(void, store_wide, __atomic_store_16, (volatile void *a, wide value, int order))
{
    uint64_t pc = HDI_SITE();
    REAL(void, __atomic_store_16, (volatile void *, wide, int))
    struct step step = begin(a, sizeof(wide), HD_EV_ATOMIC_STORE, pc);

    real(a, value, order);
    end(step, HDI_STORED, NULL, order);
}

LIBATOMIC(bool, compare_wide, __atomic_compare_exchange_16,
          (volatile void *a, void *expected, wide value, int order, int failure))
{
    uint64_t pc = HDI_SITE();
    REAL(bool, __atomic_compare_exchange_16, (volatile void *, void *, wide, int, int))
    struct step step = begin(a, sizeof(wide), HD_EV_ATOMIC_RMW, pc);
    bool done = real(a, expected, value, order, failure);

    end(step, done ? HDI_UPDATED : HDI_LOADED, done ? NULL : expected, done ? order : failure);
    return done;
}

#define UPDATE(ours, name)                                                                         \
    LIBATOMIC(wide, ours, name, (volatile void *a, wide value, int order))                         \
    {                                                                                              \
        uint64_t pc = HDI_SITE();                                                                  \
        REAL(wide, name, (volatile void *, wide, int))                                             \
        struct step step = begin(a, sizeof(wide), HD_EV_ATOMIC_RMW, pc);                           \
        wide result = real(a, value, order);                                                       \
                                                                                                   \
        end(step, HDI_UPDATED, NULL, order);                                                       \
        return result;                                                                             \
    }
#define UPDATES(name)                                                                              \
    UPDATE(fetch_##name, __atomic_fetch_##name##_16)                                               \
    UPDATE(name##_fetch, __atomic_##name##_fetch_16)
UPDATE(exchange_wide, __atomic_exchange_16)
UPDATES(add)
UPDATES(sub)
UPDATES(and)
UPDATES(or)
UPDATES(xor)
UPDATES(nand)
