/* cmd_run.c - heddle run: its options. */
#include <argp.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "campaign/campaign.h"
#include "campaign/corpus.h"
#include "campaign/resume.h"
#include "campaign/toolbox.h"
#include "cli.h"
#include "conclude.h"
#include "progress_file.h"
#include "suite_member.h"
#include "findings/suppress.h"
#include "program/input.h"
#include "reports/outdir.h"
#include "reports/test_document.h"
#include "schedules/config_words.h"
#include "util/alloc.h"
#include "util/complain.h"
#include "util/cpus.h"
#include "util/exit_code.h"
#include "util/fault_words.h"
#include "util/options.h"
#include "util/quantity.h"
#include "util/shell.h"

enum {
    OPT_STRATEGY = 256,
    OPT_DEPTH,
    OPT_SEED,
    OPT_TIME,
    OPT_TIMEOUT,
    OPT_STOP,
    OPT_POINTS,
    OPT_MODEL,
    OPT_REPLAYS,
    OPT_SHRINK,
    OPT_LOCK_ORDER,
    OPT_LOCK_GRAPH,
    OPT_REACH,
    OPT_STEER,
    OPT_AIM,
    OPT_PREDICT,
    OPT_SUPPRESSIONS,
    OPT_MAX_STEPS,
    OPT_MAX_PROCESSES,
    OPT_SPURIOUS,
    OPT_HINTS,
    OPT_FAULTS,
    OPT_CLOCK,
    OPT_PATIENCE,
    OPT_ELASTIC,
    OPT_INNER,
    OPT_FRESH,
    OPT_NO_LEAKS,
    OPT_STRICT,
    OPT_CHECK_OUTPUT,
    OPT_CHECK_DETERMINISM,
    OPT_ORACLE,
    OPT_JSON,
    OPT_REPORT,
    OPT_NAME,
    OPT_BASELINE,
    OPT_FAIL_ON,
    OPT_NO_THREADS,
    OPT_EXIT_CODE,
    OPT_SUITE,
    OPT_SHARD,
    OPT_CONTINUE,
    OPT_SATURATED,
    OPT_CORPUS,
    OPT_TOOL,
    OPT_TOOL_ARG,
    OPT_SCHEDULE,
    OPT_PERTURB,
    OPT_ENGINE,
    OPT_CHECK_RESTORE,
    OPT_EXHAUSTIVE,
    OPT_BOUND_PREEMPTIONS,
    OPT_BOUND_STEPS,
    OPT_RESUME,
    OPT_KEEP_GOING,
    OPT_CHANGED,
};

