/* hung.c - programs that hang, one of each kind, and some that do not: what heddle attach is shown.
 *
 *   hung KIND
 *
 * What is printed says that the program was disturbed.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

static void nap(void)
{
    struct timespec t = {0, 20000000};
    while (nanosleep(&t, &t) != 0 && errno == EINTR)
        ;
}

/* The other thread has come as far as it must. */
static atomic_bool came;

static void wait_until_it_came(void)
{
    while (!atomic_load(&came))
        nap();
}

static pthread_t start(void *(*fn)(void *), void *arg, const char *name)
{
    pthread_t t;
    if (pthread_create(&t, NULL, fn, arg) != 0)
        abort();
    if (name)
        pthread_setname_np(t, name);
    return t;
}

/* ---- locks ---- */

static struct {
    int users;
    pthread_mutex_t lock;
} cache = {0, PTHREAD_MUTEX_INITIALIZER}, db = {0, PTHREAD_MUTEX_INITIALIZER};
static pthread_mutex_t third = PTHREAD_MUTEX_INITIALIZER;
static pthread_barrier_t both;

static void take_two(pthread_mutex_t *first, pthread_mutex_t *second)
{
    pthread_mutex_lock(first);
    pthread_barrier_wait(&both);
    pthread_mutex_lock(second);
    pthread_mutex_unlock(second);
    pthread_mutex_unlock(first);
}

static void *cache_then_db(void *arg)
{
    take_two(&cache.lock, &db.lock);
    return arg;
}

static void *db_then_cache(void *arg)
{
    take_two(&db.lock, &cache.lock);
    return arg;
}

static void two_locks(void)
{
    pthread_barrier_init(&both, NULL, 2);
    pthread_t a = start(cache_then_db, NULL, "reader");
    start(db_then_cache, NULL, "writer");
    pthread_join(a, NULL);
}

/* The first thread ends; the process goes on, and hangs. */
static void first_ended(void)
{
    pthread_barrier_init(&both, NULL, 2);
    start(cache_then_db, NULL, "reader");
    start(db_then_cache, NULL, "writer");
    pthread_exit(NULL);
}

static void *db_then_third(void *arg)
{
    take_two(&db.lock, &third);
    return arg;
}

static void *third_then_cache(void *arg)
{
    take_two(&third, &cache.lock);
    return arg;
}

static void three_locks(void)
{
    pthread_barrier_init(&both, NULL, 3);
    pthread_t a = start(cache_then_db, NULL, "one");
    start(db_then_third, NULL, "two");
    start(third_then_cache, NULL, "three");
    pthread_join(a, NULL);
}

static void itself(void)
{
    pthread_mutex_lock(&cache.lock);
    pthread_mutex_lock(&cache.lock);
}

static pthread_mutex_t *heap_lock(void)
{
    pthread_mutex_t *m = malloc(sizeof *m);
    pthread_mutex_init(m, NULL);
    return m;
}

static pthread_mutex_t *on_heap[2];

static void *heap_one(void *arg)
{
    take_two(on_heap[0], on_heap[1]);
    return arg;
}

static void heap(void)
{
    on_heap[0] = heap_lock();
    on_heap[1] = heap_lock();
    pthread_barrier_init(&both, NULL, 2);
    start(heap_one, NULL, NULL);
    take_two(on_heap[1], on_heap[0]);
}

struct account {
    long amount;
    pthread_mutex_t lock;
};

static struct account *account(void)
{
    struct account *a = calloc(1, sizeof *a);
    pthread_mutex_init(&a->lock, NULL);
    return a;
}

static void transfer(struct account *from, struct account *to)
{
    take_two(&from->lock, &to->lock);
    to->amount += from->amount;
}

static struct account *giro, *savings;

static void *saves(void *arg)
{
    transfer(giro, savings);
    return arg;
}

static void accounts(void)
{
    giro = account();
    savings = account();
    pthread_barrier_init(&both, NULL, 2);
    start(saves, NULL, "saver");
    transfer(savings, giro);
}

