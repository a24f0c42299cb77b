/* native_hooks.c - libheddle-hooks.so: what instrumented code calls when no heddle is there.
 *
 * Plain accesses cost an empty call, atomics are done as asked. Under heddle the runtime library is
 * loaded first and its functions of the same names are used instead, wherever the calls come from:
 * the executable, libraries, plugins. This library stays loaded and unused.
 */
#include <dlfcn.h>
#include <string.h>
#include <unistd.h>

#include "annotations.h"
#include "fast_path.h"
#include "tsan_abi.h"
#include "tsan_native.h"

#define HOOK __attribute__((visibility("default")))

/* Two runtimes that both claim the same calls: each would see half of them. */
__attribute__((constructor)) static void refuse_others(void)
{
    static const char tsan[] = "heddle: ThreadSanitizer's runtime and heddle's hooks are both in "
                               "this program; link it with "
                               "heddle-cc and without -fsanitize=thread\n";
    static const char asan[] =
        "heddle: AddressSanitizer's runtime and heddle's hooks are both in this program; build it "
        "with one of them\n";
    const char *text = dlsym(RTLD_DEFAULT, "__tsan_create_fiber") ? tsan
                       : dlsym(RTLD_DEFAULT, "__asan_init")       ? asan
                                                                  : NULL;
    if (!text)
        return;
    if (write(STDERR_FILENO, text, strlen(text)) < 0)
        _exit(3);
    _exit(3);
}

#define NOTHING(name, bytes)                                                                       \
    HOOK void __tsan_##name(void *p)                                                               \
    {                                                                                              \
        (void)p;                                                                                   \
    }
#define NOTHING_PC(name, bytes)                                                                    \
    HOOK void __tsan_##name(void *p, void *pc)                                                     \
    {                                                                                              \
        (void)p, (void)pc;                                                                         \
    }
TSAN_READS(NOTHING)
TSAN_WRITES(NOTHING)
TSAN_UPDATES(NOTHING)
TSAN_PC_READS(NOTHING_PC)
TSAN_PC_WRITES(NOTHING_PC)
NOTHING(func_entry, 0)
NOTHING(acquire, 0)
NOTHING(release, 0)

HOOK void heddle_fast_path_module(const struct hdi_fast_path **pointer, unsigned version)
{
    (void)pointer, (void)version;
}

HOOK void heddle_fast_path_module_gone(const struct hdi_fast_path **pointer)
{
    (void)pointer;
}

#define NOTHING_AT_ALL(name)                                                                       \
    HOOK void __tsan_##name(void)                                                                  \
    {                                                                                              \
    }
NOTHING_AT_ALL(init)
NOTHING_AT_ALL(func_exit)
NOTHING_AT_ALL(ignore_thread_begin)
NOTHING_AT_ALL(ignore_thread_end)

HOOK void __tsan_read_range(void *p, unsigned long bytes)
{
    (void)p, (void)bytes;
}

HOOK void __tsan_write_range(void *p, unsigned long bytes)
{
    (void)p, (void)bytes;
}

HOOK void __tsan_read_range_pc(void *p, unsigned long bytes, void *pc)
{
    (void)p, (void)bytes, (void)pc;
}

HOOK void __tsan_write_range_pc(void *p, unsigned long bytes, void *pc)
{
    (void)p, (void)bytes, (void)pc;
}

HOOK void __tsan_vptr_read(void **p)
{
    (void)p;
}

HOOK void __tsan_vptr_update(void **p, void *value)
{
    (void)p, (void)value;
}

#define COPY(name, function)                                                                       \
    HOOK void *name(void *to, const void *from, size_t bytes)                                      \
    {                                                                                              \
        return function(to, from, bytes);                                                          \
    }
COPY(__tsan_memcpy, memcpy)
COPY(__tsan_memmove, memmove)
COPY(__wrap_memcpy, memcpy)
COPY(__wrap_memmove, memmove)

HOOK void *__tsan_memset(void *to, int byte, size_t bytes)
{
    return memset(to, byte, bytes);
}

HOOK void *__wrap_memset(void *to, int byte, size_t bytes)
{
    return memset(to, byte, bytes);
}

HOOK int __wrap_memcmp(const void *a, const void *b, size_t bytes)
{
    return memcmp(a, b, bytes);
}