static const struct argp_option table[] = {
    {0, 0, 0, 0, "What to explore:", 1},
    {"schedules", 'n', "N", 0,
     "Try N schedules; without -n and --time: as many as 10 seconds permit, 500 at least, fewer "
     "when hardly any more would be new",
     0},
    {"time", OPT_TIME, "TIME", 0, "Stop after TIME: 30s, 5m, 1h", 0},
    {"exhaustive", OPT_EXHAUSTIVE, "HOW", OPTION_ARG_OPTIONAL,
     "Try every schedule that differs in more than the order of independent steps, until none is "
     "left; plain: every schedule whatever; inner: as plain, but threads begin and end as soon as "
     "they can where no other sees it",
     0},
    {"bound-preemptions", OPT_BOUND_PREEMPTIONS, "N", 0,
     "With --exhaustive: every schedule in which at most N times a thread is interrupted that "
     "could have gone on",
     0},
    {"bound-steps", OPT_BOUND_STEPS, "N", 0,
     "With --exhaustive: the first N steps of every schedule, what comes after them is left out",
     0},
    {"resume", OPT_RESUME, "FILE", 0,
     "With --exhaustive: go on where the exploration was that wrote FILE, however that ended, and "
     "write there how far this one is; the first time there is none",
     0},
    {"keep-going", OPT_KEEP_GOING, 0, 0,
     "With --exhaustive: go on behind the first schedule that fails, to the last", 0},
    {"shard", OPT_SHARD, "I/N", 0,
     "Run part I of N of the schedules, on another machine than the others; heddle merge puts them "
     "together",
     0},
    {"continue", OPT_CONTINUE, "FILE", 0,
     "Go on where the campaign ended that FILE was written by, and write there where this one "
     "ends; "
     "the first time there is none",
     0},
    {"corpus", OPT_CORPUS, "DIR", 0,
     "Begin with what earlier campaigns of this build have learned, found and predicted, where the "
     "last of them ended, and keep in DIR what this one adds",
     0},
    {"changed-since", OPT_CHANGED, "DIR", 0,
     "Try first what the run found whose output folder DIR is, and say what of it is gone, and "
     "what "
     "remains",
     0},
    {"until-saturated", OPT_SATURATED, "PERCENT", OPTION_ARG_OPTIONAL,
     "Stop when of further schedules no more than about PERCENT (1) would be a new interleaving, "
     "and "
     "after 100000 schedules when neither -n nor --time is given",
     0},
    {"stop-at-first", OPT_STOP, 0, 0, "Stop at the first finding", 0},
    {"jobs", 'j', "N", 0, "Run N schedules side by side (one per CPU)", 0},
    {"strategy", OPT_STRATEGY, "NAME", 0, "How to choose the next thread: auto (a mix, the default)"
#define STRATEGY(NAME, word, table, depth) ", " word
#include "wire/strategies.inc"
     ,
     0},
    {"points", OPT_POINTS, "WHICH", 0,
     "Memory accesses of instrumented code where a switch may happen: shared (atomics, and those "
     "that race as far as is known: the default), all, or sync (atomics alone)",
     0},
    {"memory-model", OPT_MODEL, "MODEL", 0,
     "What atomic loads of instrumented code may return: sc (the last store, the default), tso, "
     "or c11",
     0},
    {"inner-points", OPT_INNER, 0, 0,
     "Switches inside the operations of Heddle's library, too: to test the library itself", 0},
    {"depth", OPT_DEPTH, "N", 0, "For pct: look for bugs that need N ordered events (1 to 100)", 0},
    {"seed", OPT_SEED, "N", 0, "The same seed tries the same schedules (1)", 0},
    {0, 0, 0, 0, "How the program runs:", 2},
    {"timeout", OPT_TIMEOUT, "TIME", 0, "Real time that one schedule may take (10s)", 0},
    {"max-steps", OPT_MAX_STEPS, "N", 0, "Decisions that one schedule may take (200000)", 0},
    {"max-processes", OPT_MAX_PROCESSES, "N", 0,
     "Processes that the programs of all jobs may have at once (4000)", 0},
    {"clock", OPT_CLOCK, "KIND", 0, "virtual (sleeping costs no time, the default) or real", 0},
    {"patience", OPT_PATIENCE, "TIME", 0,
     "Waits with a shorter time-out may time out although others could run (100ms)", 0},
    {"elastic-sleep", OPT_ELASTIC, 0, 0,
     "Sleeps that are shorter than --patience may end before what others do meanwhile", 0},
    {"spurious", OPT_SPURIOUS, 0, 0, "Let condition variables wake up for no reason, as they may",
     0},
    {"hints", OPT_HINTS, 0, 0,
     "Find, too, what is allowed and seldom meant: a signal to a condition variable without its "
     "mutex",
     0},
    {"faults", OPT_FAULTS, "LIST", 0,
     "Let these fail, as they may, with commas between: malloc (NULL), pthread_create (EAGAIN), "
     "short (reads and writes), eintr, cas (weak exchanges of instrumented code), cancel (threads, "
     "where they can be), or all: one a schedule, later two",
     0},
    {"schedule", OPT_SCHEDULE, "WHO", 0,
     "Who schedules: heddle (the default), or native: the operating system, in plain repetition",
     0},
    {"perturb", OPT_PERTURB, 0, 0,
     "With --schedule=native: push threads around with short sleeps, other CPUs and priorities", 0},
    {"tool", OPT_TOOL, "LIST", 0,
     "Who looks: heddle, tsan (program built with -fsanitize=thread), helgrind, drd; several, with "
     "commas, one after the other (tsan for a program built with it, else heddle)",
     0},
    {"tool-arg", OPT_TOOL_ARG, "ARG", 0,
     "An option for the tool: name=value for tsan, --option for helgrind and drd; may be repeated",
     0},
    {"engine", OPT_ENGINE, "NAME", 0,
     "What a schedule runs in: fork (a process of its own), in-place (one process for many, whose "
     "memory is put back after each: much faster, where the program permits it), auto (the "
     "default: in-place behind the first 64 schedules, while it pays), or compare (both, each "
     "schedule: a "
     "difference is an error)",
     0},
    {"check-restore", OPT_CHECK_RESTORE, 0, 0,
     "In place: compare all memory with what it was, after each schedule", 0},
    {"fresh", OPT_FRESH, 0, 0,
     "Start each schedule from the beginning of the program, not where it makes its first thread: "
     "for what is made before that and cannot be made anew for each",
     0},
    {0, 0, 0, 0, "What counts as a finding:", 3},
    {"no-leaks", OPT_NO_LEAKS, 0, 0, "Do not report threads that are left when the program ends",
     0},
    {"strict", OPT_STRICT, 0, 0,
     "Doubtful findings fail the run, too: predictions that were not brought about, what no replay "
     "showed again, known weaknesses of tools",
     0},
    {"fail-on", OPT_FAIL_ON, "KINDS", 0,
     "Only findings of these kinds fail the run: deadlock,data-race … (all)", 0},
    {"baseline", OPT_BASELINE, "FILE", 0,
     "Findings that FILE names are known and do not fail the run; those that are gone are named "
     "(heddle baseline DIR writes such a file)",
     0},
    {"allow-no-threads", OPT_NO_THREADS, 0, 0,
     "A program that creates no thread and exits with 0 is fine: exit code 0 instead of 3", 0},
    {"exit-code", OPT_EXIT_CODE, "LIST", 0,
     "Exit codes of the program that are no failure, besides 0: 77,99, or any", 0},
    {"lock-order", OPT_LOCK_ORDER, "on|off", 0,
     "Predict deadlocks from the order in which locks are taken, and from waits under a lock that "
     "the waker needs (on)",
     0},
    {"reach", OPT_REACH, "on|off", 0,
     "Report threads that wait for what nobody can reach any more, while the program runs (on)", 0},
    {"suppressions", OPT_SUPPRESSIONS, "FILE", 0,
     "Do not report what FILE names (kind:pattern lines; TSan's and Valgrind's files, too)", 0},
    {"steer", OPT_STEER, "N", 0, "Tries to bring each predicted deadlock about (30)", 0},
    {"aim", OPT_AIM, "deadlock:LOCK,LOCK...", 0,
     "Steer every schedule at a deadlock between these locks (global variables, or places where "
     "they are taken: as heddle attach names them)",
     0},
    {"predict", OPT_PREDICT, "on|off", 0,
     "Predict races of instrumented code from single schedules, and bring them about (on)", 0},
    {"check-output", OPT_CHECK_OUTPUT, 0, 0, "Report when the output depends on the schedule", 0},
    {"oracle", OPT_ORACLE, "COMMAND", 0,
     "Feed each schedule's output to a shell command; report when it fails", 0},
    {"check-determinism", OPT_CHECK_DETERMINISM, 0, 0,
     "Run each schedule twice and report the first difference", 0},
    {0, 0, 0, 0, "What comes out:", 4},
    {"output", 'o', "DIR", 0, "Folder for schedule files and reports (heddle-out)", 0},
    {"lock-graph", OPT_LOCK_GRAPH, "FILE", 0,
     "Write which locks were taken while which others were held, over all schedules, to FILE: .dot "
     "for graphviz, .json (docs/json.md)",
     0},
    {"replays", OPT_REPLAYS, "N", 0, "Replay each new finding N times (3)", 0},
    {"shrink", OPT_SHRINK, "N", 0,
     "Make the schedule of each finding plainer in at most N tries: fewer preemptions, fewer "
     "decisions (100; no: leave it as it was found)",
     0},
    {"json", OPT_JSON, 0, 0, "Print one JSON document (docs/json.md) instead of text", 0},
    {"report", OPT_REPORT, "LIST", 0,
     "Write the report as well in these formats, with commas between: junit:FILE, sarif:FILE, "
     "gitlab:FILE, html:FILE, json:FILE, github or github:FILE, tap or tap:FILE",
     0},
    {"name", OPT_NAME, "TEXT", 0, "What these and baselines call the test (the command)", 0},
    {"suite", OPT_SUITE, "DIR", OPTION_HIDDEN, "One test of the suite in DIR (test_suite.h)", 0},
    {"quiet", 'q', 0, 0, "Nothing while it runs, only the report", 0},
    {0},
};

