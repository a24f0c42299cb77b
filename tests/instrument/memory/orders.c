/* orders.c - orders CASE: which calls of POSIX order accesses, and which not.
 *
 * Run under the race detector: the racy_* cases have one race each, whatever the schedule; the
 * others none.
 */
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static int shared, pipe_end[2], socket_end[2];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER, robust;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static pthread_barrier_t barrier;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_spinlock_t spin;
static sem_t sem;
static atomic_int flag;

static void beside(void *(*a)(void *), void *(*b)(void *))
{
    pthread_t t[2];

    pthread_create(&t[0], NULL, a, NULL);
    pthread_create(&t[1], NULL, b, NULL);
    pthread_join(t[0], NULL);
    pthread_join(t[1], NULL);
}

static void *writes(void *unused)
{
    shared++;
    return unused;
}

static void *reads(void *unused)
{
    printf("%d\n", shared);
    return unused;
}

/* ---- threads ---- */

static void *nothing(void *unused)
{
    return unused;
}

static void make_and_join(void)
{
    pthread_t t;

    pthread_create(&t, NULL, nothing,
                   NULL); /* what comes before the first thread is seen by nobody */
    pthread_join(t, NULL);
    shared = 1;
    pthread_create(&t, NULL, writes, NULL);
    pthread_join(t, NULL);
    reads(NULL);
}

static void racy_after_make(void)
{
    pthread_t t;

    pthread_create(&t, NULL, writes, NULL);
    shared = 1;
    pthread_join(t, NULL);
}

static void racy_before_join(void)
{
    pthread_t t;

    pthread_create(&t, NULL, writes, NULL);
    reads(NULL);
    pthread_join(t, NULL);
}

/* ---- pipes and sockets ---- */

static void *writes_to_pipe(void *unused)
{
    shared = 1;
    return write(pipe_end[1], "x", 1) == 1 ? unused : NULL;
}

static void *reads_from_pipe(void *unused)
{
    char c;

    if (read(pipe_end[0], &c, 1) == 1)
        reads(NULL);
    return unused;
}

static void through_a_pipe(void)
{
    beside(writes_to_pipe, reads_from_pipe);
}

static void *writes_to_socket(void *unused)
{
    shared = 1;
    return send(socket_end[1], "x", 1, 0) == 1 ? unused : NULL;
}

static void *reads_from_socket(void *unused)
{
    char c;

    if (recv(socket_end[0], &c, 1, 0) == 1)
        reads(NULL);
    return unused;
}

static void through_a_socket(void)
{
    beside(writes_to_socket, reads_from_socket);
}

static void *writes_too_late(void *unused)
{
    if (write(pipe_end[1], "x", 1) == 1)
        shared = 1;
    return unused;
}

static void racy_after_the_write(void)
{
    beside(writes_too_late, reads_from_pipe);
}

/* ---- locks ---- */

static void *writes_locked(void *unused)
{
    pthread_mutex_lock(&lock);
    shared++;
    pthread_mutex_unlock(&lock);
    return unused;
}

static void *writes_if_it_gets_it(void *unused)
{
    if (pthread_mutex_trylock(&lock) == 0) {
        shared++;
        pthread_mutex_unlock(&lock);
    }
    return unused;
}

static void a_mutex(void)
{
    beside(writes_locked, writes_locked);
}

static void a_mutex_tried(void)
{
    beside(writes_locked, writes_if_it_gets_it);
}

/* Whoever takes the mutex of a thread that ended with it comes after that thread. */
static void *ends_with_it(void *twice)
{
    pthread_mutex_lock(&robust);
    if (twice)
        pthread_mutex_lock(&robust);
    shared++;
    return twice;
}

static void *comes_into_it(void *unused)
{
    if (pthread_mutex_lock(&robust) == EOWNERDEAD)
        pthread_mutex_consistent(&robust);
    shared++;
    pthread_mutex_unlock(&robust);
    return unused;
}

static void *writes_before_it(void *unused)
{
    shared++;
    return comes_into_it(unused);
}

