/* policies.c - policies CASE: what some schedule must show, and what none may.
 *
 * In a shows_* case an assertion fails if a schedule goes the way that its name says; in a never_*
 * case the same assertion must hold in all of them.
 */
#include <assert.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <malloc.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER, other = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int came, told, first;

static void run_beside(void *(*fn)(void *), pthread_t *t)
{
    int rc = pthread_create(t, NULL, fn, NULL);
    assert(rc == 0);
}

/* Decisions that matter to nobody. */
static void work(int n)
{
    while (n-- > 0) {
        pthread_mutex_lock(&other);
        pthread_mutex_unlock(&other);
    }
}

static void *takes_lock(void *unused)
{
    pthread_mutex_lock(&lock);
    pthread_mutex_unlock(&lock);
    return unused;
}

/* ---- whom a signal wakes ---- */

static void *waits_in_line(void *unused)
{
    pthread_mutex_lock(&lock);
    int mine = ++came;
    while (!told)
        pthread_cond_wait(&changed, &lock);
    if (!first)
        first = mine;
    pthread_mutex_unlock(&lock);
    return unused;
}

static void signal_one_of_three(void)
{
    pthread_t t[3];

    for (int i = 0; i < 3; i++)
        run_beside(waits_in_line, &t[i]);
    for (bool all = false; !all; sched_yield()) {
        pthread_mutex_lock(&lock);
        all = came == 3;
        pthread_mutex_unlock(&lock);
    }
    pthread_mutex_lock(&lock);
    told = 1;
    pthread_cond_signal(&changed);
    pthread_mutex_unlock(&lock);
    for (bool woken = false; !woken; sched_yield()) {
        pthread_mutex_lock(&lock);
        woken = first != 0;
        pthread_mutex_unlock(&lock);
    }
    pthread_cond_broadcast(&changed);
    for (int i = 0; i < 3; i++)
        pthread_join(t[i], NULL);
}

static void shows_the_oldest_woken(void)
{
    signal_one_of_three();
    assert(first != 1);
}

static void shows_one_in_the_middle_woken(void)
{
    signal_one_of_three();
    assert(first != 2);
}

static void shows_the_youngest_woken(void)
{
    signal_one_of_three();
    assert(first != 3);
}

/* ---- time-outs while others can run ---- */

static void *tells_late(void *unused)
{
    work(20);
    pthread_mutex_lock(&lock);
    told = 1;
    pthread_cond_signal(&changed);
    pthread_mutex_unlock(&lock);
    return unused;
}

static int wait_for(long ns)
{
    struct timespec until;
    pthread_t t;
    int rc = 0;

    run_beside(tells_late, &t);
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += (until.tv_nsec + ns) / 1000000000;
    until.tv_nsec = (until.tv_nsec + ns) % 1000000000;
    pthread_mutex_lock(&lock);
    while (!told && rc == 0)
        rc = pthread_cond_timedwait(&changed, &lock, &until);
    pthread_mutex_unlock(&lock);
    pthread_join(t, NULL);
    return rc;
}

static void shows_a_short_wait_timed_out(void)
{
    assert(wait_for(1000000) == 0);
}

/* Its time has passed then, in a replay, too. */
static void shows_the_time_of_a_time_out(void)
{
    struct timespec before, after;
    int rc;

    clock_gettime(CLOCK_MONOTONIC, &before);
    rc = wait_for(1000000000);
    clock_gettime(CLOCK_MONOTONIC, &after);
    assert(rc == 0 || after.tv_sec == before.tv_sec);
}

static void never_an_hour_timed_out(void)
{
    assert(wait_for(3600000000000) == 0);
}

static int pipe_end[2];

static void *writes_late(void *unused)
{
    work(20);
    ssize_t n = write(pipe_end[1], "x", 1);
    assert(n == 1);
    return unused;
}

static void shows_a_short_poll_timed_out(void)
{
    struct pollfd p = {.events = POLLIN};
    pthread_t t;
    int rc = pipe(pipe_end);

    assert(rc == 0);
    p.fd = pipe_end[0];
    run_beside(writes_late, &t);
    assert(poll(&p, 1, 1) == 1);
    pthread_join(t, NULL);
}

/* ---- who sleeps ---- */

static void *sleeps_long(void *unused)
{
    usleep(500000);
    pthread_mutex_lock(&lock);
    assert(told);
    pthread_mutex_unlock(&lock);
    return unused;
}

