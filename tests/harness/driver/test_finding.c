/* test_finding.c - equal bugs are one finding, different ones are not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "findings/finding.h"
#include "util/alloc.h"

static void side(struct finding *f, enum hd_role role, enum hd_event kind, const char *thread,
                 const char *function, unsigned line)
{
    struct note *n = finding_note(f, role);
    n->kind = kind;
    n->thread = mem_copy(thread);
    stack_push(&n->stack, function, "/src/bank.c", line, 0, "bank", 0x1000 + line);
    stack_push(&n->stack, "main", "/src/bank.c", 99, 0, "bank", 0x2000);
}

static struct finding *deadlock(unsigned philosophers, unsigned line)
{
    struct finding *f = finding_new(HD_FK_DEADLOCK, TOOL_HEDDLE, NULL);
    for (unsigned i = 0; i < philosophers; i++)
        side(f, HD_ROLE_WAITS, HD_EV_MUTEX_LOCK, "T1", "eat", line);
    return f;
}

static struct finding *race(enum tool tool, unsigned first, unsigned second)
{
    struct finding *f = finding_new(HD_FK_DATA_RACE, tool, NULL);
    side(f, HD_ROLE_ACCESS, HD_EV_WRITE, "T1", "add", first);
    side(f, HD_ROLE_PREVIOUS_ACCESS, HD_EV_WRITE, "T2", "add", second);
    return f;
}

static uint64_t place_of(struct finding *f)
{
    finding_fingerprint(f);
    uint64_t p = f->place;
    finding_free(f);
    return p;
}

static uint64_t print_of(struct finding *f)
{
    uint64_t p = finding_fingerprint(f);
    finding_free(f);
    return p;
}

static struct finding *about(const char *function, const char *object, unsigned line)
{
    struct finding *f = finding_new(HD_FK_SELF_DEADLOCK, TOOL_HEDDLE, NULL);
    side(f, HD_ROLE_WAITS, HD_EV_MUTEX_LOCK, "T1", function, line);
    f->note[0].object = mem_copy(object);
    return f;
}

static void a_fingerprint_lasts(void **state)
{
    (void)state;
    uint64_t first = print_of(about("pay", "mutex M1 (accounts[3].lock)", 10));
    assert_true(print_of(about("pay", "mutex M7 (accounts[2].lock)", 99)) == first);
    assert_true(print_of(about("pay.part.0", "mutex M1 (accounts[3].lock)", 10)) == first);
    assert_true(print_of(about("pay", "mutex M1 (journal)", 10)) != first);
    assert_true(print_of(about("pay_all", "mutex M1 (accounts[3].lock)", 10)) != first);
    first = print_of(about("pay", "mutex M1 (made at bank.c:4)", 10));
    assert_true(print_of(about("pay", "mutex M2 (made at bank.c:9)", 10)) == first);
}

static void an_assertion_is_known_by_what_it_says(void **state)
{
    (void)state;
    struct finding *f[] = {
        finding_new(HD_FK_ASSERTION, TOOL_HEDDLE, "money >= 0 (/src/bank.c:12, pay)"),
        finding_new(HD_FK_ASSERTION, TOOL_HEDDLE, "money >= 0 (/home/bank.c:13, pay)"),
        finding_new(HD_FK_ASSERTION, TOOL_HEDDLE, "seats >= 0 (/src/bank.c:12, pay)")};
    uint64_t print[3];
    for (size_t i = 0; i < 3; i++) {
        side(f[i], HD_ROLE_HERE, HD_EV_NONE, "T1", "pay", 12);
        print[i] = print_of(f[i]);
    }
    assert_true(print[0] == print[1]);
    assert_true(print[0] != print[2]);
}

static void two_places_with_one_fingerprint_are_told_apart(void **state)
{
    (void)state;
    struct findings all = {0};
    bool is_new;
    struct finding *f = findings_add(&all, about("pay", "mutex M1 (journal)", 10), &is_new);
    struct finding *g = findings_add(&all, about("pay", "mutex M1 (journal)", 20), &is_new);
    struct finding *again = about("pay", "mutex M1 (journal)", 30);
    assert_true(is_new);
    assert_true(f->fingerprint != g->fingerprint);
    finding_fingerprint(again);
    assert_true(finding_is_print(again, f->fingerprint));
    assert_true(finding_is_print(again, g->fingerprint));
    assert_false(finding_is_print(again, g->fingerprint + 1));
    finding_free(again);
    findings_free(&all);
}

static void number_of_threads_does_not_matter(void **state)
{
    (void)state;
    assert_true(place_of(deadlock(2, 10)) == place_of(deadlock(5, 10)));
    assert_true(place_of(deadlock(2, 10)) != place_of(deadlock(2, 11)));
    assert_true(place_of(deadlock(2, 10)) != 0);
}

static void which_side_of_a_race_came_first_does_not_matter(void **state)
{
    (void)state;
    assert_true(place_of(race(TOOL_HEDDLE, 3, 7)) == place_of(race(TOOL_TSAN, 7, 3)));
    assert_true(place_of(race(TOOL_HEDDLE, 3, 7)) != place_of(race(TOOL_HEDDLE, 3, 8)));
}

static void a_join_of_the_stuck_does_not_matter(void **state)
{
    (void)state;
    struct finding *f = deadlock(2, 10);
    side(f, HD_ROLE_WAITS, HD_EV_THREAD_JOIN, "T0", "main", 50);
    assert_true(place_of(f) == place_of(deadlock(2, 10)));
    f = finding_new(HD_FK_DEADLOCK, TOOL_HEDDLE, NULL);
    side(f, HD_ROLE_WAITS, HD_EV_THREAD_JOIN, "T0", "main", 50);
    struct finding *g = finding_new(HD_FK_DEADLOCK, TOOL_HEDDLE, NULL);
    side(g, HD_ROLE_WAITS, HD_EV_THREAD_JOIN, "T0", "main", 51);
    assert_true(place_of(f) != place_of(g));
}

static struct finding *lost_wakeup(const char *inner, const char *module, unsigned line)
{
    struct finding *f = finding_new(HD_FK_LOST_WAKEUP, TOOL_HEDDLE, NULL);
    struct note *n = finding_note(f, HD_ROLE_WAITS);
    n->kind = HD_EV_COND_WAIT;
    stack_push(&n->stack, inner, "/src/util.c", 5, 0, module, 0x10);
    stack_push(&n->stack, "take", "/src/queue.c", line, 0, "queue", 0x20);
    stack_push(&n->stack, "main", "/src/queue.c", 99, 0, "queue", 0x30);
    return f;
}

/* Who calls a wrapper of a lock or wait, or the C library, tells one bug from another. */
static void a_wrapper_does_not_tell(void **state)
{
    (void)state;
    assert_true(place_of(lost_wakeup("queue_lock", "queue", 7)) !=
                place_of(lost_wakeup("queue_lock", "queue", 8)));
    assert_true(place_of(lost_wakeup("fwrite", "libc.so.6", 7)) !=
                place_of(lost_wakeup("fwrite", "libc.so.6", 8)));
    assert_true(place_of(lost_wakeup("next", "queue", 7)) ==
                place_of(lost_wakeup("next", "queue", 8)));
}

