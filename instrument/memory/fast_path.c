/* fast_path.c - libheddle-hot.a: linked into every instrumented module. */
#include "fast_path.h"

#define HOOK __attribute__((visibility("hidden")))
#define PC() ((uint64_t)(uintptr_t)__builtin_return_address(0))

static const struct hdi_hot *watcher; /* set by the runtime while memory is watched */

__attribute__((constructor(101))) static void announce(void)
{
    heddle_hot_module(&watcher, HDI_HOT_VERSION);
}

__attribute__((destructor(101))) static void take_leave(void)
{
    heddle_hot_module_gone(&watcher);
}

#define HOT(name, direction, width)                                                                \
    HOOK void __tsan_##name(void *p)                                                               \
    {                                                                                              \
        if (__builtin_expect(watcher != 0, 0))                                                     \
            watcher->direction[width]((uintptr_t)p, PC());                                         \
    }
#define HOT_SIZES(name, direction)                                                                 \
    HOT(name##1, direction, 0)                                                                     \
    HOT(name##2, direction, 1)                                                                     \
    HOT(name##4, direction, 2)                                                                     \
    HOT(name##8, direction, 3)                                                                     \
    HOT(name##16, direction, 4)
#define HOT_WIDE(name, direction)                                                                  \
    HOT(name##2, direction, 1)                                                                     \
    HOT(name##4, direction, 2)                                                                     \
    HOT(name##8, direction, 3)                                                                     \
    HOT(name##16, direction, 4)
HOT_SIZES(read, read)
HOT_SIZES(write, write)
HOT_WIDE(unaligned_read, read)
HOT_WIDE(unaligned_write, write)
