/* test_report.c - findings in words: headlines, the drawn cycle, columns, counts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "reports/report_text.h"
#include "util/alloc.h"

static struct note *side(struct finding *f, enum hd_role role, uint32_t thread, uint32_t object,
                         unsigned line)
{
    struct note *n = finding_note(f, role);
    n->kind = HD_EV_MUTEX_LOCK;
    n->thread_id = thread;
    n->thread = mem_format("T%u (worker)", thread);
    n->object_id = object;
    n->object = object ? mem_format("mutex M%u (forks[%u])", object, object - 1) : NULL;
    stack_push(&n->stack, "eat", "/src/table.c", line, 0, "table", line);
    return n;
}

static char *report(const struct finding *f)
{
    char *text = NULL;
    size_t bytes;
    FILE *out = open_memstream(&text, &bytes);
    report_finding(out, f, false, true);
    fclose(out);
    return text;
}

static void says(const char *text, const char *wanted)
{
    if (!strstr(text, wanted))
        fail_msg("the report does not say \"%s\":\n%s", wanted, text);
}

static void a_deadlock_is_drawn_as_a_cycle(void **state)
{
    (void)state;
    struct finding *f = finding_new(HD_FK_DEADLOCK, TOOL_HEDDLE, NULL);
    for (uint32_t t = 1; t <= 3; t++) {
        side(f, HD_ROLE_WAITS, t, t % 3 + 1, 20);
        side(f, HD_ROLE_HOLDS, t, t, 19);
    }
    finding_moment(f, 7, "T1", "lock M1", "table.c:19");
    finding_moment(f, 9, "T10", "lock M2", "table.c:19");
    finding_moment(f, 0, "T2", "waits for M1", NULL);
    f->first = 4;
    f->count = 1234;
    f->replays = f->reproduced = 3;
    char *text = report(f);
    says(text, "deadlock: T1, T2 and T3 wait for each other, for mutex forks[1], mutex forks[2] "
               "and mutex forks[0]\n");
    says(text, "schedule 4, seen in 1234 schedules, reproduced 3 of 3\n");
    says(text, "    +-> T1 (worker) waits for mutex M2 (forks[1]) held by T2 (worker)\n"
               "    |   T2 (worker) waits for mutex M3 (forks[2]) held by T3 (worker)\n"
               "    |   T3 (worker) waits for mutex M1 (forks[0]) held by T1 (worker)  --+\n");
    says(text, "  T1 (worker) waits for mutex M2 (forks[1]) at\n      eat  /src/table.c:20\n"
               "    holds mutex M1 (forks[0]), taken at\n      eat  /src/table.c:19\n");
    says(text, "      step  T1            T2            T10           where\n");
    says(text, "       end                waits for M1");
    free(text);
    finding_free(f);
}

static void no_cycle_is_drawn_where_there_is_none(void **state)
{
    (void)state;
    struct finding *f = finding_new(HD_FK_LOST_WAKEUP, TOOL_HEDDLE, NULL);
    side(f, HD_ROLE_WAITS, 1, 1, 20);
    side(f, HD_ROLE_WAITS, 2, 2, 30);
    side(f, HD_ROLE_HOLDS, 2, 3, 30);
    char *text = report(f);
    assert_null(strstr(text, "Who waits for whom"));
    says(text, "not replayed");
    free(text);
    finding_free(f);
}

static void a_race_names_variable_and_places(void **state)
{
    (void)state;
    struct finding *f = finding_new(HD_FK_DATA_RACE, TOOL_TSAN, "");
    struct note *n = side(f, HD_ROLE_ACCESS, 1, 0, 5);
    n->object = mem_copy("variable table.count");
    n->name_at = strlen("variable ");
    n->text = mem_copy("write of 4 bytes at 0x10");
    n->extra = 4 | HD_ACCESS_WRITE;
    n = side(f, HD_ROLE_PREVIOUS_ACCESS, 2, 0, 9);
    n->text = mem_copy("atomic read of 4 bytes at 0x10");
    n->extra = 4 | HD_ACCESS_ATOMIC;
    char *line = report_headline(f);
    assert_string_equal(line,
                        "data race on table.count: atomic read at table.c:9, write at table.c:5");
    free(line);
    char *text = report(f);
    says(text, "  T1 (worker): write of 4 bytes at 0x10, variable table.count\n");
    says(text, "seen by tsan");
    free(text);
    finding_free(f);
}

static void half_a_reproduction_is_said(void **state)
{
    (void)state;
    struct finding *f = finding_new(HD_FK_CRASH, TOOL_HEDDLE, "SIGSEGV");
    f->replays = 3;
    char *text = report_reproduced(f);
    assert_string_equal(text, "not reproduced, 0 of 3");
    free(text);
    f->why_not = WHY_REPLAY;
    text = report_reproduced(f);
    assert_string_equal(text, "not reproduced, 0 of 3, but each time when run anew from its seed");
    free(text);
    f->reproduced = 1;
    f->why_not = WHY_OUTSIDE;
    text = report_reproduced(f);
    assert_string_equal(text, "reproduced only 1 of 3: more than the schedule decides");
    free(text);
    finding_free(f);
}

static void a_prediction_that_came_true_is_one_bug(void **state)
{
    (void)state;
    struct findings all = {0};
    struct stats s = {.schedules = 10, .ended_ns = 1000000000};
    bool is_new;
    struct finding *f = finding_new(HD_FK_LOCK_ORDER, TOOL_HEDDLE, "a");
    f->first = 2;
    f->same_as = mem_copy("deadlock-1");
    findings_add(&all, f, &is_new);
    findings_add(&all, finding_new(HD_FK_DEADLOCK, TOOL_HEDDLE, "b"), &is_new);
    assert_int_equal(findings_bugs(&all), 1);
    char *text = NULL;
    size_t bytes;
    FILE *out = open_memstream(&text, &bytes);
    report_summary(out, &all, &s, false);
    fclose(out);
    says(text, "1 finding in 10 schedules (0 distinct) in 1.0 s, 10/s\n");
    says(text, "predicted by lock-order-1 in schedule 2, where it did not happen\n");
    free(text);
    findings_free(&all);
}

static struct finding *race_in(const char *file, const char *function, unsigned line)
{
    struct finding *f = finding_new(HD_FK_DATA_RACE, TOOL_HEDDLE, "");
    side(f, HD_ROLE_ACCESS, 1, 0, line);
    struct note *n = finding_note(f, HD_ROLE_PREVIOUS_ACCESS);
    stack_push(&n->stack, function, file, line, 0, "table", line);
    return f;
}

static struct finding *race(const char *function, unsigned line)
{
    return race_in("/src/table.c", function, line);
}

static void races_between_two_functions_are_one_block(void **state)
{
    (void)state;
    struct findings all = {0};
    struct stats s = {.schedules = 10, .ended_ns = 1000000000};
    bool is_new;
    for (unsigned line = 5; line < 75; line++)
        findings_add(&all, race("serve", line), &is_new);
    findings_add(&all, race("wash", 80), &is_new);
    findings_group(&all);
    assert_int_equal(findings_bugs(&all), 2);
    assert_string_equal(all.list[69]->same_cause, "data-race-1");
    assert_null(all.list[70]->same_cause);
    char *text = NULL;
    size_t bytes;
    FILE *out = open_memstream(&text, &bytes);
    report_same_cause(out, &all, all.list[0]);
    report_same_cause(out, &all, all.list[70]);
    report_summary(out, &all, &s, false);
    fclose(out);
    says(text, "  Seen also as:\n\n    data-race-2 ");
    says(text, "    data-race-70 ");
    assert_null(strstr(strstr(text, "Seen also") + 1, "Seen also"));
    says(text, "\n2 findings in 10 schedules (0 distinct) in 1.0 s, 10/s\n  data-race-1 ");
    says(text, "  seen also as 69 more races\n  data-race-71 ");
    free(text);
    findings_free(&all);
}

/* A race on `variable`, between functions that no other has. */
static struct finding *race_on(const char *variable, const char *function, unsigned line)
{
    struct finding *f = race(function, line);
    f->note[0].object = mem_format("variable %s", variable);
    f->note[0].name_at = strlen("variable ");
    return f;
}