static void *sleeps_short(void *unused)
{
    usleep(1000);
    pthread_mutex_lock(&lock);
    told = 1;
    pthread_mutex_unlock(&lock);
    return unused;
}

static void never_a_later_sleeper_first(void)
{
    pthread_t t[2];

    run_beside(sleeps_long, &t[0]);
    run_beside(sleeps_short, &t[1]);
    pthread_join(t[0], NULL);
    pthread_join(t[1], NULL);
}

static atomic_int word;

static void *sleeps_and_tells(void *unused)
{
    for (int i = 0; i < 10; i++)
        usleep(1000);
    word = 1;
    return unused;
}

/* Those that only look again let its time pass. */
static void never_a_sleeper_forgotten(void)
{
    pthread_t t;

    run_beside(sleeps_and_tells, &t);
    while (!word)
        sched_yield();
    pthread_join(t, NULL);
}

static void never_a_sleeper_forgotten_by_who_polls(void)
{
    pthread_t t;

    run_beside(sleeps_short, &t);
    for (bool over = false; !over; sched_yield()) {
        pthread_mutex_lock(&lock);
        over = told;
        pthread_mutex_unlock(&lock);
    }
    pthread_join(t, NULL);
}

/* ---- who only tries again lets the others go on ---- */

static void *tries_a_lock(void *unused)
{
    while (pthread_mutex_trylock(&lock) != 0)
        ;
    pthread_mutex_unlock(&lock);
    return unused;
}

static void *yields(void *unused)
{
    bool over = false;

    while (!over) {
        pthread_mutex_lock(&lock);
        over = told;
        pthread_mutex_unlock(&lock);
        if (!over)
            sched_yield();
    }
    return unused;
}

static void never_a_try_for_ever(void)
{
    pthread_t t;

    pthread_mutex_lock(&lock);
    run_beside(tries_a_lock, &t);
    work(5);
    pthread_mutex_unlock(&lock);
    pthread_join(t, NULL);
}

static void never_a_yield_for_ever(void)
{
    pthread_t t;

    run_beside(yields, &t);
    work(5);
    pthread_mutex_lock(&lock);
    told = 1;
    pthread_mutex_unlock(&lock);
    pthread_join(t, NULL);
}

static int polled;

static void *polls(void *unused)
{
    for (bool seen = false; !seen; polled++) {
        pthread_mutex_lock(&lock);
        seen = told;
        pthread_mutex_unlock(&lock);
    }
    return unused;
}

static void never_a_poll_for_ever(void)
{
    pthread_t t;

    run_beside(polls, &t);
    pthread_mutex_lock(&lock);
    told = 1;
    pthread_mutex_unlock(&lock);
    pthread_join(t, NULL);
    assert(polled < 3000); /* of two steps each, long before half of --max-steps */
}

/* Two give way to each other again and again if they go in step, which only a strategy would make
 * them do, with two others beside them. */
static volatile int wants[2], passed;

static void *gives_way(void *i)
{
    volatile int *mine = i, *theirs = &wants[mine == &wants[0]];
    bool gives;

    do {
        *mine = 1;
        sched_yield();
        gives = *theirs;
        sched_yield();
        *mine = 0;
        if (gives)
            sched_yield();
    } while (gives);
    passed++;
    return NULL;
}

static void *watches_them(void *unused)
{
    while (passed < 2)
        sched_yield();
    return unused;
}

static void never_a_livelock_in_step(void)
{
    pthread_t t[4];

    for (int i = 0; i < 4; i++) {
        int rc =
            pthread_create(&t[i], NULL, i < 2 ? gives_way : watches_them, (void *)&wants[i % 2]);
        assert(rc == 0);
    }
    for (int i = 0; i < 4; i++)
        pthread_join(t[i], NULL);
}

/* Whoever works for ever does not only try again. */
static void *works_for_ever(void *unused)
{
    for (;;) {
        pthread_mutex_lock(&lock);
        told++;
        pthread_mutex_unlock(&lock);
    }
    return unused;
}

static void never_a_livelock_of_work(void)
{
    pthread_t t;

    run_beside(works_for_ever, &t);
    works_for_ever(NULL);
}

/* Nor is it hung when its time is up: it was on its way. */
static void *works_slowly(void *unused)
{
    for (;;) {
        pthread_mutex_lock(&lock);
        pthread_mutex_unlock(&lock);
        for (clock_t until = clock() + CLOCKS_PER_SEC / 200; clock() < until;)
            ;
    }
    return unused;
}