static void of_type(int type, int protocol)
{
    pthread_mutexattr_t a;
    pthread_mutexattr_init(&a);
    pthread_mutexattr_settype(&a, type);
    pthread_mutexattr_setprotocol(&a, protocol);
    pthread_mutex_init(&cache.lock, &a);
    pthread_mutex_init(&db.lock, &a);
    two_locks();
}

static void recursive(void)
{
    of_type(PTHREAD_MUTEX_RECURSIVE, PTHREAD_PRIO_NONE);
}

static void errorcheck(void)
{
    of_type(PTHREAD_MUTEX_ERRORCHECK, PTHREAD_PRIO_NONE);
}

static void inheriting(void)
{
    pthread_mutexattr_t a;
    pthread_mutexattr_init(&a);
    pthread_mutexattr_setprotocol(&a, PTHREAD_PRIO_INHERIT);
    pthread_mutex_init(&db.lock, &a);
    two_locks();
}

static void robust(void)
{
    pthread_mutexattr_t a;
    pthread_mutexattr_init(&a);
    pthread_mutexattr_setrobust(&a, PTHREAD_MUTEX_ROBUST);
    pthread_mutex_init(&cache.lock, &a);
    two_locks();
}

static mtx_t c11_one, c11_two;

static int c11_thread(void *arg)
{
    mtx_lock(&c11_two);
    pthread_barrier_wait(&both);
    mtx_lock(&c11_one);
    return arg != NULL;
}

static void c11(void)
{
    thrd_t t;
    mtx_init(&c11_one, mtx_plain);
    mtx_init(&c11_two, mtx_plain);
    pthread_barrier_init(&both, NULL, 2);
    thrd_create(&t, c11_thread, NULL);
    mtx_lock(&c11_one);
    pthread_barrier_wait(&both);
    mtx_lock(&c11_two);
}

static void *lock_and_leave(void *arg)
{
    pthread_mutex_lock(&cache.lock);
    return arg;
}

static void abandoned(void)
{
    pthread_join(start(lock_and_leave, NULL, NULL), NULL);
    pthread_mutex_lock(&cache.lock);
}

static pthread_rwlock_t table = PTHREAD_RWLOCK_INITIALIZER;

static void *lock_then_table(void *arg)
{
    pthread_mutex_lock(&cache.lock);
    pthread_barrier_wait(&both);
    pthread_rwlock_rdlock(&table);
    return arg;
}

static void write_locked(void)
{
    pthread_barrier_init(&both, NULL, 2);
    start(lock_then_table, NULL, "reader");
    pthread_rwlock_wrlock(&table);
    pthread_barrier_wait(&both);
    pthread_mutex_lock(&cache.lock);
}

static void *lock_then_write(void *arg)
{
    pthread_mutex_lock(&cache.lock);
    pthread_barrier_wait(&both);
    pthread_rwlock_wrlock(&table);
    return arg;
}

static void read_locked(void)
{
    pthread_barrier_init(&both, NULL, 2);
    start(lock_then_write, NULL, "writer");
    pthread_rwlock_rdlock(&table);
    pthread_barrier_wait(&both);
    pthread_mutex_lock(&cache.lock);
}

/* ---- joins, once, stdio ---- */

static pthread_t main_thread;

static void *join_main(void *arg)
{
    pthread_join(main_thread, NULL);
    return arg;
}

static void joins(void)
{
    main_thread = pthread_self();
    pthread_join(start(join_main, NULL, "joiner"), NULL);
}

static void *locks_it(void *arg)
{
    pthread_mutex_lock(&cache.lock);
    return arg;
}

static void join_under_lock(void)
{
    pthread_mutex_lock(&cache.lock);
    pthread_join(start(locks_it, NULL, "worker"), NULL);
}

static pthread_once_t once = PTHREAD_ONCE_INIT;

static void init_again(void)
{
    atomic_store(&came, true);
    pthread_mutex_lock(&cache.lock);
}

static void *runs_once(void *arg)
{
    pthread_once(&once, init_again);
    return arg;
}

static void once_and_lock(void)
{
    pthread_mutex_lock(&cache.lock);
    start(runs_once, NULL, "initialiser");
    wait_until_it_came();
    pthread_once(&once, init_again);
}

