/* case.h - shared by the programs of this folder.
 *
 * Each file is one kind of program, with variants that its arguments choose: `poller mutex usleep
 * wrong`. The last argument is the twin: `wrong` makes the mistake of the file, `right` does not,
 * and nothing else differs. A right one ends with 0 natively, whatever the scheduler does. What
 * Heddle must say of each is in cases.txt.
 */
#ifndef HEDDLE_CASES_CASE_H
#define HEDDLE_CASES_CASE_H

#undef NDEBUG /* the assertions are the programs' oracles in every build type */
#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static bool wrong; /* the twin; set before the first thread */

/* A variant: an argument, and what it stands for. */
struct variant {
    const char *name;
    void (*run)(void);
};

/* VARIANT(prefix, name): {"name", prefix_name} */
#define VARIANT(prefix, name)                                                                      \
    {                                                                                              \
#name, prefix##_##name                                                                     \
    }

#define PICK(table, name) pick(table, sizeof(table) / sizeof *(table), name)

__attribute__((unused)) static const struct variant *pick(const struct variant *table, size_t n,
                                                          const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(table[i].name, name) == 0)
            return &table[i];
    fprintf(stderr, "no variant '%s'\n", name);
    exit(2);
}

/* Body of a thread that runs a variant. */
__attribute__((unused)) static void *run(void *variant)
{
    ((const struct variant *)variant)->run();
    return NULL;
}

/* Check that there are n variants and a twin. */
__attribute__((unused)) static void arguments(int argc, char **argv, int n)
{
    const char *twin = argv[argc - 1];

    if (argc != n + 2 || (strcmp(twin, "wrong") != 0 && strcmp(twin, "right") != 0)) {
        fprintf(stderr, "usage: %s VARIANT... wrong|right, with %d variants\n", argv[0], n);
        exit(2);
    }
    wrong = strcmp(twin, "wrong") == 0;
}

__attribute__((unused)) static pthread_t start(void *(*body)(void *), const void *arg)
{
    pthread_t t;
    int error = pthread_create(&t, NULL, body, (void *)(uintptr_t)arg);

    assert(error == 0);
    return t;
}

__attribute__((unused)) static void start_detached(void *(*body)(void *), const void *arg)
{
    int error = pthread_detach(start(body, arg));

    assert(error == 0);
}

__attribute__((unused)) static void finish(pthread_t t)
{
    int error = pthread_join(t, NULL);

    assert(error == 0);
}

/* ms milliseconds from now. */
__attribute__((unused)) static struct timespec in_ms(clockid_t clock, long ms)
{
    struct timespec t;

    clock_gettime(clock, &t);
    t.tv_sec += ms / 1000;
    t.tv_nsec += ms % 1000 * 1000000;
    if (t.tv_nsec >= 1000000000) {
        t.tv_sec++;
        t.tv_nsec -= 1000000000;
    }
    return t;
}

__attribute__((unused)) static long ms_since(clockid_t clock, const struct timespec *before)
{
    struct timespec t;

    clock_gettime(clock, &t);
    return (t.tv_sec - before->tv_sec) * 1000 + (t.tv_nsec - before->tv_nsec) / 1000000;
}

#endif /* HEDDLE_CASES_CASE_H */
