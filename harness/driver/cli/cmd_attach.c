/* cmd_attach.c - heddle attach: a process that hangs, or its core, looked at as it is. */
#include <argp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "attach/attach_report.h"
#include "attach/core.h"
#include "attach/look.h"
#include "attach/standstill.h"
#include "attach/waits.h"
#include "cli.h"
#include "util/alloc.h"
#include "util/complain.h"
#include "util/exit_code.h"
#include "util/quantity.h"
#include "util/real_time.h"

enum { OPT_CORE = 256, OPT_LOOKS, OPT_INTERVAL, OPT_JSON };
enum { LOOKS_MOST = 100 };

static const struct argp_option table[] = {
    {"core", OPT_CORE, "FILE", 0, "Look at a core file; PROGRAM if the program was moved since", 0},
    {"looks", OPT_LOOKS, "N", 0, "How often to look: what runs is told by two or more (2)", 0},
    {"interval", OPT_INTERVAL, "TIME", 0, "Time between the looks (500ms)", 0},
    {"json", OPT_JSON, 0, 0, "One JSON document instead of text (docs/json.md)", 0},
    {0},
};

struct arguments {
    const char *core, *program, *other; /* PROGRAM or PID */
    pid_t pid;
    uint64_t looks;
    int64_t interval;
    bool json;
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct arguments *a = state->input;
    uint64_t pid = 0;
    switch (key) {
    case OPT_CORE:
        a->core = arg;
        return 0;
    case OPT_LOOKS:
        if (!parse_count(arg, 1, LOOKS_MOST, &a->looks))
            argp_failure(state, EXIT_USAGE, 0, "--looks is a number from 1 to %d, not \"%s\"",
                         LOOKS_MOST, arg);
        return 0;
    case OPT_INTERVAL:
        if (!parse_time(arg, &a->interval))
            argp_failure(state, EXIT_USAGE, 0, "--interval is a time like 1s or 200ms, not \"%s\"",
                         arg);
        return 0;
    case OPT_JSON:
        a->json = true;
        return 0;
    case ARGP_KEY_ARG:
        if (a->other)
            argp_failure(state, EXIT_USAGE, 0, "one process or core at a time, not also %s", arg);
        a->other = arg;
        return 0;
    case ARGP_KEY_END:
        if (a->core)
            a->program = a->other;
        else if (!a->other)
            argp_failure(state, EXIT_USAGE, 0,
                         "which process? heddle attach PID, or heddle attach --core=FILE");
        else if (!parse_count(a->other, 1, INT32_MAX, &pid))
            argp_failure(state, EXIT_USAGE, 0, "%s is no process number", a->other);
        a->pid = (pid_t)pid;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static void pass_time(int64_t ns)
{
    struct timespec t = {ns / 1000000000, ns % 1000000000};
    while (nanosleep(&t, &t) != 0)
        ;
}

/* The snapshots first, one after another in time; what they mean, when the process is let go. */
static size_t take_looks(const struct arguments *a, struct snapshot **taken, int64_t *at,
                         char **why)
{
    size_t n = 0;
    *why = NULL;
    if (a->core) {
        taken[0] = core_open(a->core, a->program, why);
        return taken[0] != NULL;
    }
    for (; n < a->looks; n++) {
        if (n)
            pass_time(a->interval);
        at[n] = real_now();
        taken[n] = look_at(a->pid, why);
        if (!taken[n])
            break;
    }
    if (n && *why) { /* it ended meanwhile: the looks that there are, are told */
        snapshot_lacks(taken[n - 1], "after %zu of %llu looks: %s", n, (unsigned long long)a->looks,
                       *why);
        free(*why);
        *why = NULL;
    }
    return n;
}

static int look_and_tell(const struct arguments *a)
{
    struct attached seen = {0};
    struct snapshot **taken = mem_zeroed(a->looks, sizeof(struct snapshot *));
    char *why;
    seen.at = mem_zeroed(a->looks, sizeof *seen.at);
    seen.looks = take_looks(a, taken, seen.at, &why);
    int code = EXIT_CANNOT;
    if (!seen.looks) {
        complain("%s", why);
    } else {
        seen.look = mem_zeroed(seen.looks, sizeof *seen.look);
        for (size_t i = 0; i < seen.looks; i++) {
            seen.look[i] = view_new(taken[i]);
            waits_find(seen.look[i]);
            view_name(seen.look[i]);
        }
        standstill_find(seen.look[seen.looks - 1], &seen.findings);
        code = seen.findings.count ? EXIT_FOUND : EXIT_NOTHING;
        if (a->json)
            attach_report_json(stdout, &seen, code);
        else
            attach_report(stdout, &seen, cli_bold());
    }
    for (size_t i = 0; i < seen.looks; i++) {
        view_free(seen.look[i]);
        snapshot_free(taken[i]);
    }
    free(why);
    free(taken);
    free(seen.look);
    free(seen.at);
    findings_free(&seen.findings);
    return code;
}

int cmd_attach(int argc, char **argv)
{
    static const struct argp argp = {
        .options = table,
        .parser = parse,
        .args_doc = "PID\n--core=FILE [PROGRAM]",
        .doc = "Look at a process that hangs, which needs no preparation, or at its core file: "
               "which threads wait for each other, and what each of them waits for. The process is "
               "stopped for some milliseconds, nothing is written into it, and it goes on."
               "\vExit code: 0 no deadlock, 1 deadlock found, 2 wrong usage, 3 the process or core "
               "could not be looked at (a sentence says why)."};
    struct arguments a = {.looks = 2, .interval = 500000000};
    argp_err_exit_status = EXIT_USAGE;
    argv[0] = "heddle attach";
    argp_parse(&argp, argc, argv, 0, NULL, &a);
    return look_and_tell(&a);
}
