/* pattern.h - shared by the pairs of this folder.
 *
 * Each file is one program, built twice: as it should not be written (RIGHT 0, it has a data race)
 * and as it should (RIGHT 1, it has none). Nothing else differs between the two.
 */
#ifndef HEDDLE_STRESS_PATTERN_H
#define HEDDLE_STRESS_PATTERN_H

#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdlib.h>
#include <string.h>

/* What only the right program does. */
#if RIGHT
#define GUARD(statement) statement
#else
#define GUARD(statement) (void)0
#endif

/* Run both in threads of their own and wait for both. */
__attribute__((unused)) static void run2(void *(*a)(void *), void *(*b)(void *), void *arg)
{
    pthread_t t, u;

    pthread_create(&t, NULL, a, arg);
    pthread_create(&u, NULL, b, arg);
    pthread_join(t, NULL);
    pthread_join(u, NULL);
}

#endif /* HEDDLE_STRESS_PATTERN_H */
