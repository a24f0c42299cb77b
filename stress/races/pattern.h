/* pattern.h - shared by the pairs of this folder.
 *
 * Each file is one program, built twice: RIGHT 0, as it should not be written, and RIGHT 1, as it
 * should. Both end by themselves under every schedule.
 */
#ifndef HEDDLE_STRESS_RACES_PATTERN_H
#define HEDDLE_STRESS_RACES_PATTERN_H

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* The two versions of a line. */
#if RIGHT
#define CHOOSE(wrong, right) right
#else
#define CHOOSE(wrong, right) wrong
#endif

static inline void run2(void *(*a)(void *), void *(*b)(void *), void *arg)
{
    pthread_t t, u;
    pthread_create(&t, NULL, a, arg);
    pthread_create(&u, NULL, b, arg);
    pthread_join(t, NULL);
    pthread_join(u, NULL);
}

#endif /* HEDDLE_STRESS_RACES_PATTERN_H */