struct arguments {
    struct campaign_options options;
    struct toolbox box;
    struct outcome_options outcome;
    char *earlier;  /* folder whose findings are tried first, or NULL */
    bool changed;   /* it is that of an earlier run, NULL: there was none */
    uint64_t given; /* options that not every way of running heeds: a bit of enum choice each */
    bool counted, keep_going;
    int first; /* index of the program in argv; 0 = none */
};

static double percent_of(struct argp_state *state, const char *option, const char *text)
{
    char *end;
    double n = strtod(text, &end);
    if (end == text || (*end && strcmp(end, "%") != 0) || !(n >= 0.001 && n <= 50))
        argp_failure(state, EXIT_USAGE, 0, "%s wants a percentage from 0.001 to 50, not \"%s\"",
                     option, text);
    return n;
}

static uint32_t word_of(struct argp_state *state, const char *option, const char *text,
                        const char *const *words, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        if (strcmp(text, words[i]) == 0)
            return i;
    argp_failure(state, EXIT_USAGE, 0, "%s takes %s, %s or %s, not \"%s\"", option, words[0],
                 words[1], words[2], text);
    return 0; /* not reached: argp_failure exits */
}

static uint32_t strategy_of(struct argp_state *state, const char *text)
{
    if (strcmp(text, "auto") == 0)
        return PLAN_AUTO;
    unsigned s = strategy_parse(text);
    if (s == HDP_STRATEGIES)
        argp_failure(state, EXIT_USAGE, 0, "there is no strategy \"%s\" (%s)", text, strategy_list);
    return s;
}

static void parse_shard(struct argp_state *state, struct campaign_options *o, const char *text)
{
    char *part = mem_format("%.*s", (int)strcspn(text, "/"), text);
    const char *slash = strchr(text, '/');
    uint64_t shard, shards;

    if (!slash || !parse_count(slash + 1, 1, 1000000, &shards) ||
        !parse_count(part, 1, shards, &shard))
        argp_failure(state, EXIT_USAGE, 0, "--shard wants I/N, part I of N: 1/4 to 4/4, not \"%s\"",
                     text);
    o->shard = (unsigned)shard;
    o->shards = (unsigned)shards;
    free(part);
}

static enum engine engine_of(struct argp_state *state, const char *text)
{
    static const char *const words[] = {[ENGINE_FORK] = "fork",
                                        [ENGINE_IN_PLACE] = "in-place",
                                        [ENGINE_AUTO] = "auto",
                                        [ENGINE_COMPARE] = "compare"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcmp(text, words[i]) == 0)
            return (enum engine)i;
    argp_failure(state, EXIT_USAGE, 0, "--engine is fork, in-place, auto or compare, not \"%s\"",
                 text);
    return ENGINE_FORK; /* not reached: argp_failure exits */
}