HOOK size_t __wrap_strlen(const char *s)
{
    return strlen(s);
}

HOOK int __wrap_strcmp(const char *a, const char *b)
{
    return strcmp(a, b);
}

HOOK char *__wrap_strcpy(char *to, const char *from)
{
    return strcpy(to, from);
}

#define FETCH(bits, type, name, result)                                                            \
    HOOK type __tsan_atomic##bits##_##name(volatile type *a, type v, int order)                    \
    {                                                                                              \
        (void)order;                                                                               \
        type old = native_load##bits(a);                                                           \
        while (!native_cas##bits(a, &old, (type)(result)))                                         \
            ;                                                                                      \
        return old;                                                                                \
    }
#define ATOMICS(bits, type)                                                                        \
    HOOK type __tsan_atomic##bits##_load(const volatile type *a, int order)                        \
    {                                                                                              \
        (void)order;                                                                               \
        return native_load##bits(a);                                                               \
    }                                                                                              \
    HOOK void __tsan_atomic##bits##_store(volatile type *a, type v, int order)                     \
    {                                                                                              \
        (void)order;                                                                               \
        native_store##bits(a, v);                                                                  \
    }                                                                                              \
    FETCH(bits, type, exchange, v)                                                                 \
    FETCH(bits, type, fetch_add, old + v)                                                          \
    FETCH(bits, type, fetch_sub, old - v)                                                          \
    FETCH(bits, type, fetch_and, old &v)                                                           \
    FETCH(bits, type, fetch_or, old | v)                                                           \
    FETCH(bits, type, fetch_xor, old ^ v)                                                          \
    FETCH(bits, type, fetch_nand, ~(old & v))                                                      \
    HOOK int __tsan_atomic##bits##_compare_exchange_strong(volatile type *a, type *expected,       \
                                                           type v, int order, int failure)         \
    {                                                                                              \
        (void)order, (void)failure;                                                                \
        return native_cas##bits(a, expected, v);                                                   \
    }                                                                                              \
    HOOK int __tsan_atomic##bits##_compare_exchange_weak(volatile type *a, type *expected, type v, \
                                                         int order, int failure)                   \
    {                                                                                              \
        (void)order, (void)failure;                                                                \
        return native_cas##bits(a, expected, v);                                                   \
    }                                                                                              \
    HOOK type __tsan_atomic##bits##_compare_exchange_val(volatile type *a, type expected, type v,  \
                                                         int order, int failure)                   \
    {                                                                                              \
        (void)order, (void)failure;                                                                \
        native_cas##bits(a, &expected, v);                                                         \
        return expected;                                                                           \
    }
TSAN_ATOMIC_TYPES(ATOMICS)

HOOK void __tsan_atomic_thread_fence(int order)
{
    (void)order;
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
}

HOOK void __tsan_atomic_signal_fence(int order)
{
    (void)order;
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
}

#define MUTEX_MARK(name)                                                                           \
    HOOK void __tsan_mutex_##name(void *lock, unsigned flags)                                      \
    {                                                                                              \
        (void)lock, (void)flags;                                                                   \
    }
TSAN_MUTEX_MARKS(MUTEX_MARK)

HOOK void __tsan_mutex_post_lock(void *lock, unsigned flags, int recursion)
{
    (void)lock, (void)flags, (void)recursion;
}

HOOK int __tsan_mutex_pre_unlock(void *lock, unsigned flags)
{
    (void)lock, (void)flags;
    return 0;
}

#pragma GCC diagnostic ignored "-Wunused-parameter"
#define ANNOTATION(name, parameters, meaning)                                                      \
    HOOK void name parameters;                                                                     \
    HOOK void name parameters                                                                      \
    {                                                                                              \
    }
HDI_ANNOTATIONS(ANNOTATION)

#define UNALIGNED(bits, type)                                                                      \
    HOOK type __sanitizer_unaligned_load##bits(const void *at)                                     \
    {                                                                                              \
        type value;                                                                                \
        memcpy(&value, at, sizeof value);                                                          \
        return value;                                                                              \
    }                                                                                              \
    HOOK void __sanitizer_unaligned_store##bits(void *at, type value)                              \
    {                                                                                              \
        memcpy(at, &value, sizeof value);                                                          \
    }
HDI_UNALIGNED(UNALIGNED)
