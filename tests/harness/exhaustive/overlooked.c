/* overlooked.c - schedules that a reduction misses which does not see all that a step touches: overlooked CASE TWIN.
 *
 * The wrong twin fails in some of them, the right one in none.
 */
#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>

static bool wrong;
static pthread_rwlock_t table;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t news[2] = {PTHREAD_COND_INITIALIZER, PTHREAD_COND_INITIALIZER};
static struct timespec until[2];
static bool told, shorter_was_met, longer_ran_out;
static sem_t units, ready;
static atomic_int set;
static _Thread_local int tries;

/* A writer that queues keeps a reader from reading again. */
static void *reads_twice(void *arg)
{
    sem_post(&ready);
    pthread_rwlock_rdlock(&table);
    pthread_rwlock_rdlock(&table);
    pthread_rwlock_unlock(&table);
    pthread_rwlock_unlock(&table);
    return arg;
}

static void *reads_and_writes(void *arg)
{
    sem_post(&ready);
    pthread_rwlock_rdlock(&table);
    pthread_rwlock_unlock(&table);
    pthread_rwlock_wrlock(&table);
    pthread_rwlock_unlock(&table);
    return arg;
}

/* What is initialised anew forgets the other's post. */
static void *posts_and_begins_anew(void *arg)
{
    sem_post(&units);
    if (wrong)
        sem_init(&units, 0, 0);
    return arg;
}

static void *posts(void *arg)
{
    sem_post(&units);
    return arg;
}

/* What it begins anew is seen where it comes before the store alone, behind which it does nothing. */
static void *begins_anew_unless_set(void *arg)
{
    if (!atomic_load(&set) && wrong)
        sem_init(&units, 0, 0);
    return arg;
}

static void *sets(void *arg)
{
    atomic_store(&set, 1);
    return arg;
}

static void nap(long ns)
{
    nanosleep(&(struct timespec){.tv_nsec = ns}, NULL);
}

/* Who reads the clock moves it, and sleeps until later than who did not. */
static void *sleeps_and_sets(void *arg)
{
    nap(1000000);
    atomic_store(&set, 1);
    sem_post(&units);
    return arg;
}

static void *looks_after_a_sleep(void *arg)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    nap(1000000);
    if (!wrong)
        sem_wait(&units);
    assert(atomic_load(&set));
    return arg;
}

/* A loop that counts its tries gets somewhere, wherever the counter is. */
static __attribute__((noinline)) void count_try(void)
{
    tries++;
}

static void *tries_often(void *arg)
{
    while (pthread_mutex_trylock(&lock))
        count_try();
    assert(!wrong || tries < 9);
    pthread_mutex_unlock(&lock);
    return arg;
}

static void *locks(void *arg)
{
    pthread_mutex_lock(&lock);
    pthread_mutex_unlock(&lock);
    return arg;
}

/* The longer of two waits can run out when the shorter one has ended, and its own signal is still to come. */
static int wait_to_be_told(unsigned which)
{
    int rc = -1;

    if (which == 1)
        sem_wait(&ready);
    pthread_mutex_lock(&lock);
    if (which == 0)
        sem_post(&ready);
    if (!told)
        rc = pthread_cond_timedwait(&news[which], &lock, &until[which]);
    pthread_mutex_unlock(&lock);
    return rc;
}

static void *waits_shorter(void *arg)
{
    shorter_was_met = wait_to_be_told(0) == 0;
    return arg;
}

static void *waits_longer(void *arg)
{
    longer_ran_out = wait_to_be_told(1) == ETIMEDOUT;
    return arg;
}

static void *signals_both(void *arg)
{
    pthread_mutex_lock(&lock);
    told = true;
    pthread_cond_signal(&news[!wrong]);
    pthread_cond_signal(&news[wrong]);
    pthread_mutex_unlock(&lock);
    return arg;
}

/* Each round of the loop holds the lock once more. */
static pthread_mutex_t again;
static atomic_int no_more;

static void *takes_again(void *arg)
{
    int times = 0;

    while (sched_yield(), !atomic_load(&no_more))
        pthread_mutex_lock(&again);
    while (pthread_mutex_unlock(&again) == 0)
        times++;
    assert(!wrong || times < 3);
    return arg;
}

static void *says_no_more(void *arg)
{
    atomic_store(&no_more, 1);
    return arg;
}

static const struct {
    const char *name;
    void *(*one)(void *), *(*two)(void *), *(*three)(void *);
} cases[] = {{"queued", reads_twice, reads_and_writes, NULL},
             {"anew", posts_and_begins_anew, posts, NULL},
             {"unless_set", begins_anew_unless_set, sets, posts},
             {"clock", sleeps_and_sets, looks_after_a_sleep, NULL},
             {"tries", tries_often, locks, NULL},
             {"deep", takes_again, says_no_more, NULL},
             {"in_time", waits_shorter, waits_longer, signals_both}};

int main(int argc, char **argv)
{
    pthread_rwlockattr_t attr;
    pthread_mutexattr_t recursive;
    pthread_t t, u, v;
    int value;
    size_t i = 0;

    if (argc < 3)
        return 2;
    while (i < sizeof cases / sizeof *cases && strcmp(cases[i].name, argv[1]) != 0)
        i++;
    if (i == sizeof cases / sizeof *cases)
        return 2;
    wrong = strcmp(argv[2], "wrong") == 0;
    for (int k = 0; k < 2; k++) {
        clock_gettime(CLOCK_REALTIME, &until[k]);
        until[k].tv_nsec += (k + 1) * 5000000L;
        until[k].tv_sec += until[k].tv_nsec / 1000000000L;
        until[k].tv_nsec %= 1000000000L;
    }
    sem_init(&units, 0, 0);
    sem_init(&ready, 0, 0);
    pthread_mutexattr_init(&recursive);
    pthread_mutexattr_settype(&recursive, PTHREAD_MUTEX_RECURSIVE);
    pthread_mutex_init(&again, &recursive);
    pthread_rwlockattr_init(&attr);
    if (wrong)
        pthread_rwlockattr_setkind_np(&attr, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
    pthread_rwlock_init(&table, &attr);
    pthread_rwlock_wrlock(&table);
    if (pthread_create(&t, NULL, cases[i].one, NULL) ||
        pthread_create(&u, NULL, cases[i].two, NULL) ||
        (cases[i].three && pthread_create(&v, NULL, cases[i].three, NULL)))
        return 2;
    if (strcmp(argv[1], "queued") == 0) {
        sem_wait(&ready);
        sem_wait(&ready);
    }
    pthread_rwlock_unlock(&table);
    pthread_join(t, NULL);
    pthread_join(u, NULL);
    if (cases[i].three)
        pthread_join(v, NULL);
    assert(!longer_ran_out || !shorter_was_met);
    sem_getvalue(&units, &value);
    assert(strcmp(argv[1], "anew") != 0 || value == (wrong ? 1 : 2));
    assert(strcmp(argv[1], "unless_set") != 0 || value == 1);
    return 0;
}
