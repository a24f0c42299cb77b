/* cmd_verify_fix.c - heddle verify-fix: is what a schedule shows gone, or did it only move?
 *
 * A fix often closes the very order that was found, and leaves its neighbours. So many schedules near that
 * order are tried: some of its events left out, or all from one on, or other threads between them, and
 * then chance.
 */
#include <argp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "campaign/campaign.h"
#include "campaign/judge.h"
#include "cli.h"
#include "replaying.h"
#include "reports/report_text.h"
#include "util/alloc.h"
#include "util/complain.h"
#include "util/distinct.h"
#include "util/exit_code.h"
#include "util/options.h"
#include "util/quantity.h"
#include "util/shell.h"

static const struct argp_option table[] = {
    {"tries", 'n', "N", 0, "Try N schedules near the recorded order (1000)", 0},
    {0},
};

struct arguments {
    struct replay_options replay;
    uint64_t tries;
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct arguments *a = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &a->replay;
        return 0;
    case 'n':
        a->tries = option_count(state, "-n", arg, 1, 1000000);
        return 0;
    case ARGP_KEY_ARG:
        if (!a->replay.file) {
            a->replay.file = arg;
            return 0;
        }
        a->replay.command = state->argv + state->next - 1;
        state->next = state->argc;
        return 0;
    case ARGP_KEY_END:
        if (!a->replay.file)
            argp_failure(state, EXIT_USAGE, 0,
                         "which schedule? heddle verify-fix FILE.schedule -- ./new");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* What was tried with one schedule file. */
struct tries {
    uint32_t near;            /* schedules near its order that passed */
    uint32_t cut, not_run;    /* of all: those that did not come to their end, or did not run */
    uint32_t suppressed;      /* of all: they showed what nobody wants to hear of */
    uint32_t unshown;         /* failed, but not when they were run again */
    uint32_t followed, named; /* events that happened in its order, of those that it names */
    struct distinct distinct;
    struct replayed shown; /* what is still there; finding NULL: nothing is */
    bool could;            /* the program ran */
};

enum how { PASSES, FAILS, UNKNOWN };

/* One attempt, without stacks: is there anything wrong with it? */
static enum how try_one(struct replaying *r, uint32_t attempt, struct tries *t)
{
    struct symptom list[SYMPTOMS];
    struct hdp_region *region = r->w->region;
    bool wrong = false;