static void *ends_with_it_twice(void *unused)
{
    (void)unused;
    return ends_with_it(&robust);
}

static void a_mutex_of_the_dead(void)
{
    beside(ends_with_it, comes_into_it);
}

static void a_mutex_of_the_dead_taken_twice(void)
{
    beside(ends_with_it_twice, comes_into_it);
}

static void racy_before_a_mutex_of_the_dead(void)
{
    beside(ends_with_it, writes_before_it);
}

static void *writes_write_locked(void *unused)
{
    pthread_rwlock_wrlock(&rwlock);
    shared++;
    pthread_rwlock_unlock(&rwlock);
    return unused;
}

static void *reads_read_locked(void *unused)
{
    pthread_rwlock_rdlock(&rwlock);
    reads(NULL);
    pthread_rwlock_unlock(&rwlock);
    return unused;
}

static void *writes_read_locked(void *unused)
{
    pthread_rwlock_rdlock(&rwlock);
    shared++;
    pthread_rwlock_unlock(&rwlock);
    return unused;
}

static void a_rwlock(void)
{
    beside(writes_write_locked, reads_read_locked);
}

static void racy_under_read_locks(void)
{
    beside(writes_read_locked, reads_read_locked);
}

static void *writes_spin_locked(void *unused)
{
    pthread_spin_lock(&spin);
    shared++;
    pthread_spin_unlock(&spin);
    return unused;
}

static void a_spin_lock(void)
{
    beside(writes_spin_locked, writes_spin_locked);
}

/* ---- one waits for the other ---- */

static void *writes_and_posts(void *unused)
{
    shared = 1;
    sem_post(&sem);
    return unused;
}

static void *waits_and_reads(void *unused)
{
    sem_wait(&sem);
    return reads(unused);
}

static void *tries_and_reads(void *unused)
{
    if (sem_trywait(&sem) == 0)
        reads(NULL);
    return unused;
}

static void *posts_and_writes(void *unused)
{
    sem_post(&sem);
    shared = 1;
    return unused;
}

static void a_semaphore(void)
{
    beside(writes_and_posts, waits_and_reads);
}

static void a_semaphore_tried(void)
{
    beside(writes_and_posts, tries_and_reads);
}

static void racy_after_the_post(void)
{
    beside(posts_and_writes, waits_and_reads);
}

static void *writes_and_comes(void *unused)
{
    shared = 1;
    pthread_barrier_wait(&barrier);
    return unused;
}

static void *comes_and_reads(void *unused)
{
    pthread_barrier_wait(&barrier);
    return reads(unused);
}

static void *comes_and_writes(void *unused)
{
    pthread_barrier_wait(&barrier);
    return writes(unused);
}

static void a_barrier(void)
{
    beside(writes_and_comes, comes_and_reads);
}

static void racy_behind_a_barrier(void)
{
    beside(comes_and_writes, comes_and_reads);
}

static void initialise(void)
{
    shared = 1;
}

static void *reads_once_made(void *unused)
{
    pthread_once(&once, initialise);
    return reads(unused);
}

static void a_once(void)
{
    beside(reads_once_made, reads_once_made);
}

static void *writes_once_made(void *unused)
{
    pthread_once(&once, initialise);
    return writes(unused);
}

static void racy_behind_a_once(void)
{
    beside(reads_once_made, writes_once_made);
}

/* Signalled with no lock held. */
static void *writes_and_signals(void *unused)
{
    pthread_mutex_lock(&lock);
    flag = 1;
    pthread_mutex_unlock(&lock);
    shared = 1;
    pthread_cond_signal(&changed);
    return unused;
}

static void *waits_for_signal(void *unused)
{
    int rc = ETIMEDOUT;

    pthread_mutex_lock(&lock);
    if (!flag) {
        struct timespec until;
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_sec += 1000;
        rc = pthread_cond_timedwait(&changed, &lock, &until);
    }
    pthread_mutex_unlock(&lock);
    if (rc == 0)
        reads(NULL);
    return unused;
}

static void a_signal(void)
{
    beside(writes_and_signals, waits_for_signal);
}

