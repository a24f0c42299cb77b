/* check.h - the frame of a conformance program: small checks of what POSIX.1-2017 and C11 promise.
 *
 * A check that fails prints where and what, and the program aborts. Everything that is checked
 * holds natively in every schedule, so it must hold under control as well. Time-outs are short
 * where a native run has to sit them out.
 */
#ifndef HEDDLE_CONFORMANCE_CHECK_H
#define HEDDLE_CONFORMANCE_CHECK_H

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MS 1000000L
#define SECOND 1000000000L

static int failures;

/* Something that ought to be true is not. Any thread. */
#define CHECK(condition)                                                                           \
    ((condition) ? (void)0                                                                         \
                 : (void)(__atomic_add_fetch(&failures, 1, __ATOMIC_RELAXED),                      \
                          fprintf(stderr, "%s:%d: %s: not so: %s\n", __FILE__, __LINE__, __func__, \
                                  #condition)))

/* A call answers with a number: 0 or an errno value, mostly. */
#define ANSWERS(expected, call)                                                                    \
    do {                                                                                           \
        int got_ = (int)(call), want_ = (int)(expected);                                           \
        if (got_ != want_) {                                                                       \
            __atomic_add_fetch(&failures, 1, __ATOMIC_RELAXED);                                    \
            fprintf(stderr, "%s:%d: %s: %s gave %d (%s), expected %d (%s)\n", __FILE__, __LINE__,  \
                    __func__, #call, got_, strerror(got_), want_, strerror(want_));                \
        }                                                                                          \
    } while (0)

/* A call fails with -1 and errno. */
#define FAILS(error, call)                                                                         \
    do {                                                                                           \
        errno = 0;                                                                                 \
        if ((call) != -1 || errno != (error)) {                                                    \
            int got_ = errno;                                                                      \
            __atomic_add_fetch(&failures, 1, __ATOMIC_RELAXED);                                    \
            fprintf(stderr, "%s:%d: %s: %s: errno %d (%s), expected -1 with %d (%s)\n", __FILE__,  \
                    __LINE__, __func__, #call, got_, strerror(got_), (error), strerror(error));    \
        }                                                                                          \
    } while (0)

#define RUN(check)                                                                                 \
    do {                                                                                           \
        if (argc < 2 || strcmp(argv[1], #check) == 0)                                              \
            check();                                                                               \
    } while (0)

/* A failed check is a crash: no schedule passes it by. */
static inline int conclude(void)
{
    if (__atomic_load_n(&failures, __ATOMIC_RELAXED))
        abort();
    return 0;
}

static inline struct timespec in_ns(clockid_t clock, long ns)
{
    struct timespec t;

    clock_gettime(clock, &t);
    t.tv_sec += (t.tv_nsec + ns) / SECOND;
    t.tv_nsec = (t.tv_nsec + ns) % SECOND;
    if (t.tv_nsec < 0) {
        t.tv_nsec += SECOND;
        t.tv_sec--;
    }
    return t;
}

static inline long long ns_since(clockid_t clock, const struct timespec *start)
{
    struct timespec t;

    clock_gettime(clock, &t);
    return (t.tv_sec - start->tv_sec) * (long long)SECOND + t.tv_nsec - start->tv_nsec;
}

static inline struct timespec now(clockid_t clock)
{
    struct timespec t;

    clock_gettime(clock, &t);
    return t;
}

static inline void nap(long ns)
{
    struct timespec t = {ns / SECOND, ns % SECOND};

    nanosleep(&t, NULL);
}

#endif /* HEDDLE_CONFORMANCE_CHECK_H */
