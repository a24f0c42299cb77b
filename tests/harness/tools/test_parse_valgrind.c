/* The XML of Helgrind and DRD into findings: real logs, then broken ones. */
#include "logs.h"

static struct tool_log parse(const char *name)
{
    struct tool_log log = {0};
    size_t bytes;
    char *text = read_log(name, &bytes);

    parse_valgrind(text, bytes, strstr(name, "drd") ? TOOL_DRD : TOOL_HELGRIND, &log);
    free(text);
    assert_int_equal(log.raw, 0);
    return log;
}

static void kinds(void **state)
{
    static const struct {
        const char *log;
        size_t count;
        enum hd_finding_kind kind;
        enum hd_role role;
        const char *function;
    } cases[] = {
        {"helgrind-heap.xml", 2, HD_FK_DATA_RACE, HD_ROLE_ACCESS, "heldb"},
        {"helgrind-heap.xml", 2, HD_FK_DATA_RACE, HD_ROLE_PREVIOUS_ACCESS, "held"},
        {"helgrind-memcpy.xml", 2, HD_FK_DATA_RACE, HD_ROLE_PREVIOUS_ACCESS, "cp"},
        {"helgrind-abba.xml", 1, HD_FK_LOCK_ORDER, HD_ROLE_EDGE_TOOK, "ba"},
        {"helgrind-destroy.xml", 2, HD_FK_DESTROY_IN_USE, HD_ROLE_HERE, "main"},
        {"helgrind-unlock.xml", 1, HD_FK_UNLOCK_NOT_HELD, HD_ROLE_HERE, "main"},
        {"helgrind-segv.xml", 1, HD_FK_CRASH, HD_ROLE_HERE, "main"},
        {"drd-heap.xml", 2, HD_FK_DATA_RACE, HD_ROLE_ACCESS, "heldb"},
        {"drd-destroy.xml", 1, HD_FK_DESTROY_IN_USE, HD_ROLE_HERE, "main"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tool_log log = parse(cases[i].log);
        assert_int_equal(log.count, cases[i].count);
        assert_int_equal(log.finding[0]->kind, cases[i].kind);
        assert_place(note_of(log.finding[0], cases[i].role, 0), cases[i].function);
        tool_log_free(&log);
    }
}

static void race_in_full(void **state)
{
    struct tool_log log = parse("helgrind-heap.xml");
    const struct finding *f = log.finding[0];
    const struct note *now = note_of(f, HD_ROLE_ACCESS, 0);
    const struct note *before = note_of(f, HD_ROLE_PREVIOUS_ACCESS, 0);

    (void)state;
    assert_string_equal(f->text, "8 bytes inside a block of size 40");
    assert_string_equal(now->text, "read of 4 bytes");
    assert_string_equal(before->text, "write of 4 bytes");
    assert_string_equal(now->thread, "thread #3");
    assert_string_equal(before->thread, "thread #2");
    assert_int_equal(now->extra, 4);
    assert_true(now->addr != 0);
    assert_place(note_of(f, HD_ROLE_ALLOCATED, 0), "main");
    assert_int_equal(notes_of(f, HD_ROLE_CREATED), 2);
    assert_place(note_of(f, HD_ROLE_CREATED, 1), "main");
    tool_log_free(&log);
}

static void lock_order_pairs_held_and_taken(void **state)
{
    struct tool_log log = parse("helgrind-abba.xml");
    const struct finding *f = log.finding[0];

    (void)state;
    assert_int_equal(notes_of(f, HD_ROLE_EDGE_TOOK), 2);
    const struct note *ba = note_of(f, HD_ROLE_EDGE_TOOK, 0),
                      *ab = note_of(f, HD_ROLE_EDGE_TOOK, 1);
    assert_place(ab, "ab");
    assert_int_equal(f->note[ba->link].object_id, ab->object_id);
    assert_int_equal(f->note[ab->link].object_id, ba->object_id);
    tool_log_free(&log);
}

/* A forked process adds records and an end tag, but no head. */
static void part_of_a_document(void **state)
{
    size_t bytes;
    char *text = read_log("helgrind-heap.xml", &bytes), *from = strstr(text, "<announcethread>");
    struct tool_log log = {0};

    (void)state;
    parse_valgrind(from, bytes - (size_t)(from - text), TOOL_HELGRIND, &log);
    assert_int_equal(log.count, 2);
    assert_int_equal(log.raw, 0);
    tool_log_free(&log);
    free(text);
}

static void one_broken_record_costs_one(void **state)
{
    size_t bytes;
    char *text = read_log("helgrind-heap.xml", &bytes), *kind = strstr(text, "<kind>");
    struct tool_log log = {0};

    (void)state;
    memcpy(kind, "<kin<>", 6);
    parse_valgrind(text, bytes, TOOL_HELGRIND, &log);
    assert_int_equal(log.count, 2);
    assert_int_equal(log.raw, 1);
    assert_int_equal(log.finding[0]->kind, HD_FK_TOOL);
    assert_int_equal(log.finding[1]->kind, HD_FK_DATA_RACE);
    tool_log_free(&log);
    free(text);
}

static void every_prefix(void **state)
{
    static const char *const logs[] = {"helgrind-heap.xml", "helgrind-segv.xml", "drd-heap.xml"};

    (void)state;
    for (size_t i = 0; i < sizeof logs / sizeof *logs; i++) {
        size_t bytes;
        char *text = read_log(logs[i], &bytes);
        for (size_t n = 0; n <= bytes; n += 3) {
            char *exact = mem_zeroed(n, 1);
            struct tool_log log = {0};
            memcpy(exact, text, n);
            parse_valgrind(exact, n, TOOL_HELGRIND, &log);
            assert_true(log.count <= 2);
            tool_log_free(&log);
            free(exact);
        }
        free(text);
    }
}

static void garbage(void **state)
{
    static const char *const texts[] = {
        "",
        "<error>",
        "<error></error>",
        "<error><kind>Race</kind></error>",
        "</error><error",
        "<error><error><error>",
        "<fatal_signal>\xff</fatal_signal>",
        "<error><kind>Race</kind><what>x</what><stack><frame><ip>zz</ip></frame></stack></error>",
        "<!DOCTYPE a [<!ENTITY x \"y\">]><error>&x;</error>",
    };

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct tool_log log = {0};
        parse_valgrind(texts[i], strlen(texts[i]), TOOL_DRD, &log);
        tool_log_free(&log);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kinds),
        cmocka_unit_test(race_in_full),
        cmocka_unit_test(lock_order_pairs_held_and_taken),
        cmocka_unit_test(part_of_a_document),
        cmocka_unit_test(one_broken_record_costs_one),
        cmocka_unit_test(every_prefix),
        cmocka_unit_test(garbage),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
