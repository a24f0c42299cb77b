/* The Go Programming Language Specification: defer statements, handling panics, go statements; package
 * runtime: Goexit. */
#include "check.h"

static char order[32];

static void note(void *letter)
{
    size_t length = strlen(order);

    if (length + 1 < sizeof order) {
        order[length] = *(char *)letter;
        order[length + 1] = 0;
    }
}

static bool order_was(const char *text)
{
    bool so = strcmp(order, text) == 0;

    order[0] = 0;
    return so;
}

static void defer_three(void *arg)
{
    (void)arg;
    HD_DEFER(note, "a");
    HD_DEFER(note, "b");
    HD_DEFER(note, "c");
    note("-");
}

CHECK(deferred_functions_run_last_first)
{
    defer_three(NULL);
    expect(order_was("-cba"));
}

CHECK(a_deferred_argument_is_taken_at_once)
{
    {
        char *letter = "x";
        HD_DEFER(note, letter);
        letter = "y";
        note(letter);
    }
    expect(order_was("yx"));
}

static void defer_and_panic(void *arg)
{
    (void)arg;
    HD_DEFER(note, "a");
    HD_DEFER(note, "b");
    hd_panic("out");
}

CHECK(a_panic_runs_what_is_deferred)
{
    expect(panics(defer_and_panic, NULL, "out"));
    expect(order_was("ba"));
}

static void call_one_that_panics(void *arg)
{
    HD_DEFER(note, "o");
    defer_and_panic(arg);
    note("!");
}

CHECK(a_panic_goes_up_through_its_callers)
{
    expect(panics(call_one_that_panics, NULL, "out"));
    expect(order_was("bao"));
}

CHECK(recovering_from_no_panic_is_nil)
{
    expect(!hd_recover(note, "n"));
    expect(order_was("n"));
}

static void panic_with_error(void *err)
{
    hd_panic_err(err);
}

CHECK(a_panic_carries_its_very_error)
{
    hd_err err = hd_recover(panic_with_error, (void *)(uintptr_t)hd_closed);

    expect(err == hd_closed);
}

static void panic_again(void *arg)
{
    (void)arg;
    hd_panic("second");
}

static void panic_twice(void *arg)
{
    HD_DEFER(panic_again, arg);
    hd_panic("first");
}

CHECK(a_panic_while_panicking_takes_its_place)
{
    expect(panics(panic_twice, NULL, "second"));
}

static void recover_inside(void *arg)
{
    hd_err err = hd_recover(defer_and_panic, arg);

    note(err ? "r" : "?");
    hd_err_unref(err);
}

CHECK(after_a_recovery_the_caller_goes_on)
{
    expect(!hd_recover(recover_inside, NULL));
    expect(order_was("bar"));
}

static void recover_while_leaving(void *arg)
{
    recover_inside(arg);
}

static void panic_with_a_recovery_in_a_deferred(void *arg)
{
    HD_DEFER(recover_while_leaving, arg);
    hd_panic("outer");
}

CHECK(a_deferred_function_may_recover_from_its_own_panic)
{
    expect(panics(panic_with_a_recovery_in_a_deferred, NULL, "outer"));
    expect(order_was("bar"));
}

static void panic_at_length(void *text)
{
    hd_panic("%s", (char *)text);
}

CHECK(a_long_message_is_whole)
{
    char text[3000];

    memset(text, 'm', sizeof text);
    text[sizeof text - 1] = 0;
    expect(panics(panic_at_length, text, text));
}

static void exit_in_the_middle(void *arg)
{
    (void)arg;
    HD_DEFER(note, "d");
    hd_goexit();
}

static void exit_from_below(void *arg)
{
    HD_DEFER(note, "e");
    exit_in_the_middle(arg);
    note("!");
}

CHECK(a_goexit_runs_all_that_is_deferred)
{
    struct hd_wg wg = HD_WG_INIT;

    GO_IN(&wg, exit_from_below, NULL);
    hd_wg_wait(&wg);
    expect(order_was("de"));
}

static void recover_an_exit(void *arg)
{
    hd_err_unref(hd_recover(exit_in_the_middle, arg));
    note("!");
}

CHECK(a_goexit_is_no_panic)
{
    struct hd_wg wg = HD_WG_INIT;

    GO_IN(&wg, recover_an_exit, NULL);
    hd_wg_wait(&wg);
    expect(order_was("d"));
}

CHECK(a_block_runs_what_it_deferred_however_it_is_left)
{
    for (int i = 0; i < 3; i++) {
        HD_DEFER(note, "l");
        if (i == 1)
            continue;
        if (i == 2)
            break;
    }
    expect(order_was("lll"));
}

static void nil_function(void *arg)
{
    hd_must(hd_go(NULL, arg));
}

CHECK(go_of_nil_panics)
{
    expect(panics(nil_function, NULL, "go of nil func value"));
}

struct started {
    int value;
    struct hd_wg wg;
};

static void take_value(struct started *s)
{
    s->value *= 2;
    hd_wg_done(&s->wg);
}

CHECK(the_go_statement_comes_before_the_goroutine)
{
    for (int i = 0; i < times(100); i++) {
        struct started s = {.value = i};
        hd_wg_add(&s.wg, 1);
        HD_GO(take_value, &s);
        hd_wg_wait(&s.wg);
        expect(s.value == 2 * i);
    }
}

struct copied {
    struct hd_wg *wg;
    struct hd_atomic_int32 *sum;
    int value;
};

static void add_copy(void *args)
{
    struct copied *c = args;

    hd_int32_add(c->sum, c->value);
    c->value = 1000;
    hd_wg_done(c->wg);
}

CHECK(go_with_a_copy_of_the_arguments)
{
    struct hd_wg wg = HD_WG_INIT;
    struct hd_atomic_int32 sum = {0};
    struct copied args = {&wg, &sum, 0};

    for (args.value = 1; args.value <= 4; args.value++) {
        hd_wg_add(&wg, 1);
        hd_must(hd_go_copy(add_copy, &args, sizeof args));
    }
    hd_wg_wait(&wg);
    expect(hd_int32_load(&sum) == 10);
}

static void tell_number(void *number)
{
    *(unsigned long *)number = hd_go_self();
    expect(hd_go_name()[0] == 'g');
}

CHECK(each_goroutine_has_a_number)
{
    struct hd_wg wg = HD_WG_INIT;
    unsigned long a = 0, b = 0;

    GO_IN(&wg, tell_number, &a);
    GO_IN(&wg, tell_number, &b);
    hd_wg_wait(&wg);
    expect(a && b && a != b && hd_go_self() == 0);
}

static void defer_own_functions(void *arg)
{
    struct hd_mutex m = HD_MUTEX_INIT;
    struct hd_wg *wg = arg;
    struct hd_chan *c = hd_chan_make(0, 0);

    hd_mutex_lock(&m);
    HD_DEFER(hd_wg_done, wg);
    HD_DEFER(hd_chan_unref, c);
    HD_DEFER(hd_chan_close, c);
    HD_DEFER(hd_mutex_unlock, &m);
    note("f");
}

CHECK(defer_takes_any_function_of_one_pointer)
{
    struct hd_wg wg = HD_WG_INIT;

    hd_wg_add(&wg, 1);
    defer_own_functions(&wg);
    hd_wg_wait(&wg);
    expect(order_was("f"));
}
