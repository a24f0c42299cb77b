/* replaying.c - see replaying.h */
#include "replaying.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "campaign/campaign.h"
#include "campaign/judge.h"
#include "findings/scene.h"
#include "program/input.h"
#include "util/alloc.h"
#include "util/complain.h"
#include "util/exit_code.h"
#include "util/read_file.h"

#define PRINTED_BOUND (64u << 20)

/* ---- the file and its program ---- */

/* The program and arguments of the file, or those that were given instead. NULL-terminated. */
static char **arguments_of(const struct replaying *r)
{
    const struct schedule *s = &r->schedule;
    char *const *command = r->options->command;
    size_t n = s->arguments;

    for (n = command ? 0 : n; command && command[n];)
        n++;
    char **list = mem_zeroed(n + 1, sizeof *list);
    for (size_t i = 0; i < n; i++)
        list[i] = command ? command[i] : s->argument[i];
    return list;
}

/* Are two files in one folder? */
static bool lies_beside(const char *path, const char *file)
{
    const char *slash = strrchr(file, '/'), *last = strrchr(path, '/');
    size_t n = slash ? (size_t)(slash - file) : 0;

    return slash && last && (size_t)(last - path) == n && strncmp(path, file, n) == 0;
}

static void go_to_folder(struct replaying *r)
{
    const char *folder = r->schedule.folder;

    if (!folder || r->options->command)
        return;
    r->here = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (chdir(folder) != 0 && !r->options->quiet)
        complain("note: the recorded folder %s: %s; running here instead", folder, strerror(errno));
}

/* NULL, or why not. */
static char *find_program(struct replaying *r)
{
    const struct replay_options *o = r->options;
    struct schedule *s = &r->schedule;
    const char *program = o->command ? o->command[0] : o->program ? o->program : s->program;
    char *why = target_open(program, &r->target);

    if (why)
        return why;
    r->runtime = runtime_find();
    if (!r->runtime)
        return mem_copy("libheddle-rt.so is not where it belongs: install Heddle again, or say "
                        "where it is with HEDDLE_RUNTIME=PATH");
    go_to_folder(r);
    if (s->input)
        r->input = input_open_file(s->input, &why);
    return why;
}

static void open_campaign(struct replaying *r)
{
    struct schedule *s = &r->schedule;
    int64_t wanted = r->options->timeout_ns ? r->options->timeout_ns : s->timeout_ns;
    struct campaign_options o = {
        .target = &r->target,
        .launch = {.program = r->target.path,
                   .argv = r->argv,
                   .runtime = r->runtime,
                   .input = r->input,
                   .oracle = r->options->oracle,
                   .asan = r->target.asan_inside,
                   .preload_before = r->target.asan[0] ? r->target.asan : NULL},
        .jobs = 1,
        .timeout_ns = wanted ? wanted : 10000000000,
        .timeout_given = wanted != 0,
        .argv = r->argv,
        .quiet = true,
        .oracle = r->options->oracle,
        .suppressions = r->options->suppressions,
        .config = s->config};
    char *why = s->tool ? toolbox_parse(&r->box, s->tool) : NULL;

    if (!why)
        why = toolbox_apply(&r->box, s->tool ? r->box.tool[0] : NULL, &r->tool, &o);
    for (size_t i = 0; i < EXIT_CODES; i++)
        o.fine_exit[i] = s->fine_exit[i] | r->options->fine_exit[i];
    o.check_output = r->kind == HD_FK_OUTPUT;
    campaign_catch_signals();
    campaign_open(&r->c, &o);
    r->is_open = true;
    if (why) {
        free(r->c.trouble);
        r->c.trouble = why;
    }
    symbols_alias(r->c.symbols, s->program, r->target.path);
    for (size_t i = 0; i < s->objects.count; i++) {
        uint32_t id;
        const char *name = names_at(&s->objects, i, &id);
        names_add(&r->c.objects, id, name);
    }
}

/* What was printed in the recorded schedule lies beside the file. */
static void read_printed(struct replaying *r)
{
    size_t stem = strlen(r->file), ending = strlen(".schedule"), min = strlen(".min");
    if (stem > ending && strcmp(r->file + stem - ending, ".schedule") == 0)
        stem -= ending;
    if (stem > min && strncmp(r->file + stem - min, ".min", min) == 0) /* it prints the same */
        stem -= min;
    char *path = mem_format("%.*s.stdout", (int)stem, r->file);
    r->printed = read_file(path, PRINTED_BOUND, &r->printed_bytes);
    if (!r->printed)
        r->blind = mem_format("what it is compared with, %s: %s", path, strerror(errno));
    free(path);
}