/* ---- atomics ---- */

static void *writes_and_releases(void *unused)
{
    shared = 1;
    atomic_store_explicit(&flag, 1, memory_order_release);
    return unused;
}

static void *writes_and_stores(void *unused)
{
    shared = 1;
    atomic_store_explicit(&flag, 1, memory_order_relaxed);
    return unused;
}

static void *acquires_and_reads(void *unused)
{
    if (atomic_load_explicit(&flag, memory_order_acquire))
        reads(NULL);
    return unused;
}

static void *loads_and_reads(void *unused)
{
    if (atomic_load_explicit(&flag, memory_order_relaxed))
        reads(NULL);
    return unused;
}

static void *loads_fences_and_reads(void *unused)
{
    if (atomic_load_explicit(&flag, memory_order_relaxed)) {
        atomic_thread_fence(memory_order_acquire);
        reads(NULL);
    }
    return unused;
}

static void release_and_acquire(void)
{
    beside(writes_and_releases, acquires_and_reads);
}

static void release_and_acquire_by_a_fence(void)
{
    beside(writes_and_releases, loads_fences_and_reads);
}

static void racy_relaxed_store(void)
{
    beside(writes_and_stores, acquires_and_reads);
}

static void racy_relaxed_load(void)
{
    beside(writes_and_releases, loads_and_reads);
}

/* ---- handlers ---- */

static void on_signal(int number)
{
    shared += number;
}

static void *is_signalled(void *unused)
{
    while (!flag)
        usleep(1000);
    return unused;
}

static void before_a_handler(void)
{
    struct sigaction sa = {.sa_handler = on_signal};
    pthread_t t;

    sigaction(SIGUSR1, &sa, NULL);
    pthread_create(&t, NULL, is_signalled, NULL);
    shared = 1;
    pthread_kill(t, SIGUSR1);
    flag = 1;
    pthread_join(t, NULL);
}

static const struct {
    const char *name;
    void (*run)(void);
} cases[] = {
#define CASE(name)                                                                                 \
    {                                                                                              \
#name, name                                                                                \
    }
    CASE(make_and_join),
    CASE(racy_after_make),
    CASE(racy_before_join),
    CASE(through_a_pipe),
    CASE(through_a_socket),
    CASE(racy_after_the_write),
    CASE(a_mutex),
    CASE(a_mutex_tried),
    CASE(a_mutex_of_the_dead),
    CASE(a_mutex_of_the_dead_taken_twice),
    CASE(racy_before_a_mutex_of_the_dead),
    CASE(a_rwlock),
    CASE(racy_under_read_locks),
    CASE(a_spin_lock),
    CASE(a_semaphore),
    CASE(a_semaphore_tried),
    CASE(racy_after_the_post),
    CASE(a_barrier),
    CASE(racy_behind_a_barrier),
    CASE(a_once),
    CASE(racy_behind_a_once),
    CASE(a_signal),
    CASE(release_and_acquire),
    CASE(release_and_acquire_by_a_fence),
    CASE(racy_relaxed_store),
    CASE(racy_relaxed_load),
    CASE(before_a_handler),
};

static void make_robust(void)
{
    pthread_mutexattr_t attr;

    pthread_mutexattr_init(&attr);
    pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
    pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_RECURSIVE);
    pthread_mutex_init(&robust, &attr);
    pthread_mutexattr_destroy(&attr);
}

int main(int argc, char **argv)
{
    make_robust();
    pthread_barrier_init(&barrier, NULL, 2);
    pthread_spin_init(&spin, PTHREAD_PROCESS_PRIVATE);
    sem_init(&sem, 0, 0);
    if (pipe(pipe_end) != 0 || socketpair(AF_UNIX, SOCK_STREAM, 0, socket_end) != 0)
        return 2;
    for (size_t i = 0; argc == 2 && i < sizeof cases / sizeof *cases; i++)
        if (strcmp(argv[1], cases[i].name) == 0) {
            cases[i].run();
            return 0;
        }
    fprintf(stderr, "usage: orders CASE\n");
    return 2;
}
