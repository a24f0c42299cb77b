/* cmd_stress.c - heddle stress: run suites of scenarios, and say whether each got its verdict. */
#include <argp.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cmd_stress.h"
#include "native.h"
#include "suite.h"
#include "util/alloc.h"
#include "util/complain.h"
#include "util/cpus.h"
#include "util/exit_code.h"
#include "util/options.h"
#include "util/quantity.h"
#include "util/real_time.h"

#define SCHEDULES 300u
#define JOBS 64
#define NATIVE_RUNS 10

enum { OPT_SUITE = 256, OPT_FILTER, OPT_BUDGET, OPT_TOOL, OPT_SEED, OPT_INSIDE, OPT_JSON };

static const struct argp_option table[] = {
    {"suite", OPT_SUITE, "NAMES", 0,
     "patterns, bugs, primitives, all (the default), or the path of a suite of one's own", 0},
    {"filter", OPT_FILTER, "TEXT", 0, "Only scenarios with TEXT in SUITE/FAMILY/NAME", 0},
    {"schedules", 'n', "N", 0,
     "Try a scenario under N schedules (300; 20 with real I/O; natively 10 runs); with heddle a "
     "wrong one under 300 at least, until it fails",
     0},
    {"budget", OPT_BUDGET, "TIME", 0, "Share TIME among the scenarios: 60s, 5m", 0},
    {"tool", OPT_TOOL, "NAME", 0,
     "heddle (the default), tsan, helgrind or drd; natively, goroutines as threads or fibres", 0},
    {"in-process", OPT_INSIDE, 0, 0,
     "Explore inside one process what is library alone and no data race; leave out the rest", 0},
    {"jobs", 'j', "N", 0, "Run N scenarios side by side (one per CPU)", 0},
    {"seed", OPT_SEED, "N", 0, "The same seed tries the same schedules (1)", 0},
    {"output", 'o', "DIR", 0, "Folder for schedule files and reports (heddle-out/stress)", 0},
    {"quiet", 'q', 0, 0, "Only scenarios that went wrong, and the last line", 0},
    {0},
};

