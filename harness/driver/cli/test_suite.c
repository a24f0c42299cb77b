/* test_suite.c - see test_suite.h */
#include "test_suite.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "reports/json_text.h"
#include "reports/test_document.h"
#include "suite_member.h"
#include "test_summary.h"
#include "util/alloc.h"
#include "util/complain.h"
#include "util/cpus.h"
#include "util/exit_code.h"
#include "util/quantity.h"
#include "util/real_time.h"
#include "util/whole_file.h"

#define JOBS 64
#define ORPHANS_NS 20000000000 /* so long is waited for those that go on */

enum { OPT_BUDGET = 512, OPT_REPORT, OPT_BASELINE, OPT_JSON, OPT_PASSED };

/* The options from OPT_PASSED on are those of heddle run, and go there. */
static const struct argp_option table[] = {
    {"jobs", 'j', "N", OPTION_ARG_OPTIONAL,
     "-jN: run N tests side by side (1; -j alone: one per CPU)", 0},
    {"budget", OPT_BUDGET, "TIME", 0,
     "Share TIME among the tests: 60s, 10m. Without --schedules each uses all of its share", 0},
    {"output", 'o', "DIR", 0, "Folder for the findings of all tests (heddle-out)", 0},
    {"report", OPT_REPORT, "LIST", 0, "Write the report in these formats, as heddle run does", 0},
    {"baseline", OPT_BASELINE, "FILE", 0, "Findings that FILE names are known and fail no test", 0},
    {"json", OPT_JSON, 0, 0, "Print one JSON document (docs/json.md) instead of text", 0},
    {"quiet", 'q', 0, 0, "Nothing while the tests run", 0},
    {0, 0, 0, 0, "Each test is run with these of heddle run:", 1},
    {"schedules", 'n', "N", 0, "Try N schedules of each (500)", 0},
    {"seed", OPT_PASSED, "N", 0, "", 0},
    {"strategy", OPT_PASSED + 1, "NAME", 0, "", 0},
    {"points", OPT_PASSED + 2, "WHICH", 0, "", 0},
    {"memory-model", OPT_PASSED + 3, "MODEL", 0, "", 0},
    {"timeout", OPT_PASSED + 4, "TIME", 0, "", 0},
    {"max-steps", OPT_PASSED + 5, "N", 0, "", 0},
    {"tool", OPT_PASSED + 6, "LIST", 0, "", 0},
    {"strict", OPT_PASSED + 7, 0, 0, "", 0},
    {"fail-on", OPT_PASSED + 8, "KINDS", 0, "", 0},
    {"suppressions", OPT_PASSED + 9, "FILE", 0, "", 0},
    {"no-leaks", OPT_PASSED + 10, 0, 0, "", 0},
    {"lock-order", OPT_PASSED + 11, "on|off", 0, "", 0},
    {"reach", OPT_PASSED + 12, "on|off", 0, "", 0},
    {"elastic-sleep", OPT_PASSED + 13, 0, 0, "", 0},
    {"spurious", OPT_PASSED + 14, 0, 0, "", 0},
    {"fresh", OPT_PASSED + 15, 0, 0, "", 0},
    {0},
};

static void pass_on(struct test_suite *s, char *option)
{
    s->option = mem_grow(s->option, s->options, sizeof *s->option);
    s->option[s->options++] = option;
}

/* Tests run in folders of their own. */
static char *whole_path(struct argp_state *state, const char *option, const char *path)
{
    char *real = realpath(path, NULL);

    if (!real)
        argp_failure(state, EXIT_USAGE, 0, "--%s: %s: %s", option, path, strerror(errno));
    return real;
}

