/* Back ends set up, refused with a reason, and their logs taken whatever lies in them. */
#include "logs.h"

#include <unistd.h>

#include "campaign/toolbox.h"
#include "temporary.h"
#include "tools/tools.h"
#include "util/read_file.h"

static char *const argv[] = {"./prog", "one", NULL};

static void assert_says(char *sentence, const char *word)
{
    assert_non_null(sentence);
    if (!strstr(sentence, word))
        fail_msg("\"%s\" does not mention %s", sentence, word);
    free(sentence);
}

static const char *variable(const struct tool_run *run, const char *name)
{
    for (size_t i = 0; run->environment && run->environment[i]; i++)
        if (strncmp(run->environment[i], name, strlen(name)) == 0)
            return run->environment[i] + strlen(name) + 1;
    return "";
}

static void names(void **state)
{
    struct toolbox box = {0};

    (void)state;
    assert_null(toolbox_parse(&box, "heddle,tsan,helgrind,drd"));
    assert_int_equal(box.tools, 4);
    assert_null(box.tool[0]);
    assert_ptr_equal(box.tool[1], &tool_tsan);
    assert_ptr_equal(box.tool[3], &tool_drd);
    assert_says(toolbox_parse(&box, "memcheck"), "memcheck");
    assert_says(toolbox_parse(&box, "drd,drd"), "twice");
    assert_says(toolbox_parse(&box, ""), "at least one");
    toolbox_free(&box);
}

static void what_suits_the_program(void **state)
{
    struct toolbox box = {0};
    struct target plain = {.path = "/prog"}, built = {.path = "/prog", .tsan = true};

    (void)state;
    toolbox_default(&box, &built);
    assert_ptr_equal(box.tool[0], &tool_tsan);
    box = (struct toolbox){0};
    toolbox_default(&box, &plain);
    assert_int_equal(box.tools, 1);
    assert_null(box.tool[0]);
}

static void programs_that_a_tool_cannot_take(void **state)
{
    struct target plain = {.path = "/prog"}, built = {.path = "/prog", .tsan = true};
    struct tool_run run;

    (void)state;
    assert_says(tool_open(&run, &tool_tsan, &plain, argv, NULL), "-fsanitize=thread");
    tool_close(&run);
    if (access("/usr/bin/valgrind", X_OK) == 0) {
        assert_says(tool_open(&run, &tool_helgrind, &built, argv, NULL), "without -fsanitize");
        tool_close(&run);
    }
}

static void no_valgrind(void **state)
{
    struct target plain = {.path = "/prog"};
    struct tool_run run;
    char *path = mem_copy(getenv("PATH"));

    (void)state;
    setenv("PATH", "/nonexistent", 1);
    assert_says(tool_open(&run, &tool_drd, &plain, argv, NULL), "not installed");
    tool_close(&run);
    setenv("PATH", path, 1);
    if (access("/usr/bin/valgrind", X_OK) == 0) {
        setenv("VALGRIND_LIB", "/nonexistent", 1);
        assert_says(tool_open(&run, &tool_drd, &plain, argv, NULL), "has no drd");
        tool_close(&run);
        unsetenv("VALGRIND_LIB");
    }
    free(path);
}

static void options_of_the_user_stay(void **state)
{
    struct target built = {.path = "/prog", .tsan = true};
    struct tool_run run;
    char *more[] = {"report_bugs=1", NULL};

    (void)state;
    setenv("TSAN_OPTIONS", "history_size=3:log_path=mine:detect_deadlocks=1", 1);
    assert_null(tool_open(&run, &tool_tsan, &built, argv, more));
    const char *options = variable(&run, "TSAN_OPTIONS");
    assert_non_null(strstr(options, "history_size=3"));
    assert_non_null(strstr(options, "report_bugs=1"));
    /* later ones win: defaults before the user's, what must be behind them */
    assert_true(strstr(options, "detect_deadlocks=1") > strstr(options, "detect_deadlocks=0"));
    assert_true(strstr(options, run.folder) > strstr(options, "log_path=mine"));
    assert_false(run.symbolised);
    assert_string_equal(run.argv[1], "one");
    tool_close(&run);
    unsetenv("TSAN_OPTIONS");
}