struct stress {
    char *suites, *filter, *tool;
    const char *out;
    uint64_t schedules, seed;
    unsigned jobs;
    int64_t budget_ns;
    bool counted, inside, quiet;
    struct stress_suites all;
    char self[PATH_MAX];
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct stress *s = state->input;
    switch (key) {
    case OPT_SUITE:
        s->suites = arg;
        return 0;
    case OPT_FILTER:
        s->filter = arg;
        return 0;
    case OPT_TOOL:
        if (!stress_listed("heddle,tsan,helgrind,drd,threads,fibres", arg))
            argp_failure(state, EXIT_USAGE, 0,
                         "there is no tool \"%s\" (heddle, tsan, helgrind, drd, threads, fibres)",
                         arg);
        s->tool = arg;
        return 0;
    case OPT_BUDGET:
        s->budget_ns = option_time(state, "--budget", arg);
        return 0;
    case OPT_SEED:
        s->seed = option_count(state, "--seed", arg, 0, UINT64_MAX);
        return 0;
    case OPT_INSIDE:
        s->inside = true;
        return 0;
    case 'n':
        s->schedules = option_count(state, "-n", arg, 1, 1000000000);
        s->counted = true;
        return 0;
    case 'j':
        s->jobs = (unsigned)option_count(state, "-j", arg, 1, JOBS);
        return 0;
    case 'o':
        s->out = arg;
        return 0;
    case 'q':
        s->quiet = true;
        return 0;
    case ARGP_KEY_ARG:
        argp_failure(state, EXIT_USAGE, 0, "what is \"%s\"? heddle stress takes options only", arg);
        return EINVAL;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* The program alone, with nothing that watches it: the tool is the vehicle of goroutines. */
static bool native(const struct stress *s)
{
    return stress_listed("threads,fibres", s->tool);
}

static const char *variant(const struct stress *s)
{
    return s->inside                        ? "-inside"
           : strcmp(s->tool, "tsan") == 0   ? "-tsan"
           : strcmp(s->tool, "heddle") == 0 ? ""
                                            : "-plain";
}

/* Whether it is a suite's name, or a path. */
static bool known(const char *suite)
{
    for (size_t i = 0; stress_names[i]; i++)
        if (strcmp(suite, stress_names[i]) == 0)
            return true;
    return strchr(suite, '/') != NULL;
}

/* EXIT_NOTHING, or what the command is to exit with. */
static int load(struct stress *s)
{
    char *list = mem_copy(s->suites), *rest = list, *suite, *why;

    while ((suite = strsep(&rest, ","))) {
        if (!known(suite)) {
            complain("there is no suite \"%s\" (patterns, bugs, primitives, all, or a path with a "
                     "slash in it)",
                     suite);
            free(list);
            return EXIT_USAGE;
        }
        if ((why = stress_load(&s->all, suite, variant(s), s->filter))) {
            complain("%s", why);
            free(why);
            free(list);
            return EXIT_CANNOT;
        }
    }
    free(list);
    if (s->inside) { /* only what touches nothing but the library, and shows without race detection
                      */
        size_t kept = 0;
        for (size_t i = 0; i < s->all.count; i++) {
            struct stress_scenario here = s->all.scenario[i];
            if (stress_listed(here.flags, "library") && !stress_listed(here.expect, "data-race")) {
                s->all.scenario[i] = s->all.scenario[kept];
                s->all.scenario[kept++] = here;
            }
        }
        for (size_t i = kept; i < s->all.count; i++)
            s->all.scenario[i].done = true;
    }
    if (s->all.count == 0) {
        complain("no scenario has \"%s\" in its SUITE/FAMILY/NAME", s->filter ? s->filter : "");
        return EXIT_USAGE;
    }
    return EXIT_NOTHING;
}

/* EXIT_NOTHING, or what the command is to exit with. */
static int make_folder(const char *path)
{
    struct stat st;

    if (mkdir(path, 0777) == 0)
        return EXIT_NOTHING;
    if (errno == EEXIST && stat(path, &st) == 0) {
        if (S_ISDIR(st.st_mode))
            return EXIT_NOTHING;
        errno = ENOTDIR;
    }
    complain("%s: %s", path, strerror(errno));
    return EXIT_USAGE;
}

/* Runs in the child: become `heddle run`, or the suite itself, or run it natively. */
static void become(const struct stress *s, const struct stress_scenario *one, int64_t share_ns)
{
    bool wrong = strcmp(one->expect, "clean") != 0,
         external = stress_listed(one->flags, "external");
    bool own = strcmp(s->tool, "heddle") == 0;
    /* Fewer are for what must be clean in each: the first finding ends what is wrong. */
    uint64_t n = wrong && own && s->schedules < SCHEDULES ? SCHEDULES
                 : external && !wrong && !s->counted      ? 20
                                                          : s->schedules;
    char *argv[32], schedules[24], seed[24], time[32], *out;
    int argc = 0, null = open("/dev/null", O_RDWR | O_CLOEXEC);

    snprintf(schedules, sizeof schedules, "%llu", (unsigned long long)n);
    snprintf(seed, sizeof seed, "%llu", (unsigned long long)s->seed);
    snprintf(time, sizeof time, "--time=%lldms", (long long)(share_ns / 1000000 + 1));
    out = mem_format("%s/%s", s->out, one->name);
    dup2(null, STDIN_FILENO);
    dup2(one->answer, STDOUT_FILENO);
    dup2(null, STDERR_FILENO);
    if (s->inside) {
        execl(one->program, one->program, "--explore", one->name, schedules, seed, (char *)NULL);
        _exit(EXIT_CANNOT);
    }
    if (native(s))
        _exit(run_natively(one, s->tool, s->counted ? s->schedules : NATIVE_RUNS,
                           s->budget_ns ? real_now() + share_ns : 0,
                           mem_format("%s.%s.txt", out, s->tool)));
    argv[argc++] = (char *)(uintptr_t)s->self;
    argv[argc++] = "run";
    argv[argc++] = "--json";
    argv[argc++] = "-q";
    argv[argc++] = "-j1";
    argv[argc++] = "--replays=1";
    argv[argc++] = "-n";
    argv[argc++] = schedules;
    argv[argc++] = "--seed";
    argv[argc++] = seed;
    argv[argc++] = "-o";
    argv[argc++] = out;
    if (!own) {
        argv[argc++] = "--tool";
        argv[argc++] = s->tool;
    }
    if (s->budget_ns)
        argv[argc++] = time;
    if (wrong)
        argv[argc++] = "--stop-at-first";
    if (stress_listed(one->flags, "spurious"))
        argv[argc++] = "--spurious";
    argv[argc++] = "--";
    argv[argc++] = one->program;
    argv[argc++] = one->name;
    argv[argc] = NULL;
    execv(s->self, argv);
    _exit(EXIT_CANNOT);
}

static bool begin(struct stress *s, struct stress_scenario *one, int64_t share_ns)
{
    one->answer = memfd_create(one->name, MFD_CLOEXEC);
    one->started = real_now();
    if (one->answer < 0 || (one->child = fork()) < 0) {
        complain("no process for %s: %s", one->name, strerror(errno));
        return false;
    }
    if (one->child == 0)
        become(s, one, share_ns);
    return true;
}

static void show(const struct stress *s, const struct stress_scenario *one, size_t done)
{
    char first[32] = "";

    if (s->quiet && one->met)
        return;
    if (one->first)
        snprintf(first, sizeof first, " at schedule %lld", (long long)one->first);
    fprintf(stderr, "[%zu/%zu] %-38s %s%s in %lld schedules, %.1f s%s\n", done, s->all.count,
            one->name, one->verdict, first, (long long)one->schedules, one->seconds,
            one->met ? "" : "   <-- unexpected");
}

/* All scenarios, some side by side. False: it could not be done, or was interrupted. */
static bool run_all(struct stress *s)
{
    int64_t start = real_now();
    size_t next = 0, running = 0, done = 0, total = 0;

    while (total < s->all.count && !s->all.scenario[total].done)
        total++;
    s->all.count = total;
    while (done < total) {
        while (running < s->jobs && next < total) {
            int64_t left = s->budget_ns - (real_now() - start);
            int64_t share = left > 0 ? left * s->jobs / (int64_t)(total - next) : 1;
            if (!begin(s, &s->all.scenario[next++], share))
                return false;
            running++;
        }
        int status;
        pid_t child = waitpid(-1, &status, 0);
        if (child < 0 && errno == EINTR)
            continue;
        if (child < 0)
            return false;
        for (size_t i = 0; i < next; i++) {
            struct stress_scenario *one = &s->all.scenario[i];
            if (one->child != child)
                continue;
            one->child = 0;
            running--;
            stress_judge(one, WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_CANNOT);
            if (native(s) && one->schedules > 0)
                one->met = native_fits(one->expect, one->verdict);
            show(s, one, ++done);
        }
    }
    return true;
}

static int conclude(const struct stress *s, int64_t took_ns)
{
    size_t unexpected = 0, wrong = 0, quick = 0;
    double virtual_seconds = 0;
    int64_t schedules = 0;
    char real[32], pretended[32];

    printf("%-48s %-9s %-26s %9s %6s\n", "scenario", "tool", "verdict", "schedules", "first");
    for (size_t i = 0; i < s->all.count; i++) {
        const struct stress_scenario *one = &s->all.scenario[i];
        char *name = mem_format("%s/%s", one->suite, one->name), first[24] = "";
        if (one->first)
            snprintf(first, sizeof first, "%lld", (long long)one->first);
        printf("%-48s %-9s %-26s %9lld %6s%s%s\n", name, s->inside ? "inside" : s->tool,
               one->verdict, (long long)one->schedules, first, one->met ? "" : "   <-- expected ",
               one->met ? "" : one->expect);
        free(name);
        unexpected += !one->met;
        wrong += strcmp(one->expect, "clean") != 0;
        quick += one->met && one->first && one->first <= 100;
        schedules += one->schedules;
        virtual_seconds += one->virtual_seconds;
    }
    printf("\n%zu scenarios, %zu as expected; of %zu wrong ones %zu found within 100 schedules\n"
           "%lld schedules in %s; %s of virtual time\n",
           s->all.count, s->all.count - unexpected, wrong, quick, (long long)schedules,
           show_time(took_ns, real, sizeof real),
           show_time((int64_t)(virtual_seconds * 1e9), pretended, sizeof pretended));
    return fflush(stdout) != 0 ? EXIT_CANNOT : unexpected ? EXIT_FOUND : EXIT_NOTHING;
}

/* Ctrl-C reaches the children as well: they end, and the table shows what there is. */
static void on_interrupt(int signal)
{
    (void)signal;
}

int cmd_stress(int argc, char **argv)
{
    static const struct argp argp = {
        .options = table,
        .parser = parse,
        .doc = "Run suites of scenarios and compare each verdict with the expected one."
               "\vExit codes: 0 every verdict as expected, 1 one was not, 2 wrong usage, 3 a suite "
               "could not be run."};
    struct stress s = {.suites = "all",
                       .tool = "heddle",
                       .schedules = SCHEDULES,
                       .seed = 1,
                       .jobs = cpus_usable(JOBS)};
    int64_t start = real_now();
    ssize_t n;
    int code;

    options_parse(&argp, "heddle stress", argc, argv, ARGP_IN_ORDER, &s);
    if (strcmp(s.suites, "all") == 0)
        s.suites = "patterns,bugs,primitives";
    if ((n = readlink("/proc/self/exe", s.self, sizeof s.self - 1)) <= 0) {
        complain("/proc is not mounted: the command cannot find itself");
        return EXIT_CANNOT;
    }
    s.self[n] = '\0';
    code = load(&s);
    if (code == EXIT_NOTHING)
        code = s.out ? make_folder(s.out) : make_folder("heddle-out");
    if (code == EXIT_NOTHING && !s.out)
        code = make_folder(s.out = "heddle-out/stress");
    if (code == EXIT_NOTHING) {
        signal(SIGINT, on_interrupt);
        code = run_all(&s) ? conclude(&s, real_now() - start) : EXIT_CANNOT;
    }
    stress_free(&s.all);
    return code;
}
