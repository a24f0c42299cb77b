/* fast_path.c - libheddle-fast-path.a: linked into every instrumented module. */
#include "fast_path.h"

#define HOOK __attribute__((visibility("hidden")))
#define PC() ((uint64_t)(uintptr_t)__builtin_return_address(0))

static const struct hdi_fast_path *watcher; /* set by the runtime while memory is watched */

__attribute__((constructor(101))) static void announce(void)
{
    heddle_fast_path_module(&watcher, HDI_FAST_PATH_VERSION);
}

__attribute__((destructor(101))) static void take_leave(void)
{
    heddle_fast_path_module_gone(&watcher);
}

#define FAST(name, direction, width)                                                               \
    HOOK void __tsan_##name(void *p)                                                               \
    {                                                                                              \
        if (__builtin_expect(watcher != 0, 0))                                                     \
            watcher->direction[width]((uintptr_t)p, PC());                                         \
    }
#define HOT_SIZES(name, direction)                                                                 \
    FAST(name##1, direction, 0)                                                                    \
    FAST(name##2, direction, 1)                                                                    \
    FAST(name##4, direction, 2)                                                                    \
    FAST(name##8, direction, 3)                                                                    \
    FAST(name##16, direction, 4)
#define HOT_WIDE(name, direction)                                                                  \
    FAST(name##2, direction, 1)                                                                    \
    FAST(name##4, direction, 2)                                                                    \
    FAST(name##8, direction, 3)                                                                    \
    FAST(name##16, direction, 4)
HOT_SIZES(read, read)
HOT_SIZES(write, write)
HOT_WIDE(unaligned_read, read)
HOT_WIDE(unaligned_write, write)
