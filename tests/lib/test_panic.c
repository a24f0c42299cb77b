/* Panics: boundaries, what they give, what passes through, and the end without one. */
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

#include <heddle/chan.h>
#include <heddle/panic.h>
#include <heddle/scope.h>

#include "panics.h"
#include "spawn_test.h"

static void return_well(void *arg)
{
    ++*(int *)arg;
}

static void panic_with_number(void *arg)
{
    hd_panic("number %d", *(int *)arg);
}

static void a_boundary_gives_the_message(void **state)
{
    int number = 6;

    (void)state;
    assert_null(hd_recover(return_well, &number));
    assert_int_equal(number, 7);
    assert_panics(panic_with_number, &number, "number 7");
}

static const struct hd_error refused[1] = {HD_ERROR(HD_ERR_USER + 3, "refused")};

static void panic_with_error(void *arg)
{
    hd_panic_err(arg ? hd_wrapf(refused, "%s", (char *)arg) : refused);
}

static void an_error_comes_back_as_it_is(void **state)
{
    hd_err err = hd_recover(panic_with_error, NULL);
    char where[] = "at the door";

    (void)state;
    assert_ptr_equal(err, refused);
    err = hd_recover(panic_with_error, where);
    assert_true(hd_err_is(err, refused));
    assert_string_equal(hd_err_message(err), "at the door: refused");
    hd_err_unref(err);
}

struct trail {
    char marks[16];
    hd_err inner;
};

static void mark_a(void *trail)
{
    strcat(((struct trail *)trail)->marks, "a");
}

static void mark_b(void *trail)
{
    strcat(((struct trail *)trail)->marks, "b");
}

static void panic_inner(void *arg)
{
    HD_DEFER(mark_a, arg);
    hd_panic("inner");
}

static void recover_then_panic(void *arg)
{
    struct trail *trail = arg;

    HD_DEFER(mark_b, arg);
    trail->inner = hd_recover(panic_inner, arg);
    assert_string_equal(trail->marks, "a");
    hd_panic("outer");
}

static void boundaries_nest(void **state)
{
    struct trail trail = {.marks = ""};

    (void)state;
    assert_panics(recover_then_panic, &trail, "outer");
    assert_string_equal(hd_err_message(trail.inner), "inner");
    assert_string_equal(trail.marks, "ab");
    hd_err_unref(trail.inner);
}

struct exit_case {
    struct hd_chan *done;
    bool after;
};

static void exit_now(void *arg)
{
    (void)arg;
    hd_goexit();
}

static void tell_done(void *arg)
{
    hd_chan_send(((struct exit_case *)arg)->done, NULL);
}

static void recover_an_exit(void *arg)
{
    struct exit_case *it = arg;

    HD_DEFER(tell_done, it);
    hd_err_unref(hd_recover(exit_now, NULL));
    it->after = true;
}

static void a_goexit_passes_through(void **state)
{
    struct exit_case it = {.done = hd_chan_make(0, 0)};

    (void)state;
    start(recover_an_exit, &it);
    hd_chan_recv(it.done, NULL);
    assert_false(it.after);
    hd_chan_unref(it.done);
}

struct guarded {
    struct hd_chan *done;
    hd_err err;
};

static void recover_in_goroutine(void *arg)
{
    struct guarded *guarded = arg;
    int number = 1;

    guarded->err = hd_recover(panic_with_number, &number);
    hd_chan_send(guarded->done, NULL);
}

static void each_goroutine_has_its_own(void **state)
{
    struct guarded guarded = {.done = hd_chan_make(0, 0)};

    (void)state;
    start(recover_in_goroutine, &guarded);
    hd_chan_recv(guarded.done, NULL);
    assert_string_equal(hd_err_message(guarded.err), "number 1");
    hd_err_unref(guarded.err);
    hd_chan_unref(guarded.done);
}

static void panic_alone(void *arg)
{
    (void)arg;
    hd_panic("nobody catches this");
}

static void panic_in_goroutine(void *arg)
{
    if (hd_go_named("doomed", panic_alone, arg) == NULL)
        pause();
}

/* What fn's death prints on standard error; it must abort. */
static void assert_dies_saying(void (*fn)(void *), const char *message, const char *who)
{
    char text[4096];
    size_t used = 0;
    ssize_t got;
    int ends[2], status = 0;
    pid_t child;

    assert_int_equal(pipe(ends), 0);
    child = fork();
    if (child == 0) {
        dup2(ends[1], STDERR_FILENO);
        close(ends[0]);
        close(ends[1]);
        signal(SIGABRT, SIG_DFL);
        fn(NULL);
        _exit(0);
    }
    assert_true(child > 0);
    close(ends[1]);
    while (used < sizeof text - 1 && (got = read(ends[0], text + used, sizeof text - 1 - used)) > 0)
        used += (size_t)got;
    text[used] = '\0';
    close(ends[0]);
    waitpid(child, &status, 0);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    assert_non_null(strstr(text, message));
    assert_non_null(strstr(text, who));
}

static void without_a_boundary_the_program_dies(void **state)
{
    (void)state;
    if (hdi_watchers)
        skip(); /* it would be reported; and TSan does not follow such a fork */
    assert_dies_saying(panic_alone, "panic: nobody catches this\n", "goroutine main");
    assert_dies_saying(panic_in_goroutine, "panic: nobody catches this\n", "goroutine doomed");
}

static void panic_at_length(void *text)
{
    hd_panic("so long: %s", (const char *)text);
}

static void a_message_is_kept_whole(void **state)
{
    static char text[5000], whole[5100];

    (void)state;
    memset(text, 'x', sizeof text - 1);
    snprintf(whole, sizeof whole, "so long: %s", text);
    assert_panics(panic_at_length, text, whole);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_message_is_kept_whole),
        cmocka_unit_test(a_boundary_gives_the_message),
        cmocka_unit_test(an_error_comes_back_as_it_is),
        cmocka_unit_test(boundaries_nest),
        cmocka_unit_test(a_goexit_passes_through),
        cmocka_unit_test(each_goroutine_has_its_own),
        cmocka_unit_test(without_a_boundary_the_program_dies),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
