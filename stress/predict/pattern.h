/* pattern.h - shared by the pairs of this folder: races that one order of the locks hides.
 *
 * One thread is at its access long before the other, and a lock that has nothing to do with the
 * matter is between them: happens-before then orders the two in nearly every schedule. The right
 * versions differ in what guards the accesses, or in what the late thread waits for.
 */
#ifndef HEDDLE_STRESS_PREDICT_PATTERN_H
#define HEDDLE_STRESS_PREDICT_PATTERN_H

#include <semaphore.h>

#include "races/pattern.h"

static pthread_mutex_t unrelated = PTHREAD_MUTEX_INITIALIZER;
static int turns;

/* Much to do, step by step. */
__attribute__((unused)) static void be_late(void)
{
    for (int i = 0; i < 40; i++) {
        pthread_mutex_lock(&unrelated);
        turns++;
        pthread_mutex_unlock(&unrelated);
    }
}

/* Take a lock and do something of one's own under it. */
__attribute__((unused)) static void pass(pthread_mutex_t *lock, int *mine)
{
    pthread_mutex_lock(lock);
    ++*mine;
    pthread_mutex_unlock(lock);
}

__attribute__((unused)) static void run3(void *(*a)(void *), void *(*b)(void *), void *(*c)(void *))
{
    pthread_t t, u, v;
    pthread_create(&t, NULL, a, NULL);
    pthread_create(&u, NULL, b, NULL);
    pthread_create(&v, NULL, c, NULL);
    pthread_join(t, NULL);
    pthread_join(u, NULL);
    pthread_join(v, NULL);
}

#endif /* HEDDLE_STRESS_PREDICT_PATTERN_H */