static void init_self(void)
{
    pthread_once(&once, init_self);
}

static void once_itself(void)
{
    pthread_once(&once, init_self);
}

static void *lock_then_print(void *arg)
{
    pthread_mutex_lock(&cache.lock);
    pthread_barrier_wait(&both);
    fputs("never", stderr);
    return arg;
}

static void stdio(void)
{
    pthread_barrier_init(&both, NULL, 2);
    start(lock_then_print, NULL, "printer");
    flockfile(stderr);
    pthread_barrier_wait(&both);
    pthread_mutex_lock(&cache.lock);
}

/* ---- everybody waits ---- */

static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;

static void *waits_for_change(void *arg)
{
    pthread_mutex_lock(&cache.lock);
    for (;;)
        pthread_cond_wait(&changed, &cache.lock);
    return arg;
}

static void lost_wakeup(void)
{
    pthread_cond_signal(&changed); /* too early */
    start(waits_for_change, NULL, "one");
    pthread_join(start(waits_for_change, NULL, "two"), NULL);
}

/* Signalled, but another has its mutex and waits for the one that was. */
static pthread_t waiter;

static void *has_mutex(void *arg)
{
    pthread_mutex_lock(&cache.lock);
    pthread_cond_signal(&changed);
    pthread_join(waiter, NULL);
    return arg;
}

static void *waits_once(void *arg)
{
    pthread_mutex_lock(&cache.lock);
    atomic_store(&came, true);
    pthread_cond_wait(&changed, &cache.lock);
    pthread_mutex_unlock(&cache.lock);
    return arg;
}

static void relock(void)
{
    waiter = start(waits_once, NULL, "waiter");
    wait_until_it_came();
    pthread_join(start(has_mutex, NULL, "signaller"), NULL);
}

static sem_t units;

static void semaphore(void)
{
    sem_init(&units, 0, 0);
    start((void *(*)(void *))(void *)sem_wait, &units, "taker");
    sem_wait(&units);
}

static void *comes(void *arg)
{
    pthread_barrier_wait(&both);
    return arg;
}

static void barrier(void)
{
    pthread_barrier_init(&both, NULL, 4);
    start(comes, NULL, NULL);
    start(comes, NULL, NULL);
    pthread_barrier_wait(&both);
}

