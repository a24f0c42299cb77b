/* Goroutines: starting, names, numbers, stacks, goexit, reuse of threads. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include <heddle/atomic.h>
#include <heddle/chan.h>
#include <heddle/go.h>
#include <heddle/scope.h>
#include <heddle/time.h>

#include "panics.h"
#include "rounds.h"
#include "spawn_test.h"

struct seen {
    struct hd_chan *done;
    unsigned long number;
    char name[40];
    int plain;
};

static void look(void *arg)
{
    struct seen *seen = arg;

    seen->number = hd_go_self();
    strncpy(seen->name, hd_go_name(), sizeof seen->name - 1);
    seen->plain++;
    hd_chan_send(seen->done, NULL);
}

static void it_runs_after_what_came_before(void **state)
{
    struct seen seen = {.done = hd_chan_make(0, 0), .plain = 41};

    (void)state;
    start(look, &seen);
    hd_chan_recv(seen.done, NULL);
    assert_int_equal(seen.plain, 42);
    hd_chan_unref(seen.done);
}

static void each_has_a_number_and_a_name(void **state)
{
    struct seen first = {.done = hd_chan_make(0, 0)}, second = {.done = first.done};
    char plain_name[40];

    (void)state;
    assert_int_equal(hd_go_self(), 0);
    assert_string_equal(hd_go_name(), "main");
    start(look, &first);
    hd_chan_recv(first.done, NULL);
    assert_null(hd_go_named("a name that is much too long to be kept whole", look, &second));
    hd_chan_recv(first.done, NULL);
    snprintf(plain_name, sizeof plain_name, "g%lu", first.number);
    assert_string_equal(first.name, plain_name);
    assert_true(second.number > first.number);
    assert_string_equal(second.name, "a name that is much too long to");
    hd_chan_unref(first.done);
}

static void leave(void *arg)
{
    HD_DEFER(look, arg);
    hd_goexit();
}

static void a_goexit_runs_what_is_deferred(void **state)
{
    struct seen seen = {.done = hd_chan_make(0, 0)};

    (void)state;
    start(leave, &seen);
    hd_chan_recv(seen.done, NULL);
    assert_int_equal(seen.plain, 1);
    hd_chan_unref(seen.done);
}

static void leave_here(void *arg)
{
    (void)arg;
    hd_goexit();
}

static void start_nothing(void *arg)
{
    assert_null(hd_go(NULL, arg));
}

static void misuse_panics(void **state)
{
    (void)state;
    assert_panics(leave_here, NULL, "goexit in a thread that is no goroutine");
    assert_panics(start_nothing, NULL, "go of nil func value");
}

/* Writes to so many bytes of stack. */
static int deep(volatile char *bytes, size_t size)
{
    for (size_t i = 0; i < size; i += 512)
        bytes[i] = (char)i;
    return bytes[size / 2];
}

static void use_half_a_megabyte(void *arg)
{
    char bytes[512 << 10];

    deep(bytes, sizeof bytes);
    hd_wg_done(arg);
}

static void use_a_little(void *arg)
{
    hd_wg_done(arg);
}

static void stacks_have_the_size_asked_for(void **state)
{
    struct hd_wg wg = HD_WG_INIT;

    (void)state;
    assert_ptr_equal(hd_go_set_stack(1), hd_invalid);
    assert_ptr_equal(hd_go_set_stack(SIZE_MAX), hd_invalid);
    hd_wg_add(&wg, 4);
    for (int i = 0; i < 4; i++)
        start(use_a_little, &wg);
    hd_wg_wait(&wg); /* threads with small stacks are idle now, and must not be taken */
    assert_null(hd_go_set_stack(1 << 20));
    hd_wg_add(&wg, 4);
    for (int i = 0; i < 4; i++)
        start(use_half_a_megabyte, &wg);
    hd_wg_wait(&wg);
    assert_null(hd_go_set_stack(0));
    hd_wg_add(&wg, 1);
    start(use_a_little, &wg);
    hd_wg_wait(&wg);
}

static int overflow(int n)
{
    volatile char bytes[4096];

    bytes[0] = (char)n;
    return n > 1 << 20 ? 0 : overflow(n + 1) + bytes[0];
}

static void overflow_it(void *arg)
{
    *(int *)arg = overflow(0);
}

/* The guard page: a crash in the goroutine that overflows, not a silent write into another's stack.
 */
static void an_overflow_hits_the_guard(void **state)
{
    int status = 0;
    pid_t child;

    (void)state;
    if (hdi_watchers & 1u)
        skip(); /* would be reported as the crash that it is */
    child = fork();
    if (child == 0) {
        int result = 0;
        if (hd_go(overflow_it, &result) != NULL)
            _exit(1);
        pause();
    }
    assert_true(child > 0);
    waitpid(child, &status, 0);
    assert_true((WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV) ||
                (WIFEXITED(status) && WEXITSTATUS(status) != 0)); /* a sanitizer's exit */
}