static void pass_named(struct argp_state *state, struct test_suite *s, int key, char *arg)
{
    const struct argp_option *o = table;

    while (o->key != key)
        o++;
    if (strcmp(o->name, "suppressions") == 0) {
        char *path = whole_path(state, o->name, arg);
        pass_on(s, mem_format("--%s=%s", o->name, path));
        free(path);
    } else {
        pass_on(s, arg ? mem_format("--%s=%s", o->name, arg) : mem_format("--%s", o->name));
    }
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct test_suite *s = state->input;
    char *why = NULL;
    uint64_t n;

    switch (key) {
    case 'j':
        if (arg && !parse_count(arg, 1, JOBS, &n))
            why = mem_format("-j wants a whole number from 1 to %d, not \"%s\"", JOBS, arg);
        else
            s->jobs = arg ? (unsigned)n : cpus_usable(JOBS);
        break;
    case OPT_BUDGET:
        if (!parse_time(arg, &s->budget_ns))
            why = mem_format("--budget wants a time such as 60s or 10m, not \"%s\"", arg);
        break;
    case 'o':
        s->out = arg;
        break;
    case OPT_REPORT:
        why = formats_parse(&s->formats, arg);
        break;
    case OPT_BASELINE: {
        baseline_free(s->baseline);
        s->baseline = baseline_read(arg, &why);
        if (!why) {
            char *path = whole_path(state, "baseline", arg);
            pass_on(s, mem_format("--baseline=%s", path));
            free(path);
        }
        break;
    }
    case OPT_JSON:
        s->json = true;
        break;
    case 'q':
        s->quiet = true;
        break;
    case 'n':
        if (!parse_count(arg, 1, 1000000000000, &n))
            why = mem_format("-n wants a whole number from 1 on, not \"%s\"", arg);
        s->counted = true;
        pass_on(s, mem_format("--schedules=%s", arg));
        break;
    case ARGP_KEY_END:
        if (s->json && formats_to_stdout(&s->formats))
            why = mem_copy("--json has stdout for itself: give the report a file");
        break;
    default:
        if (key < OPT_PASSED || key >= OPT_PASSED + 64)
            return ARGP_ERR_UNKNOWN;
        pass_named(state, s, key, arg);
    }
    if (why)
        argp_failure(state, EXIT_USAGE, 0, "%s", why);
    return 0;
}

const struct argp suite_argp = {.options = table, .parser = parse};

void suite_start(struct test_suite *s)
{
    *s = (struct test_suite){.out = "heddle-out", .jobs = 1, .started_ns = real_now()};
}

/* ---- the folder ---- */

static char *write_file(const struct test_suite *s, const char *name, const char *text)
{
    int error = whole_file_write(s->folder.folder, name, 0666, false, text, strlen(text));
    return error ? mem_format("%s/%s cannot be written: %s", s->folder.path, name, strerror(error))
                 : NULL;
}

static char *make_folder(struct test_suite *s, const char *about, size_t tests)
{
    static const char *const inside[] = {SUITE_DOCUMENTS, SUITE_TESTS};
    char *written = NULL, *real, *why;

    s->folder = (struct outdir){.wanted = s->out};
    why = outdir_write(&s->folder, about, "suite", ".txt", about, strlen(about), &written);
    free(written);
    if (why)
        return why;
    /* Tests run in other folders. */
    if ((real = realpath(s->folder.path, NULL))) {
        free(s->folder.path);
        s->folder.path = real;
    }
    for (size_t i = 0; i < sizeof inside / sizeof *inside; i++)
        if (mkdirat(s->folder.folder, inside[i], 0777) != 0)
            return mem_format("%s/%s cannot be made: %s", s->folder.path, inside[i],
                              strerror(errno));
    if (s->budget_ns) {
        char *shares = mem_format("%lld %u %zu\n", (long long)(real_now() + s->budget_ns), s->jobs,
                                  tests ? tests : 1);
        why = write_file(s, SUITE_SHARES, shares);
        free(shares);
    }
    return why;
}

int suite_open(struct test_suite *s, const char *about, size_t tests)
{
    bool misuse = false;
    char *why = outdir_check(s->out, &misuse);

    if (!why && !(s->self = realpath("/proc/self/exe", NULL)))
        why = mem_copy("/proc is not mounted: the command cannot find itself");
    if (!why)
        why = make_folder(s, about, tests);
    if (!why)
        return EXIT_NOTHING;
    complain("%s", why);
    free(why);
    return misuse ? EXIT_USAGE : EXIT_CANNOT;
}

char **suite_wrapper(const struct test_suite *s)
{
    char **wrapper = mem_zeroed(s->options + 8, sizeof *wrapper);
    size_t n = 0;
    unsigned each = cpus_usable(JOBS) / s->jobs;

    wrapper[n++] = mem_copy(s->self);
    wrapper[n++] = mem_copy("run");
    wrapper[n++] = mem_copy("--quiet");
    wrapper[n++] = mem_format("--jobs=%u", each ? each : 1);
    wrapper[n++] = mem_format("--suite=%s", s->folder.path);
    for (size_t i = 0; i < s->options; i++)
        wrapper[n++] = mem_copy(s->option[i]);
    return wrapper;
}

void suite_wrapper_free(char **wrapper)
{
    for (char **w = wrapper; *w; w++)
        free(*w);
    free(wrapper);
}

/* ---- the run ---- */

static volatile sig_atomic_t stopped;
static volatile sig_atomic_t running;

/* Ctrl-C reaches the tests as well; another signal is handed on. */
static void on_stop(int signal)
{
    stopped = signal;
    if (running && signal != SIGINT)
        kill(running, signal);
}