static void races_on_one_variable_are_one_block(void **state)
{
    (void)state;
    struct findings all = {0};
    bool is_new;
    findings_add(&all, race_on("slot[1]", "one", 1), &is_new);
    findings_add(&all, race_on("slot[2]", "two", 2), &is_new);
    findings_add(&all, race_on("slots", "three", 3), &is_new);
    findings_group(&all);
    assert_string_equal(all.list[1]->same_cause, "data-race-1");
    assert_null(all.list[2]->same_cause);
    assert_int_equal(findings_bugs(&all), 2);
    findings_free(&all);
}

static void functions_of_one_name_are_several(void **state)
{
    (void)state;
    struct findings all = {0};
    bool is_new;
    findings_add(&all, race_in("/src/a.c", "worker", 1), &is_new);
    findings_add(&all, race_in("/src/b.c", "worker", 2), &is_new);
    findings_add(&all, race_in("/src/a.c", "worker", 3), &is_new);
    findings_group(&all);
    assert_null(all.list[1]->same_cause);
    assert_string_equal(all.list[2]->same_cause, "data-race-1");
    findings_free(&all);
}

static struct finding *race_on_static(uint64_t variable, const char *function, unsigned line)
{
    struct finding *f = race_on("count", function, line);
    f->note[0].variable = variable;
    return f;
}

static void variables_of_one_name_are_several(void **state)
{
    (void)state;
    struct findings all = {0};
    bool is_new;
    findings_add(&all, race_on_static(7, "one", 1), &is_new);
    findings_add(&all, race_on_static(8, "two", 2), &is_new);
    findings_add(&all, race_on_static(7, "three", 3), &is_new);
    findings_group(&all);
    assert_null(all.list[1]->same_cause);
    assert_string_equal(all.list[2]->same_cause, "data-race-1");
    findings_free(&all);
}