static void never_a_hang_of_slow_work(void)
{
    pthread_t t;

    run_beside(works_slowly, &t);
    works_slowly(NULL);
}

/* ---- who does not give the turn back ---- */

static void *spins(void *unused)
{
    while (!word)
        ;
    return unused;
}

static void set_word_when(void *(*fn)(void *), void (*then)(void))
{
    pthread_t t;

    run_beside(fn, &t);
    work(1);
    word = 1;
    if (then)
        then();
    pthread_join(t, NULL);
}

static void never_a_spin_for_ever(void)
{
    set_word_when(spins, NULL);
}

/* Nobody between the program and the kernel: there is no model of this. */
static long raw_futex(long operation, long value)
{
    register long timeout __asm__("r10") = 0;
    long rc = SYS_futex;

    __asm__ volatile("syscall"
                     : "+a"(rc)
                     : "D"(&word), "S"(operation), "d"(value), "r"(timeout)
                     : "rcx", "r11", "memory");
    return rc;
}

static void *sleeps_in_the_kernel(void *unused)
{
    while (!word)
        raw_futex(FUTEX_WAIT_PRIVATE, 0);
    return unused;
}

static void wake_in_the_kernel(void)
{
    raw_futex(FUTEX_WAKE_PRIVATE, 1);
}

static void never_held_up_by_who_sleeps_elsewhere(void)
{
    set_word_when(sleeps_in_the_kernel, wake_in_the_kernel);
}

/* ---- the end of main ---- */

static void leave_running(void *(*fn)(void *))
{
    pthread_t t;

    run_beside(fn, &t);
    pthread_detach(t);
}

static void never_a_leak_of_who_is_woken(void)
{
    leave_running(waits_in_line);
    leave_running(tells_late);
}

static void *unlocks_what_is_free(void *unused)
{
    pthread_mutex_unlock(&lock);
    return unused;
}

/* Nobody waits for it, but natively it has a little time. */
static void a_fault_beside_the_end(void)
{
    leave_running(unlocks_what_is_free);
}

static void *unlocks_in_an_hour(void *unused)
{
    sleep(3600);
    return unlocks_what_is_free(unused);
}

/* And none in an hour, which passes all the same for whoever looks for leaks. */
static void never_a_fault_behind_the_end(void)
{
    leave_running(unlocks_in_an_hour);
}

static void *takes_and_ends(void *unused)
{
    pthread_mutex_lock(&lock);
    return unused;
}

/* It is told by then, whatever comes of the program. */
static void a_lock_of_one_that_has_ended(void)
{
    pthread_t t;

    run_beside(takes_and_ends, &t);
    pthread_join(t, NULL);
    abort();
}

/* ---- what a wait waits for ---- */

static void initialise(void)
{
    pthread_mutex_lock(&lock);
    pthread_mutex_unlock(&lock);
    told = 1;
}

static void *initialises_once(void *unused)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, initialise);
    assert(told);
    return unused;
}

static void never_before_once_is_over(void)
{
    pthread_t t;

    run_beside(initialises_once, &t);
    initialises_once(NULL);
    pthread_join(t, NULL);
}

static long futex(int operation, unsigned value)
{
    return syscall(SYS_futex, &word, operation, value, NULL, NULL, 0);
}

static void *sleeps_on_a_futex(void *unused)
{
    while (word == 0)
        futex(FUTEX_WAIT_PRIVATE, 0);
    return unused;
}

static void never_more_woken_than_said(void)
{
    pthread_t t[3];

    for (int i = 0; i < 3; i++)
        run_beside(sleeps_on_a_futex, &t[i]);
    work(5);
    word = 1;
    for (long woken; (woken = futex(FUTEX_WAKE_PRIVATE, 1)) > 0;)
        assert(woken == 1);
    for (int i = 0; i < 3; i++)
        pthread_join(t[i], NULL);
}

static void never_blocked_by_a_read_that_does_not(void)
{
    pthread_t t;
    char c;
    int rc = pipe2(pipe_end, O_NONBLOCK);

    assert(rc == 0);
    run_beside(takes_lock, &t);
    assert(read(pipe_end[0], &c, 1) == -1 && errno == EAGAIN);
    pthread_join(t, NULL);
}

/* ---- signals and cancellation ---- */

static void counts(int number)
{
    came += number != 0;
}

