/* rwlocks.c - read-write locks, spin locks, barriers. */
#include "check.h"

#include <sched.h>

static pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;

static void in_thread(void *(*f)(void *), void *arg)
{
    pthread_t t;

    ANSWERS(0, pthread_create(&t, NULL, f, arg));
    ANSWERS(0, pthread_join(t, NULL));
}

static void attributes(void)
{
    pthread_rwlockattr_t a;
    pthread_rwlock_t l;
    int v = -1;

    ANSWERS(0, pthread_rwlockattr_init(&a));
    ANSWERS(0, pthread_rwlockattr_getpshared(&a, &v));
    CHECK(v == PTHREAD_PROCESS_PRIVATE);
    ANSWERS(0, pthread_rwlockattr_setpshared(&a, PTHREAD_PROCESS_SHARED));
    ANSWERS(0, pthread_rwlockattr_getpshared(&a, &v));
    CHECK(v == PTHREAD_PROCESS_SHARED);
    ANSWERS(EINVAL, pthread_rwlockattr_setpshared(&a, 1000));
    ANSWERS(0, pthread_rwlock_init(&l, &a));
    ANSWERS(0, pthread_rwlock_destroy(&l));
    ANSWERS(0, pthread_rwlock_init(&l, NULL));
    ANSWERS(0, pthread_rwlock_rdlock(&l));
    ANSWERS(0, pthread_rwlock_unlock(&l));
    ANSWERS(0, pthread_rwlock_destroy(&l));
    ANSWERS(0, pthread_rwlockattr_destroy(&a));
}

static void *reads_only(void *arg)
{
    struct timespec until = in_ns(CLOCK_REALTIME, 5 * MS), bad = {1, SECOND};

    ANSWERS(EBUSY, pthread_rwlock_trywrlock(&lock));
    ANSWERS(ETIMEDOUT, pthread_rwlock_timedwrlock(&lock, &until));
    ANSWERS(EINVAL, pthread_rwlock_timedwrlock(&lock, &bad));
    ANSWERS(0, pthread_rwlock_tryrdlock(&lock));
    ANSWERS(0, pthread_rwlock_rdlock(&lock));
    ANSWERS(0, pthread_rwlock_unlock(&lock));
    ANSWERS(0, pthread_rwlock_unlock(&lock));
    return arg;
}

static void *neither(void *arg)
{
    struct timespec start = now(CLOCK_REALTIME), until = in_ns(CLOCK_REALTIME, 5 * MS),
                    past = {1, 0}, mono;

    ANSWERS(EBUSY, pthread_rwlock_trywrlock(&lock));
    ANSWERS(EBUSY, pthread_rwlock_tryrdlock(&lock));
    ANSWERS(ETIMEDOUT, pthread_rwlock_timedrdlock(&lock, &until));
    CHECK(ns_since(CLOCK_REALTIME, &start) >= 5 * MS);
    ANSWERS(ETIMEDOUT, pthread_rwlock_timedwrlock(&lock, &past));
    mono = in_ns(CLOCK_MONOTONIC, 2 * MS);
    ANSWERS(ETIMEDOUT, pthread_rwlock_clockwrlock(&lock, CLOCK_MONOTONIC, &mono));
    return arg;
}

static void held_for_reading(void)
{
    ANSWERS(0, pthread_rwlock_rdlock(&lock));
    ANSWERS(0, pthread_rwlock_rdlock(&lock));
    ANSWERS(EBUSY, pthread_rwlock_trywrlock(&lock));
    in_thread(reads_only, NULL);
    ANSWERS(0, pthread_rwlock_unlock(&lock));
    ANSWERS(EBUSY, pthread_rwlock_trywrlock(&lock));
    ANSWERS(0, pthread_rwlock_unlock(&lock));
}

