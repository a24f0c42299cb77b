/* test_suppress.c - suppress.h: formats, patterns, refusals. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "findings/suppress.h"

static struct finding *sample(enum hd_finding_kind kind)
{
    struct finding *f = finding_new(kind, TOOL_HEDDLE, NULL);
    struct note *n = finding_note(f, HD_ROLE_ACCESS);
    n->object = strdup("mutex M1 (table.lock)");
    stack_push(&n->stack, "bump", "src/counter.c", 12, 1, "prog", 0x10);
    stack_push(&n->stack, "worker", "src/pool.c", 40, 1, "/usr/lib/libpool.so.1", 0x20);
    stack_push(&n->stack, "run", "src/pool.c", 90, 1, "/usr/lib/libpool.so.1", 0x30);
    return f;
}

static bool hides(const char *text, enum hd_finding_kind kind)
{
    struct suppressions *s = suppress_new();
    struct finding *f = sample(kind);
    char *why = suppress_parse(s, "file", text, strlen(text));
    if (why)
        fail_msg("%s", why);
    bool hidden = suppress_matches(s, f);
    finding_free(f);
    suppress_free(s);
    return hidden;
}

static void our_lines(void **state)
{
    (void)state;
    assert_true(hides("data-race:bump", HD_FK_DATA_RACE));
    assert_true(hides("# why\n\n  data-race:wor*er  \n", HD_FK_DATA_RACE));
    assert_true(hides("*:libpool", HD_FK_DATA_RACE));
    assert_true(hides("*:table.lock", HD_FK_DATA_RACE));
    assert_true(hides("data-race:counter.c", HD_FK_DATA_RACE));
    assert_false(hides("data-race:bumper", HD_FK_DATA_RACE));
    assert_false(hides("lock-order:bump", HD_FK_DATA_RACE));
}

/* The line that a report offers leaves out that finding, and no other. */
static void a_line_for_a_finding(void **state)
{
    (void)state;
    struct finding *f = finding_new(HD_FK_LEAK_BLOCKED, TOOL_HEDDLE, NULL);
    assert_null(suppress_line(f));
    struct note *n = finding_note(f, HD_ROLE_WAITS);
    stack_push(&n->stack, "wait_for_work", "src/pool.c", 12, 1, "libpool.so.1.2", 0x10);
    stack_push(&n->stack, "service", "src/pool.c", 40, 1, "libpool.so.1.2", 0x20);
    char *line = suppress_line(f);
    assert_string_equal(line, "leak-blocked:^service$");
    struct suppressions *s = suppress_new();
    assert_null(suppress_parse(s, "file", line, strlen(line)));
    assert_true(suppress_matches(s, f));
    free(line);
    free(n->stack.frame[1].function);
    n->stack.frame[1].function = NULL;
    assert_false(suppress_matches(s, f));
    line = suppress_line(f);
    assert_string_equal(line, "leak-blocked:obj:libpool.so");
    assert_null(suppress_parse(s, "file", line, strlen(line)));
    assert_true(suppress_matches(s, f));
    free(line);
    suppress_free(s);
    finding_free(f);
}

static void anchors_and_fields(void **state)
{
    (void)state;
    assert_true(hides("*:^bump$", HD_FK_CRASH));
    assert_true(hides("*:^b?mp", HD_FK_CRASH));
    assert_false(hides("*:^ump", HD_FK_CRASH));
    assert_false(hides("*:^bum$", HD_FK_CRASH));
    assert_true(hides("*:src:pool.c$", HD_FK_CRASH));
    assert_false(hides("*:fun:pool", HD_FK_CRASH));
    assert_true(hides("*:obj:libpool.so", HD_FK_CRASH));
    assert_true(hides("*:var:table", HD_FK_CRASH));
    assert_false(hides("*:var:bump", HD_FK_CRASH));
}

