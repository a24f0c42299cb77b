/* tsan_coverage_callbacks.c - libheddle-tsan.a: the callbacks of
 * -fsanitize-coverage=func,trace-loads,trace-stores.
 *
 * Linked into a program that is built with ThreadSanitizer, whose own empty callbacks they replace.
 * Without Heddle's runtime a call costs a load and a branch.
 */
#include <dlfcn.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

static void (*point)(uintptr_t addr, size_t bytes, bool write, uint64_t pc);

__attribute__((constructor)) static void find_runtime(void)
{
    void (*start)(void) = (void (*)(void))(uintptr_t)dlsym(RTLD_DEFAULT, "heddle_rt_access_start");
    void *access = dlsym(RTLD_DEFAULT, "heddle_rt_access");

    if (!start || !access)
        return;
    point = (void (*)(uintptr_t, size_t, bool, uint64_t))(uintptr_t)access;
    start();
}

#define ACCESS(name, bytes, write)                                                                 \
    void __sanitizer_cov_##name(void *addr);                                                       \
    void __sanitizer_cov_##name(void *addr)                                                        \
    {                                                                                              \
        if (__builtin_expect(point != NULL, 0))                                                    \
            point((uintptr_t)addr, bytes, write,                                                   \
                  (uint64_t)(uintptr_t)__builtin_return_address(0));                               \
    }

ACCESS(load1, 1, false)
ACCESS(load2, 2, false)
ACCESS(load4, 4, false)
ACCESS(load8, 8, false)
ACCESS(load16, 16, false)
ACCESS(store1, 1, true)
ACCESS(store2, 2, true)
ACCESS(store4, 4, true)
ACCESS(store8, 8, true)
ACCESS(store16, 16, true)