/* An output is compared with that of other schedules of the same program, which chance chooses. Where
 * these differ, none of them is the right one. */
static void take_usual_output(struct replaying *r)
{
    enum { SCHEDULES = 20 };
    struct symptom list[SYMPTOMS];
    struct hdp_region *region = r->w->region;
    bool differ = false;

    for (uint64_t n = 1; n <= SCHEDULES && !differ; n++) {
        region->config = r->schedule.config;
        region->config.strategy = HDP_RANDOM;
        region->config.seed = n;
        if (!campaign_run_now(&r->c, r->w))
            break;
        size_t count = judge(&r->c, r->w, 0, list);
        for (size_t i = 0; i < count; i++)
            differ |= list[i].kind == HD_FK_OUTPUT;
        symptoms_free(list, count);
    }
    if (!r->blind && (differ || !r->c.usual_output))
        r->blind =
            mem_copy(differ ? "the output still differs from schedule to schedule, though it "
                              "is not the recorded one (heddle run --check-output)"
                            : "no other schedule of the program came to its end, whose output "
                              "would be compared");
}

/* Some findings only a comparison makes: with what can be compared here? */
static void prepare_comparison(struct replaying *r)
{
    bool unjudged = r->kind == HD_FK_ORACLE && !r->options->oracle;

    if (r->kind == HD_FK_OUTPUT || unjudged)
        read_printed(r);
    if (r->kind == HD_FK_OUTPUT && r->w)
        take_usual_output(r);
    if (unjudged && !r->blind)
        r->blind = mem_copy("only the oracle tells whether what is printed now is right "
                            "(--oracle=COMMAND)");
    if (r->kind == HD_FK_NONDETERMINISM)
        r->blind = mem_copy("only a comparison of two runs with the same decisions tells: heddle "
                            "run --check-determinism");
}

char *replaying_open(struct replaying *r, const struct replay_options *o, int *code)
{
    struct stamp_key key = stamp_key(false);

    *r = (struct replaying){.options = o, .here = -1, .input = -1};
    *code = EXIT_USAGE;
    char *why = schedule_read(o->file, &key, &r->schedule, &r->ours);
    if (why)
        return why;
    r->is_file = true;
    r->file = realpath(o->file, NULL);
    if (!r->file)
        r->file = mem_copy(o->file);
    bool ours = r->ours || o->trust;
    if (!ours && !o->command)
        return mem_format("%s was not written by you on this machine", o->file);
    struct schedule *s = &r->schedule;
    if (!ours && s->input && !lies_beside(s->input, r->file)) {
        complain("note: the file was not written by you on this machine, and its standard input %s "
                 "is not beside it: not read (--trust reads it)",
                 s->input);
        free(s->input);
        s->input = NULL;
    }
    *code = EXIT_CANNOT;
    why = find_program(r);
    if (why)
        return why;
    r->argv = arguments_of(r);
    r->changed = !s->build_id || strcmp(s->build_id, r->target.build_id) != 0;
    s->other_build = r->changed;
    r->kind = s->kind ? finding_kind(s->kind) : HD_FK_COUNT;
    if (r->changed && s->build_id && !o->quiet)
        complain(
            "note: the program has changed since this was recorded; its events are followed as "
            "far as they exist");
    open_campaign(r);
    r->w = campaign_first_worker(&r->c);
    prepare_comparison(r);
    return NULL;
}

void replaying_close(struct replaying *r)
{
    if (r->is_open) {
        campaign_close(&r->c);
        tool_close(&r->tool);
    }
    if (r->input >= 0)
        close(r->input);
    if (r->here >= 0) {
        if (fchdir(r->here) != 0)
            complain("the folder that heddle was started in is gone: %s", strerror(errno));
        close(r->here);
    }
    free(r->argv);
    free(r->runtime);
    free(r->file);
    free(r->printed);
    free(r->blind);
    target_free(&r->target);
    schedule_free(&r->schedule);
}

/* ---- one replay ---- */

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
static bool is_recorded(const struct replaying *r, const struct finding *f)
{
    return finding_is_print(f, r->schedule.fingerprint) ||
           (f->kind == r->kind &&
            (r->changed || f->kind == HD_FK_OUTPUT || f->kind == HD_FK_ORACLE));
}