/* The folder of the run that `path` names. NULL: a run that finds nothing leaves none, so that one missing is no mistake. */
static char *earlier_run(struct argp_state *state, const char *path)
{
    struct stat st;
    size_t n = strlen(path);

    while (n > 1 && path[n - 1] == '/')
        n--;
    char *named = mem_format("%.*s", (int)n, path), *why = NULL, *folder, *report;
    if (*named && stat(named, &st) != 0 && errno == ENOENT) {
        complain("--changed-since: no earlier run in %s", named);
        free(named);
        return NULL;
    }
    if (stat(named, &st) != 0 || (S_ISDIR(st.st_mode) && access(named, R_OK | X_OK) != 0))
        argp_failure(state, EXIT_USAGE, errno, "--changed-since=%s", path);
    if (!S_ISDIR(st.st_mode))
        argp_failure(state, EXIT_USAGE, 0, "--changed-since: %s is not a folder", path);
    folder = outdir_last(named);
    report = mem_format("%s/report.json", folder);
    if (access(report, F_OK) != 0)
        argp_failure(state, EXIT_USAGE, 0,
                     "--changed-since: %s is no output folder of heddle run: it has no report.json",
                     named);
    json_decref(test_document_read(folder, &why));
    if (why)
        argp_failure(state, EXIT_USAGE, 0, "--changed-since: %s", why);
    free(report);
    free(named);
    return folder;
}

