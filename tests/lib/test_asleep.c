/* "All goroutines are asleep", natively: said of a program of which it is true, and of no other. */
#include <dirent.h>
#include <dlfcn.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include <heddle/heddle.h>

#include "spawn_test.h"

#define MS HD_MILLISECOND
#define MANY 12
#define NEVER 0

/* The library's look at the threads takes long, so that much happens meanwhile. */
DIR *opendir(const char *name)
{
    DIR *(*real)(const char *);

    *(void **)&real = dlsym(RTLD_NEXT, "opendir");
    usleep(300000);
    return real(name);
}

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

static void start_either(bool pinned, void (*fn)(void *arg), void *arg)
{
    hd_must(pinned ? hd_go_pinned(fn, arg) : hd_go(fn, arg));
}

static pid_t begin(bool pinned, bool through_another, useconds_t us)
{
    pid_t child = fork();

    if (child == 0) {
        struct worker w = {us, through_another, hd_chan_make(0, 0), hd_chan_make(0, 0)};
        for (int number = 1; number < SIGRTMIN; number++)
            signal(number, SIG_DFL); /* not as cmocka has them */
        alarm(30);
        close(STDERR_FILENO);
        if (through_another)
            start_either(pinned, pass_on, &w);
        start_either(pinned, work, &w);
        hd_chan_recv(w.done, NULL);
        _exit(7);
    }
    return child;
}

static void expect_end(pid_t child, int code)
{
    int status;

    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), code);
}

static void who_is_woken_while_one_looks_is_not_asleep(void **state)
{
    static const useconds_t us[] = {1200000, 1250000, 2500000};
    pid_t child[MANY];
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

static void wait_at(void *gate)
{
    hd_chan_recv(gate, NULL);
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
    pid_t child = fork();

    (void)state;
    if (child == 0) {
        struct hd_chan *c[2] = {hd_chan_make(0, 0), hd_chan_make(0, 0)};
        struct hd_chan *gate = hd_chan_make(0, 0);
        for (int number = 1; number < SIGRTMIN; number++)
            signal(number, SIG_DFL);
        alarm(60);
        close(STDERR_FILENO);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_is_woken_while_one_looks_is_not_asleep),
        cmocka_unit_test(when_nobody_can_wake_anybody_the_program_ends),
        cmocka_unit_test(a_child_counts_its_own),
        cmocka_unit_test(the_count_is_right_after_many_wakes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