static void numbers_in_a_text_do_not_matter(void **state)
{
    (void)state;
    uint64_t a = place_of(finding_new(HD_FK_PANIC, TOOL_HEDDLE, "index 3 of 2"));
    assert_true(a == place_of(finding_new(HD_FK_PANIC, TOOL_HEDDLE, "index 9 of 7")));
    assert_true(a != place_of(finding_new(HD_FK_PANIC, TOOL_HEDDLE, "index 3 in 2")));
    assert_true(a != place_of(finding_new(HD_FK_CRASH, TOOL_HEDDLE, "index 3 of 2")));
}

static uint64_t leak_of(const char *what, const char *charge)
{
    struct finding *f = finding_new(HD_FK_LEAK_BLOCKED, TOOL_HEDDLE, NULL);
    side(f, HD_ROLE_WAITS, HD_EV_CHAN_RECV, "T1", "helper", 7);
    free(f->text);
    f->text = mem_format("%s%s", what, charge);
    f->charged_at = *charge ? strlen(what) : 0;
    return place_of(f);
}

static void tests_that_leak_by_one_helper_are_two(void **state)
{
    (void)state;
    assert_int_not_equal(leak_of("thread still blocked", " at the end of \"a\""),
                         leak_of("thread still blocked", " at the end of \"b\""));
    assert_int_equal(leak_of("thread still blocked", " at the end of \"a\""),
                     leak_of("thread still sleeping", " at the end of \"a\""));
    assert_int_equal(leak_of("blocked at the end of the first pipe", ""),
                     leak_of("blocked at the end of the second", ""));
}

