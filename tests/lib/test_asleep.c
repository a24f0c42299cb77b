/* "All goroutines are asleep", natively: said of a program of which it is true, and of no other.
 *
 * What the library calls to count, to look and to sleep is slowed down here where that could do
 * harm, and time for its looks goes a hundred times as fast in the programs at the end: they are
 * all but asleep, each in another way. */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include <heddle/heddle.h>

#include "spawn_test.h"

#define MS HD_MILLISECOND
#define NEVER 0

/* ---- what is slow ---- */

static struct {
    useconds_t look, enter, take_out; /* always so much */
    unsigned chance;                  /* or everywhere up to 5 ms, each so many'th time */
    bool looks_often;
    bool kernel_agrees; /* with whatever it is asked of a thread: the count alone decides */
} slow;
static _Atomic uint32_t random_state;

static void delay(useconds_t us)
{
    uint32_t number = atomic_fetch_add(&random_state, 0x9e3779b9);

    number = (number ^ number >> 16) * 0x45d9f3b;
    number = (number ^ number >> 16) * 0x45d9f3b;
    if (us > 0)
        usleep(us);
    else if (slow.chance > 0 && (number >> 13) % slow.chance == 0)
        usleep((number >> 5) % 5000);
}

void __real_hdi_asleep_enter(void);
void __wrap_hdi_asleep_enter(void);
void __real_hdi_asleep_take_out(void);
void __wrap_hdi_asleep_take_out(void);

void __wrap_hdi_asleep_enter(void)
{
    delay(slow.enter);
    __real_hdi_asleep_enter();
    delay(0);
}

void __wrap_hdi_asleep_take_out(void)
{
    delay(slow.take_out);
    __real_hdi_asleep_take_out();
    delay(0);
}

static int wait_as_a_sleeper_does(void)
{
    static const char text[] = "202 0x0 0x89 0x3 0x0 0x0 0x1 0x0 0x0\n";
    int file = memfd_create("syscall", MFD_CLOEXEC);

    (void)!pwrite(file, text, sizeof text - 1, 0);
    return file;
}

int openat(int folder, const char *name, int flags, ...)
{
    static int (*real)(int, const char *, int, ...);
    int file;

    if (!real)
        *(void **)&real = dlsym(RTLD_NEXT, "openat");
    delay(slow.look);
    file = slow.kernel_agrees && strstr(name, "/syscall") ? wait_as_a_sleeper_does()
                                                          : real(folder, name, flags);
    delay(0);
    return file;
}

struct dirent *readdir(DIR *dir)
{
    static struct dirent *(*real)(DIR *);

    if (!real)
        *(void **)&real = dlsym(RTLD_NEXT, "readdir");
    delay(0);
    return real(dir);
}

long syscall(long number, ...)
{
    static long (*real)(long, ...);
    struct timespec soon;
    long a[6], result;
    va_list rest;

    if (!real)
        *(void **)&real = dlsym(RTLD_NEXT, "syscall");
    va_start(rest, number);
    for (int i = 0; i < 6; i++)
        a[i] = va_arg(rest, long);
    va_end(rest);
    if (number == SYS_futex)
        delay(0);
    if (number == SYS_futex && slow.looks_often && a[2] == 3 && a[5] == 1 && a[3]) {
        clock_gettime(CLOCK_MONOTONIC, &soon);
        soon.tv_nsec += 1000000;
        soon.tv_sec += soon.tv_nsec / 1000000000;
        soon.tv_nsec %= 1000000000;
        a[3] = (long)&soon;
    }
    result = real(number, a[0], a[1], a[2], a[3], a[4], a[5]);
    if (number == SYS_futex)
        delay(0);
    return result;
}

/* ---- children ---- */

/* With signals as a program has them and not as cmocka. */
static pid_t fork_child(void)
{
    pid_t child = fork();

    if (child != 0)
        return child;
    for (int number = 1; number < SIGRTMIN; number++)
        signal(number, SIG_DFL);
    alarm(60);
    close(STDERR_FILENO);
    return 0;
}

