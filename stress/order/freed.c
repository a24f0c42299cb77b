/* Synchronisation objects whose memory is given back, or made anew, while they are in use. */
#include <pthread.h>
#include <semaphore.h>

#include "twin.h"

struct shared {
    pthread_mutex_t mutex;
    pthread_cond_t cond;
    sem_t sem;
    pthread_rwlock_t rwlock;
    pthread_spinlock_t spin;
    int ready;
};

static struct shared *s;

static void make(void)
{
    s = calloc(1, sizeof *s);
    pthread_mutex_init(&s->mutex, NULL);
    pthread_cond_init(&s->cond, NULL);
    sem_init(&s->sem, 0, 0);
    pthread_rwlock_init(&s->rwlock, NULL);
    pthread_spin_init(&s->spin, 0);
}

/* The commonest: who waits frees what it was given, and the signal comes behind the unlock. */
static void *signals(void *arg)
{
    pthread_mutex_lock(&s->mutex);
    s->ready = 1;
    if (!wrong)
        pthread_cond_signal(&s->cond);
    pthread_mutex_unlock(&s->mutex);
    if (wrong)
        pthread_cond_signal(&s->cond);
    return arg;
}

static void cond_signalled(void)
{
    pthread_t t;

    make();
    pthread_create(&t, NULL, signals, NULL);
    pthread_mutex_lock(&s->mutex);
    while (!s->ready)
        pthread_cond_wait(&s->cond, &s->mutex);
    pthread_mutex_unlock(&s->mutex);
    if (wrong)
        free(s);
    pthread_join(t, NULL);
    if (!wrong)
        free(s);
}

/* A use by one thread, beside or before the end. */
static void used_beside_free(void *(*uses)(void *))
{
    pthread_t t;

    make();
    pthread_create(&t, NULL, uses, NULL);
    if (!wrong)
        pthread_join(t, NULL);
    free(s);
    if (wrong)
        pthread_join(t, NULL);
}

static void *locks(void *arg)
{
    pthread_mutex_lock(&s->mutex);
    pthread_mutex_unlock(&s->mutex);
    return arg;
}

static void *posts(void *arg)
{
    sem_post(&s->sem);
    return arg;
}

static void *reads(void *arg)
{
    pthread_rwlock_rdlock(&s->rwlock);
    pthread_rwlock_unlock(&s->rwlock);
    return arg;
}

static void *spins(void *arg)
{
    pthread_spin_lock(&s->spin);
    pthread_spin_unlock(&s->spin);
    return arg;
}

static void mutex(void)
{
    used_beside_free(locks);
}

static void sem(void)
{
    used_beside_free(posts);
}

static void rwlock(void)
{
    used_beside_free(reads);
}

static void spin(void)
{
    used_beside_free(spins);
}

/* A mutex is made anew while another thread holds it. */
static void *holds(void *arg)
{
    pthread_mutex_lock(&s->mutex);
    sem_post(&s->sem);
    pthread_mutex_unlock(&s->mutex);
    return arg;
}

static void mutex_made_anew(void)
{
    pthread_t t;

    make();
    pthread_create(&t, NULL, holds, NULL);
    sem_wait(&s->sem);
    if (!wrong)
        pthread_join(t, NULL);
    pthread_mutex_init(&s->mutex, NULL);
    if (wrong)
        pthread_join(t, NULL);
}

static void mutex_destroyed_held(void)
{
    pthread_t t;

    make();
    pthread_create(&t, NULL, holds, NULL);
    sem_wait(&s->sem);
    if (!wrong)
        pthread_join(t, NULL);
    pthread_mutex_destroy(&s->mutex);
    if (wrong)
        pthread_join(t, NULL);
}

static pthread_mutex_t *lent;
static sem_t lending, returned;

static void *lends(void *arg)
{
    pthread_mutex_t own = PTHREAD_MUTEX_INITIALIZER;

    lent = &own;
    pthread_mutex_lock(&own);
    pthread_mutex_unlock(&own);
    sem_post(&lending);
    if (!wrong)
        sem_wait(&returned);
    return arg;
}

/* On the stack of a thread that has ended. */
static void mutex_of_ended_thread(void)
{
    pthread_t t;

    sem_init(&lending, 0, 0);
    sem_init(&returned, 0, 0);
    pthread_create(&t, NULL, lends, NULL);
    if (wrong)
        pthread_join(t, NULL);
    else
        sem_wait(&lending);
    pthread_mutex_lock(lent);
    pthread_mutex_unlock(lent);
    if (!wrong) {
        sem_post(&returned);
        pthread_join(t, NULL);
    }
}

int main(int argc, char **argv)
{
    static const struct variant table[] = {
        VARIANT(cond_signalled),
        VARIANT(mutex),
        VARIANT(sem),
        VARIANT(rwlock),
        VARIANT(spin),
        VARIANT(mutex_made_anew),
        VARIANT(mutex_destroyed_held),
        VARIANT(mutex_of_ended_thread),
    };

    return RUN_VARIANT(table, argc, argv);
}