static void *is_signalled(void *unused)
{
    while (!word)
        sched_yield();
    return unused;
}

/* Of a standard signal one is kept. */
static void shows_two_signals_become_one(void)
{
    struct sigaction sa = {.sa_handler = counts};
    pthread_t t;

    sigaction(SIGUSR1, &sa, NULL);
    run_beside(is_signalled, &t);
    pthread_kill(t, SIGUSR1);
    pthread_kill(t, SIGUSR1);
    word = 1;
    pthread_join(t, NULL);
    assert(came != 1);
}

static void *sleeps_uncancelled(void *unused)
{
    struct timespec before, after;

    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
    clock_gettime(CLOCK_MONOTONIC, &before);
    sleep(10);
    clock_gettime(CLOCK_MONOTONIC, &after);
    assert(after.tv_sec - before.tv_sec >= 9);
    return unused;
}

static void never_a_sleep_cut_by_a_disabled_cancel(void)
{
    pthread_t t;

    run_beside(sleeps_uncancelled, &t);
    sched_yield();
    pthread_cancel(t);
    pthread_join(t, NULL);
}

static void join_of_a_detached(void)
{
    pthread_t t;

    run_beside(sleeps_short, &t);
    pthread_detach(t);
    assert(pthread_join(t, NULL) == EINVAL);
}

/* ---- readers and writers ---- */

static pthread_rwlock_t rwlock;

static void *writes(void *unused)
{
    pthread_rwlock_wrlock(&rwlock);
    pthread_rwlock_unlock(&rwlock);
    return unused;
}

static void read_twice(int kind)
{
    pthread_rwlockattr_t attr;
    pthread_t t;

    pthread_rwlockattr_init(&attr);
    pthread_rwlockattr_setkind_np(&attr, kind);
    pthread_rwlock_init(&rwlock, &attr);
    pthread_rwlock_rdlock(&rwlock);
    run_beside(writes, &t);
    sched_yield();
    pthread_rwlock_rdlock(&rwlock);
    pthread_rwlock_unlock(&rwlock);
    pthread_rwlock_unlock(&rwlock);
    pthread_join(t, NULL);
}

static void never_a_reader_behind_a_writer(void)
{
    read_twice(PTHREAD_RWLOCK_PREFER_READER_NP);
}

