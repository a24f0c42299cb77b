/* tsan_coverage.c - memory accesses as scheduling points while ThreadSanitizer is the detector.
 *
 * A program built by clang with -fsanitize=thread -fsanitize-coverage=func,trace-loads,trace-stores
 * and linked with libheddle-tsan.a (beside/tsan_coverage_callbacks.c) calls these before each plain
 * access. Which accesses become points is learned as for programs with our own hooks; our own race
 * detector stays silent, for atomics are not traced.
 */
#include "memory/access.h"

#define HOOK __attribute__((visibility("default")))

HOOK void heddle_rt_access_start(void);
HOOK void heddle_rt_access(uintptr_t addr, size_t bytes, bool write, uint64_t pc);

HOOK void heddle_rt_access_start(void)
{
    hdi_watch.instrumented = true;
    if (hdi_watch.wanted)
        hdi_memory_start();
}

HOOK void heddle_rt_access(uintptr_t addr, size_t bytes, bool write, uint64_t pc)
{
    hdi_access(addr, bytes, write ? HDI_WRITE : HDI_READ, pc);
}