static void lines_of_tsan(void **state)
{
    (void)state;
    assert_true(hides("race:bump", HD_FK_DATA_RACE));
    assert_true(hides("race:^worker$", HD_FK_PREDICTED_RACE));
    assert_true(hides("deadlock:worker", HD_FK_LOCK_ORDER));
    assert_true(hides("thread:run", HD_FK_LEAK_UNJOINED));
    assert_true(hides("mutex:run", HD_FK_DESTROY_IN_USE));
    assert_false(hides("race:bump", HD_FK_LOCK_ORDER));
    assert_false(hides("called_from_lib:libpool.so", HD_FK_DATA_RACE));
}

static void blocks_of_valgrind(void **state)
{
    (void)state;
    assert_true(hides("{\n n\n Helgrind:Race\n fun:bump\n}\n", HD_FK_DATA_RACE));
    assert_true(hides("{\n n\n Helgrind:Race\n fun:bump\n fun:work*\n}\n", HD_FK_DATA_RACE));
    assert_false(hides("{\n n\n Helgrind:Race\n fun:bump\n fun:run\n}\n", HD_FK_DATA_RACE));
    assert_true(hides("{\n n\n Helgrind:Race\n ...\n fun:run\n}\n", HD_FK_DATA_RACE));
    assert_true(hides("{\n n\n drd:ConflictingAccess\n fun:bump\n ...\n obj:*/libpool.so.*\n}",
                      HD_FK_DATA_RACE));
    assert_false(hides("{\n n\n Helgrind:Race\n fun:bum\n}\n", HD_FK_DATA_RACE));
    assert_true(hides("{\n n\n Helgrind:LockOrder\n fun:pthread_mutex_lock\n fun:bump\n}\n",
                      HD_FK_LOCK_ORDER));
    assert_false(
        hides("{\n n\n Helgrind:LockOrder\n fun:pthread_mutex_lock\n}\n", HD_FK_LOCK_ORDER));
    assert_false(hides("{\n n\n Memcheck:Leak\n fun:bump\n}\n", HD_FK_DATA_RACE));
}

static void refusals_name_the_place(void **state)
{
    (void)state;
    static const struct {
        const char *text, *place;
    } bad[] = {
        {"data-race:a\nno colon here", "f:2:14: "},
        {"  nonsense:a", "f:1:3: "},
        {"data-race:", "f:1:11: "},
        {"{\n n\n Helgrind:Race\n fun:a\n", "f:4:2: "},
        {"{\n n\n Helgrind\n fun:a\n}", "f:3:10: "},
        {"{\n n\n Helgrind:Race\n a line\n}", "f:4:2: "},
        {"{ x\n", "f:1:2: "},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct suppressions *s = suppress_new();
        char *why = suppress_parse(s, "f", bad[i].text, strlen(bad[i].text));
        assert_non_null(why);
        if (strncmp(why, bad[i].place, strlen(bad[i].place)) != 0)
            fail_msg("\"%s\" should begin with %s", why, bad[i].place);
        free(why);
        suppress_free(s);
    }
}

static void unused_ones_are_said(void **state)
{
    (void)state;
    struct suppressions *s = suppress_new();
    struct finding *f = sample(HD_FK_DATA_RACE);
    const char *text = "race:bump\nrace:never\nsignal:x\n";
    char *said = NULL;
    size_t bytes;
    assert_null(suppress_parse(s, "f", text, strlen(text)));
    assert_int_equal(suppress_count(s), 2);
    assert_int_equal(suppress_passed_over(s), 1);
    assert_true(suppress_matches(s, f));
    FILE *to = open_memstream(&said, &bytes);
    assert_int_equal(suppress_unused(s, to), 1);
    fclose(to);
    assert_string_equal(said, "heddle: f:2: \"race:never\" suppressed nothing\n");
    free(said);
    finding_free(f);
    suppress_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(our_lines),
        cmocka_unit_test(a_line_for_a_finding),
        cmocka_unit_test(anchors_and_fields),
        cmocka_unit_test(lines_of_tsan),
        cmocka_unit_test(blocks_of_valgrind),
        cmocka_unit_test(refusals_name_the_place),
        cmocka_unit_test(unused_ones_are_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