static void readers_behind_a_writer(void)
{
    read_twice(PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
}

/* One of two read locks is given back: it is held still. */
static void *reads_twice_then_locks(void *unused)
{
    pthread_rwlock_rdlock(&rwlock);
    pthread_rwlock_rdlock(&rwlock);
    pthread_rwlock_unlock(&rwlock);
    pthread_mutex_lock(&lock);
    pthread_mutex_unlock(&lock);
    pthread_rwlock_unlock(&rwlock);
    return unused;
}

static void *locks_then_writes(void *unused)
{
    pthread_mutex_lock(&lock);
    pthread_rwlock_wrlock(&rwlock);
    pthread_rwlock_unlock(&rwlock);
    pthread_mutex_unlock(&lock);
    return unused;
}

static void deadlock_of_a_reader_twice(void)
{
    pthread_t t[2];

    pthread_rwlock_init(&rwlock, NULL);
    run_beside(reads_twice_then_locks, &t[0]);
    run_beside(locks_then_writes, &t[1]);
    pthread_join(t[0], NULL);
    pthread_join(t[1], NULL);
}

/* ---- wake-ups for no reason ---- */

static void wakes_for_no_reason(void)
{
    pthread_t t;

    run_beside(tells_late, &t);
    pthread_mutex_lock(&lock);
    int rc = told ? 0 : pthread_cond_wait(&changed, &lock);
    assert(told || rc != 0);
    pthread_mutex_unlock(&lock);
    pthread_join(t, NULL);
}

/* ---- who holds the units of a semaphore ---- */

static sem_t left, right, nobody_posts;

static void *takes_right_then_left(void *unused)
{
    sem_wait(&right);
    sem_wait(&left);
    return unused;
}

static void *takes_left_then_right(void *unused)
{
    sem_wait(&left);
    sem_wait(&right);
    return unused;
}

static void *waits_for_nobody(void *unused)
{
    sem_wait(&nobody_posts);
    return unused;
}

static void cross_over(bool used_as_locks)
{
    pthread_t t[3];

    sem_init(&left, 0, 1);
    sem_init(&right, 0, 1);
    sem_init(&nobody_posts, 0, 0);
    if (used_as_locks) {
        sem_wait(&left);
        sem_post(&left);
        sem_wait(&right);
        sem_post(&right);
    }
    run_beside(waits_for_nobody, &t[0]);
    run_beside(takes_left_then_right, &t[1]);
    run_beside(takes_right_then_left, &t[2]);
    for (int i = 0; i < 3; i++)
        pthread_join(t[i], NULL);
}

/* Nobody ever gave back what he took: the third thread might have been the one that posts. */
static void units_of_nobody(void)
{
    cross_over(false);
}

static void units_of_takers(void)
{
    cross_over(true);
}

/* T1 waits for a unit of two that T2 and T3 have; T2 waits for T1. T3 could post, if somebody woke
 * it. */
static void *locks_then_takes(void *unused)
{
    while (word < 2)
        sched_yield();
    pthread_mutex_lock(&lock);
    word++;
    sem_wait(&left);
    return unused;
}

static void *takes_then_locks(void *unused)
{
    sem_wait(&left);
    word++;
    while (word < 3)
        sched_yield();
    pthread_mutex_lock(&lock);
    return unused;
}

static void *takes_then_waits(void *unused)
{
    sem_wait(&left);
    word++;
    sem_wait(&nobody_posts);
    sem_post(&left);
    return unused;
}

static void units_of_one_who_could_post(void)
{
    pthread_t t[3];

    sem_init(&left, 0, 2);
    sem_init(&nobody_posts, 0, 0);
    sem_wait(&left);
    sem_post(&left);
    run_beside(locks_then_takes, &t[0]);
    run_beside(takes_then_locks, &t[1]);
    run_beside(takes_then_waits, &t[2]);
    for (int i = 0; i < 3; i++)
        pthread_join(t[i], NULL);
}

/* ---- one fault, met twice in a schedule ---- */

static void *unlocks(void *unused)
{
    pthread_mutex_unlock(&other);
    return unused;
}

static void one_fault_in_two_threads(void)
{
    pthread_t t[2];

    for (int i = 0; i < 2; i++)
        run_beside(unlocks, &t[i]);
    for (int i = 0; i < 2; i++)
        pthread_join(t[i], NULL);
}

/* ---- exit codes ---- */

static int code;

static void *sets_code(void *unused)
{
    pthread_mutex_lock(&lock);
    code = code ? code : 4;
    pthread_mutex_unlock(&lock);
    return unused;
}

static void always_exits_with_3(void)
{
    pthread_t t;

    code = 3;
    run_beside(sets_code, &t);
    pthread_join(t, NULL);
}

static void exits_with_3_or_4(void)
{
    pthread_t t;

    run_beside(sets_code, &t);
    work(3);
    pthread_mutex_lock(&lock);
    code = code ? code : 3;
    pthread_mutex_unlock(&lock);
    pthread_join(t, NULL);
}

static void *sets_code_in_time(void *unused)
{
    pthread_mutex_lock(&lock);
    code = told ? 0 : 4;
    pthread_mutex_unlock(&lock);
    return unused;
}

static void exits_with_0_seldom(void)
{
    pthread_t t;

    run_beside(sets_code_in_time, &t);
    work(10);
    pthread_mutex_lock(&lock);
    told = 1;
    pthread_mutex_unlock(&lock);
    pthread_join(t, NULL);
}

/* ---- which interleavings are the same ---- */

static void *takes_other(void *unused)
{
    pthread_mutex_lock(&other);
    pthread_mutex_unlock(&other);
    return unused;
}

static void two_beside(void *(*a)(void *), void *(*b)(void *))
{
    pthread_t t[2];

    run_beside(a, &t[0]);
    run_beside(b, &t[1]);
    pthread_join(t[0], NULL);
    pthread_join(t[1], NULL);
}

static void orders_of_one_lock(void)
{
    two_beside(takes_lock, takes_lock);
}

static void orders_of_two_locks(void)
{
    two_beside(takes_lock, takes_other);
}

/* ---- what is put back after a schedule in place ---- */

static void *takes_lock_and_trims(void *unused)
{
    takes_lock(NULL);
    malloc_trim(0);
    free(malloc(100000));
    return unused;
}

static void *takes_lock_and_grows(void *unused)
{
    takes_lock(NULL);
    sbrk(100000);
    return unused;
}

/* There is much free memory at the end of main's heap. */
static void run_two_beside(void *(*fn)(void *))
{
    enum { BLOCKS = 30 };
    void *block[BLOCKS];
    pthread_t t[2];

    mallopt(M_TRIM_THRESHOLD, 1 << 30);
    for (int i = 0; i < BLOCKS; i++)
        block[i] = calloc(1, 60000);
    for (int i = 0; i < BLOCKS; i++)
        free(block[i]);
    for (int i = 0; i < 2; i++)
        run_beside(fn, &t[i]);
    for (int i = 0; i < 2; i++)
        pthread_join(t[i], NULL);
}

static void in_place_break_lowered(void)
{
    run_two_beside(takes_lock_and_trims);
}

static void in_place_break_raised(void)
{
    run_two_beside(takes_lock_and_grows);
}

static int file, map_flags, map_protection;

static void *takes_lock_and_writes(void *unused)
{
    const size_t bytes = 4096;
    char *p = mmap(NULL, bytes, map_protection, map_flags, file, 0);

    assert(p != MAP_FAILED && mprotect(p, bytes, PROT_READ | PROT_WRITE) == 0);
    takes_lock(NULL);
    *p = 1;
    munmap(p, bytes);
    return unused;
}

static void write_file_in_memory(int flags, int protection)
{
    file = memfd_create("file", 0);
    assert(file >= 0 && ftruncate(file, 4096) == 0);
    map_flags = flags;
    map_protection = protection;
    run_two_beside(takes_lock_and_writes);
}

static void in_place_file_shared(void)
{
    write_file_in_memory(MAP_SHARED, PROT_READ | PROT_WRITE);
}

static void in_place_file_shared_validated(void)
{
    write_file_in_memory(MAP_SHARED_VALIDATE, PROT_READ | PROT_WRITE);
}

static void in_place_file_shared_and_protected(void)
{
    write_file_in_memory(MAP_SHARED, PROT_READ);
}

static void in_place_file_private(void)
{
    write_file_in_memory(MAP_PRIVATE, PROT_READ | PROT_WRITE);
}

/* Which page is written depends on the order: most schedules write one that few others do. */
static char page[256][4096];
static unsigned order;

static void *notes_order(void *bit)
{
    for (int i = 0; i < 4; i++) {
        pthread_mutex_lock(&lock);
        order = order << 1 | (bit != NULL);
        pthread_mutex_unlock(&lock);
    }
    return bit;
}

static void in_place_page_of_few(void)
{
    pthread_t t;

    for (int i = 0; i < 256; i++) /* there from the beginning */
        page[i][0] = 2;
    run_beside(notes_order, &t);
    notes_order(&order);
    pthread_join(t, NULL);
    for (int i = 0; i < 256; i++)
        if (page[i][0] & 1) { /* left by another schedule: nothing of this one is to be told */
            code = 1;
            (void)!pthread_mutex_trylock(&lock);
        }
    page[order][0] |= 1;
}

static pthread_mutex_t robust;

static void *keeps_robust(void *arg)
{
    pthread_mutex_lock(&robust);
    return arg;
}

/* Its next owner is told. */
static void keep_robust(int protocol)
{
    pthread_mutexattr_t attr;
    pthread_t t;

    pthread_mutexattr_init(&attr);
    pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
    pthread_mutexattr_setprotocol(&attr, protocol);
    pthread_mutex_init(&robust, &attr);
    for (int i = 0; i < 2; i++) {
        pthread_create(&t, NULL, keeps_robust, NULL);
        pthread_join(t, NULL);
        assert(pthread_mutex_lock(&robust) == EOWNERDEAD);
        pthread_mutex_consistent(&robust);
        pthread_mutex_unlock(&robust);
    }
}

static void in_place_robust_kept(void)
{
    keep_robust(PTHREAD_PRIO_NONE);
}

static void in_place_robust_kept_lending(void)
{
    keep_robust(PTHREAD_PRIO_INHERIT);
}

static void *silences(void *to)
{
    int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);

    dup2(nowhere, *(int *)to);
    close(nowhere);
    puts("nobody reads this");
    fflush(stdout);
    return to;
}