static char *suppressions_of(const struct tool_run *run)
{
    char *path = mem_format("%s/suppressions", run->folder), *told;
    size_t bytes = 0;

    told = mem_format("suppressions='%s'", path);
    assert_non_null(strstr(variable(run, "TSAN_OPTIONS"), told));
    free(told);
    char *text = read_file(path, 1000, &bytes);
    assert_non_null(text);
    free(path);
    return text;
}

static void suppressions_of_the_user_and_ours(void **state)
{
    struct target built = {.path = "/prog", .tsan = true};
    struct tool_run run;
    char *path = temporary("heddle-suppressions-XXXXXX");
    int fd = mkstemp(path);

    (void)state;
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "race:mine\n", 10), 10);
    close(fd);
    assert_null(tool_open(&run, &tool_tsan, &built, argv, NULL));
    char *text = suppressions_of(&run);
    assert_string_equal(text, "called_from_lib:libheddle-rt.so\n");
    free(text);
    assert_false(run.symbolised);
    tool_close(&run);
    for (int quoted = 0; quoted < 2; quoted++) {
        char *options = mem_format(quoted ? "suppressions=absent:suppressions='%s':verbosity=0"
                                          : "suppressions=absent:suppressions=%s:verbosity=0",
                                   path);
        setenv("TSAN_OPTIONS", options, 1);
        assert_null(tool_open(&run, &tool_tsan, &built, argv, NULL));
        assert_true(run.symbolised); /* suppressions name functions */
        text = suppressions_of(&run);
        assert_string_equal(text, "called_from_lib:libheddle-rt.so\nrace:mine\n");
        free(text);
        tool_close(&run);
        free(options);
    }
    unlink(path);
    free(path);
    assert_says(tool_open(&run, &tool_tsan, &built, argv, NULL), "No such file");
    tool_close(&run);
    unsetenv("TSAN_OPTIONS");
}

static void valgrind_around_the_program(void **state)
{
    struct target plain = {.path = "/prog"};
    struct tool_run run;
    char *more[] = {"--history-level=none", NULL};
    size_t n = 0;
    bool passed = false;

    (void)state;
    if (access("/usr/bin/valgrind", X_OK) != 0)
        skip();
    assert_null(tool_open(&run, &tool_helgrind, &plain, argv, more));
    assert_non_null(strstr(run.program, "helgrind-amd64-linux"));
    while (run.argv[n]) {
        passed |= strcmp(run.argv[n], more[0]) == 0;
        n++;
    }
    assert_true(passed);
    assert_string_equal(run.argv[n - 1], "one");
    assert_string_equal(run.argv[n - 2], "/prog");
    tool_close(&run);
}

static void write_log(const struct tool_run *run, int pid, const char *text, size_t bytes)
{
    char *path = mem_format("%s/log.%d", run->folder, pid);
    FILE *out = fopen(path, "w");

    assert_non_null(out);
    fwrite(text, 1, bytes, out);
    fclose(out);
    free(path);
}

static void logs_are_taken_once(void **state)
{
    struct target built = {.path = "/prog", .tsan = true};
    struct tool_run run;
    struct tool_log log = {0};
    size_t bytes;
    char *text = read_log("clang-heap.txt", &bytes);
    static const char garbage[] = "\0\xff<<>>WARNING: ThreadSanitizer: \n\n#0";

    (void)state;
    assert_null(tool_open(&run, &tool_tsan, &built, argv, NULL));
    tool_collect(&run, 1, &log); /* none there */
    assert_int_equal(log.count, 0);
    write_log(&run, 1, text, bytes);
    write_log(&run, 2, garbage, sizeof garbage);
    tool_collect(&run, 1, &log);
    assert_int_equal(log.count, 1);
    tool_collect(&run, 1, &log);
    assert_int_equal(log.count, 1);
    tool_collect_rest(&run, &log);
    assert_int_equal(log.count, 2);
    assert_int_equal(log.raw, 1);
    assert_int_equal(run.reports, 2);
    tool_log_free(&log);
    char *folder = mem_copy(run.folder);
    write_log(&run, 3, text, bytes);
    tool_close(&run);
    assert_int_not_equal(access(folder, F_OK), 0);
    free(folder);
    free(text);
}