static void held_for_writing(void)
{
    struct timespec past = {1, 0}, until = in_ns(CLOCK_REALTIME, 5 * MS);

    ANSWERS(0, pthread_rwlock_timedwrlock(&lock, &past));
    in_thread(neither, NULL);
    ANSWERS(EDEADLK, pthread_rwlock_rdlock(&lock));
    ANSWERS(EDEADLK, pthread_rwlock_wrlock(&lock));
    ANSWERS(EDEADLK, pthread_rwlock_timedrdlock(&lock, &until));
    ANSWERS(EBUSY, pthread_rwlock_tryrdlock(&lock));
    ANSWERS(0, pthread_rwlock_unlock(&lock));
    ANSWERS(0, pthread_rwlock_timedrdlock(&lock, &past));
    ANSWERS(0, pthread_rwlock_unlock(&lock));
}

static int value, copies[2];

static void *writes(void *arg)
{
    for (int i = 0; i < 3; i++) {
        ANSWERS(0, pthread_rwlock_wrlock(&lock));
        copies[0]++;
        sched_yield();
        copies[1]++;
        ANSWERS(0, pthread_rwlock_unlock(&lock));
    }
    return arg;
}

static void *reads(void *arg)
{
    for (int i = 0; i < 3; i++) {
        ANSWERS(0, pthread_rwlock_rdlock(&lock));
        CHECK(copies[0] == copies[1]);
        ANSWERS(0, pthread_rwlock_unlock(&lock));
    }
    return arg;
}

static void exclusion(void)
{
    pthread_t t[4];

    for (int i = 0; i < 4; i++)
        ANSWERS(0, pthread_create(&t[i], NULL, i < 2 ? writes : reads, NULL));
    for (int i = 0; i < 4; i++)
        ANSWERS(0, pthread_join(t[i], NULL));
    CHECK(copies[0] == 6 && copies[1] == 6);
}

/* A writer that waits keeps new readers out, when the lock is made so. */
static pthread_rwlock_t fair;
static int writer_asks, writer_had;

static void *wants_to_write(void *arg)
{
    __atomic_store_n(&writer_asks, 1, __ATOMIC_SEQ_CST);
    ANSWERS(0, pthread_rwlock_wrlock(&fair));
    writer_had = 1;
    ANSWERS(0, pthread_rwlock_unlock(&fair));
    return arg;
}

static void writer_preference(void)
{
    pthread_rwlockattr_t a;
    pthread_t t;
    int rc;

    ANSWERS(0, pthread_rwlockattr_init(&a));
    ANSWERS(0, pthread_rwlockattr_setkind_np(&a, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP));
    ANSWERS(0, pthread_rwlock_init(&fair, &a));
    ANSWERS(0, pthread_rwlockattr_destroy(&a));
    ANSWERS(0, pthread_rwlock_rdlock(&fair));
    ANSWERS(0, pthread_create(&t, NULL, wants_to_write, NULL));
    do {
        nap(MS);
        rc = pthread_rwlock_tryrdlock(&fair);
        if (rc == 0)
            ANSWERS(0, pthread_rwlock_unlock(&fair));
    } while (rc == 0);
    ANSWERS(EBUSY, rc);
    CHECK(__atomic_load_n(&writer_asks, __ATOMIC_SEQ_CST) && !writer_had);
    ANSWERS(0, pthread_rwlock_unlock(&fair));
    ANSWERS(0, pthread_join(t, NULL));
    ANSWERS(0, pthread_rwlock_destroy(&fair));
}

/* ---- spin locks ---- */

static pthread_spinlock_t spin;

static void *spins(void *arg)
{
    for (int i = 0; i < 3; i++) {
        ANSWERS(0, pthread_spin_lock(&spin));
        value++;
        ANSWERS(0, pthread_spin_unlock(&spin));
    }
    return arg;
}

static void *spin_busy(void *arg)
{
    ANSWERS(EBUSY, pthread_spin_trylock(&spin));
    return arg;
}

