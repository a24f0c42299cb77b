/* classic.h - shared by the small programs of this folder.
 *
 * Each file is one program, built twice: with its mistake (RIGHT 0) and without (RIGHT 1). Nothing
 * else differs between the two. All use plain pthreads, semaphores and C11 threads, and know
 * nothing of Heddle; without compiler hooks threads change places at those calls alone, and each
 * mistake here shows when only they are reordered.
 */
#ifndef HEDDLE_STRESS_CLASSIC_H
#define HEDDLE_STRESS_CLASSIC_H

#undef NDEBUG /* the assertions are the programs' oracles in every build type */
#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

__attribute__((unused)) static pthread_t start(void *(*body)(void *), void *arg)
{
    pthread_t t;
    int error = pthread_create(&t, NULL, body, arg);

    assert(error == 0);
    return t;
}

__attribute__((unused)) static void finish(pthread_t t)
{
    int error = pthread_join(t, NULL);

    assert(error == 0);
}

/* Run both bodies in threads of their own and wait for both. */
__attribute__((unused)) static void both(void *(*a)(void *), void *(*b)(void *))
{
    pthread_t t = start(a, NULL), u = start(b, NULL);

    finish(t);
    finish(u);
}

#endif /* HEDDLE_STRESS_CLASSIC_H */