static error_t parse_exploration(int key, char *arg, struct argp_state *state, struct arguments *a)
{
    struct campaign_options *o = &a->options;
    switch (key) {
    case 'n':
        o->schedules = option_count(state, "-n", arg, 1, 1000000000000);
        a->counted = true;
        return 0;
    case 'j':
        o->jobs = (unsigned)option_count(state, "-j", arg, 1, 256);
        return 0;
    case OPT_EXHAUSTIVE:
        if (arg && strcmp(arg, "plain") != 0 && strcmp(arg, "inner") != 0 &&
            strcmp(arg, "reduced") != 0)
            argp_failure(state, EXIT_USAGE, 0,
                         "--exhaustive is reduced, plain or inner, not \"%s\"", arg);
        o->exhaustive = true;
        o->explore.inner = arg && strcmp(arg, "inner") == 0;
        o->explore.plain = o->explore.inner || (arg && strcmp(arg, "plain") == 0);
        return 0;
    case OPT_BOUND_PREEMPTIONS:
        o->explore.preemptions =
            (uint32_t)option_count(state, "--bound-preemptions", arg, 0, 1000000);
        o->explore.bounded = o->explore.plain = true;
        return 0;
    case OPT_BOUND_STEPS:
        o->explore.steps = (uint32_t)option_count(state, "--bound-steps", arg, 1, 60000);
        o->explore.plain = true;
        return 0;
    case OPT_RESUME:
        o->resume = arg;
        return 0;
    case OPT_KEEP_GOING:
        a->keep_going = true;
        return 0;
    case OPT_TIME:
        o->time_ns = option_time(state, "--time", arg);
        return 0;
    case OPT_SHARD:
        parse_shard(state, o, arg);
        return 0;
    case OPT_CONTINUE:
        a->outcome.progress = arg;
        return 0;
    case OPT_CORPUS:
        o->corpus = arg;
        return 0;
    case OPT_CHANGED:
        free(a->earlier);
        a->earlier = earlier_run(state, arg);
        a->changed = true;
        return 0;
    case OPT_SATURATED:
        o->until_share = percent_of(state, "--until-saturated", arg ? arg : "1") / 100;
        return 0;
    case OPT_STOP:
        o->stop_at_first = true;
        return 0;
    case OPT_STRATEGY:
        o->plan.strategy = strategy_of(state, arg);
        return 0;
    case OPT_POINTS:
        o->config.points = word_of(state, "--points", arg, points_words, POINTS_WORDS);
        return 0;
    case OPT_MODEL:
        o->config.memory_model = word_of(state, "--memory-model", arg, model_words, MODEL_WORDS);
        return 0;
    case OPT_DEPTH:
        o->plan.depth = (uint32_t)option_count(state, "--depth", arg, 1, 100);
        return 0;
    case OPT_SEED:
        o->plan.seed = option_count(state, "--seed", arg, 0, UINT64_MAX);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static error_t parse_tool(int key, char *arg, struct argp_state *state, struct arguments *a)
{
    char *why;

    switch (key) {
    case OPT_TOOL:
        why = toolbox_parse(&a->box, arg);
        if (why)
            argp_failure(state, EXIT_USAGE, 0, "%s", why);
        return 0;
    case OPT_TOOL_ARG:
        toolbox_argument(&a->box, arg);
        return 0;
    case OPT_SCHEDULE:
        if (strcmp(arg, "native") != 0 && strcmp(arg, "heddle") != 0)
            argp_failure(state, EXIT_USAGE, 0, "--schedule is heddle or native, not \"%s\"", arg);
        a->options.native = strcmp(arg, "native") == 0;
        return 0;
    case OPT_PERTURB:
        a->options.perturb = true;
        return 0;
    default:
        return parse_exploration(key, arg, state, a);
    }
}

static void switch_flag(struct argp_state *state, const char *option, uint32_t flag,
                        const char *arg)
{
    struct campaign_options *o = &((struct arguments *)state->input)->options;

    if (strcmp(arg, "on") == 0)
        o->config.flags |= flag;
    else if (strcmp(arg, "off") == 0)
        o->config.flags &= ~flag;
    else
        argp_failure(state, EXIT_USAGE, 0, "%s is on or off, not \"%s\"", option, arg);
}

static error_t parse_running(int key, char *arg, struct argp_state *state, struct arguments *a)
{
    struct campaign_options *o = &a->options;
    switch (key) {
    case OPT_TIMEOUT:
        o->timeout_ns = option_time(state, "--timeout", arg);
        o->timeout_given = true;
        return 0;
    case OPT_MAX_STEPS:
        o->config.max_steps = (uint32_t)option_count(state, "--max-steps", arg, 1, HDP_STEPS);
        return 0;
    case OPT_MAX_PROCESSES:
        o->max_processes = (unsigned)option_count(state, "--max-processes", arg, 16, 1000000);
        return 0;
    case OPT_CLOCK:
        if (strcmp(arg, "real") == 0)
            o->config.flags |= HDP_REAL_CLOCK;
        else if (strcmp(arg, "virtual") == 0)
            o->config.flags &= ~(uint32_t)HDP_REAL_CLOCK;
        else
            argp_failure(state, EXIT_USAGE, 0, "--clock is virtual or real, not \"%s\"", arg);
        return 0;
    case OPT_PATIENCE:
        o->config.patience_ns = strcmp(arg, "0") == 0 ? 0 : option_time(state, "--patience", arg);
        return 0;
    case OPT_ELASTIC:
        o->config.flags |= HDP_ELASTIC_SLEEP;
        return 0;
    case OPT_INNER:
        o->config.flags |= HDP_INNER;
        return 0;
    case OPT_HINTS:
        o->config.flags |= HDP_HINTS;
        return 0;
    case OPT_SPURIOUS:
        o->config.flags |= HDP_SPURIOUS;
        return 0;
    case OPT_FAULTS: {
        char *why = faults_parse(arg, &o->config.faults);
        if (why)
            argp_failure(state, EXIT_USAGE, 0, "%s", why);
        return 0;
    }
    case OPT_LOCK_ORDER:
        switch_flag(state, "--lock-order", HDP_LOCK_ORDER, arg);
        return 0;
    case OPT_REACH:
        switch_flag(state, "--reach", HDP_REACH, arg);
        return 0;
    case OPT_LOCK_GRAPH: {
        char *why = lockgraph_check(arg);
        if (why)
            argp_failure(state, EXIT_USAGE, 0, "%s", why);
        o->lock_graph = arg;
        return 0;
    }
    case OPT_SUPPRESSIONS:
        take_suppressions(state, &o->suppressions, arg);
        return 0;
    case OPT_PREDICT:
        if (strcmp(arg, "on") != 0 && strcmp(arg, "off") != 0)
            argp_failure(state, EXIT_USAGE, 0, "--predict is on or off, not \"%s\"", arg);
        o->predict = strcmp(arg, "on") == 0;
        return 0;
    case OPT_AIM: {
        char *why = aim_parse(arg, &o->aim);
        if (why)
            argp_failure(state, EXIT_USAGE, 0, "%s", why);
        free(why);
        return 0;
    }
    case OPT_STEER:
        o->steers = (unsigned)option_count(state, "--steer", arg, 0, 100000);
        return 0;
    case OPT_STRICT:
        o->strict = true;
        return 0;
    case OPT_FRESH:
        o->config.flags |= HDP_FRESH;
        return 0;
    case OPT_ENGINE:
        o->engine = engine_of(state, arg);
        return 0;
    case OPT_CHECK_RESTORE:
        o->check_restore = true;
        return 0;
    case OPT_NO_LEAKS:
        o->config.flags |= HDP_NO_LEAKS;
        return 0;
    default:
        return parse_tool(key, arg, state, a);
    }
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct arguments *a = state->input;
    struct campaign_options *o = &a->options;
    switch (key) {
    case OPT_CHECK_OUTPUT:
        o->check_output = o->plan.reference = true;
        return 0;
    case OPT_CHECK_DETERMINISM:
        o->check_determinism = true;
        return 0;
    case OPT_ORACLE:
        if (!shell_can_read(arg))
            argp_failure(state, EXIT_USAGE, 0, "the oracle `%s` is not in the language of sh", arg);
        o->oracle = arg;
        return 0;
    case 'o':
        o->out = arg;
        return 0;
    case OPT_REPLAYS:
        o->replays = (unsigned)option_count(state, "--replays", arg, 0, 1000);
        return 0;
    case OPT_SHRINK:
        o->shrink_tries =
            strcmp(arg, "no") == 0 ? 0 : (unsigned)option_count(state, "--shrink", arg, 1, 100000);
        return 0;
    default:
        return parse_running(key, arg, state, a);
    }
}

/* Options that only a schedule of Heddle's own heeds. */
static const struct {
    int key;
    const char *name;
} controlled[] = {
    {OPT_STRATEGY, "--strategy"},
    {OPT_POINTS, "--points"},
    {OPT_MODEL, "--memory-model"},
    {OPT_DEPTH, "--depth"},
    {OPT_MAX_STEPS, "--max-steps"},
    {OPT_CLOCK, "--clock"},
    {OPT_PATIENCE, "--patience"},
    {OPT_ELASTIC, "--elastic-sleep"},
    {OPT_SPURIOUS, "--spurious"},
    {OPT_HINTS, "--hints"},
    {OPT_FRESH, "--fresh"},
    {OPT_NO_LEAKS, "--no-leaks"},
    {OPT_LOCK_ORDER, "--lock-order"},
    {OPT_LOCK_GRAPH, "--lock-graph"},
    {OPT_REACH, "--reach"},
    {OPT_STEER, "--steer"},
    {OPT_AIM, "--aim"},
    {OPT_PREDICT, "--predict"},
    {OPT_CHECK_DETERMINISM, "--check-determinism"},
    {OPT_SHARD, "--shard"},
    {OPT_CONTINUE, "--continue"},
    {OPT_SATURATED, "--until-saturated"},
    {OPT_CORPUS, "--corpus"},
    {OPT_CHANGED, "--changed-since"},
    {OPT_FAULTS, "--faults"},
};
enum { CONTROLLED = sizeof controlled / sizeof *controlled };

/* Options that are about chance, or let happen what is not explored. */
static const struct {
    int key;
    const char *name;
} unexplored[] = {
    {OPT_STRATEGY, "--strategy"},
    {OPT_DEPTH, "--depth"},
    {OPT_MODEL, "--memory-model"},
    {OPT_CLOCK, "--clock"},
    {OPT_SPURIOUS, "--spurious"},
    {OPT_FAULTS, "--faults"},
    {OPT_INNER, "--inner-points"},
    {OPT_SHARD, "--shard"},
    {OPT_CONTINUE, "--continue"},
    {OPT_AIM, "--aim"},
    {OPT_ENGINE, "--engine"},
    {OPT_TOOL, "--tool"},
    {OPT_SATURATED, "--until-saturated"},
    {OPT_CORPUS, "--corpus"},
    {OPT_CHANGED, "--changed-since"},
    {OPT_SEED, "--seed"},
    {OPT_STEER, "--steer"},
    {OPT_PREDICT, "--predict"},
    {OPT_CHECK_RESTORE, "--check-restore"},
};
enum { UNEXPLORED = sizeof unexplored / sizeof *unexplored };

static bool is_given(const struct arguments *a, int key)
{
    return a->given >> (key - OPT_STRATEGY) & 1;
}

/* An option that would do nothing beside the others is refused. */
static void check_together(struct argp_state *state, const struct arguments *a)
{
    const struct campaign_options *o = &a->options;

    if (o->perturb && !o->native)
        argp_failure(state, EXIT_USAGE, 0, "--perturb goes with --schedule=native");
    for (size_t i = 0; o->native && i < CONTROLLED; i++)
        if (is_given(a, controlled[i].key))
            argp_failure(state, EXIT_USAGE, 0, "%s does not go with --schedule=native%s",
                         controlled[i].name,
                         controlled[i].key == OPT_LOCK_GRAPH
                             ? " (heddle watch --lock-graph follows a program that the operating "
                               "system schedules)"
                             : ", where the operating system schedules");
    for (size_t i = 0; o->exhaustive && i < UNEXPLORED; i++)
        if (is_given(a, unexplored[i].key))
            argp_failure(state, EXIT_USAGE, 0, "%s does not go with --exhaustive",
                         unexplored[i].name);
    if (o->exhaustive && (o->native || a->box.tools > 1))
        argp_failure(state, EXIT_USAGE, 0, "--exhaustive is for Heddle's own schedules");
    if ((o->explore.bounded || o->explore.steps) && o->explore.inner)
        argp_failure(state, EXIT_USAGE, 0, "%s does not go with --exhaustive=inner",
                     o->explore.bounded ? "--bound-preemptions" : "--bound-steps");
    if (o->explore.steps && !o->exhaustive)
        argp_failure(state, EXIT_USAGE, 0, "--bound-steps goes with --exhaustive");
    if (o->resume && !o->exhaustive)
        argp_failure(state, EXIT_USAGE, 0,
                     "--resume goes with --exhaustive (--continue=FILE goes on with others)");
    if (a->keep_going && (!o->exhaustive || o->stop_at_first))
        argp_failure(state, EXIT_USAGE, 0, "--keep-going goes with --exhaustive%s",
                     o->exhaustive ? ", not with --stop-at-first" : "");
    if (is_given(a, OPT_BOUND_PREEMPTIONS) && !o->exhaustive)
        argp_failure(state, EXIT_USAGE, 0, "--bound-preemptions goes with --exhaustive");
    if (o->lock_graph && !(o->config.flags & HDP_LOCK_ORDER))
        argp_failure(state, EXIT_USAGE, 0, "--lock-graph does not go with --lock-order=off");
    if (is_given(a, OPT_DEPTH) && o->plan.strategy != PLAN_AUTO &&
        strategy_depth(o->plan.strategy) != HDP_DEPTH_OF_BUG)
        argp_failure(state, EXIT_USAGE, 0, "--depth does not go with --strategy=%s, which has none",
                     strategy_word(o->plan.strategy));
    if (o->shards > 1 && a->counted && o->schedules <= LEARN_UNTIL)
        argp_failure(
            state, EXIT_USAGE, 0,
            "--shard splits what comes after the first %u schedules, from which all others "
            "learn and which each shard runs: -n is to be more",
            LEARN_UNTIL);
    if (o->shards > 1 && !a->counted && !o->time_ns)
        argp_failure(state, EXIT_USAGE, 0, "--shard goes with -n or --time");
    if (a->outcome.progress && (o->shards > 1 || a->box.tools > 1))
        argp_failure(state, EXIT_USAGE, 0,
                     "--continue goes with neither --shard nor several tools");
    if (o->shards > 1 && o->until_share > 0)
        argp_failure(state, EXIT_USAGE, 0,
                     "--until-saturated does not go with --shard: none knows what others saw");
    if (o->corpus && (o->shards > 1 || a->outcome.progress || a->box.tools > 1 ||
                      o->config.faults || o->exhaustive))
        argp_failure(state, EXIT_USAGE, 0,
                     "--corpus goes with none of --shard, --continue, --faults, --exhaustive and "
                     "several tools");
    if (a->changed && (o->corpus || a->box.tools > 1))
        argp_failure(state, EXIT_USAGE, 0,
                     "--changed-since goes with neither --corpus, which tries what it has found "
                     "first, nor several tools");
    if (o->shards > 1 && o->lock_graph)
        argp_failure(state, EXIT_USAGE, 0, "--lock-graph does not go with --shard");
    if (o->shards > 1 && a->box.tools > 1)
        argp_failure(state, EXIT_USAGE, 0, "--shard goes with one --tool");
    if (a->outcome.json && formats_to_stdout(&a->outcome.formats))
        argp_failure(state, EXIT_USAGE, 0,
                     "--json has stdout for itself: give the report a file, --report=github:FILE");
}

static error_t parse_outcome(int key, char *arg, struct argp_state *state)
{
    struct arguments *a = state->input;
    struct campaign_options *o = &a->options;
    if (key >= OPT_STRATEGY && key < OPT_STRATEGY + 64)
        a->given |= 1ull << (key - OPT_STRATEGY);
    switch (key) {
    case OPT_REPORT: {
        char *why = formats_parse(&a->outcome.formats, arg);
        if (why)
            argp_failure(state, EXIT_USAGE, 0, "%s", why);
        return 0;
    }
    case OPT_NAME:
        a->outcome.name = arg;
        return 0;
    case OPT_BASELINE: {
        char *why;
        baseline_free(o->baseline);
        o->baseline = baseline_read(arg, &why);
        if (why)
            argp_failure(state, EXIT_USAGE, 0, "%s", why);
        return 0;
    }
    case OPT_FAIL_ON: {
        char *why = kinds_parse(arg, &o->spared);
        if (why)
            argp_failure(state, EXIT_USAGE, 0, "%s", why);
        o->spared = ~o->spared;
        return 0;
    }
    case OPT_EXIT_CODE:
        if (!exit_codes_parse(arg, o->fine_exit))
            argp_failure(state, EXIT_USAGE, 0, EXIT_CODES_WANTED, arg);
        return 0;
    case OPT_SUITE:
        a->outcome.suite = arg;
        o->allow_no_threads = true;
        return 0;
    case OPT_NO_THREADS:
        o->allow_no_threads = true;
        return 0;
    case OPT_JSON:
        a->outcome.json = true;
        return 0;
    case 'q':
        o->quiet = true;
        return 0;
    case ARGP_KEY_ARG: /* the program: all behind it is its own */
        a->first = state->next - 1;
        state->next = state->argc;
        return 0;
    case ARGP_KEY_END:
        check_together(state, a);
        return 0;
    case ARGP_KEY_NO_ARGS:
        argp_failure(state, EXIT_USAGE, 0, "which program? heddle run [OPTION...] -- ./prog args");
        return EINVAL;
    default:
        return parse(key, arg, state);
    }
}

/* What Heddle's own models of allocation let fail. */
#define MALLOC_FAULTS                                                                              \
    (1u << HDP_FAULT_MALLOC | 1u << HDP_FAULT_CALLOC | 1u << HDP_FAULT_REALLOC |                   \
     1u << HDP_FAULT_ALIGNED)

static int explore(struct arguments *a, char **argv)
{
    struct campaign_options *o = &a->options;
    struct target target;
    struct campaign campaign;
    bool misuse;
    char *why = target_open(argv[0], &target);
    if (why && a->outcome.suite)
        return run_uncontrolled(argv, &a->outcome, o, why);
    if (!why && !toolbox_default(&a->box, &target) && a->box.arguments) {
        complain("--tool-arg goes with --tool=tsan, helgrind or drd: no other tool looks here");
        target_free(&target);
        return EXIT_USAGE;
    }
    for (size_t i = 0; !why && i < a->box.tools; i++) {
        if (!a->box.tool[i] || !(o->config.faults & MALLOC_FAULTS))
            continue;
        complain("--faults=malloc does not go with --tool=%s, which has an allocator of its own: "
                 "name other faults alone",
                 a->box.tool[i]->name);
        target_free(&target);
        return EXIT_USAGE;
    }
    if (!why && (why = outdir_check(o->out, &misuse)) && misuse) {
        complain("%s", why);
        free(why);
        target_free(&target);
        return EXIT_USAGE;
    }
    char *runtime = why ? NULL : runtime_find();
    if (!why && !runtime)
        why =
            mem_copy("libheddle-rt.so is not where it belongs: install Heddle again, or say where "
                     "it is with HEDDLE_RUNTIME=PATH");
    int input = why ? -1 : input_open(&why);
    if (why) {
        complain("%s", why);
        free(why);
        free(runtime);
        target_free(&target);
        return EXIT_CANNOT;
    }
    o->target = &target;
    o->argv = argv;
    json_t *learned = NULL;
    int lock = -1;
    misuse = true;
    if (o->corpus && ((why = corpus_hold(o->corpus, &lock, &misuse)) ||
                      (why = corpus_read(o->corpus, o, &learned)))) {
        complain("%s", why);
        free(why);
        if (lock >= 0)
            close(lock);
        if (input >= 0)
            close(input);
        free(runtime);
        target_free(&target);
        return misuse ? EXIT_USAGE : EXIT_CANNOT;
    }
    o->learned = learned;
    json_t *explored = NULL;
    if (o->resume && (why = resume_read(o->resume, o, &explored))) {
        complain("%s", why);
        free(why);
        if (input >= 0)
            close(input);
        free(runtime);
        target_free(&target);
        return EXIT_USAGE;
    }
    o->explored = explored;
    o->launch = (struct launch){.program = target.path,
                                .argv = argv,
                                .runtime = runtime,
                                .input = input,
                                .asan = target.asan_inside,
                                .max_processes = o->max_processes,
                                .oracle = o->oracle,
                                .preload_before = target.asan[0] ? target.asan : NULL};
    campaign_catch_signals();
    toolbox_run(&a->box, &campaign, o);
    int code = run_conclude(&campaign, &a->outcome, cli_bold());
    campaign_close(&campaign);
    if (lock >= 0)
        close(lock);
    json_decref(learned);
    json_decref(explored);
    toolbox_free(&a->box);
    if (input >= 0)
        close(input);
    free(runtime);
    target_free(&target);
    return code;
}

/* One of a suite has a share of its time, and a folder of its own in the suite's; free() that. */
static char *join_suite(struct arguments *a, char *const *argv)
{
    char *name = outcome_name(&a->outcome, argv);
    char *folder = member_folder(a->outcome.suite, name);
    int64_t share = member_share(a->outcome.suite);

    member_dies_with_parent();
    if (share)
        a->options.time_ns = share;
    if (share && !a->counted)
        a->options.schedules = 0;
    a->options.out = folder;
    free(name);
    return folder;
}

/* False: that campaign is another one, which is said. */
static bool go_on(struct arguments *a, char *const *argv)
{
    struct campaign_options *o = &a->options;
    char *why = progress_read(a->outcome.progress, argv, &o->plan, &o->begin);

    if (why)
        complain("%s", why);
    free(why);
    if (o->begin > 1 && o->schedules)
        o->schedules += o->begin - 1;
    if (o->begin > 1 && o->at_least)
        o->at_least += o->begin - 1;
    return !why;
}

/* Nobody said how many: some seconds, unless hardly anything is new any more. */
static void plan_by_time(struct arguments *a)
{
    struct campaign_options *o = &a->options;

    o->at_least = o->schedules;
    o->schedules = 0;
    o->time_ns = 10000000000;
    o->until_share = 0.001;
}

/* Which schedule is next follows from those before. What other schedules could show need not be
 * guessed. */
static void plan_exhaustive(struct arguments *a)
{
    a->options.predict = false;
    a->options.stop_at_first = !a->keep_going;
    a->options.steers = 0;
    if (!is_given(a, OPT_LOCK_ORDER) && !a->options.lock_graph)
        a->options.config.flags &= ~(uint32_t)HDP_LOCK_ORDER;
}

int cmd_run(int argc, char **argv)
{
    static const struct argp argp = {
        .options = table,
        .parser = parse_outcome,
        .args_doc = "-- PROGRAM [ARGUMENT...]",
        .doc =
            "Run PROGRAM under many schedules and report what goes wrong in any of them."
            "\vExit codes: 0 nothing found, 1 something found that is not doubtful, 2 wrong usage, "
            "3 "
            "the program could not be run or controlled, or hardly any schedule came to an end, "
            "128 + N signal N (as of Ctrl-C, 130) stopped it and nothing was found before."};
    struct arguments a = {
        .options = {.schedules = 500,
                    .engine = ENGINE_AUTO,
                    .jobs = cpus_usable(256),
                    .timeout_ns = 10000000000,
                    .replays = 3,
                    .shrink_tries = 100,
                    .steers = 30,
                    .predict = true,
                    .out = "heddle-out",
                    .plan = {.strategy = PLAN_AUTO, .seed = 1},
                    .config = {.flags = HDP_TRACE | HDP_RACES | HDP_LOCK_ORDER | HDP_REACH,
                               .max_steps = 200000,
                               .patience_ns = 100000000,
                               .clock_base_ns = 1767225600000000000, /* 2026-01-01 */
                               .watchdog_ms = 50}}};
    options_parse(&argp, "heddle run", argc, argv, ARGP_IN_ORDER, &a);
    if ((a.options.time_ns || a.options.exhaustive) && !a.counted)
        a.options.schedules = 0;
    else if (a.options.until_share > 0 && !a.counted)
        a.options.schedules = 100000;
    else if (!a.counted && !a.options.native && !a.outcome.suite)
        plan_by_time(&a);
    if (a.options.exhaustive)
        plan_exhaustive(&a);
    char *folder = NULL;
    if (a.options.corpus)
        a.earlier = corpus_findings(a.options.corpus);
    a.options.earlier = a.earlier;
    if (a.outcome.progress && !go_on(&a, argv + a.first))
        return EXIT_USAGE;
    if (a.outcome.suite)
        folder = join_suite(&a, argv + a.first);
    int code = explore(&a, argv + a.first);
    free(folder);
    struct suppressions *s = a.options.suppressions;
    if (s)
        suppress_unused(s, stderr);
    if (s && suppress_passed_over(s))
        complain("%zu suppressions of other tools mean nothing here", suppress_passed_over(s));
    free(a.earlier);
    aim_free(&a.options.aim);
    suppress_free(s);
    baseline_free(a.options.baseline);
    formats_free(&a.outcome.formats);
    return code;
}
