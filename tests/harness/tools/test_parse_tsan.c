/* ThreadSanitizer's text into findings: real logs of clang and gcc, then broken ones. */
#include "logs.h"

static struct tool_log parse(const char *name)
{
    struct tool_log log = {0};
    size_t bytes;
    char *text = read_log(name, &bytes);

    parse_tsan(text, bytes, &log);
    free(text);
    assert_null(log.trouble);
    assert_int_equal(log.raw, 0);
    return log;
}

static struct tool_log parse_text(const char *text)
{
    struct tool_log log = {0};

    parse_tsan(text, strlen(text), &log);
    return log;
}

static void kinds(void **state)
{
    static const struct {
        const char *log;
        enum hd_finding_kind kind;
        enum hd_role role;
        const char *function;
    } cases[] = {
        {"clang-abba.txt", HD_FK_LOCK_ORDER, HD_ROLE_EDGE_TOOK, "ab"},
        {"clang-three.txt", HD_FK_LOCK_ORDER, HD_ROLE_EDGE_TOOK, "ab"},
        {"clang-leak.txt", HD_FK_LEAK_UNJOINED, HD_ROLE_CREATED, "main"},
        {"clang-unlock.txt", HD_FK_UNLOCK_NOT_HELD, HD_ROLE_HERE, "main"},
        {"clang-destroy.txt", HD_FK_DESTROY_IN_USE, HD_ROLE_HERE, "main"},
        {"clang-invalid.txt", HD_FK_USE_AFTER_DESTROY, HD_ROLE_HERE, "main"},
        {"clang-uaf.txt", HD_FK_USE_AFTER_FREE, HD_ROLE_ACCESS, "touch"},
        {"clang-heap.txt", HD_FK_DATA_RACE, HD_ROLE_PREVIOUS_ACCESS, "held"},
        {"clang-memcpy.txt", HD_FK_DATA_RACE, HD_ROLE_PREVIOUS_ACCESS, "cp"},
        {"clang-segv.txt", HD_FK_CRASH, HD_ROLE_HERE, "main"},
        {"gcc-heap.txt", HD_FK_DATA_RACE, HD_ROLE_ACCESS, "heldb"},
        {"gcc-abba.txt", HD_FK_LOCK_ORDER, HD_ROLE_EDGE_TOOK, "ab"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tool_log log = parse(cases[i].log);
        assert_int_equal(log.count, 1);
        assert_int_equal(log.finding[0]->kind, cases[i].kind);
        assert_int_equal(log.finding[0]->tools, TOOL_TSAN);
        assert_place(note_of(log.finding[0], cases[i].role, 0), cases[i].function);
        tool_log_free(&log);
    }
}

static void race_in_full(void **state)
{
    struct tool_log log = parse("clang-heap.txt");
    const struct finding *f = log.finding[0];
    const struct note *now = note_of(f, HD_ROLE_ACCESS, 0);
    const struct note *before = note_of(f, HD_ROLE_PREVIOUS_ACCESS, 0);

    (void)state;
    assert_string_equal(f->text, "heap block of size 40");
    assert_string_equal(now->text, "write of 4 bytes");
    assert_string_equal(now->thread, "T2");
    assert_string_equal(before->thread, "T1");
    assert_int_equal(now->extra, 4 | HD_ACCESS_WRITE);
    assert_int_equal(now->addr, before->addr);
    assert_int_equal(notes_of(f, HD_ROLE_HOLDS), 3); /* two locks there, one here */
    assert_string_equal(note_of(f, HD_ROLE_HOLDS, 0)->object, "mutex M0");
    assert_string_equal(note_of(f, HD_ROLE_HOLDS, 0)->thread, "T2");
    assert_string_equal(note_of(f, HD_ROLE_HOLDS, 2)->thread, "T1");
    assert_string_equal(note_of(f, HD_ROLE_ALLOCATED, 0)->thread, "main");
    assert_place(note_of(f, HD_ROLE_ALLOCATED, 0), "main");
    tool_log_free(&log);
}

static void lock_order_pairs_held_and_taken(void **state)
{
    struct tool_log log = parse("clang-three.txt");
    const struct finding *f = log.finding[0];

    (void)state;
    assert_int_equal(notes_of(f, HD_ROLE_EDGE_HELD), 3);
    assert_int_equal(notes_of(f, HD_ROLE_EDGE_TOOK), 3);
    for (size_t i = 0; i < 3; i++) {
        const struct note *took = note_of(f, HD_ROLE_EDGE_TOOK, i);
        const struct note *held = &f->note[took->link];
        assert_int_equal(held->role, HD_ROLE_EDGE_HELD);
        assert_int_not_equal(held->object_id, took->object_id);
        assert_true(held->stack.count > 0); /* second_deadlock_stack=1 */
    }
    tool_log_free(&log);
}

static void not_symbolised(void **state)
{
    struct tool_log log = parse("raw-memcpy.txt");
    const struct note *n = note_of(log.finding[0], HD_ROLE_ACCESS, 0);

    (void)state;
    assert_int_equal(log.count, 1);
    assert_null(n->stack.frame[0].function);
    assert_string_equal(n->stack.frame[0].module, "/src/mc");
    assert_true(n->stack.frame[0].offset > 0x1000);
    tool_log_free(&log);
}

static void named_thread(void **state)
{
    struct tool_log log = parse("clang-leak.txt");

    (void)state;
    assert_string_equal(note_of(log.finding[0], HD_ROLE_CREATED, 0)->object,
                        "thread T1 (worker bee)");
    tool_log_free(&log);
}

static void signal_reports_are_one_fingerprint(void **state)
{
    struct tool_log log = parse("clang-signal.txt");

    (void)state;
    assert_int_equal(log.count, 4); /* malloc and free, in two signals */
    for (size_t i = 0; i < log.count; i++) {
        assert_int_equal(log.finding[i]->kind, HD_FK_SANITIZER);
        assert_string_equal(log.finding[i]->text, "signal-unsafe call inside of a signal");
    }
    tool_log_free(&log);
}

static void two_tools_agree_on_a_race(void **state)
{
    uint64_t print[3];
    struct tool_log log[3] = {parse("clang-heap.txt"), parse("gcc-heap.txt"), {0}};
    size_t bytes;
    char *xml = read_log("helgrind-heap.xml", &bytes);

    (void)state;
    parse_valgrind(xml, bytes, TOOL_HELGRIND, &log[2]);
    free(xml);
    for (int i = 0; i < 3; i++) {
        struct finding *f = log[i].finding[0];
        for (size_t k = 0; k < f->notes; k++)
            free(tool_log_trim(&f->note[k].stack));
        print[i] = finding_fingerprint(f);
        tool_log_free(&log[i]);
    }
    assert_true(print[0] == print[1]);
    assert_true(print[0] == print[2]);
}

static void functions_of_cxx(void **state)
{
    struct tool_log log = parse_text("WARNING: ThreadSanitizer: data race (pid=1)\n"
                                     "  Atomic write of size 1 at 0x7b by thread T1:\n"
                                     "    #0 std::map<int, char>::find(int const&) const /a "
                                     "b/map.h:12:3 (prog+0x12) (BuildId: 0)\n"
                                     "    #1 operator() lambda.cpp:7 (lib.so+0x34)\n"
                                     "SUMMARY: ThreadSanitizer: data race\n");
    const struct note *n;

    (void)state;
    assert_int_equal(log.count, 1);
    n = note_of(log.finding[0], HD_ROLE_ACCESS, 0);
    assert_int_equal(n->kind, HD_EV_ATOMIC_STORE);
    assert_string_equal(n->stack.frame[0].function, "std::map<int, char>::find(int const&) const");
    assert_string_equal(n->stack.frame[0].file, "/a b/map.h");
    assert_int_equal(n->stack.frame[0].line, 12);
    assert_int_equal(n->stack.frame[0].column, 3);
    assert_string_equal(n->stack.frame[0].module, "prog");
    assert_int_equal(n->stack.frame[0].offset, 0x12);
    assert_string_equal(n->stack.frame[1].file, "lambda.cpp");
    tool_log_free(&log);
}

static void output_in_between(void **state)
{
    struct tool_log log =
        parse_text("hello\n  Write of size 9 of the program's own\n"
                   "==================\nWARNING: ThreadSanitizer: data race (pid=1)\n"
                   "progress 10%\n"
                   "  Write of size 4 at 0x10 by main thread:\n"
                   "#\n    #x\n"
                   "    #0 f a.c:1 (p+0x1)\n"
                   "\xff\xfe\n");

    (void)state;
    assert_int_equal(log.count, 1); /* no SUMMARY: cut off, but understood */
    assert_int_equal(log.raw, 0);
    assert_int_equal(log.finding[0]->notes, 1);
    tool_log_free(&log);
}

static void without_stacks_it_is_raw(void **state)
{
    struct tool_log log = parse_text("WARNING: ThreadSanitizer: data race (pid=1)\n"
                                     "  something that was never seen before\n"
                                     "SUMMARY: ThreadSanitizer: data race\n");

    (void)state;
    assert_int_equal(log.count, 1);
    assert_int_equal(log.raw, 1);
    assert_int_equal(log.finding[0]->kind, HD_FK_TOOL);
    assert_non_null(strstr(log.finding[0]->raw, "never seen before"));
    tool_log_free(&log);
}

static void tool_that_gives_up(void **state)
{
    struct tool_log log = parse_text("FATAL: ThreadSanitizer: unexpected memory mapping "
                                     "0x56a3c8e51000-0x56a3c8e52000\n");

    (void)state;
    assert_int_equal(log.count, 0);
    assert_non_null(strstr(log.trouble, "vm.mmap_rnd_bits"));
    tool_log_free(&log);
    log = parse_text("ThreadSanitizer: failed to read suppressions file '/none'\n");
    assert_non_null(strstr(log.trouble, "failed to read suppressions file"));
    tool_log_free(&log);
    log =
        parse_text("ThreadSanitizer: CHECK failed: tsan_rtl.cpp:37 \"((0)) != (0)\" (0x0, 0x0)\n");
    assert_non_null(strstr(log.trouble, "tsan_rtl.cpp:37"));
    tool_log_free(&log);
}

static void every_prefix_and_every_broken_byte(void **state)
{
    static const char *const logs[] = {"clang-heap.txt", "clang-abba.txt", "clang-segv.txt"};

    (void)state;
    for (size_t i = 0; i < sizeof logs / sizeof *logs; i++) {
        size_t bytes;
        char *text = read_log(logs[i], &bytes);
        for (size_t n = 0; n <= bytes; n++) {
            char *exact = mem_zeroed(n, 1); /* so that a sanitizer sees a read beyond it */
            struct tool_log log = {0};
            memcpy(exact, text, n);
            if (n)
                exact[n / 2] = (char)n;
            parse_tsan(exact, n, &log);
            assert_true(log.count <= 2);
            tool_log_free(&log);
            free(exact);
        }
        free(text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kinds),
        cmocka_unit_test(race_in_full),
        cmocka_unit_test(lock_order_pairs_held_and_taken),
        cmocka_unit_test(not_symbolised),
        cmocka_unit_test(named_thread),
        cmocka_unit_test(signal_reports_are_one_fingerprint),
        cmocka_unit_test(two_tools_agree_on_a_race),
        cmocka_unit_test(functions_of_cxx),
        cmocka_unit_test(output_in_between),
        cmocka_unit_test(without_stacks_it_is_raw),
        cmocka_unit_test(tool_that_gives_up),
        cmocka_unit_test(every_prefix_and_every_broken_byte),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
