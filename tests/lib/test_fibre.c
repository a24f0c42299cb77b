/* Goroutines as fibres (HEDDLE_LIB=fibres): what they share with threads, and what not. */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include <heddle/heddle.h>

#include "fibre_stack.h"
#include "panics.h"
#include "parking_lot.h"
#include "spawn_test.h"

#define MS HD_MILLISECOND

static struct hd_atomic_int32 count;

/* A child that ends, with signals as a program has them and not as cmocka. */
static pid_t fork_child(void)
{
    pid_t child = fork();

    if (child != 0)
        return child;
    for (int number = 1; number < SIGRTMIN; number++)
        signal(number, SIG_DFL);
    alarm(60);
    return 0;
}

static void wait_at(void *gate)
{
    hd_chan_recv(gate, NULL);
    hd_int32_add(&count, 1);
}

static bool older_kernel; /* without guard regions */

int madvise(void *memory, size_t bytes, int advice)
{
    static int (*real)(void *, size_t, int);

    if (!real)
        *(void **)&real = dlsym(RTLD_NEXT, "madvise");
    if (older_kernel && advice == 102) {
        errno = EINVAL;
        return -1;
    }
    return real(memory, bytes, advice);
}

static bool has_guard_regions(void)
{
    long page = sysconf(_SC_PAGESIZE);
    void *memory =
        mmap(NULL, (size_t)page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    bool has = madvise(memory, (size_t)page, 102) == 0;

    munmap(memory, (size_t)page);
    return has;
}

/* More than there can be threads. */
static void forty_thousand_are_alive(void **state)
{
    struct hd_chan *gate = hd_chan_make(0, 0);
    struct hd_wg wg = HD_WG_INIT;

    (void)state;
    if (!has_guard_regions()) {
        print_message("SKIPPED: this kernel has no guard regions (Linux 6.13)\n");
        skip();
    }
    hd_int32_store(&count, 0);
    for (int i = 0; i < 40000; i++)
        start_in(&wg, wait_at, gate);
    assert_true(hd_go_count() >= 40000);
    hd_chan_close(gate);
    hd_wg_wait(&wg);
    assert_int_equal(hd_int32_load(&count), 40000);
    hd_chan_unref(gate);
}

static void count_one(void *arg)
{
    (void)arg;
    hd_int32_add(&count, 1);
}

static void start_two_thousand(void *wg)
{
    for (int i = 0; i < 2000; i++)
        hd_must(hd_wg_go(wg, count_one, NULL));
}

/* More than a worker's own ring holds. */
static void one_starts_many(void **state)
{
    struct hd_wg wg = HD_WG_INIT;

    (void)state;
    hd_int32_store(&count, 0);
    for (int i = 0; i < 20; i++)
        start_in(&wg, start_two_thousand, &wg);
    hd_wg_wait(&wg);
    assert_int_equal(hd_int32_load(&count), 40000);
}

static void count_pages(long *mapped, long *resident)
{
    FILE *file = fopen("/proc/self/statm", "r");

    if (!file || fscanf(file, "%ld %ld", mapped, resident) != 2)
        _exit(7);
    fclose(file);
}

static long pages_now(void)
{
    long mapped, resident;

    count_pages(&mapped, &resident);
    return mapped;
}

static long resident_now(void)
{
    long mapped, resident;

    count_pages(&mapped, &resident);
    return resident;
}

/* Deep in its stack, then at rest. */
static void use_memory(void *gate)
{
    volatile char much[40 << 10];

    for (size_t i = 0; i < sizeof much; i += 1024)
        much[i] = 1;
    hd_int32_add(&count, 1);
    hd_chan_recv(gate, NULL);
}

static void free_stacks_give_their_memory_back(void **state)
{
    const long most = 3000 * 10 * 2 / 3;
    struct hd_chan *gate = hd_chan_make(0, 0);
    struct hd_wg wg = HD_WG_INIT;
    long before = resident_now(), used;

    (void)state;
    hd_int32_store(&count, 0);
    for (int i = 0; i < 3000; i++)
        start_in(&wg, use_memory, gate);
    while (hd_int32_load(&count) < 3000)
        hd_sleep(HD_MILLISECOND);
    used = resident_now() - before;
    hd_chan_close(gate);
    hd_wg_wait(&wg);
    assert_true(used > most);
    for (int i = 0; resident_now() - before > most && i < 600; i++)
        hd_sleep(100 * HD_MILLISECOND);
    assert_true(resident_now() - before <= most);
    hd_chan_unref(gate);
}

/* While no more can be started, asking for more takes no memory. */
static void be_refused_often(void)
{
    long before = pages_now();

    for (int i = 0; i < 2000; i++)
        if (hd_go(wait_at, NULL) != hd_out_of_threads)
            _exit(8);
    if (pages_now() - before > 1000)
        _exit(9);
}

/* How many were started before one was not; all have ended when it returns. */
static int start_until_refused(int most)
{
    struct hd_chan *gate = hd_chan_make(0, 0);
    struct hd_wg wg = HD_WG_INIT;
    hd_err err = NULL;
    int started = 0;

    hd_int32_store(&count, 0);
    while (started < most && !(err = hd_wg_go(&wg, wait_at, gate)))
        started++;
    if (err && err != hd_out_of_threads)
        _exit(2);
    for (int i = 0; i < 1000; i++) /* the program still has mappings; no two are merged */
        if (mmap(NULL, 4096, i % 2 ? PROT_READ : PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) ==
            MAP_FAILED)
            _exit(4);
    if (err)
        be_refused_often();
    hd_chan_close(gate);
    hd_wg_wait(&wg);
    hd_chan_unref(gate);
    return hd_int32_load(&count) == started ? started : -1;
}

/* Each guard is a mapping there, and when they run out that is an error and no end of the program. */
static void an_older_kernel_has_fewer(void **state)
{
    pid_t child = fork_child();
    int status;

    (void)state;
    if (child == 0) {
        int first;
        older_kernel = true;
        first = start_until_refused(1000000);
        if (first < 5000 || first >= 1000000)
            _exit(3);
        first -= 1000; /* workers keep some free stacks at hand */
        _exit(start_until_refused(first) == first ? 0 : 5);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static bool is_unreadable_mapping(const unsigned char *low)
{
    FILE *maps = fopen("/proc/self/maps", "re");
    unsigned long from;
    char line[512], rights[5];
    bool found = false;

    assert_non_null(maps);
    while (!found && fgets(line, sizeof line, maps))
        found = sscanf(line, "%lx-%*x %4s", &from, rights) == 2 && from == (unsigned long)low &&
                rights[0] == '-';
    fclose(maps);
    return found;
}

/* gcore leaves out what lies behind another guard: those of stacks that are free again do not count. */
static void guards_of_few_stacks_are_mappings(void **state)
{
    struct hdi_stack stack;

    (void)state;
    for (int i = 0; i < 3000; i++) {
        assert_true(hdi_stack_get(&stack, 1000000, false, NULL));
        assert_true(is_unreadable_mapping(stack.low));
        hdi_stack_put(stack, NULL);
    }
}

/* Out of line: a function may keep the address of errno across a switch. */
static __attribute__((noinline)) int my_errno(void)
{
    __asm__ volatile("" ::: "memory");
    return errno;
}

static __attribute__((noinline)) void set_errno(int number)
{
    __asm__ volatile("" ::: "memory");
    errno = number;
}

static void keep_errno(void *arg)
{
    int mine = (int)(intptr_t)arg;

    for (int i = 0; i < 100; i++) {
        set_errno(mine);
        hd_go_yield();
        assert_int_equal(my_errno(), mine);
        if (i % 10 == 0)
            hd_sleep(MS / 10);
        assert_int_equal(my_errno(), mine);
    }
}

static void errno_is_a_goroutines_own(void **state)
{
    struct hd_wg wg = HD_WG_INIT;

    (void)state;
    for (intptr_t i = 1; i <= 20; i++)
        start_in(&wg, keep_errno, (void *)i);
    hd_wg_wait(&wg);
}

static void sit_in_the_kernel(void *gate)
{
    const struct timespec nap = {0, 300000000};

    nanosleep(&nap, NULL);
    hd_chan_close(gate);
}

static void sit_in_the_kernel_and_say_so(void *gate)
{
    hd_blocking(sit_in_the_kernel, gate);
}

/* Whoever started its worker. */
static void wait_at_with_signals(void *gate)
{
    sigset_t blocked;

    hd_chan_recv(gate, NULL);
    assert_int_equal(pthread_sigmask(SIG_BLOCK, NULL, &blocked), 0);
    assert_false(sigismember(&blocked, SIGUSR1));
    hd_int32_add(&count, 1);
}

/* Each of these keeps a worker; the others go on on workers that the monitor starts. */
static void system_calls_do_not_stop_the_others(void **state)
{
    enum { SITTING = 8 };
    struct hd_chan *gate[SITTING], *c = hd_chan_make(0, 0);
    struct hd_wg wg = HD_WG_INIT;
    int64_t before = hd_now();

    (void)state;
    for (int i = 0; i < SITTING; i++) {
        gate[i] = hd_chan_make(0, 0);
        start_in(&wg, i % 2 ? sit_in_the_kernel : sit_in_the_kernel_and_say_so, gate[i]);
    }
    hd_int32_store(&count, 0);
    for (int i = 0; i < 100; i++)
        start_in(&wg, wait_at_with_signals, c);
    for (int i = 0; i < 100; i++)
        hd_chan_send(c, NULL);
    for (int i = 0; i < SITTING; i++)
        hd_chan_recv(gate[i], NULL);
    hd_wg_wait(&wg);
    assert_int_equal(hd_int32_load(&count), 100);
    assert_true(hd_now() - before < 20 * HD_SECOND); /* not one after the other for ever */
    for (int i = 0; i < SITTING; i++)
        hd_chan_unref(gate[i]);
    hd_chan_unref(c);
}

static _Thread_local int of_thread;

static void stay_at_home(void *arg)
{
    of_thread = 7;
    for (int i = 0; i < 50; i++) {
        hd_sleep(MS / 10);
        hd_go_yield();
        assert_int_equal(of_thread, 7);
    }
    hd_wg_done(arg);
}

static void a_pinned_one_stays_in_its_thread(void **state)
{
    struct hd_wg wg = HD_WG_INIT;

    (void)state;
    hd_wg_add(&wg, 3);
    for (int i = 0; i < 3; i++)
        assert_null(hd_go_pinned(stay_at_home, &wg));
    hd_wg_wait(&wg);
}

static void time_out_and_meet(void *chan)
{
    int value;

    for (int i = 0; i < 200; i++)
        HD_SELECT_TIMEOUT(MS / 20, HD_RECV(chan, &value));
}

static void timeouts_race_with_wakers(void **state)
{
    struct hd_chan *c = hd_chan_make(sizeof(int), 0);
    struct hd_wg wg = HD_WG_INIT;

    (void)state;
    for (int i = 0; i < 8; i++)
        start_in(&wg, time_out_and_meet, c);
    for (int i = 0; i < 400; i++) {
        hd_chan_offer(c, &i);
        if (i % 4 == 0)
            hd_sleep(MS / 20);
    }
    hd_wg_wait(&wg);
    hd_chan_unref(c);
}

static void compute(void *arg)
{
    volatile unsigned *sum = arg;

    for (unsigned i = 0; i < 200u * 1000 * 1000; i++)
        *sum += i;
}

static void computing_does_not_stop_the_others(void **state)
{
    enum { BUSY = 4 };
    unsigned sums[BUSY];
    struct hd_chan *c = hd_chan_make(0, 0);
    struct hd_wg wg = HD_WG_INIT;

    (void)state;
    for (int i = 0; i < BUSY; i++)
        start_in(&wg, compute, &sums[i]);
    hd_int32_store(&count, 0);
    for (int i = 0; i < 10; i++)
        start_in(&wg, wait_at, c);
    for (int i = 0; i < 10; i++)
        hd_chan_send(c, NULL);
    hd_wg_wait(&wg);
    assert_int_equal(hd_int32_load(&count), 10);
    hd_chan_unref(c);
}

static int dive(int depth)
{
    volatile char frame[1000];

    memset((char *)frame, depth, sizeof frame);
    return depth == 0 ? frame[1] : dive(depth - 1) + frame[0];
}

static void dive_deep(void *arg)
{
    *(int *)arg = dive(10000);
}

/* In a child, whose standard error comes back. */
static void overflow_in(void (*start_it)(int *result), char *text, size_t bytes, int *status)
{
    int ends[2], result = 0;
    size_t got = 0;
    ssize_t n;
    pid_t child;

    assert_int_equal(pipe(ends), 0);
    child = fork_child();
    if (child == 0) {
        dup2(ends[1], STDERR_FILENO);
        start_it(&result);
        hd_sleep(10 * HD_SECOND);
        _exit(0);
    }
    close(ends[1]);
    while (got + 1 < bytes && (n = read(ends[0], text + got, bytes - 1 - got)) > 0)
        got += (size_t)n;
    text[got] = 0;
    close(ends[0]);
    assert_int_equal(waitpid(child, status, 0), child);
}

static void as_fibre(int *result)
{
    hd_must(hd_go_named("diver", dive_deep, result));
}

static void as_fibre_of_an_older_kernel(int *result)
{
    older_kernel = true;
    as_fibre(result);
}

static void as_thread(int *result)
{
    hd_must(hd_go_pinned(dive_deep, result));
}

static void an_overflow_is_said_as_such(void **state)
{
    char text[500];
    int status;

    (void)state;
    overflow_in(as_fibre, text, sizeof text, &status);
    assert_true(WIFSIGNALED(status));
    assert_non_null(strstr(text, "stack overflow: goroutine diver needs more than the 256 KiB"));
    overflow_in(as_fibre_of_an_older_kernel, text, sizeof text, &status);
    assert_true(WIFSIGNALED(status));
    assert_non_null(strstr(text, "stack overflow: goroutine diver needs more than the 256 KiB"));
    overflow_in(as_thread, text, sizeof text, &status);
    assert_true(WIFSIGNALED(status));
    assert_non_null(strstr(text, "stack overflow: goroutine g"));
}

static void wait_for_ever(void *chan)
{
    hd_chan_recv(chan, NULL);
}

/* Exit code and what a child says in which all wait: fibres, or threads; with a timer, until it fires. */
static int child_that_waits(bool pinned, bool timer)
{
    int status;
    pid_t child = fork_child();

    if (child == 0) {
        struct hd_chan *chan = hd_chan_make(0, 0);
        close(STDERR_FILENO);
        if (timer)
            hd_timer_forget(
                hd_after_func(2500 * MS, (void (*)(void *))(void (*)(void))hd_chan_close, chan));
        for (int i = 0; i < 3; i++)
            hd_must(pinned ? hd_go_pinned(wait_for_ever, chan) : hd_go(wait_for_ever, chan));
        hd_chan_recv(chan, NULL);
        _exit(7);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void when_all_are_asleep_the_program_ends(void **state)
{
    (void)state;
    assert_int_equal(child_that_waits(false, false), 2);
    assert_int_equal(child_that_waits(true, false), 2);
    assert_int_equal(child_that_waits(false, true), 7);
    assert_int_equal(child_that_waits(true, true), 7);
}

static void a_larger_stack_holds(void **state)
{
    struct hd_wg wg = HD_WG_INIT;
    int result = 0;

    (void)state;
    assert_null(hd_go_set_stack((size_t)16 << 20));
    start_in(&wg, dive_deep, &result);
    hd_wg_wait(&wg);
    assert_null(hd_go_set_stack(0));
}

static void a_child_can_start_its_own(void **state)
{
    int status;
    pid_t child;

    (void)state;
    child = fork_child();
    if (child == 0) {
        struct hd_chan *gate = hd_chan_make(0, 0);
        struct hd_wg wg = HD_WG_INIT;
        for (int i = 0; i < 100; i++)
            hd_must(hd_wg_go(&wg, wait_at, gate));
        hd_chan_close(gate);
        hd_wg_wait(&wg);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static void sleep_and_count(void *arg)
{
    (void)arg;
    hd_sleep(200 * MS);
    hd_int32_add(&count, 1);
}

static void lock_and_count(void *mutex)
{
    hd_mutex_lock(mutex);
    hd_int32_add(&count, 1);
    hd_mutex_unlock(mutex);
}

static void sleep_longer(void *arg)
{
    (void)arg;
    hd_sleep(400 * MS);
}

/* In channels, in lines, among the timers: none of them runs again in a child. */
static void who_sleeps_at_a_fork_runs_only_in_the_parent(void **state)
{
    struct hd_chan *gate = hd_chan_make(0, 0);
    struct hd_mutex mutex = HD_MUTEX_INIT;
    struct hd_wg wg = HD_WG_INIT;
    int status;
    pid_t child;

    (void)state;
    hd_int32_store(&count, 0);
    hd_mutex_lock(&mutex);
    for (int i = 0; i < 5; i++) {
        start_in(&wg, wait_at, gate);
        start_in(&wg, sleep_and_count, NULL);
        start_in(&wg, lock_and_count, &mutex);
    }
    hd_sleep(50 * MS);
    child = fork_child();
    if (child == 0) {
        struct hd_wg own = HD_WG_INIT;
        hd_chan_close(gate);
        hd_mutex_unlock(&mutex);
        hd_must(hd_wg_go(&own, sleep_longer, NULL));
        hd_wg_wait(&own);
        for (int i = 0; i < 5000 && hd_go_count() > 0; i++)
            usleep(1000);
        if (hd_int32_load(&count) > 0)
            _exit(3);
        _exit(hd_go_count() == 0 ? 0 : 4);
    }
    hd_chan_close(gate);
    hd_mutex_unlock(&mutex);
    hd_wg_wait(&wg);
    assert_int_equal(hd_int32_load(&count), 15);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    hd_chan_unref(gate);
}

static void fork_in_the_middle(void *arg)
{
    int *status = arg;
    pid_t child = fork_child();

    if (child == 0) {
        struct hd_wg own = HD_WG_INIT;
        hd_must(hd_wg_go(&own, sleep_longer, NULL));
        hd_wg_wait(&own);
        hd_sleep(MS);
        hd_go_yield();
        _exit(0);
    }
    waitpid(child, status, 0);
}

static void who_forks_goes_on_in_the_child(void **state)
{
    struct hd_wg wg = HD_WG_INIT;
    int status = -1;

    (void)state;
    start_in(&wg, fork_in_the_middle, &status);
    hd_wg_wait(&wg);
    assert_int_equal(status, 0);
}

static struct hd_atomic_int32 enough;

static void nothing(void *arg)
{
    (void)arg;
}

static void start_and_end(void *arg)
{
    while (!hd_int32_load(&enough)) {
        struct hd_wg wg = HD_WG_INIT;
        for (int i = 0; i < 50; i++)
            hd_must(hd_wg_go(&wg, nothing, arg));
        hd_wg_wait(&wg);
    }
}

/* Whoever holds what they share when the program forks is not there in the child. */
static void a_child_forked_beside_starts_can_start_its_own(void **state)
{
    struct hd_wg starters = HD_WG_INIT;
    int status = 0, forks = 0;

    (void)state;
    hd_int32_store(&enough, 0);
    for (int i = 0; i < 3; i++)
        start_in(&starters, start_and_end, NULL);
    while (status == 0 && forks++ < 400) {
        pid_t child = fork_child();
        if (child == 0) {
            struct hd_wg wg = HD_WG_INIT;
            for (int i = 0; i < 100; i++)
                hd_must(hd_wg_go(&wg, nothing, NULL));
            hd_wg_wait(&wg);
            _exit(0);
        }
        assert_int_equal(waitpid(child, &status, 0), child);
    }
    hd_int32_store(&enough, 1);
    hd_wg_wait(&starters);
    assert_int_equal(status, 0);
}

static void a_line_that_was_locked_at_a_fork_is_free_in_the_child(void **state)
{
    struct hdi_lot *lot = hdi_lot_lock(state);
    pid_t child = fork_child();
    int status;

    if (child == 0) {
        hdi_lot_unlock(hdi_lot_lock(state));
        _exit(0);
    }
    hdi_lot_unlock(lot);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

struct reader {
    int ends[2];
    char got;
};

static void read_one(void *arg)
{
    struct reader *reader = arg;

    if (hd_read(reader->ends[0], &reader->got, 1) != 1)
        _exit(5);
}

/* Not the one of its parent, where another waits all the while. */
static void a_child_has_a_poller_of_its_own(void **state)
{
    struct reader of_parent = {.got = 0}, reader = {.got = 0};
    struct hd_wg wg = HD_WG_INIT;
    pid_t child;
    int status;

    (void)state;
    assert_int_equal(pipe(of_parent.ends), 0);
    start_in(&wg, read_one, &of_parent);
    hd_sleep(20 * MS);
    child = fork_child();
    if (child == 0) {
        struct hd_wg own = HD_WG_INIT;
        if (pipe(reader.ends) != 0 || hd_wg_go(&own, read_one, &reader))
            _exit(2);
        usleep(50000);
        if (write(reader.ends[1], "x", 1) != 1)
            _exit(3);
        hd_wg_wait(&own);
        _exit(reader.got == 'x' ? 0 : 4);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_int_equal(write(of_parent.ends[1], "y", 1), 1);
    hd_wg_wait(&wg);
    assert_int_equal(of_parent.got, 'y');
    close(of_parent.ends[0]);
    close(of_parent.ends[1]);
}

/* ---- what the kernel does seldom ---- */

static struct hd_atomic_int32 interruptions, reads, refusing, is_late;
enum { EVERYBODY = 1, MONITOR, ONE_LATE };
static int flags_in_connect, flag_to_set;

int __real_poll(struct pollfd *fds, nfds_t count_of_fds, int ms);
int __wrap_poll(struct pollfd *fds, nfds_t count_of_fds, int ms);
int __wrap_poll(struct pollfd *fds, nfds_t count_of_fds, int ms)
{
    if (ms == 0 && hd_int32_load(&interruptions) > 0) {
        hd_int32_add(&interruptions, -1);
        errno = EINTR;
        return -1;
    }
    return __real_poll(fds, count_of_fds, ms);
}

ssize_t __real_read(int fd, void *to, size_t bytes);
ssize_t __wrap_read(int fd, void *to, size_t bytes);
ssize_t __wrap_read(int fd, void *to, size_t bytes)
{
    hd_int32_add(&reads, 1);
    return __real_read(fd, to, bytes);
}

int __real_connect(int fd, const struct sockaddr *address, socklen_t length);
int __wrap_connect(int fd, const struct sockaddr *address, socklen_t length);
int __wrap_connect(int fd, const struct sockaddr *address, socklen_t length)
{
    int result;

    flags_in_connect = fcntl(fd, F_GETFL);
    result = __real_connect(fd, address, length);
    if (flag_to_set)
        fcntl(fd, F_SETFL, flags_in_connect | flag_to_set);
    flag_to_set = 0; /* another call says how it ended */
    return result;
}

int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*fn)(void *),
                          void *arg);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*fn)(void *),
                          void *arg);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*fn)(void *),
                          void *arg)
{
    int whom = hd_int32_load(&refusing);

    if (whom == ONE_LATE && !arg && hd_int32_cas(&refusing, ONE_LATE, 0)) {
        hd_int32_store(&is_late, 1);
        usleep(50000);
        return EAGAIN;
    }
    return whom == EVERYBODY || (whom == MONITOR && !arg)
               ? EAGAIN
               : __real_pthread_create(thread, attr, fn, arg);
}

static void a_look_that_is_interrupted_is_made_again(void **state)
{
    struct reader reader = {.got = 0};
    struct hd_wg wg = HD_WG_INIT;

    (void)state;
    assert_int_equal(pipe(reader.ends), 0);
    hd_int32_store(&reads, 0);
    hd_int32_store(&interruptions, 3);
    start_in(&wg, read_one, &reader);
    while (hd_int32_load(&interruptions) > 0)
        usleep(1000);
    usleep(20000);
    assert_int_equal(hd_int32_load(&reads), 0); /* it would keep its worker */
    assert_int_equal(write(reader.ends[1], "x", 1), 1);
    hd_wg_wait(&wg);
    assert_int_equal(reader.got, 'x');
    close(reader.ends[0]);
    close(reader.ends[1]);
}

static void wait_too_long(void *arg)
{
    const int *ends = arg;
    int64_t before = hd_now();
    char byte;

    if (hd_read(ends[0], &byte, 1) != -1 || my_errno() != EAGAIN)
        _exit(5);
    hd_sleep(20 * MS);
    if (hd_now() - before < 39 * MS)
        _exit(6);
    if (write(ends[1], "x", 1) != 1 || hd_read(ends[0], &byte, 1) != 1 || byte != 'x')
        _exit(7);
}

/* In a child, which has no thread for timers and gets none. */
static void times_are_kept_without_a_thread_for_them(void **state)
{
    struct timeval limit = {.tv_usec = 20000};
    struct reader reader = {.got = 0};
    int ends[2], status;
    pid_t child = fork_child();

    (void)state;
    if (child == 0) {
        struct hd_wg wg = HD_WG_INIT;
        if (pipe(reader.ends) != 0 || socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0 ||
            setsockopt(ends[0], SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) != 0)
            _exit(2);
        hd_must(hd_wg_go(&wg, read_one, &reader)); /* so that there is a poller */
        usleep(50000);
        hd_int32_store(&refusing, EVERYBODY);
        hd_must(hd_wg_go(&wg, wait_too_long, ends));
        usleep(50000);
        if (write(reader.ends[1], "x", 1) != 1)
            _exit(3);
        hd_wg_wait(&wg);
        _exit(reader.got == 'x' ? 0 : 4);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static void start_a_timer(void *arg)
{
    *(struct hd_timer **)arg = hd_timer_make(HD_MILLISECOND);
}

static void *start_a_refused_timer(void *arg)
{
    struct hd_timer *timer = NULL;
    hd_err err = hd_recover(start_a_timer, &timer);

    *(bool *)arg = hd_err_is(err, hd_out_of_threads);
    hd_err_unref(err);
    return NULL;
}

/* Whoever relies on a thread that another is about to make must not be left without. */
static void a_thread_for_timers_that_fails_to_start_fails_its_maker_alone(void **state)
{
    pid_t child = fork_child();
    int status;

    (void)state;
    if (child == 0) {
        struct hd_timer *timer;
        pthread_t other;
        bool refused = false;
        hd_int32_store(&refusing, ONE_LATE);
        if (pthread_create(&other, NULL, start_a_refused_timer, &refused) != 0)
            _exit(2);
        while (!hd_int32_load(&is_late))
            usleep(1000);
        timer = hd_timer_make(HD_MILLISECOND);
        alarm(20);
        hd_chan_recv(hd_timer_chan(timer), NULL);
        alarm(0);
        if (pthread_join(other, NULL) != 0)
            _exit(3);
        _exit(refused ? 0 : 4);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

/* Whatever waits for events is closed; how many. */
static int close_pollers(bool really)
{
    int closed = 0;

    for (int fd = 3; fd < 256; fd++) {
        char name[40], target[40];
        ssize_t length;
        snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
        length = readlink(name, target, sizeof target - 1);
        if (length < 0)
            continue;
        target[length] = 0;
        if (!strstr(target, "[eventpoll]"))
            continue;
        closed++;
        if (really)
            close(fd);
    }
    return closed;
}

static void who_closes_all_descriptors_stops_no_reader(void **state)
{
    struct reader reader = {.got = 0};
    struct hd_wg wg = HD_WG_INIT;
    pid_t child = fork_child();
    int status;

    (void)state;
    if (child == 0) {
        if (pipe(reader.ends) != 0)
            _exit(2);
        hd_must(hd_wg_go(&wg, read_one, &reader));
        usleep(50000);
        if (close_pollers(true) != 2)
            _exit(3);
        while (close_pollers(false) != 2)
            usleep(10000);
        if (write(reader.ends[1], "x", 1) != 1)
            _exit(4);
        hd_wg_wait(&wg);
        _exit(reader.got == 'x' ? 0 : 5);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static void connect_and_look(void *arg)
{
    const struct sockaddr *address = arg;
    int stream = socket(AF_INET, SOCK_STREAM, 0), datagrams = socket(AF_INET, SOCK_DGRAM, 0);

    assert_int_equal(hd_connect(datagrams, address, sizeof(struct sockaddr_in)), 0);
    assert_false(flags_in_connect & O_NONBLOCK);
    flag_to_set = O_APPEND;
    assert_int_equal(hd_connect(stream, address, sizeof(struct sockaddr_in)), 0);
    assert_true(fcntl(stream, F_GETFL) & O_APPEND);
    assert_false(fcntl(stream, F_GETFL) & O_NONBLOCK);
    close(stream);
    close(datagrams);
}

static int listen_at(struct sockaddr_in *address, int backlog)
{
    int server = socket(AF_INET, SOCK_STREAM, 0);
    socklen_t length = sizeof *address;

    *address = (struct sockaddr_in){.sin_family = AF_INET};
    address->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(bind(server, (struct sockaddr *)address, length), 0);
    assert_int_equal(getsockname(server, (struct sockaddr *)address, &length), 0);
    assert_int_equal(listen(server, backlog), 0);
    return server;
}

static void a_connect_leaves_the_flags_of_others(void **state)
{
    struct sockaddr_in address;
    struct hd_wg wg = HD_WG_INIT;
    int server = listen_at(&address, 4);

    (void)state;
    start_in(&wg, connect_and_look, &address);
    hd_wg_wait(&wg);
    close(server);
}

struct client {
    struct sockaddr_in address;
    int fd;
};

static void connect_again(void *arg)
{
    const struct client *client = arg;

    assert_int_equal(
        hd_connect(client->fd, (const struct sockaddr *)&client->address, sizeof client->address),
        0);
}

/* The line is full, so that a connection stays under way until there is room. */
static void who_connects_while_it_is_under_way_waits(void **state)
{
    struct client client;
    struct hd_wg wg = HD_WG_INIT;
    const struct sockaddr *address = (const struct sockaddr *)&client.address;
    int server = listen_at(&client.address, 0), first = socket(AF_INET, SOCK_STREAM, 0);

    (void)state;
    assert_int_equal(connect(first, address, sizeof client.address), 0);
    client.fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    assert_int_equal(connect(client.fd, address, sizeof client.address), -1);
    assert_int_equal(errno, EINPROGRESS);
    fcntl(client.fd, F_SETFL, 0);
    start_in(&wg, connect_again, &client);
    usleep(20000);
    close(accept(server, NULL, NULL));
    hd_wg_wait(&wg);
    close(first);
    close(client.fd);
    close(server);
}

/* ---- workers alone, without the monitor, which would make up for what they miss ---- */

static int in_child(void (*fn)(void))
{
    int status = -1;
    pid_t child = fork_child();

    if (child == 0) {
        fn();
        _exit(0);
    }
    waitpid(child, &status, 0);
    return status;
}

static struct hd_atomic_int32 there;

static void meet(void *arg)
{
    (void)arg;
    hd_int32_add(&there, 1);
    while (hd_int32_load(&there) < 2)
        ;
}

static void meet_often(void)
{
    hd_int32_store(&refusing, MONITOR);
    for (int i = 0; i < 100; i++) {
        struct hd_wg wg = HD_WG_INIT;
        hd_int32_store(&there, 0);
        hd_must(hd_wg_go(&wg, meet, NULL));
        hd_must(hd_wg_go(&wg, meet, NULL));
        hd_wg_wait(&wg);
        usleep((useconds_t)i % 3 * 100); /* the workers spin, or sleep, or are about to */
    }
}

/* The second one finds that a worker has been woken: for the first one. */
static void who_was_woken_wakes_the_next(void **state)
{
    cpu_set_t cpus;

    (void)state;
    assert_int_equal(sched_getaffinity(0, sizeof cpus, &cpus), 0);
    if (CPU_COUNT(&cpus) < 2)
        skip();
    assert_int_equal(in_child(meet_often), 0);
}

static void wake_and_wait(void *meeting)
{
    usleep(10000); /* the worker that is to run the others has nothing to do, and sleeps */
    hd_chan_send(meeting, NULL);
    while (hd_int32_load(&there) == 0)
        usleep(100);
}

static void wake_and_wait_in_the_kernel(void *meeting)
{
    hd_blocking(wake_and_wait, meeting);
}

static void arrive(void *meeting)
{
    hd_chan_recv(meeting, NULL);
    hd_int32_store(&there, 1);
}

static void wake_from_the_kernel(void)
{
    struct hd_chan *meeting = hd_chan_make(0, 0);
    struct hd_wg wg = HD_WG_INIT;

    hd_int32_store(&refusing, MONITOR);
    hd_int32_store(&there, 0);
    hd_must(hd_wg_go(&wg, arrive, meeting));
    usleep(10000);
    hd_must(hd_wg_go(&wg, wake_and_wait_in_the_kernel, meeting));
    hd_wg_wait(&wg);
}

/* What is woken within hd_blocking() would have to wait for its end. */
static void who_is_woken_by_a_blocking_call_runs_elsewhere(void **state)
{
    (void)state;
    assert_int_equal(in_child(wake_from_the_kernel), 0);
}

static void be_done(void *wg)
{
    hd_wg_done(wg);
}

static void start_one_and_leave(void *wg)
{
    hd_must(hd_go(be_done, wg));
    pthread_exit(NULL);
}

static void leave_workers(void)
{
    enum { LEAVING = 20 };
    struct hd_wg wg = HD_WG_INIT;

    hd_int32_store(&refusing, MONITOR);
    hd_wg_add(&wg, LEAVING);
    for (int i = 0; i < LEAVING; i++)
        hd_must(hd_go(start_one_and_leave, &wg));
    hd_wg_wait(&wg);
}

/* It ends the thread, and no more than that. */
static void a_pthread_exit_takes_nobody_along(void **state)
{
    (void)state;
    assert_int_equal(in_child(leave_workers), 0);
}

static void post(void *sem)
{
    sem_post(sem);
}

static void wait_for_post(void *sem)
{
    hd_int32_add(&there, 1);
    sem_wait(sem);
}

static void wait_for_post_in_the_kernel(void *sem)
{
    hd_blocking(wait_for_post, sem);
}

static void sit_in_the_kernel_by_hundreds(void)
{
    enum { SITTING = 600 };
    struct hd_wg wg = HD_WG_INIT;
    sem_t sem;

    hd_int32_store(&there, 0);
    sem_init(&sem, 0, 0);
    for (int i = 0; i < SITTING; i++)
        hd_must(hd_wg_go(&wg, wait_for_post_in_the_kernel, &sem));
    while (hd_int32_load(&there) < SITTING)
        usleep(1000);
    for (int i = 0; i < SITTING; i++)
        hd_must(hd_wg_go(&wg, post, &sem));
    hd_wg_wait(&wg);
}

static void hundreds_in_the_kernel_do_not_stop_the_others(void **state)
{
    (void)state;
    assert_int_equal(in_child(sit_in_the_kernel_by_hundreds), 0);
}

/* Threads of this process that a signal of the program's cannot come to. */
static int threads_without(int number)
{
    DIR *dir = opendir("/proc/self/task");
    int without = 0;

    assert_non_null(dir);
    for (const struct dirent *one; (one = readdir(dir));) {
        char name[sizeof one->d_name + 8], line[128];
        FILE *status;
        snprintf(name, sizeof name, "%s/status", one->d_name);
        status = fdopen(openat(dirfd(dir), name, O_RDONLY), "r");
        while (status && fgets(line, sizeof line, status))
            if (strncmp(line, "SigBlk:", 7) == 0)
                without += (int)(strtoull(line + 7, NULL, 16) >> (number - 1) & 1);
        if (status)
            fclose(status);
    }
    closedir(dir);
    return without;
}

static void look_at_signals(void)
{
    struct hd_wg wg = HD_WG_INIT;

    hd_must(hd_wg_go(&wg, nothing, NULL));
    hd_wg_wait(&wg);
    for (int tries = 0; threads_without(SIGUSR1) != 1; tries++) {
        if (tries == 5000)
            _exit(1);
        usleep(1000); /* a thread that begins has none yet */
    }
}

static void signals_are_for_threads_of_the_program_and_workers(void **state)
{
    (void)state;
    assert_int_equal(in_child(look_at_signals), 0);
}

static struct hd_atomic_int32 unmapped;

int munmap(void *memory, size_t bytes)
{
    hd_int32_add(&unmapped, 1);
    return (int)syscall(SYS_munmap, memory, bytes);
}

static void begin_with_a_large_one(void)
{
    static const char large[8192];
    struct hd_wg wg = HD_WG_INIT;

    hd_must(hd_wg_go_copy(&wg, nothing, large, sizeof large));
    hd_wg_wait(&wg);
    hd_int32_store(&unmapped, 0);
    for (int i = 0; i < 1000; i++) {
        hd_must(hd_wg_go(&wg, nothing, NULL));
        hd_wg_wait(&wg);
    }
    if (hd_int32_load(&unmapped) > 100)
        _exit(1);
}

/* Whatever the first one needed. In a process that had none yet. */
static void stacks_of_the_usual_size_are_kept(void **state)
{
    (void)state;
    assert_int_equal(in_child(begin_with_a_large_one), 0);
}

static void leave_in_the_middle(void *arg)
{
    HD_DEFER(hd_wg_done, (struct hd_wg *)arg);
    hd_go_yield();
    hd_goexit();
}

static void panic_across_switches(void *arg)
{
    (void)arg;
    hd_go_yield();
    hd_panic("after a switch");
}

static void recover_it(void *arg)
{
    for (int i = 0; i < 20; i++) {
        hd_go_yield();
        assert_panics(panic_across_switches, arg, "after a switch");
    }
}

static void panics_and_exits_are_a_goroutines_own(void **state)
{
    struct hd_wg wg = HD_WG_INIT, left = HD_WG_INIT;

    (void)state;
    hd_wg_add(&left, 20);
    for (int i = 0; i < 20; i++) {
        start_in(&wg, recover_it, NULL);
        start_in(&wg, leave_in_the_middle, &left);
    }
    hd_wg_wait(&wg);
    hd_wg_wait(&left);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(guards_of_few_stacks_are_mappings),
        cmocka_unit_test(stacks_of_the_usual_size_are_kept),
        cmocka_unit_test(an_overflow_is_said_as_such),
        cmocka_unit_test(errno_is_a_goroutines_own),
        cmocka_unit_test(system_calls_do_not_stop_the_others),
        cmocka_unit_test(a_pinned_one_stays_in_its_thread),
        cmocka_unit_test(timeouts_race_with_wakers),
        cmocka_unit_test(computing_does_not_stop_the_others),
        cmocka_unit_test(when_all_are_asleep_the_program_ends),
        cmocka_unit_test(a_larger_stack_holds),
        cmocka_unit_test(a_child_can_start_its_own),
        cmocka_unit_test(a_child_forked_beside_starts_can_start_its_own),
        cmocka_unit_test(a_line_that_was_locked_at_a_fork_is_free_in_the_child),
        cmocka_unit_test(who_sleeps_at_a_fork_runs_only_in_the_parent),
        cmocka_unit_test(who_forks_goes_on_in_the_child),
        cmocka_unit_test(a_child_has_a_poller_of_its_own),
        cmocka_unit_test(a_look_that_is_interrupted_is_made_again),
        cmocka_unit_test(times_are_kept_without_a_thread_for_them),
        cmocka_unit_test(a_thread_for_timers_that_fails_to_start_fails_its_maker_alone),
        cmocka_unit_test(who_closes_all_descriptors_stops_no_reader),
        cmocka_unit_test(a_connect_leaves_the_flags_of_others),
        cmocka_unit_test(who_connects_while_it_is_under_way_waits),
        cmocka_unit_test(panics_and_exits_are_a_goroutines_own),
        cmocka_unit_test(who_was_woken_wakes_the_next),
        cmocka_unit_test(who_is_woken_by_a_blocking_call_runs_elsewhere),
        cmocka_unit_test(a_pthread_exit_takes_nobody_along),
        cmocka_unit_test(hundreds_in_the_kernel_do_not_stop_the_others),
        cmocka_unit_test(signals_are_for_threads_of_the_program_and_workers),
        cmocka_unit_test(free_stacks_give_their_memory_back),
        cmocka_unit_test(one_starts_many),
        cmocka_unit_test(forty_thousand_are_alive),
        cmocka_unit_test(an_older_kernel_has_fewer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