struct family {
    struct hd_wg wg;
    struct hd_atomic_int32 born;
    int most;
};

/* Each starts two more, until there were enough. */
static void multiply(void *arg)
{
    struct family *family = arg;

    for (int i = 0; i < 2; i++)
        if (hd_int32_add(&family->born, 1) <= family->most)
            start_in(&family->wg, multiply, family);
}

static void goroutines_start_goroutines(void **state)
{
    struct family family = {.most = rounds(400)};

    (void)state;
    for (int i = 0; i < 3; i++) {
        hd_int32_store(&family.born, 1);
        start_in(&family.wg, multiply, &family);
        hd_wg_wait(&family.wg);
        assert_true(hd_int32_load(&family.born) >= family.most);
    }
}

struct spinner {
    struct hd_atomic_bool seen, stop;
};

static void wait_awake(void *arg)
{
    struct spinner *spinner = arg;

    hd_bool_store(&spinner->seen, true);
    while (!hd_bool_load(&spinner->stop))
        hd_go_yield();
}

static void yielding_lets_others_run(void **state)
{
    struct spinner spinner = {0};
    struct hd_wg wg = HD_WG_INIT;

    (void)state;
    start_in(&wg, wait_awake, &spinner);
    while (!hd_bool_load(&spinner.seen))
        hd_go_yield();
    hd_bool_store(&spinner.stop, true);
    hd_wg_wait(&wg);
}

static void their_number_is_known(void **state)
{
    struct hd_chan *gate = hd_chan_make(0, 0), *done = hd_chan_make(0, 0);
    struct seen seen[3] = {{.done = gate}, {.done = gate}, {.done = gate}};

    (void)state;
    while (hd_go_count() > 0)
        hd_go_yield();
    for (int i = 0; i < 3; i++)
        start(look, &seen[i]);
    assert_int_equal(hd_go_count(), 3);
    for (int i = 0; i < 3; i++)
        hd_chan_recv(gate, NULL);
    while (hd_go_count() > 0)
        hd_go_yield();
    hd_chan_unref(gate);
    hd_chan_unref(done);
}

/* The threads of the parent are not there; nothing waits for them. */
static void a_child_starts_anew(void **state)
{
    struct hd_wg wg = HD_WG_INIT;
    int status = 0;
    pid_t child;

    (void)state;
    if (hdi_watchers)
        skip(); /* a fork of a process with threads, which TSan, too, does not follow */
    start_in(&wg, leave_here, NULL);
    hd_wg_wait(&wg);
    child = fork();
    if (child == 0) {
        hd_err err = hd_wg_go(&wg, leave_here, NULL);
        if (!err)
            hd_wg_wait(&wg);
        _exit(err != NULL);
    }
    assert_true(child > 0);
    waitpid(child, &status, 0);
    assert_int_equal(status, 0);
}

static void add_one(void *arg)
{
    hd_sleep(10 * HD_MILLISECOND);
    hd_int32_add(arg, 1);
}

static struct hd_atomic_int32 ended;

/* Its child starts one of its own, or does not, and the function returns: with the last thread the process ends. */
static void fork_and_return(void *starts)
{
    pid_t child = fork();
    int status = -1;

    if (child == 0) {
        for (int number = 1; number < SIGRTMIN; number++)
            signal(number, SIG_DFL); /* cmocka's are others */
        alarm(60);
        if (starts)
            hd_must(hd_go(add_one, &ended));
        return;
    }
    waitpid(child, &status, 0);
    hd_int32_add(&ended, status == 0);
}

static void a_child_ends_when_its_last_function_returns(void **state)
{
    struct hd_wg wg = HD_WG_INIT;

    (void)state;
    if (hdi_watchers)
        skip(); /* as above */
    start_in(&wg, fork_and_return, NULL);
    start_in(&wg, fork_and_return, &ended);
    hd_wg_wait(&wg);
    assert_int_equal(hd_int32_load(&ended), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_runs_after_what_came_before),
        cmocka_unit_test(each_has_a_number_and_a_name),
        cmocka_unit_test(a_goexit_runs_what_is_deferred),
        cmocka_unit_test(misuse_panics),
        cmocka_unit_test(stacks_have_the_size_asked_for),
        cmocka_unit_test(an_overflow_hits_the_guard),
        cmocka_unit_test(goroutines_start_goroutines),
        cmocka_unit_test(yielding_lets_others_run),
        cmocka_unit_test(their_number_is_known),
        cmocka_unit_test(a_child_starts_anew),
        cmocka_unit_test(a_child_ends_when_its_last_function_returns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
