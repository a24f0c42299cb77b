/* What a program says of its own order to race detectors. Locks and flags are made with inline
 * assembly, which no detector sees: the annotations alone tell. */
#include <pthread.h>
#include <sched.h>
#include <stdint.h>

#include "twin.h"

#if defined(__SANITIZE_THREAD__) || defined(__has_feature)
#if defined(__SANITIZE_THREAD__) || __has_feature(thread_sanitizer)
#define HOOKS 1
#endif
#endif

#ifdef HOOKS
void AnnotateHappensBefore(const char *file, int line, const volatile void *p);
void AnnotateHappensAfter(const char *file, int line, const volatile void *p);
void AnnotateRWLockAcquired(const char *file, int line, const volatile void *p, long writes);
void AnnotateRWLockReleased(const char *file, int line, const volatile void *p, long writes);
void AnnotateBenignRaceSized(const char *file, int line, const volatile void *p,
                             unsigned long bytes, const char *why);
void AnnotateIgnoreReadsBegin(const char *file, int line);
void AnnotateIgnoreReadsEnd(const char *file, int line);
void AnnotateIgnoreWritesBegin(const char *file, int line);
void AnnotateIgnoreWritesEnd(const char *file, int line);
void __tsan_acquire(void *p);
void __tsan_release(void *p);
void __tsan_mutex_pre_lock(void *p, unsigned flags);
void __tsan_mutex_post_lock(void *p, unsigned flags, int recursion);
int __tsan_mutex_pre_unlock(void *p, unsigned flags);
void __tsan_mutex_post_unlock(void *p, unsigned flags);
uint32_t __sanitizer_unaligned_load32(const void *p);
void __sanitizer_unaligned_store32(void *p, uint32_t value);
#define SAYS(...) __VA_ARGS__
#else
#define SAYS(...)
#define __sanitizer_unaligned_load32(p) (*(const uint32_t *)(p))
#define __sanitizer_unaligned_store32(p, v) (*(uint32_t *)(p) = (v))
#endif

int x, sink;
static int word;
static char bytes[16];

static void set(int *to, int value)
{
    __asm__ volatile("xchgl %0, %1" : "+r"(value), "+m"(*to) : : "memory");
}

static int get(int *from)
{
    int value = 0;

    __asm__ volatile("lock; xaddl %0, %1" : "+r"(value), "+m"(*from) : : "memory");
    return value;
}

static int swap(int *at, int value)
{
    __asm__ volatile("xchgl %0, %1" : "+r"(value), "+m"(*at) : : "memory");
    return value;
}

static void pair(void *(*one)(void *), void *(*other)(void *))
{
    pthread_t a, b;

    pthread_create(&a, NULL, one, NULL);
    pthread_create(&b, NULL, other, NULL);
    pthread_join(a, NULL);
    pthread_join(b, NULL);
}

static void *publishes(void *arg)
{
    x = 1;
    if (!wrong)
        SAYS(AnnotateHappensBefore(__FILE__, __LINE__, &word));
    set(&word, 1);
    return arg;
}

static void *takes(void *arg)
{
    while (!get(&word))
        sched_yield();
    SAYS(AnnotateHappensAfter(__FILE__, __LINE__, &word));
    sink = x;
    return arg;
}

static void happens_before(void)
{
    pair(publishes, takes);
}

static void *publishes_tsan(void *arg)
{
    x = 1;
    if (!wrong)
        SAYS(__tsan_release(&word));
    set(&word, 1);
    return arg;
}

static void *takes_tsan(void *arg)
{
    while (!get(&word))
        sched_yield();
    SAYS(__tsan_acquire(&word));
    sink = x;
    return arg;
}

static void tsan_release(void)
{
    pair(publishes_tsan, takes_tsan);
}

static void *adds_locked(void *arg)
{
    while (swap(&word, 1))
        sched_yield();
    SAYS(AnnotateRWLockAcquired(__FILE__, __LINE__, &word, 1));
    x++;
    SAYS(AnnotateRWLockReleased(__FILE__, __LINE__, &word, 1));
    set(&word, 0);
    if (wrong)
        x++;
    return arg;
}

static void lock(void)
{
    pair(adds_locked, adds_locked);
}

static void *adds_tsan(void *arg)
{
    SAYS(__tsan_mutex_pre_lock(&word, 0));
    while (swap(&word, 1))
        sched_yield();
    SAYS(__tsan_mutex_post_lock(&word, 0, 0));
    x++;
    SAYS(__tsan_mutex_pre_unlock(&word, 0));
    set(&word, 0);
    SAYS(__tsan_mutex_post_unlock(&word, 0));
    if (wrong)
        x++;
    return arg;
}

static void tsan_mutex(void)
{
    pair(adds_tsan, adds_tsan);
}

/* A try that failed orders nothing. */
static void *tries_tsan(void *arg)
{
    SAYS(__tsan_mutex_pre_lock(&word, 1 << 4));
    if (swap(&word, 1)) {
        SAYS(__tsan_mutex_post_lock(&word, 1 << 4 | 1 << 5, 0));
        if (wrong)
            x++;
        return arg;
    }
    SAYS(__tsan_mutex_post_lock(&word, 1 << 4, 0));
    x++;
    sched_yield();
    SAYS(__tsan_mutex_pre_unlock(&word, 0));
    set(&word, 0);
    SAYS(__tsan_mutex_post_unlock(&word, 0));
    return arg;
}

static void tsan_mutex_tried(void)
{
    pair(tries_tsan, tries_tsan);
}

static void *counts(void *arg)
{
    x++;
    return arg;
}

static void benign_race(void)
{
    if (!wrong)
        SAYS(AnnotateBenignRaceSized(__FILE__, __LINE__, &x, sizeof x, "a statistic"));
    pair(counts, counts);
}

static void *looks(void *arg)
{
    SAYS(AnnotateIgnoreReadsBegin(__FILE__, __LINE__));
    int seen = x;
    SAYS(AnnotateIgnoreReadsEnd(__FILE__, __LINE__));
    if (wrong)
        seen = x + 1;
    __atomic_store_n(&sink, seen, __ATOMIC_RELAXED);
    return arg;
}

static void ignored_reads(void)
{
    pair(looks, counts);
}

static void *writes_unseen(void *arg)
{
    if (!wrong)
        SAYS(AnnotateIgnoreWritesBegin(__FILE__, __LINE__));
    x = 1;
    if (!wrong)
        SAYS(AnnotateIgnoreWritesEnd(__FILE__, __LINE__));
    return arg;
}

static void ignored_writes(void)
{
    pair(counts, writes_unseen);
}

static void *stores_unaligned(void *arg)
{
    __sanitizer_unaligned_store32(bytes + 1, 7);
    return arg;
}

static void *loads_unaligned(void *arg)
{
    sink = (int)__sanitizer_unaligned_load32(bytes + (wrong ? 3 : 5));
    return arg;
}

static void unaligned(void)
{
    pair(stores_unaligned, loads_unaligned);
}

int main(int argc, char **argv)
{
    static const struct variant table[] = {
        VARIANT(happens_before), VARIANT(tsan_release),     VARIANT(lock),
        VARIANT(tsan_mutex),     VARIANT(tsan_mutex_tried), VARIANT(benign_race),
        VARIANT(ignored_reads),  VARIANT(ignored_writes),   VARIANT(unaligned),
    };

    return RUN_VARIANT(table, argc, argv);
}