static void spin_locks(void)
{
    pthread_t t[3];

    ANSWERS(0, pthread_spin_init(&spin, PTHREAD_PROCESS_PRIVATE));
    ANSWERS(0, pthread_spin_trylock(&spin));
    ANSWERS(EBUSY, pthread_spin_trylock(&spin));
    in_thread(spin_busy, NULL);
    ANSWERS(0, pthread_spin_unlock(&spin));
    value = 0;
    for (int i = 0; i < 3; i++)
        ANSWERS(0, pthread_create(&t[i], NULL, spins, NULL));
    for (int i = 0; i < 3; i++)
        ANSWERS(0, pthread_join(t[i], NULL));
    CHECK(value == 9);
    ANSWERS(0, pthread_spin_destroy(&spin));
    ANSWERS(0, pthread_spin_init(&spin, PTHREAD_PROCESS_SHARED));
    ANSWERS(0, pthread_spin_lock(&spin));
    ANSWERS(0, pthread_spin_unlock(&spin));
    ANSWERS(0, pthread_spin_destroy(&spin));
}

/* ---- barriers ---- */

static pthread_barrier_t barrier;
static int serial, arrived;

static void *meets(void *arg)
{
    for (int round = 1; round <= 3; round++) {
        int rc;
        __atomic_add_fetch(&arrived, 1, __ATOMIC_SEQ_CST);
        rc = pthread_barrier_wait(&barrier);
        CHECK(__atomic_load_n(&arrived, __ATOMIC_SEQ_CST) >= 3 * round);
        if (rc == PTHREAD_BARRIER_SERIAL_THREAD)
            __atomic_add_fetch(&serial, 1, __ATOMIC_SEQ_CST);
        else
            ANSWERS(0, rc);
    }
    return arg;
}

static void barriers(void)
{
    pthread_barrierattr_t a;
    pthread_t t[3];
    int v = -1;

    ANSWERS(0, pthread_barrierattr_init(&a));
    ANSWERS(0, pthread_barrierattr_getpshared(&a, &v));
    CHECK(v == PTHREAD_PROCESS_PRIVATE);
    ANSWERS(0, pthread_barrierattr_setpshared(&a, PTHREAD_PROCESS_SHARED));
    ANSWERS(EINVAL, pthread_barrierattr_setpshared(&a, 1000));
    ANSWERS(EINVAL, pthread_barrier_init(&barrier, NULL, 0));
    ANSWERS(0, pthread_barrier_init(&barrier, NULL, 1));
    ANSWERS(PTHREAD_BARRIER_SERIAL_THREAD, pthread_barrier_wait(&barrier));
    ANSWERS(PTHREAD_BARRIER_SERIAL_THREAD, pthread_barrier_wait(&barrier));
    ANSWERS(0, pthread_barrier_destroy(&barrier));
    ANSWERS(0, pthread_barrier_init(&barrier, NULL, 3));
    for (int i = 0; i < 3; i++)
        ANSWERS(0, pthread_create(&t[i], NULL, meets, NULL));
    for (int i = 0; i < 3; i++)
        ANSWERS(0, pthread_join(t[i], NULL));
    CHECK(serial == 3);
    ANSWERS(0, pthread_barrier_destroy(&barrier));
    ANSWERS(0, pthread_barrierattr_destroy(&a));
}

static void *last_meeting(void *arg)
{
    int rc = pthread_barrier_wait(arg);
    if (rc == PTHREAD_BARRIER_SERIAL_THREAD) { /* the one that may clear up, at once */
        ANSWERS(0, pthread_barrier_destroy(arg));
        free(arg);
    }
    return NULL;
}

static void destroyed_by_the_serial_one(void)
{
    pthread_barrier_t *b = malloc(sizeof *b);
    pthread_t t[3];

    ANSWERS(0, pthread_barrier_init(b, NULL, 3));
    for (int i = 0; i < 3; i++)
        ANSWERS(0, pthread_create(&t[i], NULL, last_meeting, b));
    for (int i = 0; i < 3; i++)
        ANSWERS(0, pthread_join(t[i], NULL));
}

int main(int argc, char **argv)
{
    RUN(attributes);
    RUN(held_for_reading);
    RUN(held_for_writing);
    RUN(exclusion);
    RUN(writer_preference);
    RUN(spin_locks);
    RUN(barriers);
    RUN(destroyed_by_the_serial_one);
    return conclude();
}