static void same_findings_are_merged(void **state)
{
    (void)state;
    struct findings all = {0};
    bool is_new;
    struct finding *mine = race(TOOL_HEDDLE, 3, 7);
    mine->first = 9;
    struct finding *first = findings_add(&all, mine, &is_new);
    assert_true(is_new);
    assert_string_equal(first->name, "data-race-1");
    struct finding *theirs = race(TOOL_TSAN, 7, 3);
    theirs->first = 4;
    assert_ptr_equal(findings_add(&all, theirs, &is_new), first);
    assert_false(is_new);
    assert_int_equal(first->tools, TOOL_HEDDLE | TOOL_TSAN);
    assert_int_equal(first->count, 2);
    assert_int_equal(first->first, 4);
    struct finding *other = findings_add(&all, race(TOOL_HEDDLE, 1, 2), &is_new);
    assert_true(is_new);
    assert_string_equal(other->name, "data-race-2");
    assert_int_equal(all.count, 2);
    findings_free(&all);
}

static void a_doubt_goes_when_another_tool_agrees(void **state)
{
    (void)state;
    struct findings all = {0};
    bool is_new;
    struct finding *f = race(TOOL_HELGRIND, 3, 7);
    f->doubtful = mem_copy("helgrind does not know C11 atomics");
    f = findings_add(&all, f, &is_new);
    findings_add(&all, race(TOOL_HELGRIND, 3, 7), &is_new);
    assert_non_null(f->doubtful);
    findings_add(&all, race(TOOL_HEDDLE, 3, 7), &is_new);
    assert_null(f->doubtful);
    findings_free(&all);
}

static void every_kind_has_word_title_and_advice(void **state)
{
    (void)state;
    for (unsigned i = 0; i < HD_FK_COUNT; i++) {
        enum hd_finding_kind k = (enum hd_finding_kind)i;
        assert_int_equal(finding_kind(finding_word(k)), i);
        assert_true(strlen(finding_title(k)) > 3);
        /* What helps with these only their notes and text say. */
        bool open = k == HD_FK_PANIC || k == HD_FK_LOST_WAKEUP;
        struct finding f = {.kind = k, .text = "", .first = 1};
        assert_true(open || strlen(finding_advice(&f)) > 3);
    }
    assert_int_equal(finding_kind("no such word"), HD_FK_COUNT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_fingerprint_lasts),
        cmocka_unit_test(an_assertion_is_known_by_what_it_says),
        cmocka_unit_test(two_places_with_one_fingerprint_are_told_apart),
        cmocka_unit_test(number_of_threads_does_not_matter),
        cmocka_unit_test(which_side_of_a_race_came_first_does_not_matter),
        cmocka_unit_test(a_join_of_the_stuck_does_not_matter),
        cmocka_unit_test(a_wrapper_does_not_tell),
        cmocka_unit_test(numbers_in_a_text_do_not_matter),
        cmocka_unit_test(tests_that_leak_by_one_helper_are_two),
        cmocka_unit_test(same_findings_are_merged),
        cmocka_unit_test(a_doubt_goes_when_another_tool_agrees),
        cmocka_unit_test(every_kind_has_word_title_and_advice),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