    replaying_prepare(r, attempt);
    region->config.flags &= ~(uint32_t)HDP_RICH;
    if (!campaign_run_now(&r->c, r->w)) {
        t->not_run += !campaign_stop;
        return UNKNOWN;
    }
    t->could = true;
    size_t count = judge(&r->c, r->w, 0, list);
    for (size_t i = 0; i < count; i++)
        wrong |= replaying_decides(r, list[i].kind);
    symptoms_free(list, count);
    distinct_add(&t->distinct, region->result.interleaving);
    if (attempt == HDP_HELP) {
        t->followed = region->result.followed;
        t->named = t->followed + region->result.left_out;
    }
    if (wrong || replaying_printed(r))
        return FAILS;
    if (!replaying_cut(r))
        return PASSES;
    t->cut++;
    return UNKNOWN;
}

static void try_all(struct replaying *r, uint64_t tries, struct tries *t)
{
    bool by_events = identity_known(&r->schedule);

    if (!r->changed) { /* its very decisions */
        t->shown = replaying_once(r, 0);
        t->could = t->shown.ran;
        if (t->shown.finding)
            return;
        replayed_free(&t->shown);
    }
    /* The order of the events is all that is followed, also of the program as it was. */
    r->schedule.other_build = true;
    for (uint32_t n = 0; n < (by_events ? HDP_NEAR + tries : 1) && !campaign_stop; n++) {
        enum how how = try_one(r, n, t);
        if (!t->could || r->c.trouble)
            break;
        t->near += how == PASSES && n >= HDP_NEAR;
        if (how != FAILS)
            continue;
        t->shown = replaying_once(r, n);
        if (t->shown.finding)
            break;
        if (t->shown.suppressed) {
            t->suppressed++;
            t->near += n >= HDP_NEAR;
        } else {
            t->unshown++;
        }
        replayed_free(&t->shown);
    }
}

static void tell_shown(const struct arguments *a, const struct replaying *r, const struct tries *t)
{
    const struct replayed *o = &t->shown;

    o->finding->replays = o->finding->reproduced = 1;
    report_finding(stdout, o->finding, cli_bold(), false);
    printf("\nnot fixed: ");
    if (o->attempt < HDP_NEAR)
        fputs("the recorded order", stdout);
    else
        printf("schedule %u near the recorded order", o->attempt - HDP_NEAR + 1);
    printf(" still shows %s\n", o->same ? "it" : "a finding, which is another one now");
    if (o->attempt < HDP_NEAR || !o->same || !r->changed)
        return;
    printf("See it again:  heddle replay --around=%u ", o->attempt - HDP_NEAR + 1);
    if (a->replay.program) {
        fputs("--program=", stdout);
        shell_quote(stdout, a->replay.program);
        putchar(' ');
    }
    shell_quote(stdout, a->replay.file);
    for (char *const *word = a->replay.command; word && *word; word++) {
        fputs(word == a->replay.command ? " -- " : " ", stdout);
        shell_quote(stdout, *word);
    }
    putchar('\n');
}

/* Is enough known, where some schedules did not come to their end? */
static bool is_judged(const struct tries *t)
{
    return t->near && (t->cut + t->not_run) * 20 <= t->near;
}

static void tell_fixed(const struct tries *t)
{
    char near[32], distinct[32];

    printf("fixed, as far as was tried: nothing fails\n"
           "  in the recorded order (%u of its %u events happen in it)\n"
           "  in %s schedules near it (%s distinct): with some of its events left out, or all from "
           "one on, or other\n  threads between them, and then chance\n",
           t->followed, t->named, show_count(t->near, near),
           show_count(distinct_count(&t->distinct), distinct));
    if (t->suppressed)
        printf("  (%u showed what is suppressed)\n", t->suppressed);
    if (t->cut + t->not_run)
        printf("  nothing is known of %u more, which did not come to their end\n",
               t->cut + t->not_run);
}

/* Its exit code; EXIT_NOTHING: nothing is wrong. */
static int verify(const struct arguments *a, struct replaying *r)
{
    struct tries t = {0};
    int code = EXIT_NOTHING;

    if (r->w)
        try_all(r, a->tries, &t);
    if (!r->w && r->c.findings.count) {
        report_finding(stdout, r->c.findings.list[0], cli_bold(), false);
        puts("\nnot fixed: the program fails before it makes a thread");
        code = EXIT_FOUND;
    } else if (t.shown.finding) {
        tell_shown(a, r, &t);
        code = EXIT_FOUND;
    } else if (campaign_stop) {
        complain("interrupted after %u schedules near the recorded order: nothing has failed so "
                 "far",
                 t.near);
        code = 128 + campaign_stop;
    } else if (!t.could || r->c.trouble) {
        complain("the schedule could not be run: %s",
                 r->c.trouble ? r->c.trouble : "the program's process was killed");
        code = EXIT_CANNOT;
    } else if (r->blind) {
        complain("cannot say: nothing else fails, but %s", r->blind);
        code = EXIT_CANNOT;
    } else if (!t.followed) {
        complain("cannot say: %s", identity_known(&r->schedule)
                                       ? "nothing of what the schedule names is in this program"
                                       : "the file is of an old format, which names no events");
        code = EXIT_CANNOT;
    } else if (t.unshown) {
        complain("cannot say: %u of the schedules failed, but not when they were run again",
                 t.unshown);
        code = EXIT_CANNOT;
    } else if (!is_judged(&t)) {
        complain(
            "cannot say: nothing fails in %u schedules near the recorded order, but %u did not "
            "come to their end (max-steps, --timeout), and %u could not be run",
            t.near, t.cut, t.not_run);
        code = EXIT_CANNOT;
    } else {
        tell_fixed(&t);
    }
    replayed_free(&t.shown);
    distinct_free(&t.distinct);
    return code;
}

/* The shrunk schedule of the same finding beside the file: its neighbours are nearer. free() it. */
static char *shrunk_beside(const char *file)
{
    size_t stem = strlen(file), ending = strlen(".schedule");

    if (stem < ending || strcmp(file + stem - ending, ".schedule") != 0)
        return NULL;
    char *path = mem_format("%.*s.min.schedule", (int)(stem - ending), file);
    if (access(path, R_OK) == 0)
        return path;
    free(path);
    return NULL;
}

int cmd_verify_fix(int argc, char **argv)
{
    static const struct argp_child children[] = {{&replay_argp, 0, NULL, 0}, {0}};
    static const struct argp argp = {
        .options = table,
        .parser = parse,
        .children = children,
        .args_doc = "FILE.schedule [-- PROGRAM [ARGUMENT...]]",
        .doc =
            "Is what a schedule shows gone from the mended program? Follows the recorded order "
            "of events, and many schedules near it (of the shrunk schedule beside the file, where "
            "there is one), as a fix may have moved the failure by a step."
            "\vExit codes: 0 nothing fails any more, 1 something does, 2 wrong usage or a bad "
            "file, 3 nothing can be said (a sentence says why), 128 + N signal N (as of Ctrl-C, "
            "130) stopped it before it was known."};
    struct arguments a = {.tries = 1000};
    struct replaying r;
    int code;

    options_parse(&argp, "heddle verify-fix", argc, argv, ARGP_IN_ORDER, &a);
    char *shrunk = shrunk_beside(a.replay.file);
    if (shrunk)
        a.replay.file = shrunk;
    char *why = replaying_open(&r, &a.replay, &code);
    if (why)
        complain("%s%s", why,
                 code == EXIT_USAGE && r.is_file
                     ? ": name the program to run (-- PROGRAM), or say --trust"
                     : "");
    else
        code = verify(&a, &r);
    free(why);
    replaying_close(&r);
    free(shrunk);
    replay_options_free(&a.replay);
    return code;
}