/* A word that another process may change. */
static void shared_semaphore(void)
{
    sem_t *s = mmap(NULL, sizeof *s, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (s == MAP_FAILED || sem_init(s, 1, 0) != 0)
        abort();
    sem_wait(s);
}

/* ---- many ---- */

enum { MANY = 1000 };

static void many(void)
{
    pthread_attr_t a;
    pthread_t t;
    pthread_attr_init(&a);
    pthread_attr_setstacksize(&a, 65536);
    pthread_barrier_init(&both, NULL, 3);
    start(cache_then_db, NULL, "reader");
    start(db_then_cache, NULL, "writer");
    pthread_barrier_wait(&both);
    for (int i = 0; i < MANY; i++)
        if (pthread_create(&t, &a, locks_it, NULL) != 0)
            abort();
    pthread_mutex_lock(&db.lock);
}

/* ---- no deadlock ---- */

static void *sleeps(void *arg)
{
    pthread_mutex_lock(&cache.lock);
    atomic_store(&came, true);
    for (;;)
        pause();
    return arg;
}

static void held_by_sleeper(void)
{
    start(sleeps, NULL, "sleeper");
    wait_until_it_came();
    pthread_mutex_lock(&cache.lock);
}

static void *timed(void *arg)
{
    struct timespec until;
    pthread_mutex_lock(&db.lock);
    pthread_barrier_wait(&both);
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 3600;
    pthread_mutex_timedlock(&cache.lock, &until);
    return arg;
}

static void time_limit(void)
{
    pthread_barrier_init(&both, NULL, 2);
    start(timed, NULL, "patient");
    take_two(&cache.lock, &db.lock);
}

static void *serves(void *arg)
{
    struct epoll_event event;
    int set = epoll_create1(0);
    for (;;)
        if (epoll_wait(set, &event, 1, -1) < 0) {
            puts("disturbed");
            exit(7);
        }
    return arg;
}

static void pool(void)
{
    for (int i = 0; i < 4; i++)
        start(waits_for_change, NULL, "worker");
    serves(NULL);
}

static volatile int flag;

static void *spins(void *arg)
{
    while (!flag)
        ;
    return arg;
}

static void spinning(void)
{
    pthread_join(start(spins, NULL, "spinner"), NULL);
}

static pthread_spinlock_t spin;

static void spin_locked(void)
{
    pthread_spin_init(&spin, 0);
    pthread_spin_lock(&spin);
    start((void *(*)(void *))(void *)pthread_spin_lock, (void *)&spin, "spinner");
    pause();
}

static void on_signal(int number)
{
    (void)number;
    sem_post(&units);
}

static void waits_for_signal(void)
{
    sem_init(&units, 0, 0);
    signal(SIGUSR1, on_signal);
    sem_wait(&units);
    _exit(0);
}

static void reads(void)
{
    char byte;
    int ends[2];
    if (pipe(ends) == 0 && read(ends[0], &byte, 1) == 0)
        return;
}

static void naps(void)
{
    sleep(3600);
}

/* ---- what memory may hold ---- */

static void overwritten(void)
{
    pthread_mutex_lock(&cache.lock);
    ((int *)&cache.lock)[2] = -7; /* glibc's owner */
    pthread_mutex_lock(&cache.lock);
}

static void *locks_db(void *arg)
{
    pthread_mutex_lock(&db.lock);
    return arg;
}

/* An owner that is no thread of ours. */
static void exchanged(void)
{
    pthread_mutex_lock(&cache.lock);
    pthread_mutex_lock(&db.lock);
    start(locks_db, NULL, NULL);
    nap();
    ((int *)&db.lock)[2] = 1; /* glibc's owner */
    for (;;)
        pause();
}

/* A child of a process with threads has but one: what another held stays locked. */
static void forked(void)
{
    start(sleeps, NULL, NULL);
    wait_until_it_came();
    if (fork() == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        pthread_mutex_lock(&cache.lock);
    }
    pause();
}

static void traced(void)
{
    pid_t child = fork();
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        for (;;)
            pause();
    }
    if (ptrace(PTRACE_SEIZE, child, NULL, NULL) != 0)
        abort();
    pause();
}

static void zombie(void)
{
    if (fork() == 0)
        _exit(0);
    pause();
}

/* ---- healthy and busy ---- */

static atomic_ulong steps[8];
static pthread_rwlock_t shelf = PTHREAD_RWLOCK_INITIALIZER;
static sem_t there, back;
enum { POLLERS = 6 };
static int pulse[POLLERS];

static void *locks_both(void *arg)
{
    for (;; atomic_fetch_add(&steps[0], 1)) {
        pthread_mutex_lock(&cache.lock);
        pthread_mutex_lock(&db.lock);
        pthread_mutex_unlock(&db.lock);
        pthread_mutex_unlock(&cache.lock);
    }
    return arg;
}

static void *takes_turns(void *arg)
{
    for (int me = arg != NULL;; atomic_fetch_add(&steps[1], 1)) {
        pthread_mutex_lock(&third);
        while (db.users != me)
            pthread_cond_wait(&changed, &third);
        db.users = !me;
        pthread_cond_broadcast(&changed);
        pthread_mutex_unlock(&third);
    }
    return arg;
}

static void *reads_shelf(void *arg)
{
    for (;; atomic_fetch_add(&steps[2], 1)) {
        if (arg)
            pthread_rwlock_wrlock(&shelf);
        else
            pthread_rwlock_rdlock(&shelf);
        pthread_rwlock_unlock(&shelf);
    }
    return arg;
}

static void *passes(void *arg)
{
    for (;; atomic_fetch_add(&steps[3], 1)) {
        if (sem_wait(arg ? &there : &back) != 0)
            abort();
        sem_post(arg ? &back : &there);
    }
    return arg;
}

static void *ends(void *arg)
{
    return arg;
}