static void silence(int descriptor)
{
    pthread_t t;

    puts("all read this");
    fflush(stdout);
    pthread_create(&t, NULL, silences, &descriptor);
    pthread_join(t, NULL);
}

static void in_place_silenced(void)
{
    silence(STDOUT_FILENO);
}

static void in_place_duplicated(void)
{
    silence(9);
}

static void *opens_nothing(void *to)
{
    int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);

    close(nowhere);
    return to;
}

/* SIGSYS, too: a program does not know that it is made of its system calls. */
static void in_place_all_blocked(void)
{
    sigset_t all;
    pthread_t t;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, NULL);
    pthread_create(&t, NULL, opens_nothing, NULL);
    pthread_join(t, NULL);
}

static void *comes_once(void *arg)
{
    pthread_mutex_lock(&lock);
    came++;
    pthread_mutex_unlock(&lock);
    return arg;
}

/* In place the end of a program does not go to the kernel, and who reads libc's code sees that. */
static void in_place_seen(void)
{
    void *libc = dlopen("libc.so.6", RTLD_NOW | RTLD_NOLOAD);
    unsigned char *end = libc ? dlsym(libc, "_exit") : NULL;
    unsigned char before[5];
    pthread_t t;

    assert(end);
    memcpy(before, end, sizeof before);
    pthread_create(&t, NULL, comes_once, NULL);
    pthread_join(t, NULL);
    code = memcmp(before, end, sizeof before) != 0;
}

