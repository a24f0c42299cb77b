/* cmd_replay.c - heddle replay: one recorded schedule again. */
#include <argp.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "campaign/campaign.h"
#include "campaign/judge.h"
#include "campaign/toolbox.h"
#include "cli.h"
#include "findings/collect.h"
#include "gdb.h"
#include "program/input.h"
#include "reports/report_text.h"
#include "schedules/schedule.h"
#include "util/alloc.h"
#include "util/complain.h"
#include "util/exit_code.h"
#include "util/options.h"
#include "util/quantity.h"
#include "util/read_file.h"

enum { OPT_GDB = 256, OPT_TIMEOUT, OPT_SHOW, OPT_TRUST, OPT_AROUND };

static const struct argp_option table[] = {
    {"gdb", OPT_GDB, 0, 0, "Run it in gdb, which stops at the finding", 0},
    {"times", 'n', "N", 0, "Replay N times and compare (1)", 0},
    {"around", OPT_AROUND, "N", 0,
     "Of a program that has changed: try N schedules near the recorded one, too, before it passes "
     "(100)",
     0},
    {"timeout", OPT_TIMEOUT, "TIME", 0, "Real time that it may take (as recorded)", 0},
    {"show-output", OPT_SHOW, 0, 0, "Print what the program prints", 0},
    {"trust", OPT_TRUST, 0, 0,
     "Run the program that the file names, although you did not write the file on this machine", 0},
    {0},
};