/* What runs the tests may end before them, as ctest does on Ctrl-C: they become our children, and still have
 * their reports to write. */
static void wait_for_orphans(void)
{
    int64_t started = real_now();
    pid_t pid;

    while ((pid = waitpid(-1, NULL, WNOHANG)) > 0 || (pid < 0 && errno == EINTR) ||
           (pid == 0 && real_now() - started < ORPHANS_NS))
        if (pid == 0)
            usleep(10000);
}

int suite_run(const struct test_suite *s, char *const *argv)
{
    struct sigaction act = {.sa_handler = on_stop};
    int status = 0, went[2], error = 0;
    pid_t pid;

    if (pipe2(went, O_CLOEXEC) != 0)
        return -1;
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    sigaction(SIGINT, &act, NULL);
    sigaction(SIGTERM, &act, NULL);
    sigaction(SIGHUP, &act, NULL);
    pid = fork();
    if (pid == 0) {
        int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
        prctl(PR_SET_PDEATHSIG, SIGTERM);
        dup2(s->quiet ? null : 2, 1);
        if (s->quiet)
            dup2(null, 2);
        execvp(argv[0], argv);
        error = errno;
        _exit(write(went[1], &error, sizeof error) < 0);
    }
    running = pid;
    close(went[1]);
    bool failed = pid < 0 || read(went[0], &error, sizeof error) > 0;
    close(went[0]);
    while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    running = 0;
    if (pid > 0)
        wait_for_orphans();
    errno = error ? error : errno;
    return failed ? -1 : WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* ---- the report ---- */

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The files of a folder, sorted; NULL-terminated. */
static char **files_of(const char *folder)
{
    DIR *dir = opendir(folder);
    char **list = NULL;
    size_t n = 0;

    for (struct dirent *e; dir && (e = readdir(dir));)
        if (e->d_name[0] != '.') {
            list = mem_grow(list, n, sizeof *list);
            list[n++] = mem_format("%s/%s", folder, e->d_name);
        }
    if (dir)
        closedir(dir);
    if (n)
        qsort(list, n, sizeof *list, by_name);
    list = mem_grow(list, n, sizeof *list);
    list[n] = NULL;
    return list;
}

json_t *suite_documents(const struct test_suite *s)
{
    char *folder = mem_format("%s/%s", s->folder.path, SUITE_DOCUMENTS), **files = files_of(folder);
    json_t *all = test_document_new();

    for (char **f = files; *f; f++) {
        char *why;
        json_t *one = test_document_read(*f, &why);
        if (one)
            json_array_extend(json_object_get(all, "tests"), json_object_get(one, "tests"));
        else
            complain("%s", why);
        free(why);
        json_decref(one);
        free(*f);
    }
    free(files);
    free(folder);
    return all;
}

/* Findings of the baseline that no test showed which was run. */
static void tell_gone(struct test_suite *s, const json_t *document)
{
    const json_t *tests = json_object_get(document, "tests");
    size_t i, k;
    json_t *test, *f;

    json_array_foreach(tests, i, test)
    {
        json_array_foreach(json_object_get(json_object_get(test, "report"), "findings"), k, f)
        {
            baseline_knows(s->baseline, strtoull(document_word(f, "fingerprint"), NULL, 16));
        }
    }
    json_array_foreach(tests, i, test)
    {
        const char *verdict = document_word(test, "verdict");
        if (strcmp(verdict, "passed") == 0 || strcmp(verdict, "failed") == 0)
            baseline_gone(s->baseline, document_word(test, "name"), stderr);
    }
}

int suite_conclude(struct test_suite *s, const json_t *document)
{
    int code = test_document_count(document, "failed")  ? EXIT_FOUND
               : stopped                                ? 128 + stopped
               : test_document_count(document, "error") ? EXIT_CANNOT
                                                        : EXIT_NOTHING;
    char *text = json_dumps(document, JSON_INDENT(2) | JSON_ENSURE_ASCII), *why = NULL;

    if (text)
        why = write_file(s, "report.json", text);
    if (s->json)
        json_print(stdout, document);
    else
        summary_print(document, s->folder.path, real_now() - s->started_ns);
    if ((!formats_write(&s->formats, document) || why) && code == EXIT_NOTHING)
        code = EXIT_CANNOT;
    if (why)
        complain("%s", why);
    if (s->baseline && !stopped)
        tell_gone(s, document);
    free(why);
    free(text);
    return code;
}

void suite_end(struct test_suite *s)
{
    for (size_t i = 0; i < s->options; i++)
        free(s->option[i]);
    free(s->option);
    formats_free(&s->formats);
    baseline_free(s->baseline);
    outdir_close(&s->folder);
    free(s->self);
}
