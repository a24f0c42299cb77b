/* cmd_replay.c - heddle replay: recorded schedules again. */
#include <argp.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "campaign/campaign.h"
#include "cli.h"
#include "gdb.h"
#include "replay_suite.h"
#include "replaying.h"
#include "reports/report_text.h"
#include "stop_at.h"
#include "util/alloc.h"
#include "util/complain.h"
#include "util/exit_code.h"
#include "util/options.h"
#include "util/quantity.h"

enum { OPT_GDB = 256, OPT_SHOW, OPT_AROUND, OPT_STOP_AT };

static const struct argp_option table[] = {
    {"gdb", OPT_GDB, 0, 0, "Run it in gdb, which stops at the finding", 0},
    {"stop-at", OPT_STOP_AT, "STEP", 0,
     "Stop before this decision, as the report numbers them, and say where each thread stands; "
     "with "
     "--gdb: stop there. Not with --times nor --show-output",
     0},
    {"times", 'n', "N", 0, "Replay N times and compare (1)", 0},
    {"around", OPT_AROUND, "N", 0,
     "Of a program that has changed: try N schedules near the recorded one, too, before it passes "
     "(100)",
     0},
    {"show-output", OPT_SHOW, 0, 0, "Print what the program prints", 0},
    {0},
};

struct arguments {
    struct replay_options replay;
    const char **file; /* or folders */
    size_t files;
    uint64_t times;
    uint64_t around;  /* schedules near one of another build to try */
    uint64_t stop_at; /* 0: at its end */
    bool gdb, show;
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct arguments *a = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &a->replay;
        return 0;
    case OPT_GDB:
        a->gdb = true;
        return 0;
    case OPT_SHOW:
        a->show = true;
        return 0;
    case 'n':
        a->times = option_count(state, "-n", arg, 1, 1000000);
        return 0;
    case OPT_AROUND:
        a->around = option_count(state, "--around", arg, 0, 1000000);
        return 0;
    case OPT_STOP_AT:
        a->stop_at = option_count(state, "--stop-at", arg, 1, HDP_STEPS);
        return 0;
    case ARGP_KEY_ARG:
        if (state->quoted && state->next > state->quoted) { /* behind "--" */
            a->replay.command = state->argv + state->next - 1;
            state->next = state->argc;
            return 0;
        }
        a->file = mem_grow(a->file, a->files, sizeof *a->file);
        a->file[a->files++] = arg;
        return 0;
    case ARGP_KEY_END:
        if (!a->files)
            argp_failure(state, EXIT_USAGE, 0,
                         "which schedule? heddle replay FILE.schedule, or a folder of them");
        if (a->stop_at && (a->times > 1 || a->show))
            argp_failure(
                state, EXIT_USAGE, 0,
                "--stop-at does not go with --times nor --show-output: the schedule is not "
                "run to its end");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static void show_output(const struct worker *w)
{
    for (int err = 0; err < 2; err++) {
        size_t bytes;
        char *text = worker_output(w, err, &bytes);
        fwrite(text, 1, bytes, err ? stderr : stdout);
        free(text);
    }
    fflush(stdout);
}

/* Say how it went. Returns the exit code. */
static int tell(const struct replayed *first, uint64_t times, uint64_t same, uint64_t identical,
                uint64_t ahead)
{
    bool bold = cli_bold();
    if (first->finding) {
        first->finding->replays = (unsigned)times;
        first->finding->reproduced = (unsigned)same;
        report_finding(stdout, first->finding, bold, false);
        putchar('\n');
    }
    if (ahead)
        printf("a child process was late: in %llu of %llu replays decisions were made in another "
               "order than recorded\n",
               (unsigned long long)ahead, (unsigned long long)times);
    if (same) {
        if (times > 1)
            printf("reproduced %llu of %llu times, %s\n", (unsigned long long)same,
                   (unsigned long long)times,
                   identical == times && !ahead ? "each with the same decisions"
                                                : "not always with the same decisions");
        else
            puts("reproduced");
        if (first->attempt >= HDP_NEAR)
            printf("(not by the recorded order itself, but by schedule %u near it)\n",
                   first->attempt - HDP_NEAR + 1);
        if (first->divergence)
            printf("(the program has changed: %s)\n", first->divergence);
        return EXIT_FOUND;
    }
    if (first->divergence)
        puts(first->divergence);
    if (first->finding) {
        puts("not reproduced: this schedule now shows the finding above");
        return EXIT_FOUND;
    }
    if (first->is_edited && !first->followed) {
        puts("could not be followed: nothing of what the schedule names is in this program");
        return EXIT_CANNOT;
    }
    if (first->suppressed)
        puts("(what it shows is suppressed)");
    if (first->unknown) {
        complain("cannot say whether it is gone: %s", first->unknown);
        return EXIT_CANNOT;
    }
    if (first->is_edited) {
        printf("not reproduced: this schedule passes now (%u of its %u events happened in their "
               "order), and so do %u near it\n",
               first->followed, first->followed + first->left_out, first->around);
        return EXIT_NOTHING;
    }
    if (first->divergence) {
        puts("from there it went another way and did not fail; heddle run explores it afresh");
        return EXIT_CANNOT;
    }
    puts("not reproduced: this schedule passes now");
    return EXIT_NOTHING;
}

/* The program came to no thread. */
static int tell_start(struct campaign *c)
{
    for (size_t i = 0; i < c->findings.count; i++)
        report_finding(stdout, c->findings.list[i], false, false);
    if (c->trouble)
        complain("%s", c->trouble);
    return c->findings.count ? EXIT_FOUND : campaign_stop ? 128 + campaign_stop : EXIT_CANNOT;
}

/* The state at a decision, or gdb there or at the finding. */
static int look(struct replaying *r, const struct arguments *a, uint32_t attempt)
{
    uint32_t step = (uint32_t)a->stop_at;
    struct finding *f = step ? stop_at(r, attempt, step) : NULL;
    int code = campaign_stop ? 128 + campaign_stop : step && !f ? EXIT_CANNOT : EXIT_NOTHING;

    if (f)
        stop_at_tell(a->gdb ? stderr : stdout, f, step);
    if (a->gdb && code == EXIT_NOTHING) {
        if (!f) { /* whose frame is shown */
            struct replayed o = replaying_once(r, attempt);
            f = o.finding;
            o.finding = NULL;
            replayed_free(&o);
        }
        replaying_prepare(r, attempt);
        r->w->region->config.stop_at = step;
        worker_stop(&r->c.crew, r->w);
        code = gdb_replay(&r->c, stop_at_function(f));
    }
    finding_free(f);
    return code;
}

static int replay_all(struct replaying *r, const struct arguments *a)
{
    struct campaign *c = &r->c;
    struct replayed first = {0};
    uint64_t done = 0, same = 0, identical = 0, ahead = 0;
    uint32_t attempt = 0, around = 0;

    if (!r->w)
        return tell_start(c);
    if (r->changed && identity_known(&r->schedule))
        attempt = replaying_way(r, a->around, &around);
    if ((a->gdb || a->stop_at) && !campaign_stop)
        return look(r, a, attempt);
    for (; done < a->times && !campaign_stop; done++) {
        struct replayed o = replaying_once(r, attempt);
        if (!o.ran)
            break;
        if (done == 0 && a->show)
            show_output(r->w);
        o.around = around;
        same += o.same;
        ahead += o.ahead;
        identical += !done || o.decisions == first.decisions;
        if (done)
            replayed_free(&o);
        else
            first = o;
    }
    int code = EXIT_CANNOT;
    if (done)
        code = tell(&first, done, same, identical, ahead);
    else if (!campaign_stop || c->trouble)
        complain("the schedule could not be run: %s",
                 c->trouble ? c->trouble : "the program's process was killed");
    if (campaign_stop && code != EXIT_FOUND)
        code = 128 + campaign_stop;
    replayed_free(&first);
    return code;
}

/* A file from elsewhere names a program, and may name any: say which, and let the user decide. */
static void show_what_it_runs(const struct schedule *s, const char *file)
{
    struct target here;
    char *why = target_open(s->program, &here);

    complain("%s was not written by you on this machine. It would run", file);
    fprintf(stderr, "  program   %s\n", s->program);
    fprintf(stderr, "  build id  %s%s\n", s->build_id ? s->build_id : "none",
            why                                                      ? " (it is not here)"
            : s->build_id && strcmp(s->build_id, here.build_id) == 0 ? " (as it is here)"
                                                                     : " (another one is here)");
    for (size_t i = 0; i < s->arguments; i++)
        fprintf(stderr, "  argument  %s\n", s->argument[i]);
    if (s->folder)
        fprintf(stderr, "  folder    %s\n", s->folder);
    if (s->input)
        fprintf(stderr, "  stdin     %s\n", s->input);
    complain("say --trust if that is what you want, or name a program of yours: heddle replay %s "
             "-- PROGRAM ARGUMENTS",
             file);
    free(why);
    target_free(&here);
}

static int replay_one(const struct arguments *a)
{
    struct replaying r;
    int code;
    char *why = replaying_open(&r, &a->replay, &code);

    if (!why)
        code = replay_all(&r, a);
    else if (code == EXIT_USAGE && r.is_file)
        show_what_it_runs(&r.schedule, a->replay.file);
    else
        complain("%s", why);
    free(why);
    replaying_close(&r);
    return code;
}

int cmd_replay(int argc, char **argv)
{
    static const struct argp_child children[] = {{&replay_argp, 0, NULL, 0}, {0}};
    static const struct argp argp = {
        .options = table,
        .parser = parse,
        .children = children,
        .args_doc = "FILE.schedule|FOLDER... [-- PROGRAM [ARGUMENT...]]",
        .doc =
            "Run a recorded schedule again, with the program that it was recorded with or another "
            "one. Of several, or those of a folder, a line each says how it went: a test that old "
            "findings do not come back."
            "\vExit codes: 0 the schedule passes now, 1 it fails, 2 wrong usage or a bad file, "
            "3 nothing can be said (a sentence says why), 128 + N "
            "signal N (as of Ctrl-C, 130) stopped it before it "
            "was known. Of several: 0 all pass, else 1 if one fails, else 2 or 3 for one of which "
            "nothing is known. With --stop-at: 0 it stopped there, 3 it did not (the schedule "
            "ended before, or could not be run)."};
    struct arguments a = {.times = 1, .around = HDP_BETWEEN - HDP_NEAR};
    struct schedule_files files;

    options_parse(&argp, "heddle replay", argc, argv, ARGP_IN_ORDER, &a);
    char *why = schedule_files_find(a.file, a.files, &files);
    int code = EXIT_USAGE;
    if (!why && files.many && (a.gdb || a.show || a.stop_at || a.times > 1))
        why = mem_copy("--gdb, --stop-at, --show-output and --times go with one schedule");
    if (why) {
        complain("%s", why);
    } else if (files.many) {
        code = replay_suite(&files, &a.replay, a.around);
    } else {
        a.replay.file = files.path[0];
        code = replay_one(&a);
    }
    free(why);
    schedule_files_free(&files);
    free(a.file);
    replay_options_free(&a.replay);
    return code;
}