static void our_own_work_is_no_finding(void **state)
{
    static const char text[] = "WARNING: ThreadSanitizer: data race (pid=1)\n"
                               "  Write of size 4 at 0x10 by main thread:\n"
                               "    #0 0x1 f a.c:1 (/prog+0x1)\n"
                               "  Previous read of size 4 at 0x10 by thread T1:\n"
                               "    #0 0x2  <null> (/usr/lib/libheddle-rt.so+0x2)\n";
    struct target built = {.path = "/prog", .tsan = true};
    struct tool_run run;
    struct tool_log log = {0};

    (void)state;
    assert_null(tool_open(&run, &tool_tsan, &built, argv, NULL));
    write_log(&run, 1, text, sizeof text - 1);
    tool_collect(&run, 1, &log);
    assert_int_equal(log.count, 0);
    tool_log_free(&log);
    tool_close(&run);
}

/* What it held when it crashed is not told: that of the log beside it, which has no crash, is. */
static void what_a_crash_leaves_is_no_finding(void **state)
{
    static const char held[] = "<error><unique>0x1</unique><tid>1</tid><kind>Misc</"
                               "kind><xwhat><text>Thread #1: Exiting thread still holds 1 "
                               "lock</text></xwhat><stack><frame><ip>0x1</ip><fn>f</fn><file>a.c</"
                               "file><line>1</line></frame></stack></error>";
    static const char fatal[] = "<fatal_signal><tid>1</tid><signo>6</signo><signame>SIGABRT</"
                                "signame><stack><frame><ip>0x1</ip>"
                                "<fn>f</fn></frame></stack></fatal_signal>";
    char text[2048];

    (void)state;
    for (int crashed = 0; crashed < 2; crashed++) {
        struct tool_log log = {0};
        struct tool_run run = {.backend = &tool_helgrind,
                               .folder = temporary("heddle-held-XXXXXX")};
        assert_non_null(mkdtemp(run.folder));
        int n = snprintf(
            text, sizeof text,
            "<?xml version=\"1.0\"?>\n<valgrindoutput>\n<protocolversion>4</protocolversion>\n"
            "<protocoltool>helgrind</protocoltool>\n%s\n%s\n</valgrindoutput>\n",
            held, crashed ? fatal : "");
        write_log(&run, 1, text, (size_t)n);
        tool_collect(&run, 1, &log);
        assert_int_equal(log.count, 1);
        assert_int_equal(log.finding[0]->kind, crashed ? HD_FK_CRASH : HD_FK_LOCK_AT_EXIT);
        tool_log_free(&log);
        assert_int_equal(temporary_remove(run.folder), 0);
    }
}

static void last_words(void **state)
{
    (void)state;
    assert_says(tool_helgrind.died("a\nvalgrind: the 'impossible' happened:\n   LibVEX\n"),
                "Valgrind gave up");
    assert_says(tool_tsan.died("FATAL: ThreadSanitizer: unexpected memory mapping 0x1-0x2\n"),
                "mmap_rnd_bits");
    assert_null(tool_helgrind.died("ordinary output\n"));
    assert_null(tool_tsan.died("ordinary output\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names),
        cmocka_unit_test(what_suits_the_program),
        cmocka_unit_test(programs_that_a_tool_cannot_take),
        cmocka_unit_test(no_valgrind),
        cmocka_unit_test(options_of_the_user_stay),
        cmocka_unit_test(suppressions_of_the_user_and_ours),
        cmocka_unit_test(valgrind_around_the_program),
        cmocka_unit_test(logs_are_taken_once),
        cmocka_unit_test(our_own_work_is_no_finding),
        cmocka_unit_test(what_a_crash_leaves_is_no_finding),
        cmocka_unit_test(last_words),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