static void *makes_threads(void *arg)
{
    for (;; atomic_fetch_add(&steps[4], 1))
        pthread_join(start(ends, NULL, NULL), NULL);
    return arg;
}

static void *polls(void *arg)
{
    struct epoll_event event = {.events = EPOLLIN};
    int set = epoll_create1(0), fd = *(int *)arg;
    uint64_t beats;
    if (epoll_ctl(set, EPOLL_CTL_ADD, fd, &event) != 0)
        abort();
    for (;; atomic_fetch_add(&steps[5], 1))
        if (epoll_wait(set, &event, 1, -1) != 1 || read(fd, &beats, sizeof beats) < 0) {
            puts("a call was disturbed");
            exit(7);
        }
    return arg;
}

static void *beats(void *arg)
{
    struct timespec t = {0, 1000};
    uint64_t one = 1;
    for (;; atomic_fetch_add(&steps[6], 1))
        for (int i = 0; i < POLLERS; i++)
            if (write(pulse[i], &one, sizeof one) < 0 || nanosleep(&t, NULL) != 0) {
                puts("a sleep was disturbed");
                exit(7);
            }
    return arg;
}

static void *waits_for_child(void *arg)
{
    sigset_t none;
    sigemptyset(&none);
    sigaddset(&none, SIGUSR2);
    if (sigwaitinfo(&none, NULL) < 0) {
        puts("a wait for a signal was disturbed");
        exit(7);
    }
    return arg;
}

/* Each kind of thread gets on, in each second. */
static void busy(void)
{
    sem_init(&there, 0, 1);
    sem_init(&back, 0, 0);
    for (int i = 0; i < POLLERS; i++) {
        pulse[i] = eventfd(0, 0);
        start(polls, &pulse[i], NULL);
    }
    for (int i = 0; i < 2; i++) {
        void *which = i ? pulse : NULL;
        start(locks_both, which, NULL);
        start(takes_turns, which, NULL);
        start(reads_shelf, which, NULL);
        start(passes, which, NULL);
    }
    start(makes_threads, NULL, NULL);
    start(beats, NULL, NULL);
    start(waits_for_child, NULL, NULL);
    for (unsigned long last[7] = {0};;) {
        sleep(5);
        for (int i = 0; i < 7; i++) {
            if (atomic_load(&steps[i]) == last[i]) {
                printf("threads of kind %d stand still\n", i);
                exit(8);
            }
            last[i] = atomic_load(&steps[i]);
        }
    }
}

static const struct {
    const char *name;
    void (*run)(void);
} kinds[] = {
    {"two-locks", two_locks},
    {"first-ended", first_ended},
    {"three-locks", three_locks},
    {"itself", itself},
    {"heap", heap},
    {"accounts", accounts},
    {"recursive", recursive},
    {"errorcheck", errorcheck},
    {"inheriting", inheriting},
    {"robust", robust},
    {"c11", c11},
    {"abandoned", abandoned},
    {"write-locked", write_locked},
    {"read-locked", read_locked},
    {"joins", joins},
    {"join-under-lock", join_under_lock},
    {"once-and-lock", once_and_lock},
    {"once-itself", once_itself},
    {"stdio", stdio},
    {"lost-wakeup", lost_wakeup},
    {"relock", relock},
    {"semaphore", semaphore},
    {"barrier", barrier},
    {"shared-semaphore", shared_semaphore},
    {"many", many},
    {"held-by-sleeper", held_by_sleeper},
    {"time-limit", time_limit},
    {"pool", pool},
    {"spinning", spinning},
    {"spin-locked", spin_locked},
    {"waits-for-signal", waits_for_signal},
    {"reads", reads},
    {"naps", naps},
    {"overwritten", overwritten},
    {"exchanged", exchanged},
    {"forked", forked},
    {"traced", traced},
    {"zombie", zombie},
    {"busy", busy},
};

int main(int argc, char **argv)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    alarm(300); /* nobody forgets it */
    for (size_t i = 0; argc > 1 && i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(argv[1], kinds[i].name) == 0)
            kinds[i].run();
    return 99;
}