static int code_of(pid_t child)
{
    int status;

    if (waitpid(child, &status, 0) != child)
        return -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

static void expect_end(pid_t child, int code)
{
    assert_int_equal(code_of(child), code);
}

static void start_either(bool pinned, void (*fn)(void *arg), void *arg)
{
    hd_must(pinned ? hd_go_pinned(fn, arg) : hd_go(fn, arg));
}

/* ---- one at a time ---- */

/* A worker ends at a moment; then it, or whoever it wakes, is all that is awake. */
struct worker {
    useconds_t us;
    bool through_another;
    struct hd_chan *done, *other;
};

static void work(void *arg)
{
    const struct worker *w = arg;

    if (w->us == NEVER)
        hd_chan_recv(w->other, NULL);
    usleep(w->us);
    hd_chan_send(w->through_another ? w->other : w->done, NULL);
}

static void pass_on(void *arg)
{
    const struct worker *w = arg;

    hd_chan_recv(w->other, NULL);
    usleep(50000);
    hd_chan_send(w->done, NULL);
}

static pid_t begin(bool pinned, bool through_another, useconds_t us)
{
    pid_t child = fork_child();

    if (child == 0) {
        struct worker w = {us, through_another, hd_chan_make(0, 0), hd_chan_make(0, 0)};
        slow.look = 300000;
        if (through_another)
            start_either(pinned, pass_on, &w);
        start_either(pinned, work, &w);
        hd_chan_recv(w.done, NULL);
        _exit(7);
    }
    return child;
}

static void who_is_woken_while_one_looks_is_not_asleep(void **state)
{
    static const useconds_t us[] = {1200000, 1250000, 2500000};
    pid_t child[12];
    int n = 0;

    (void)state;
    for (int pinned = 0; pinned < 2; pinned++)
        for (int through = 0; through < 2; through++)
            for (int i = 0; i < 3; i++)
                child[n++] = begin(pinned, through, us[i]);
    while (n > 0)
        expect_end(child[--n], 7);
}

static void when_nobody_can_wake_anybody_the_program_ends(void **state)
{
    pid_t child[] = {begin(false, false, NEVER), begin(true, false, NEVER),
                     begin(false, true, NEVER), begin(true, true, NEVER)};

    (void)state;
    for (size_t i = 0; i < sizeof child / sizeof *child; i++)
        expect_end(child[i], 2);
}

static void send_twice(void *chan)
{
    usleep(100000);
    hd_chan_send(chan, NULL);
    hd_chan_send(chan, NULL);
}

/* Who sleeps looks at its word each second, also while its waker is slow: it does not count twice. */
static void a_slow_waker_is_awake(void **state)
{
    pid_t child[2];

    (void)state;
    for (int pinned = 0; pinned < 2; pinned++) {
        child[pinned] = fork_child();
        if (child[pinned] == 0) {
            struct hd_chan *chan = hd_chan_make(0, 0);
            slow.take_out = 5000000;
            slow.kernel_agrees = true;
            start_either(pinned, send_twice, chan);
            hd_chan_recv(chan, NULL);
            hd_chan_recv(chan, NULL);
            _exit(7);
        }
    }
    expect_end(child[0], 7);
    expect_end(child[1], 7);
}

static void wait_at(void *gate)
{
    hd_chan_recv(gate, NULL);
}

/* It wakes one that sleeps in its parent alone, and sleeps then. */
static void a_child_does_not_count_its_parents(void **state)
{
    struct hd_chan *gate = hd_chan_make(0, 0);
    pid_t child;

    (void)state;
    hd_must(hd_go_pinned(wait_at, gate));
    usleep(200000);
    child = fork_child();
    if (child == 0) {
        hd_chan_close(gate);
        hd_chan_recv(hd_chan_make(0, 0), NULL);
        _exit(7);
    }
    expect_end(child, 2);
    hd_chan_close(gate);
    hd_chan_unref(gate);
}

static void end_after_a_while(int number)
{
    (void)number;
    for (int i = 0; i < 40; i++)
        usleep(100000);
    _exit(7);
}

static void wait_interrupted(void *gate)
{
    sigset_t alarms;

    usleep(200000); /* the other sleeps by now, and looks */
    sigemptyset(&alarms);
    sigaddset(&alarms, SIGALRM);
    pthread_sigmask(SIG_UNBLOCK, &alarms, NULL);
    hd_chan_recv(gate, NULL);
}

/* It is installed no more once it runs. */
static void a_handler_that_runs_once_may_take_long(void **state)
{
    pid_t child = fork_child();

    (void)state;
    if (child == 0) {
        struct sigaction once = {.sa_flags = (int)SA_RESETHAND};
        struct hd_chan *gate = hd_chan_make(0, 0);
        sigset_t alarms;
        once.sa_handler = end_after_a_while;
        sigaction(SIGALRM, &once, NULL);
        sigemptyset(&alarms);
        sigaddset(&alarms, SIGALRM);
        pthread_sigmask(SIG_BLOCK, &alarms, NULL);
        hd_must(hd_go_pinned(wait_interrupted, gate));
        alarm(1);
        hd_chan_recv(gate, NULL);
        _exit(8);
    }
    expect_end(child, 7);
}

static void end_when_woken(void *chan)
{
    hd_chan_recv(chan, NULL);
}

static void wake_and_end(void *chan)
{
    usleep(400000);
    hd_chan_send(chan, NULL);
}

/* The one that slept first, and looked, has ended; those that sleep on say it all the same. */
static void another_looks_when_the_one_that_did_has_ended(void **state)
{
    pid_t child = fork_child();

    (void)state;
    if (child == 0) {
        struct hd_chan *chan = hd_chan_make(0, 0), *gate = hd_chan_make(0, 0);
        hd_must(hd_go_pinned(end_when_woken, chan));
        usleep(200000);
        hd_must(hd_go_pinned(wait_at, gate));
        hd_must(hd_go_pinned(wake_and_end, chan));
        hd_chan_recv(gate, NULL);
        _exit(7);
    }
    expect_end(child, 2);
}

/* A child has none of the threads that sleep in its parent. */
static void a_child_counts_its_own(void **state)
{
    struct hd_chan *gate = hd_chan_make(0, 0);
    pid_t child[6];

    (void)state;
    for (int i = 0; i < 3; i++) {
        assert_null(hd_go_pinned(wait_at, gate));
        usleep(50000);
        child[i] = begin(true, false, 3000000);
        child[3 + i] = begin(true, false, NEVER);
    }
    for (int i = 0; i < 3; i++) {
        expect_end(child[i], 7);
        expect_end(child[3 + i], 2);
    }
    hd_chan_close(gate);
    usleep(50000);
    hd_chan_unref(gate);
}

static void sleep_often(void *arg)
{
    struct hd_chan **c = arg;

    for (int i = 0; i < 2000; i++) {
        hd_chan_recv(c[0], NULL);
        hd_chan_send(c[1], NULL);
    }
}

/* Sleeps that end are counted as ended, however they were let go: else a later verdict would never come. */
static void the_count_is_right_after_many_wakes(void **state)
{
    pid_t child = fork_child();

    (void)state;
    if (child == 0) {
        struct hd_chan *c[2] = {hd_chan_make(0, 0), hd_chan_make(0, 0)};
        struct hd_chan *gate = hd_chan_make(0, 0);
        hd_must(hd_go(sleep_often, c));
        for (int i = 0; i < 2000; i++) {
            if (i % 100 == 0)
                usleep(1000); /* so that the other sleeps */
            hd_chan_send(c[0], NULL);
            hd_chan_recv(c[1], NULL);
        }
        hd_must(hd_go(wait_at, gate));
        hd_chan_recv(gate, NULL);
        _exit(7);
    }
    expect_end(child, 2);
}

/* ---- all but asleep ---- */

static struct hd_chan *done, *sleeping;

static void a_while(void)
{
    usleep(atomic_fetch_add(&random_state, 0x85ebca6b) >> 16 & 0x7fff);
}

static void close_done(void *arg)
{
    (void)arg;
    hd_chan_close(done);
}

static void by_a_timer(bool pinned)
{
    (void)pinned;
    hd_timer_forget(hd_after_func(20 * MS, close_done, NULL));
    hd_chan_recv(done, NULL);
}

static void by_a_deadline(bool pinned)
{
    struct hd_context *ctx = hd_context_with_timeout(hd_context_background(), 20 * MS);

    (void)pinned;
    hd_chan_recv(hd_context_done(ctx), NULL);
}

static void time_out_and_close(void *arg)
{
    (void)arg;
    for (int i = 0; i < 10; i++)
        HD_SELECT_TIMEOUT(2 * MS, HD_RECV(sleeping, NULL));
    hd_chan_close(done);
}

static void by_waits_with_an_end(bool pinned)
{
    start_either(pinned, time_out_and_close, NULL);
    hd_chan_recv(done, NULL);
}

static sem_t posted;

static void post(int number)
{
    (void)number;
    sem_post(&posted);
}

static void *close_when_posted(void *arg)
{
    while (sem_wait(&posted) != 0)
        ;
    hd_chan_close(done);
    return arg;
}

static void plain_thread(void *(*fn)(void *), void *arg)
{
    pthread_t thread;

    if (pthread_create(&thread, NULL, fn, arg) != 0)
        _exit(99);
    pthread_detach(thread);
}

static void by_a_handler(bool pinned)
{
    const struct itimerval soon = {.it_value = {0, 20000}};
    struct sigaction act = {.sa_flags = pinned ? (int)SA_RESETHAND : 0};

    act.sa_handler = post;
    sigaction(SIGALRM, &act, NULL);
    sem_init(&posted, 0, 0);
    plain_thread(close_when_posted, NULL);
    setitimer(ITIMER_REAL, &soon, NULL);
    hd_chan_recv(done, NULL);
}

static void end_well(int number)
{
    (void)number;
    _exit(7);
}

static void by_a_handler_alone(bool pinned)
{
    const struct itimerval soon = {.it_value = {0, 20000}};

    start_either(pinned, wait_at, sleeping);
    signal(SIGALRM, end_well);
    setitimer(ITIMER_REAL, &soon, NULL);
    hd_chan_recv(done, NULL);
}

static void by_a_notify(bool pinned)
{
    const struct itimerval soon = {.it_value = {0, 20000}};
    const int number = SIGALRM;
    struct hd_notify *notify;

    (void)pinned;
    hd_must(hd_notify_start(&notify, hd_context_background(), &number, 1));
    setitimer(ITIMER_REAL, &soon, NULL);
    hd_chan_recv(hd_context_done(hd_notify_context(notify)), NULL);
}

/* Each makes the next and ends; the last closes. */
static void *plain_chain(void *left)
{
    a_while();
    if (left)
        plain_thread(plain_chain, (char *)left - 1);
    else
        hd_chan_close(done);
    return NULL;
}

static void by_a_plain_thread(bool pinned)
{
    (void)pinned;
    plain_thread(plain_chain, (void *)4);
    hd_chan_recv(done, NULL);
}

static void *send_and_end(void *chan)
{
    a_while();
    hd_chan_send(chan, NULL);
    return NULL;
}

static void close_later(void *chan)
{
    hd_chan_recv(chan, NULL);
    a_while();
    hd_chan_close(done);
}

/* It has ended when the one that it woke has not yet run. */
static void by_a_thread_that_ends_at_once(bool pinned)
{
    struct hd_chan *chan = hd_chan_make(0, 0);

    start_either(pinned, close_later, chan);
    plain_thread(send_and_end, chan);
    hd_chan_recv(done, NULL);
}

static void *end_soon(void *arg)
{
    return arg;
}

static void *make_many(void *arg)
{
    for (int i = 0; i < 100; i++) {
        plain_thread(end_soon, NULL);
        if (i % 16 == 0)
            usleep(1000);
    }
    hd_chan_close(done);
    return arg;
}

static void beside_threads_that_come_and_go(bool pinned)
{
    (void)pinned;
    plain_thread(make_many, NULL);
    hd_chan_recv(done, NULL);
}

static void close_at_the_end(void *arg)
{
    (void)arg;
    a_while();
    hd_chan_close(done);
}

static void *set_key(void *key)
{
    pthread_setspecific(*(pthread_key_t *)key, key);
    return NULL;
}

static void by_a_destructor(bool pinned)
{
    static pthread_key_t key;

    (void)pinned;
    pthread_key_create(&key, close_at_the_end);
    plain_thread(set_key, &key);
    hd_chan_recv(done, NULL);
}

static void read_and_close(void *ends)
{
    char byte;

    (void)!hd_read(*(int *)ends, &byte, 1);
    hd_chan_close(done);
}

static void by_a_descriptor(bool pinned)
{
    static int ends[2];
    pid_t writer;

    if (pipe(ends) != 0 || (writer = fork()) < 0)
        _exit(99);
    if (writer == 0) {
        a_while();
        (void)!write(ends[1], "x", 1);
        _exit(0);
    }
    start_either(pinned, read_and_close, ends);
    hd_chan_recv(done, NULL);
    waitpid(writer, NULL, 0);
}

static bool pin_all;

/* Nobody is awake but the one that is being made, or makes it. */
static void chain(void *left)
{
    if (left)
        start_either(pin_all, chain, (char *)left - 1);
    else
        hd_chan_close(done);
}

static void by_one_that_is_being_made(bool pinned)
{
    pin_all = pinned;
    start_either(pinned, chain, (void *)30);
    hd_chan_recv(done, NULL);
}

static struct hd_chan *ring[8];

static void pass(void *arg)
{
    intptr_t at = (intptr_t)arg;
    int token;

    while (hd_chan_recv(ring[at], &token) && token > 0) {
        if (token % 8 == 3)
            a_while();
        token--;
        hd_chan_send(ring[(at + 1) % 8], &token);
    }
    hd_chan_close(done);
}

static void from_hand_to_hand(bool pinned)
{
    int token = 60;

    for (int i = 0; i < 8; i++)
        ring[i] = hd_chan_make(sizeof token, 0);
    for (intptr_t i = 0; i < 8; i++)
        start_either(pinned && i % 2 == 0, pass, (void *)i);
    hd_chan_send(ring[0], &token);
    hd_chan_recv(done, NULL);
}

static struct hd_mutex mutex;
static struct hd_cond cond;
static struct hd_wg group;
static bool set;

static void set_it(void *arg)
{
    (void)arg;
    hd_mutex_lock(&mutex);
    a_while();
    set = true;
    hd_cond_signal(&cond);
    a_while();
    hd_mutex_unlock(&mutex);
    a_while();
    hd_wg_done(&group);
}

static void by_lock_condition_and_group(bool pinned)
{
    hd_mutex_init(&mutex, "mutex");
    hd_cond_init(&cond, &mutex, "cond");
    hd_wg_add(&group, 1);
    hd_mutex_lock(&mutex);
    start_either(pinned, set_it, NULL);
    while (!set)
        hd_cond_wait(&cond);
    hd_mutex_unlock(&mutex);
    hd_wg_wait(&group);
}

static void take_long(void *arg)
{
    (void)arg;
    a_while();
    hd_chan_close(done);
}

static void call_blocking(void *arg)
{
    hd_blocking(take_long, arg);
}

static void by_one_in_a_long_call(bool pinned)
{
    start_either(pinned, call_blocking, NULL);
    hd_chan_recv(done, NULL);
}

static void (*const programs[])(bool pinned) = {
    by_a_timer,
    by_a_deadline,
    by_waits_with_an_end,
    by_a_handler,
    by_a_handler_alone,
    by_a_notify,
    by_a_plain_thread,
    by_a_thread_that_ends_at_once,
    beside_threads_that_come_and_go,
    by_a_destructor,
    by_a_descriptor,
    by_one_that_is_being_made,
    from_hand_to_hand,
    by_lock_condition_and_group,
    by_one_in_a_long_call,
};
#define PROGRAMS (sizeof programs / sizeof *programs)

/* Run number `run`; ends with 7, or asleep with 2. Some have others that sleep all the while. */
static pid_t all_but_asleep(unsigned run)
{
    pid_t child = fork_child();

    if (child == 0) {
        bool pinned = run / PROGRAMS % 2;
        atomic_store(&random_state, run * 2654435761u);
        slow.chance = 3 + run / 7 % 5;
        slow.looks_often = true;
        slow.kernel_agrees = run / 3 % 3 != 0;
        done = hd_chan_make(0, 0);
        sleeping = hd_chan_make(0, 0);
        for (unsigned i = 0; i < run / 5 % 3; i++)
            start_either(i == 0, wait_at, sleeping);
        programs[run % PROGRAMS](pinned);
        _exit(7);
    }
    return child;
}

static unsigned runs = 150, first_run;

static void who_is_all_but_asleep_lives(void **state)
{
    enum { AT_ONCE = 4 };
    pid_t child[AT_ONCE];
    unsigned wrong = 0;

    (void)state;
    for (unsigned i = 0; i < runs + AT_ONCE; i++) {
        int code = i < AT_ONCE ? 7 : code_of(child[i % AT_ONCE]);
        if (code != 7) {
            print_error("run %u, program %u: ended with %d\n", first_run + i - AT_ONCE,
                        (unsigned)((first_run + i - AT_ONCE) % PROGRAMS), code);
            wrong++;
        }
        if (i < runs)
            child[i % AT_ONCE] = all_but_asleep(first_run + i);
    }
    assert_int_equal(wrong, 0);
}

static pthread_key_t at_the_end_of_a_thread;

static void hold_a_thread(void *arg)
{
    pthread_setspecific(at_the_end_of_a_thread, arg);
    usleep(100000);
}

static void close_once(void *arg)
{
    static atomic_flag closed = ATOMIC_FLAG_INIT;

    (void)arg;
    if (!atomic_flag_test_and_set(&closed))
        hd_chan_close(done);
}

/* Threads that carry goroutines end when they are not needed, and then run destructors. */
static void a_destructor_may_wake_others(void **state)
{
    pid_t child = fork_child();

    (void)state;
    if (child == 0) {
        slow.looks_often = slow.kernel_agrees = true;
        done = hd_chan_make(0, 0);
        pthread_key_create(&at_the_end_of_a_thread, close_once);
        for (int i = 0; i < 8; i++)
            hd_must(hd_go(hold_a_thread, done));
        hd_chan_recv(done, NULL);
        _exit(7);
    }
    expect_end(child, 7);
}

/* And the same slow, often looking library says it where it is true. */
static void who_is_asleep_does_not(void **state)
{
    (void)state;
    for (unsigned run = 0; run < 8; run++) {
        pid_t child = fork_child();
        if (child == 0) {
            atomic_store(&random_state, run * 2654435761u);
            slow.chance = 3;
            slow.looks_often = true;
            slow.kernel_agrees = run % 4 < 2;
            sleeping = hd_chan_make(0, 0);
            start_either(run % 2, wait_at, sleeping);
            hd_chan_recv(sleeping, NULL);
            _exit(7);
        }
        expect_end(child, 2);
    }
}

/* All at once, each in a process of its own: what they do most is wait. For more runs than the usual
 * ones of those that are all but asleep: their number, and the first. */
int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_is_woken_while_one_looks_is_not_asleep),
        cmocka_unit_test(a_child_does_not_count_its_parents),
        cmocka_unit_test(when_nobody_can_wake_anybody_the_program_ends),
        cmocka_unit_test(a_slow_waker_is_awake),
        cmocka_unit_test(a_handler_that_runs_once_may_take_long),
        cmocka_unit_test(another_looks_when_the_one_that_did_has_ended),
        cmocka_unit_test(a_child_counts_its_own),
        cmocka_unit_test(the_count_is_right_after_many_wakes),
        cmocka_unit_test(who_is_all_but_asleep_lives),
        cmocka_unit_test(a_destructor_may_wake_others),
        cmocka_unit_test(who_is_asleep_does_not),
    };
    pid_t child[sizeof tests / sizeof *tests];
    int failed = 0;

    if (argc > 1) {
        runs = (unsigned)atoi(argv[1]);
        first_run = argc > 2 ? (unsigned)atoi(argv[2]) : 0;
        cmocka_set_test_filter("who_is_all_but_asleep_lives");
        return cmocka_run_group_tests(tests, NULL, NULL);
    }
    for (size_t i = 0; i < sizeof tests / sizeof *tests; i++) {
        child[i] = fork();
        if (child[i] == 0) {
            cmocka_set_test_filter(tests[i].name);
            exit(cmocka_run_group_tests(tests, NULL, NULL));
        }
    }
    for (size_t i = 0; i < sizeof tests / sizeof *tests; i++)
        failed |= code_of(child[i]) != 0;
    return failed;
}