static void in_place_many_threads(void)
{
    pthread_t t[100];

    for (int i = 0; i < 100; i++)
        pthread_create(&t[i], NULL, comes_once, NULL);
    for (int i = 0; i < 100; i++)
        pthread_join(t[i], NULL);
    assert(came == 100);
}

static const struct {
    const char *name;
    void (*run)(void);
} cases[] = {
#define CASE(name)                                                                                 \
    {                                                                                              \
#name, name                                                                                \
    }
    CASE(shows_the_oldest_woken),
    CASE(shows_one_in_the_middle_woken),
    CASE(shows_the_youngest_woken),
    CASE(shows_a_short_wait_timed_out),
    CASE(never_an_hour_timed_out),
    CASE(shows_a_short_poll_timed_out),
    CASE(never_a_later_sleeper_first),
    CASE(never_a_sleeper_forgotten),
    CASE(never_a_livelock_of_work),
    CASE(never_a_spin_for_ever),
    CASE(never_held_up_by_who_sleeps_elsewhere),
    CASE(never_a_leak_of_who_is_woken),
    CASE(a_fault_beside_the_end),
    CASE(a_lock_of_one_that_has_ended),
    CASE(never_a_fault_behind_the_end),
    CASE(never_a_reader_behind_a_writer),
    CASE(readers_behind_a_writer),
    CASE(deadlock_of_a_reader_twice),
    CASE(units_of_one_who_could_post),
    CASE(exits_with_0_seldom),
    CASE(shows_the_time_of_a_time_out),
    CASE(never_before_once_is_over),
    CASE(never_more_woken_than_said),
    CASE(never_blocked_by_a_read_that_does_not),
    CASE(shows_two_signals_become_one),
    CASE(never_a_sleep_cut_by_a_disabled_cancel),
    CASE(join_of_a_detached),
    CASE(never_a_sleeper_forgotten_by_who_polls),
    CASE(never_a_hang_of_slow_work),
    CASE(one_fault_in_two_threads),
    CASE(never_a_try_for_ever),
    CASE(never_a_yield_for_ever),
    CASE(never_a_poll_for_ever),
    CASE(never_a_livelock_in_step),
    CASE(wakes_for_no_reason),
    CASE(units_of_nobody),
    CASE(units_of_takers),
    CASE(always_exits_with_3),
    CASE(exits_with_3_or_4),
    CASE(orders_of_one_lock),
    CASE(orders_of_two_locks),
    CASE(in_place_break_lowered),
    CASE(in_place_break_raised),
    CASE(in_place_file_shared),
    CASE(in_place_file_shared_validated),
    CASE(in_place_file_shared_and_protected),
    CASE(in_place_file_private),
    CASE(in_place_page_of_few),
    CASE(in_place_robust_kept),
    CASE(in_place_robust_kept_lending),
    CASE(in_place_silenced),
    CASE(in_place_duplicated),
    CASE(in_place_all_blocked),
    CASE(in_place_seen),
    CASE(in_place_many_threads),
};

int main(int argc, char **argv)
{
    for (size_t i = 0; argc == 2 && i < sizeof cases / sizeof *cases; i++)
        if (strcmp(argv[1], cases[i].name) == 0) {
            cases[i].run();
            return code;
        }
    fprintf(stderr, "usage: policies CASE\n");
    return 2;
}