/* Without any lock it is one section; where one is held, each variable may have another. */
static void variables_with_locks_are_several(void **state)
{
    (void)state;
    struct findings all = {0};
    bool is_new;
    findings_add(&all, race_on("a", "bare", 1), &is_new);
    findings_add(&all, race_on("b", "bare", 2), &is_new);
    for (unsigned line = 3; line < 6; line++) {
        struct finding *f = race_on(line == 4 ? "d" : "c", "locked", line);
        f->note[0].with_lock = true;
        findings_add(&all, f, &is_new);
    }
    findings_group(&all);
    assert_string_equal(all.list[1]->same_cause, "data-race-1");
    assert_null(all.list[2]->same_cause);
    assert_null(all.list[3]->same_cause);
    assert_string_equal(all.list[4]->same_cause, "data-race-3");
    findings_free(&all);
}

/* What fails the run does not hide below what does not, nor the other way. */
static void what_fails_has_a_block_of_its_own(void **state)
{
    (void)state;
    struct findings all = {0};
    bool is_new;
    for (unsigned line = 1; line < 5; line++) {
        struct finding *f = race("serve", line);
        f->fails = line > 2;
        findings_add(&all, f, &is_new);
    }
    findings_group(&all);
    assert_string_equal(all.list[1]->same_cause, "data-race-1");
    assert_null(all.list[2]->same_cause);
    assert_string_equal(all.list[3]->same_cause, "data-race-3");
    findings_free(&all);
}

/* A misuse of an object at a line; `earlier`: where the note before it is, 0: none. */
static struct finding *misuse(enum hd_finding_kind kind, uint32_t object, unsigned line,
                              unsigned earlier)
{
    struct finding *f = finding_new(kind, TOOL_HEDDLE, "");
    side(f, HD_ROLE_HERE, 1, object, line);
    if (earlier)
        side(f, HD_ROLE_EARLIER, 2, object, earlier);
    return f;
}

static void misuse_that_follows_is_told_with_its_cause(void **state)
{
    (void)state;
    struct findings all = {0};
    bool is_new;
    findings_add(&all, misuse(HD_FK_UNLOCK_NOT_HELD, 7, 9, 5), &is_new);
    findings_add(&all, misuse(HD_FK_UNLOCK_NOT_OWNER, 7, 5, 0), &is_new);
    findings_add(&all, misuse(HD_FK_UNLOCK_NOT_HELD, 7, 20, 21), &is_new); /* another mistake */
    findings_add(&all, misuse(HD_FK_UNLOCK_NOT_HELD, 8, 30, 5), &is_new);  /* another lock */
    findings_add(&all, misuse(HD_FK_DESTROY_IN_USE, 9, 40, 0), &is_new);
    findings_add(&all, misuse(HD_FK_USE_AFTER_DESTROY, 9, 41, 40), &is_new);
    findings_add(&all, misuse(HD_FK_USE_AFTER_DESTROY, 9, 41, 50), &is_new); /* elsewhere */
    findings_group(&all);
    assert_string_equal(all.list[0]->same_cause, "unlock-not-owner-1");
    assert_null(all.list[1]->same_cause);
    assert_null(all.list[2]->same_cause);
    assert_null(all.list[3]->same_cause);
    assert_null(all.list[4]->same_cause);
    assert_string_equal(all.list[5]->same_cause, "destroy-in-use-1");
    findings_free(&all);
}

static void headline_is(enum hd_finding_kind kind, const char *text, const char *wanted)
{
    struct finding *f = finding_new(kind, TOOL_HEDDLE, text);
    char *line = report_headline(f);
    assert_string_equal(line, wanted);
    free(line);
    finding_free(f);
}

/* What the program says is never mistaken for our own words. */
static void the_words_of_a_text_decide_nothing(void **state)
{
    (void)state;
    headline_is(HD_FK_PANIC, "disk full", "panic: disk full");
    headline_is(HD_FK_PANIC, "panic mode", "panic: panic mode");
    headline_is(HD_FK_LEAK_OBJECT, "ticker never stopped", "ticker never stopped");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_deadlock_is_drawn_as_a_cycle),
        cmocka_unit_test(no_cycle_is_drawn_where_there_is_none),
        cmocka_unit_test(a_race_names_variable_and_places),
        cmocka_unit_test(half_a_reproduction_is_said),
        cmocka_unit_test(a_prediction_that_came_true_is_one_bug),
        cmocka_unit_test(races_between_two_functions_are_one_block),
        cmocka_unit_test(races_on_one_variable_are_one_block),
        cmocka_unit_test(functions_of_one_name_are_several),
        cmocka_unit_test(variables_of_one_name_are_several),
        cmocka_unit_test(variables_with_locks_are_several),
        cmocka_unit_test(what_fails_has_a_block_of_its_own),
        cmocka_unit_test(misuse_that_follows_is_told_with_its_cause),
        cmocka_unit_test(the_words_of_a_text_decide_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
