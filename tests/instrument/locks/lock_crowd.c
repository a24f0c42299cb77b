/* lock_crowd.c - many locks of one class: lock_crowd LOCKS right|wrong
 *
 * Each is made at one place. One thread takes each together with the next, in the order of their
 * addresses, and then another does. wrong: the other takes one pair the other way round.
 */
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static pthread_mutex_t *lock;
static long locks;
static bool wrong;
static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t turned = PTHREAD_COND_INITIALIZER;
static bool first_done;

static void both(pthread_mutex_t *a, pthread_mutex_t *b)
{
    pthread_mutex_lock(a);
    pthread_mutex_lock(b);
    pthread_mutex_unlock(b);
    pthread_mutex_unlock(a);
}

static void *first(void *arg)
{
    for (long i = 0; i + 1 < locks; i++)
        both(&lock[i], &lock[i + 1]);
    pthread_mutex_lock(&turn);
    first_done = true;
    pthread_cond_signal(&turned);
    pthread_mutex_unlock(&turn);
    return arg;
}

static void *second(void *arg)
{
    pthread_mutex_lock(&turn);
    while (!first_done)
        pthread_cond_wait(&turned, &turn);
    pthread_mutex_unlock(&turn);
    if (wrong)
        both(&lock[8], &lock[7]);
    for (long i = 0; i + 1 < locks; i++)
        both(&lock[i], &lock[i + 1]);
    return arg;
}

int main(int argc, char **argv)
{
    pthread_t a, b;
    locks = argc > 2 ? atol(argv[1]) : 0;
    if (locks < 10) {
        fputs("usage: lock_crowd LOCKS right|wrong\n", stderr);
        return 2;
    }
    wrong = strcmp(argv[2], "wrong") == 0;
    lock = calloc((size_t)locks, sizeof *lock);
    for (long i = 0; lock && i < locks; i++)
        pthread_mutex_init(&lock[i], NULL);
    pthread_create(&a, NULL, first, NULL);
    pthread_create(&b, NULL, second, NULL);
    pthread_join(a, NULL);
    pthread_join(b, NULL);
    free(lock);
    return 0;
}
