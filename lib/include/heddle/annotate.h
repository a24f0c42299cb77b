/* annotate.h - what a program tells Heddle about itself. Without Heddle a call is one look-up that
 * finds nothing.
 *
 *   threads  any
 *   blocks   no
 */
#ifndef HEDDLE_ANNOTATE_H
#define HEDDLE_ANNOTATE_H

#include <dlfcn.h>
#include <stddef.h>

#include <heddle/api.h>

#pragma weak dlsym /* a static program has none, and no Heddle either */

HD_BEGIN_DECLS

/* Of the library that Heddle loads into the program; NULL without it. */
static inline void *hdi_annotation(const char *name)
{
    return dlsym ? dlsym((void *)0, name) : (void *)0;
}

/* The order in which `lock` is taken is in order, whatever the lock-order graph says: no prediction
 * that has it in its circle is reported. Real deadlocks are. */
static inline void hd_lock_order_ok(const void *lock)
{
    void (*tell)(const void *);
    *(void **)(&tell) = hdi_annotation("heddle_rt_lock_order_ok");
    if (tell)
        tell(lock);
}

/* Of lib/, where the program has it. */
extern void hdi_leak_expected(void) __attribute__((weak));

/* The calling thread or goroutine may be left, blocked or never joined, when the program or a leak
 * check (heddle/leak.h) ends. */
static inline void hd_expect_leak(void)
{
    void (*tell)(void);
    if (hdi_leak_expected)
        hdi_leak_expected();
    *(void **)(&tell) = hdi_annotation("heddle_rt_expect_leak");
    if (tell)
        tell();
}

/* One request to Valgrind, which knows the instructions and does something else: they turn a
 * register round, to where it was. */
static inline void hdi_tell_valgrind(unsigned long request, const volatile void *memory,
                                     size_t bytes)
{
#if defined(__x86_64__) && defined(__GNUC__)
    const volatile unsigned long words[6] = {request, (unsigned long)memory, bytes, 0, 0, 0};
    unsigned long answer = 0;
    __asm__ volatile("rolq $3, %%rdi; rolq $13, %%rdi\n\t"
                     "rolq $61, %%rdi; rolq $51, %%rdi\n\t"
                     "xchgq %%rbx, %%rbx"
                     : "=d"(answer)
                     : "a"(words), "0"(answer)
                     : "cc", "memory");
#else
    (void)request, (void)memory, (void)bytes;
#endif
}

/* Of Helgrind and of DRD: leave these bytes unchecked. */
#define HDI_HELGRIND_UNTRACKED 0x48470127UL
#define HDI_DRD_SUPPRESSED 0x44520002UL

/* Races on these `bytes` are meant (a statistic, a flag that may be seen late), and `why` says to
 * the reader of the program why they do no harm: none is reported, by Heddle's detector,
 * ThreadSanitizer, Helgrind or DRD, until the memory is freed. */
static inline void hd_benign_race(const volatile void *memory, size_t bytes, const char *why)
{
    void (*tell)(const volatile void *, size_t);
    void (*tell_tsan)(const char *, int, const volatile void *, size_t, const char *);
    *(void **)(&tell) = hdi_annotation("heddle_rt_benign_race");
    *(void **)(&tell_tsan) = hdi_annotation("AnnotateBenignRaceSized");
    if (tell)
        tell(memory, bytes);
    if (tell_tsan)
        tell_tsan("", 0, memory, bytes, why);
    hdi_tell_valgrind(HDI_HELGRIND_UNTRACKED, memory, bytes);
    hdi_tell_valgrind(HDI_DRD_SUPPRESSED, memory, bytes);
}

HD_END_DECLS

#endif /* HEDDLE_ANNOTATE_H */
