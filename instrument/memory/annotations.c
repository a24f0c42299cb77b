/* annotations.c - see annotations.h, and <sanitizer/tsan_interface.h>: what programs say of their own
 * locks, orders and accesses. Client requests of Valgrind are not calls: they are not seen. */
#include <string.h>

#include "core/annotate.h"
#include "core/observers.h"
#include "annotations.h"
#include "access.h"
#include "memory/race/tape_writer.h"
#include "tsan_abi.h"

#pragma GCC diagnostic ignored "-Wunused-parameter"

#define HOOK __attribute__((visibility("default")))
#define PC() ((uint64_t)(uintptr_t)__builtin_return_address(0))

void heddle_rt_benign_race(const volatile void *memory, size_t bytes);

static void sent(const volatile void *clock)
{
    hdi_tell(SENT, .clock = (const void *)(uintptr_t)clock);
}

static void received(const volatile void *clock)
{
    hdi_tell(RECEIVED, .clock = (const void *)(uintptr_t)clock);
}

static void taken(const volatile void *lock)
{
    hdi_tell(RECEIVED, .clock = (const void *)(uintptr_t)lock, .mode = HDI_OF_LOCK);
}

static void given_back(const volatile void *lock)
{
    hdi_tell(SENT, .clock = (const void *)(uintptr_t)lock, .mode = HDI_OF_LOCK);
}

static void new_memory(const volatile void *p, size_t bytes)
{
    if (!hdi_watched)
        return;
    hdi_race_reset((uintptr_t)p, bytes);
    hdi_tape_reset((uintptr_t)p, bytes);
}

/* Accesses of the calling thread; its order is made as ever. */
static void ignore(int reads, int writes)
{
    struct hdi_memory_thread *s = hdi_watched;

    if (!s)
        return;
    if (reads > 0 || s->unread)
        s->unread += (uint32_t)reads;
    if (writes > 0 || s->unwritten)
        s->unwritten += (uint32_t)writes;
}

#define ANNOTATION(name, parameters, meaning)                                                      \
    HOOK void name parameters;                                                                     \
    HOOK void name parameters                                                                      \
    {                                                                                              \
        meaning;                                                                                   \
    }
HDI_ANNOTATIONS(ANNOTATION)

HOOK void __tsan_acquire(void *clock)
{
    hdi_tell(RECEIVED, .clock = clock);
}

HOOK void __tsan_release(void *clock)
{
    hdi_tell(SENT, .clock = clock);
}

HOOK void __tsan_ignore_thread_begin(void)
{
    ignore(1, 1);
}

HOOK void __tsan_ignore_thread_end(void)
{
    ignore(-1, -1);
}

#define MUTEX_MARK(name)                                                                           \
    HOOK void __tsan_mutex_##name(void *lock, unsigned flags)                                      \
    {                                                                                              \
    }
TSAN_MUTEX_MARKS(MUTEX_MARK)

HOOK void __tsan_mutex_post_lock(void *lock, unsigned flags, int recursion)
{
    if (!(flags & TSAN_TRY_FAILED))
        taken(lock);
}

HOOK int __tsan_mutex_pre_unlock(void *lock, unsigned flags)
{
    given_back(lock);
    return 0;
}

#define UNALIGNED(bits, type)                                                                      \
    HOOK type __sanitizer_unaligned_load##bits(const void *at)                                     \
    {                                                                                              \
        type value;                                                                                \
        hdi_access((uintptr_t)at, sizeof value, HDI_READ, PC());                                   \
        memcpy(&value, at, sizeof value);                                                          \
        return value;                                                                              \
    }                                                                                              \
    HOOK void __sanitizer_unaligned_store##bits(void *at, type value)                              \
    {                                                                                              \
        hdi_access((uintptr_t)at, sizeof value, HDI_WRITE, PC());                                  \
        memcpy(at, &value, sizeof value);                                                          \
    }
HDI_UNALIGNED(UNALIGNED)
