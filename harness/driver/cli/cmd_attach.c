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
#include "util/options.h"
#include "util/quantity.h"
#include "util/real_time.h"
#include "watch_socket.h"

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

static struct view *understand(struct snapshot *s)
{
    struct view *v = view_new(s);
    waits_find(v);
    view_name(v);
    snapshot_forget(s);
    return v;
}

static struct snapshot *take(const struct arguments *a, char **why)
{
    return a->core ? core_open(a->core, a->program, why) : look_at(a->pid, why);
}

static void look_repeatedly(const struct arguments *a, struct attached *seen, char **why)
{
    uint64_t looks = a->core ? 1 : a->looks;
    *why = NULL;
    for (; seen->looks < looks; seen->looks++) {
        if (seen->looks)
            pass_time(a->interval);
        seen->at[seen->looks] = real_now();
        struct snapshot *s = take(a, why);
        if (!s)
            break;
        seen->look[seen->looks] = understand(s);
    }
    if (!seen->looks || !*why)
        return;
    /* it ended meanwhile: the looks that there are, are told */
    snapshot_lacks(seen->look[seen->looks - 1]->s, "after %zu of %llu looks: %s", seen->looks,
                   (unsigned long long)looks, *why);
}

static int look_and_tell(const struct arguments *a)
{
    struct attached seen = {.look = mem_zeroed(a->looks, sizeof *seen.look),
                            .at = mem_zeroed(a->looks, sizeof *seen.at)};
    char *why, *no_dump = NULL;
    int code = EXIT_CANNOT;
    /* Before it is looked at: calls that go on after that look different to it. */
    char *dump = a->core || a->json ? NULL : watch_socket_ask(a->pid, &no_dump);
    look_repeatedly(a, &seen, &why);
    if (!seen.looks) {
        complain("%s", why);
    } else {
        standstill_find(seen.look[seen.looks - 1], &seen.findings);
        code = seen.findings.count ? EXIT_FOUND : EXIT_NOTHING;
        if (a->json)
            attach_report_json(stdout, &seen, code);
        else
            attach_report(stdout, &seen, cli_bold());
    }
    if (dump)
        printf("\nheddle watch follows process %d:\n\n%s", (int)a->pid, dump);
    if (no_dump)
        complain("%s", no_dump);
    for (size_t i = 0; i < seen.looks; i++) {
        struct snapshot *s = seen.look[i]->s;
        view_free(seen.look[i]);
        snapshot_free(s);
    }
    free(why);
    free(dump);
    free(no_dump);
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
               "stopped for some milliseconds, nothing is written into its memory, and it goes on."
               "\vExit code: 0 no deadlock, 1 deadlock found, 2 wrong usage, 3 the process or core "
               "could not be looked at (a sentence says why)."};
    struct arguments a = {.looks = 2, .interval = 500000000};
    options_parse(&argp, "heddle attach", argc, argv, 0, &a);
    return look_and_tell(&a);
}