struct arguments {
    const char *file;
    uint64_t times;
    int64_t timeout_ns;
    uint64_t around; /* schedules near one of another build to try */
    bool gdb, show, trust;
    bool ours; /* this user wrote the file on this machine */
    int first; /* index of another program in argv; 0 = the recorded one */
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct arguments *a = state->input;
    switch (key) {
    case OPT_GDB:
        a->gdb = true;
        return 0;
    case OPT_TRUST:
        a->trust = true;
        return 0;
    case OPT_SHOW:
        a->show = true;
        return 0;
    case 'n':
        if (!parse_count(arg, 1, 1000000, &a->times))
            argp_failure(state, EXIT_USAGE, 0,
                         "-n wants a whole number from 1 to 1000000, not \"%s\"", arg);
        return 0;
    case OPT_AROUND:
        if (!parse_count(arg, 0, 1000000, &a->around))
            argp_failure(state, EXIT_USAGE, 0,
                         "--around wants a whole number from 0 to 1000000, not \"%s\"", arg);
        return 0;
    case OPT_TIMEOUT:
        if (!parse_time(arg, &a->timeout_ns))
            argp_failure(state, EXIT_USAGE, 0,
                         "--timeout wants a time such as 500ms, 30s or 5m, not \"%s\"", arg);
        return 0;
    case ARGP_KEY_ARG:
        if (!a->file) {
            a->file = arg;
            return 0;
        }
        a->first = state->next - 1;
        state->next = state->argc;
        return 0;
    case ARGP_KEY_NO_ARGS:
        argp_failure(state, EXIT_USAGE, 0, "which schedule? heddle replay FILE.schedule");
        return EINVAL;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* What one replay showed. */
struct outcome {
    struct finding *finding; /* the recorded one, or another; NULL = none */
    bool same;               /* it is the recorded one */
    bool ran, is_edited;
    char *divergence; /* a sentence, or NULL */
    uint64_t decisions;
    uint32_t attempt, followed, left_out; /* of another build's schedule */
    uint32_t around;                      /* schedules tried near it that did not show it */
};

/* "diverged at step 12: expected T1 mutex_lock M1 at ..., got ...", or NULL. */
static char *describe_divergence(struct campaign *c, const struct schedule *s,
                                 const struct hdp_region *r)
{
    uint32_t at = r->result.diverged_at;
    if (!at && r->result.outcome != HDP_DIVERGED)
        return NULL;
    uint32_t i = at ? at - 1 : 0, named = i, recorded = r->config.replay_steps;
    /* Inside a run only its last event is known. */
    while (named + 1 < recorded && !r->replay[named].kind &&
           !(r->replay[named].flags & HDP_STEP_CHOICE) &&
           r->replay[named + 1].thread == r->replay[named].thread)
        named++;
    struct names threads = {0};
    scene_thread_names(r, &threads);
    for (size_t k = 0; k < s->threads.count; k++) {
        uint32_t hash, taken;
        const char *name = names_at(&s->threads, k, &hash);
        if (!names_text(&threads, hash) && !names_number(&threads, name, &taken))
            names_add(&threads, hash, name);
    }
    uint32_t steps = r->result.steps < HDP_STEPS ? r->result.steps : HDP_STEPS;
    char *expected = named < recorded
                         ? schedule_describe(&r->replay[named], &threads, &c->objects, c->symbols)
                         : mem_copy("the end");
    char *got = i < steps ? schedule_describe(&r->trace[i], &threads, &c->objects, c->symbols)
                          : mem_copy("that thread could not run");
    char *text = mem_format("diverged at step %u: expected %s, got %s", i + 1, expected, got);
    free(expected);
    free(got);
    names_free(&threads);
    return text;
}

/* Is this what the file was written for? A changed program may have moved its lines. */
static bool is_recorded(const struct schedule *s, const struct finding *f, bool changed)
{
    return finding_is_print(f, s->fingerprint) ||
           (changed && s->kind && strcmp(s->kind, finding_word(f->kind)) == 0);
}

/* Findings that only a comparison with other schedules makes: the recorded output is compared. */
static bool printed_the_same(const struct worker *w, const char *file)
{
    size_t stem = strlen(file), ending = strlen(".schedule");
    if (stem > ending && strcmp(file + stem - ending, ".schedule") == 0)
        stem -= ending;
    char *path = mem_format("%.*s.stdout", (int)stem, file);
    size_t bytes, got = 0;
    char *now = worker_output(w, false, &bytes), *then = read_file(path, bytes + 1, &got);
    bool same = got == bytes && (!bytes || memcmp(now, then, bytes) == 0);
    free(path);
    free(now);
    free(then);
    return same;
}

/* The schedule into w's region; of another build's, one attempt to follow it. */
static void prepare(struct campaign *c, struct worker *w, const struct schedule *s,
                    uint32_t attempt)
{
    w->region->config = s->config;
    w->region->config.attempt = attempt;
    if (attempt >= HDP_NEAR) {
        w->region->config.strategy = HDP_RANDOM;
        w->region->config.seed = attempt;
    }
    w->region->config.flags |= HDP_TRACE | HDP_RICH; /* which finding it is, its stacks say */
    campaign_look_at(c, w);
    schedule_expand(s, c->symbols, w->region);
}

static struct outcome replay(struct campaign *c, struct worker *w, const struct schedule *s,
                             const struct arguments *a, bool changed, uint32_t attempt)
{
    struct outcome o = {.attempt = attempt};
    struct symptom list[SYMPTOMS];
    prepare(c, w, s, attempt);
    if (!campaign_run_now(c, w))
        return o;
    o.ran = true;
    o.decisions = judge_decisions(w->region);
    size_t symptoms = judge(c, w, 0, list);
    campaign_look_at(c, w);
    o.divergence =
        w->region->config.flags & HDP_EDITED ? NULL : describe_divergence(c, s, w->region);
    o.is_edited = w->region->config.flags & HDP_EDITED;
    o.followed = w->region->result.followed;
    o.left_out = w->region->result.left_out;
    for (size_t i = 0; i < symptoms && !o.same; i++) {
        struct finding *f = symptom_finding(c, w, &list[i]);
        o.same = is_recorded(s, f, changed);
        if (o.finding && !o.same) {
            finding_free(f);
            continue;
        }
        finding_free(o.finding);
        o.finding = f;
    }
    symptoms_free(list, symptoms);
    enum hd_finding_kind kind = s->kind ? finding_kind(s->kind) : HD_FK_COUNT;
    if (!o.finding && (kind == HD_FK_OUTPUT || kind == HD_FK_ORACLE)) {
        o.same = printed_the_same(w, a->file);
        if (o.same)
            o.finding = finding_new(kind, TOOL_HEDDLE, s->text);
    }
    return o;
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
static int tell(const struct outcome *first, uint64_t times, uint64_t same, uint64_t identical)
{
    bool bold = cli_bold();
    if (first->finding) {
        first->finding->replays = (unsigned)times;
        first->finding->reproduced = (unsigned)same;
        report_finding(stdout, first->finding, bold, false);
        putchar('\n');
    }
    if (same) {
        if (times > 1)
            printf("reproduced %llu of %llu times, %s\n", (unsigned long long)same,
                   (unsigned long long)times,
                   identical == times ? "each with the same decisions"
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

/* The first attempt to follow another build's schedule that shows its finding; else the first that
 * shows any, else attempt 0. */
static uint32_t way_to_follow(struct campaign *c, struct worker *w, const struct schedule *s,
                              const struct arguments *a, struct outcome *first)
{
    uint32_t another = 0;
    for (uint32_t n = 0; n < HDP_NEAR + (uint32_t)a->around && !campaign_stop; n++) {
        struct outcome o = replay(c, w, s, a, true, n);
        bool stale = n == HDP_HELP && !o.followed;
        if (o.finding && !o.same && !another)
            another = n + 1;
        finding_free(o.finding);
        if (o.same)
            return n;
        if (!o.ran || stale)
            break;
        first->around = n < HDP_NEAR ? 0 : n - HDP_NEAR + 1;
    }
    return another ? another - 1 : 0;
}

static int replay_all(struct campaign *c, const struct schedule *s, const struct arguments *a,
                      bool changed)
{
    struct worker *w = campaign_first_worker(c);
    struct outcome first = {0};
    uint64_t done = 0, same = 0, identical = 0;
    if (!w) {
        for (size_t i = 0; i < c->findings.count; i++)
            report_finding(stdout, c->findings.list[i], false, false);
        if (c->trouble)
            complain("%s", c->trouble);
        return c->findings.count ? EXIT_FOUND : campaign_stop ? 128 + campaign_stop : EXIT_CANNOT;
    }
    uint32_t attempt = changed && identity_known(s) ? way_to_follow(c, w, s, a, &first) : 0;
    if (a->gdb && !campaign_stop) {
        prepare(c, w, s, attempt);
        worker_stop(&c->crew, w);
        return gdb_replay(c);
    }
    for (; done < a->times && !campaign_stop; done++) {
        struct outcome o = replay(c, w, s, a, changed, attempt);
        if (!o.ran)
            break;
        if (done == 0 && a->show)
            show_output(w);
        if (done == 0) {
            o.around = first.around;
            first = o;
        }
        same += o.same;
        identical += o.decisions == first.decisions;
        if (done) {
            finding_free(o.finding);
            free(o.divergence);
        }
    }
    int code = EXIT_CANNOT;
    if (done)
        code = tell(&first, done, same, identical);
    else if (!campaign_stop || c->trouble)
        complain("the schedule could not be run: %s",
                 c->trouble ? c->trouble : "the program's process was killed");
    if (campaign_stop && code != EXIT_FOUND)
        code = 128 + campaign_stop;
    finding_free(first.finding);
    free(first.divergence);
    return code;
}

/* The program and arguments of the file, or those that were given instead. NULL-terminated. */
static char **arguments_of(const struct schedule *s, const struct arguments *a, char **argv)
{
    if (a->first)
        return argv + a->first;
    char **list = mem_zeroed(s->arguments + 1, sizeof *list);
    for (size_t i = 0; i < s->arguments; i++)
        list[i] = s->argument[i];
    return list;
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

/* Are two files in one folder? */
static bool lies_beside(const char *path, const char *file)
{
    const char *slash = strrchr(file, '/'), *last = strrchr(path, '/');
    size_t n = slash ? (size_t)(slash - file) : 0;

    return slash && last && (size_t)(last - path) == n && strncmp(path, file, n) == 0;
}

static int follow(struct schedule *s, const struct arguments *a, char **argv)
{
    if (!a->ours && !a->trust && !a->first) {
        show_what_it_runs(s, a->file);
        return EXIT_USAGE;
    }
    if (!a->ours && !a->trust && s->input && !lies_beside(s->input, a->file)) {
        complain("note: the file was not written by you on this machine, and its standard input %s "
                 "is not beside it: not read (--trust reads it)",
                 s->input);
        free(s->input);
        s->input = NULL;
    }
    struct target target;
    struct campaign c;
    int input = -1;
    char **args = arguments_of(s, a, argv);
    char *why = target_open(a->first ? args[0] : s->program, &target);
    char *runtime = why ? NULL : runtime_find();
    if (!why && !runtime)
        why =
            mem_copy("libheddle-rt.so is not where it belongs: install Heddle again, or say where "
                     "it is with HEDDLE_RUNTIME=PATH");
    if (!why && s->folder && !a->first && chdir(s->folder) != 0)
        complain("note: the recorded folder %s: %s; running here instead", s->folder,
                 strerror(errno));
    if (!why && s->input)
        input = input_open_file(s->input, &why);
    if (why) {
        complain("%s", why);
        free(why);
        free(runtime);
        if (!a->first)
            free(args);
        target_free(&target);
        return EXIT_CANNOT;
    }
    bool changed = !s->build_id || strcmp(s->build_id, target.build_id) != 0;
    s->other_build = changed;
    if (changed && s->build_id)
        complain(
            "note: the program has changed since this was recorded; its events are followed as "
            "far as they exist");
    struct campaign_options o = {.target = &target,
                                 .launch = {.program = target.path,
                                            .argv = args,
                                            .runtime = runtime,
                                            .input = input,
                                            .asan = target.asan_inside,
                                            .preload_before = target.asan[0] ? target.asan : NULL},
                                 .jobs = 1,
                                 .timeout_ns = a->timeout_ns   ? a->timeout_ns
                                               : s->timeout_ns ? s->timeout_ns
                                                               : 10000000000,
                                 .timeout_given = a->timeout_ns || s->timeout_ns,
                                 .argv = args,
                                 .quiet = true,
                                 .config = s->config};
    struct toolbox box = {0};
    struct tool_run tool;
    why = s->tool ? toolbox_parse(&box, s->tool) : NULL;
    if (!why)
        why = toolbox_apply(&box, s->tool ? box.tool[0] : NULL, &tool, &o);
    campaign_catch_signals();
    campaign_open(&c, &o);
    if (why) {
        free(c.trouble);
        c.trouble = why;
    }
    symbols_alias(c.symbols, s->program, target.path);
    for (size_t i = 0; i < s->objects.count; i++) {
        uint32_t id;
        const char *name = names_at(&s->objects, i, &id);
        names_add(&c.objects, id, name);
    }
    int code = replay_all(&c, s, a, changed);
    campaign_close(&c);
    tool_close(&tool);
    if (input >= 0)
        close(input);
    if (!a->first)
        free(args);
    free(runtime);
    target_free(&target);
    return code;
}

int cmd_replay(int argc, char **argv)
{
    static const struct argp argp = {
        .options = table,
        .parser = parse,
        .args_doc = "FILE.schedule [-- PROGRAM [ARGUMENT...]]",
        .doc =
            "Run a recorded schedule again, with the program that it was recorded with or another "
            "one."
            "\vExit codes: 0 the schedule passes now, 1 it fails, 2 wrong usage or a bad file, "
            "3 it could not be followed, 128 + N signal N (as of Ctrl-C, 130) stopped it before it "
            "was known."};
    struct arguments a = {.times = 1, .around = 100};
    struct schedule s;
    options_parse(&argp, "heddle replay", argc, argv, ARGP_IN_ORDER, &a);
    struct stamp_key key = stamp_key(false);
    char *why = schedule_read(a.file, &key, &s, &a.ours);
    char *file = realpath(a.file, NULL); /* the program may run in another folder */
    if (file)
        a.file = file;
    int code = EXIT_USAGE;
    if (why)
        complain("%s", why);
    else
        code = follow(&s, &a, argv);
    free(why);
    free(file);
    schedule_free(&s);
    return code;
}
