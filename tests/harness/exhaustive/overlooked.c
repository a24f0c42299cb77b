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
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

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

/* Two locks, of which each round of the loop gives back what it takes: who tries them sees how many rounds there were. */
static pthread_mutex_t two[2] = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_MUTEX_INITIALIZER};

static void *goes_round(void *arg)
{
    while (!atomic_load(&no_more))
        for (int i = 0; i < 2; i++) {
            pthread_mutex_lock(&two[i]);
            pthread_mutex_unlock(&two[i]);
        }
    return arg;
}

static void *tries_both(void *arg)
{
    int met = 0;

    while (met < 4 && pthread_mutex_trylock(&two[met % 2]))
        met++;
    if (met < 4)
        pthread_mutex_unlock(&two[met % 2]);
    atomic_store(&no_more, 1);
    assert(!wrong || met < 4);
    return arg;
}

/* What a process has one of. */
static char folder[4096], name[16], *page;

static void *changes_folder(void *arg)
{
    if (chdir(wrong ? "/" : "."))
        abort();
    return arg;
}

static void *looks_where_it_is(void *arg)
{
    char now[4096];

    assert(getcwd(now, sizeof now) && strcmp(now, folder) == 0);
    return arg;
}

static void *renames(void *first)
{
    pthread_setname_np(*(pthread_t *)first, wrong ? "other" : name);
    return NULL;
}

static void *looks_at_name(void *first)
{
    char now[16];

    pthread_getname_np(*(pthread_t *)first, now, sizeof now);
    assert(strcmp(now, name) == 0);
    return NULL;
}

static void *empties(void *arg)
{
    if (madvise(page, 4096, wrong ? MADV_DONTNEED : MADV_NORMAL))
        abort();
    return arg;
}

static void *looks_at_page(void *arg)
{
    assert(*page == 'x');
    return arg;
}

/* Each number that is drawn is another one, though nothing else tells: 2 is the ninth. */
static unsigned short drawn[3];

static void *draws(void *arg)
{
    while (sched_yield(), !atomic_load(&no_more)) {
        long number = nrand48(drawn) % 5;
        assert(!wrong || number != 2);
    }
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
             {"rounds", goes_round, tries_both, NULL},
             {"folder", changes_folder, looks_where_it_is, NULL},
             {"name", renames, looks_at_name, NULL},
             {"emptied", empties, looks_at_page, NULL},
             {"draws", draws, says_no_more, NULL},
             {"in_time", waits_shorter, waits_longer, signals_both}};

int main(int argc, char **argv)
{
    pthread_rwlockattr_t attr;
    pthread_mutexattr_t recursive;
    pthread_t t, u, v, first = pthread_self();
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
    page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED || !getcwd(folder, sizeof folder) ||
        pthread_getname_np(first, name, sizeof name))
        return 2;
    *page = 'x';
    if (pthread_create(&t, NULL, cases[i].one, &first) ||
        pthread_create(&u, NULL, cases[i].two, &first) ||
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