bool replaying_decides(const struct replaying *r, enum hd_finding_kind kind)
{
    return kind == r->kind || !finding_is_prediction(kind);
}

bool replaying_printed(const struct replaying *r)
{
    size_t bytes;

    if (!r->printed)
        return false;
    char *now = worker_output(r->w, false, &bytes);
    bool same = r->printed_bytes == bytes && memcmp(now, r->printed, bytes) == 0;
    free(now);
    return same;
}

const char *replaying_cut(const struct replaying *r)
{
    return r->w->slow ? "it did not end within the time that a schedule may take (--timeout)"
           : r->w->region->result.outcome == HDP_CUT
               ? "it did not end within the decisions that a schedule may make (max-steps)"
               : NULL;
}

void replaying_prepare(struct replaying *r, uint32_t attempt)
{
    struct hdp_region *region = r->w->region;

    region->config = r->schedule.config;
    region->config.attempt = attempt;
    if (attempt >= HDP_NEAR) {
        static const enum hdp_strategy end[] = {HDP_RANDOM, HDP_POS, HDP_PCT};
        /* Far from the recorded order it matters more how chance chooses. */
        region->config.strategy = end[attempt < HDP_BETWEEN ? 0 : attempt % 3];
        region->config.depth = 3;
        region->config.expected_steps = r->schedule.steps;
        region->config.seed = attempt;
    }
    region->config.flags |= HDP_TRACE | HDP_RICH; /* which finding it is, its stacks say */
    campaign_look_at(&r->c, r->w);
    schedule_expand(&r->schedule, r->c.symbols, region);
}

struct replayed replaying_once(struct replaying *r, uint32_t attempt)
{
    struct replayed o = {.attempt = attempt};
    struct symptom list[SYMPTOMS];
    struct campaign *c = &r->c;
    struct worker *w = r->w;
    const struct schedule *s = &r->schedule;

    replaying_prepare(r, attempt);
    if (!campaign_run_now(c, w))
        return o;
    o.ran = true;
    o.decisions = judge_decisions(w->region);
    o.ahead = w->region->result.ahead;
    size_t symptoms = judge(c, w, 0, list);
    campaign_look_at(c, w);
    o.is_edited = w->region->config.flags & HDP_EDITED;
    o.divergence = o.is_edited ? NULL : describe_divergence(c, s, w->region);
    o.followed = w->region->result.followed;
    o.left_out = w->region->result.left_out;
    for (size_t i = 0; i < symptoms && !o.same; i++) {
        if (!replaying_decides(r, list[i].kind))
            continue;
        struct finding *f = symptom_finding(c, w, &list[i]);
        if (c->options.suppressions && suppress_matches(c->options.suppressions, f)) {
            finding_free(f);
            o.suppressed++;
            continue;
        }
        o.same = is_recorded(r, f);
        if (o.finding && !o.same) {
            finding_free(f);
            continue;
        }
        finding_free(o.finding);
        o.finding = f;
    }
    symptoms_free(list, symptoms);
    if (!o.finding && replaying_printed(r)) {
        o.same = true;
        o.finding = finding_new(r->kind, TOOL_HEDDLE, s->text);
    }
    if (!o.finding)
        o.unknown = r->blind ? r->blind : c->trouble ? c->trouble : replaying_cut(r);
    if (!o.finding && !o.unknown && o.ahead)
        o.unknown = "a child process was late, and the order was another one";
    return o;
}

void replayed_free(struct replayed *o)
{
    finding_free(o->finding);
    free(o->divergence);
    *o = (struct replayed){0};
}

uint32_t replaying_way(struct replaying *r, uint64_t around, uint32_t *tried)
{
    uint32_t another = 0;

    *tried = 0;
    for (uint32_t n = 0; n < HDP_NEAR + (uint32_t)around && !campaign_stop; n++) {
        struct replayed o = replaying_once(r, n);
        bool stale = n == HDP_HELP && !o.followed, same = o.same, ran = o.ran;
        if (o.finding && !same && !another)
            another = n + 1;
        replayed_free(&o);
        if (same)
            return n;
        if (!ran || stale)
            break;
        *tried = n < HDP_NEAR ? 0 : n - HDP_NEAR + 1;
    }
    return another ? another - 1 : 0;
}

bool replayed_is_stale(const struct replayed *o)
{
    return !o->finding && (o->is_edited ? !o->followed : o->divergence != NULL);
}
