/* confirm.c - see confirm.h */
#include "confirm.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>
#include <unistd.h>

#include "judge.h"
#include "kept.h"
#include "outcomes.h"
#include "reports/report_text.h"
#include "reports/story_document.h"
#include "schedules/config_words.h"
#include "schedules/schedule.h"
#include "util/alloc.h"

/* More kinds of symptoms than this are no longer told apart: the campaign has enough to say. */
#define KNOWN_BOUND 4096u

struct symptom_entry {
    uint64_t key;
    struct finding *finding; /* borrowed from the campaign */
    UT_hash_handle hh;
};

static struct symptom_entry *find(struct campaign *c, uint64_t key)
{
    struct symptom_entry *e;
    HASH_FIND(hh, c->known, &key, sizeof key, e);
    return e;
}

static void remember(struct campaign *c, uint64_t key, struct finding *f)
{
    struct symptom_entry *e = mem_zeroed(1, sizeof *e);
    e->key = key;
    e->finding = f;
    HASH_ADD(hh, c->known, key, sizeof e->key, e);
}

bool confirm_is_excluded(struct campaign *c, const struct finding *f)
{
    struct symptom_entry *e, *next;
    HASH_ITER(hh, c->known, e, next)
    {
        if (e->finding == f && campaign_excludes(c, e->key) && f->doubtful && !f->same_as)
            return true;
    }
    return false;
}

struct finding *confirm_known(struct campaign *c, uint64_t key)
{
    struct symptom_entry *e = find(c, key);
    return e ? e->finding : NULL;
}

void confirm_forget(struct campaign *c)
{
    struct symptom_entry *e, *next;
    HASH_ITER(hh, c->known, e, next)
    {
        HASH_DEL(c->known, e);
        free(e);
    }
}

/* What a schedule left that the replays will overwrite. */
struct evidence {
    struct schedule schedule;
    struct hdp_config config;
    bool predicted; /* it was run to bring a prediction about */
    bool earlier;   /* it was followed: an earlier campaign recorded it */
    bool faultless; /* nothing failed in it for --faults */
    uint64_t decisions;
    struct hdp_learned *learned; /* what it knew of memory */
    char *out, *err;
    size_t out_bytes, err_bytes;
};

struct confirmation {
    uint64_t number;         /* of the schedule */
    struct symptom *symptom; /* the new ones; of the caller */
    size_t count, next;
    struct finding *found[SYMPTOMS]; /* of each symptom; confirm_next() gives them away */
    struct steering predicted[SYMPTOMS];
    struct evidence evidence;
};

static void take_evidence(struct campaign *c, struct worker *w, struct evidence *e)
{
    const struct campaign_options *o = &c->options;
    struct schedule *s = &e->schedule;
    *e = (struct evidence){.config = w->region->config,
                           .decisions = judge_decisions(w->region),
                           .faultless = !w->region->result.faults};
    e->learned = mem_zeroed(1, sizeof *e->learned);
    *e->learned = w->region->learned;
    /* Replays follow what came of it. */
    e->predicted = e->config.race_places != 0;
    e->config.race_places = 0;
    e->earlier = c->following;
    if (e->earlier) {
        e->config.flags &= ~(uint32_t)(HDP_REPLAY | HDP_EDITED);
        e->config.attempt = 0;
    }
    s->program = mem_copy(o->target->path);
    s->build_id = *o->target->build_id ? mem_copy(o->target->build_id) : NULL;
    s->heddle = mem_copy(HEDDLE_VERSION);
    s->folder = getcwd(NULL, 0);
    for (char *const *a = o->argv; *a; a++) {
        s->argument = mem_grow(s->argument, s->arguments, sizeof *s->argument);
        s->argument[s->arguments++] = mem_copy(*a);
    }
    s->tool = o->tool ? mem_copy(o->tool->backend->name) : NULL;
    s->config = e->config;
    /* What the tool's slowness added is added again by a replay. */
    if (o->tool)
        s->config.watchdog_ms /= o->tool->backend->slower;
    s->timeout_ns = o->timeout_ns;
    memcpy(s->fine_exit, o->fine_exit, sizeof s->fine_exit);
    schedule_record(s, w->region, c->symbols, &c->objects);
    if (!o->launch.show_output) {
        e->out = worker_output(w, false, &e->out_bytes);
        e->err = worker_output(w, true, &e->err_bytes);
    }
}

static void drop_evidence(struct evidence *e)
{
    schedule_free(&e->schedule);
    free(e->learned);
    free(e->out);
    free(e->err);
}

void confirm_take_story(struct campaign *c, struct worker *w, struct finding *f, int index)
{
    struct scene scene = campaign_scene(c, w);
    uint32_t end = index < 0 ? 0 : w->region->finding[index].step;

    if (c->options.out)
        f->story = story_document(&scene, f, end, c->options.target->path, &f->story_bytes);
}

/* Replay with (rich) or without stacks; for each symptom of `wanted` that comes again, its
 * finding's count goes up, and a rich one gets the better words. */
static bool replay_once(struct campaign *c, struct worker *w, struct confirmation *wanted,
                        bool rich)
{
    struct evidence *e = &wanted->evidence;
    struct finding **found = wanted->found;
    struct symptom list[SYMPTOMS];
    w->region->config = e->config;
    campaign_look_at(c, w);
    schedule_expand(&e->schedule, c->symbols, w->region);
    if (rich)
        w->region->config.flags |= HDP_RICH;
    if (!campaign_run_now(c, w))
        return false;
    c->stats.replays++;
    if (rich) /* it leaves all objects, whatever the finding is */
        identity_record(&e->schedule, w->region, c->symbols);
    size_t symptoms = judge(c, w, 0, list);
    for (size_t i = 0; i < wanted->count; i++) {
        found[i]->replays++;
        for (size_t k = 0; k < symptoms; k++) {
            if (list[k].key != wanted->symptom[i].key)
                continue;
            unsigned replays = found[i]->replays, reproduced = found[i]->reproduced + 1;
            if (rich) {
                finding_free(found[i]);
                found[i] = symptom_finding(c, w, &list[k]);
                confirm_take_story(c, w, found[i], list[k].index);
            }
            found[i]->replays = replays;
            found[i]->reproduced = reproduced;
            break;
        }
    }
    symptoms_free(list, symptoms);
    return true;
}

static bool shows(const struct symptom *list, size_t count, uint64_t key)
{
    for (size_t i = 0; i < count; i++)
        if (list[i].key == key)
            return true;
    return false;
}

/* Not every replay showed the i-th symptom: is that for what lies outside of the schedule, or for the
 * replay? The schedule is run anew, as --check-determinism does it. */
static enum why_not why_not(struct campaign *c, struct worker *w, const struct confirmation *k,
                            size_t i)
{
    const struct evidence *e = &k->evidence;
    struct symptom list[SYMPTOMS];

    if (e->predicted ||
        e->earlier) /* it followed what was computed from another one, or recorded */
        return WHY_NOT_KNOWN;
    for (unsigned n = 0; n < k->found[i]->replays; n++) {
        w->region->config = e->config;
        w->region->learned = *e->learned;
        if (!campaign_run_now(c, w))
            return WHY_NOT_KNOWN;
        campaign_look_at(c, w);
        size_t count = judge(c, w, 0, list);
        bool same =
            judge_decisions(w->region) == e->decisions && shows(list, count, k->symptom[i].key);
        symptoms_free(list, count);
        if (!same)
            return WHY_OUTSIDE;
    }
    return WHY_REPLAY;
}

/* The program's stdin goes beside the schedule files, so that they replay by themselves. */
static void save_input(struct campaign *c)
{
    if (c->input_file || c->options.launch.input < 0)
        return;
    off_t bytes = lseek(c->options.launch.input, 0, SEEK_END);
    if (bytes <= 0 || bytes > OUTPUT_BOUND)
        return;
    char *data = mem_zeroed((size_t)bytes, 1), *path = NULL;
    if (pread(c->options.launch.input, data, (size_t)bytes, 0) == bytes &&
        campaign_write(c, "stdin", "", data, (size_t)bytes, &path))
        c->input_file = realpath(path, NULL);
    free(path);
    free(data);
}

/* *path: of what was written last, or NULL. */
static void write_anew(struct campaign *c, const struct finding *f, const char *ending,
                       const char *text, size_t bytes, char **path)
{
    char *written = NULL;

    if (*path)
        unlink(*path);
    free(*path);
    *path = NULL;
    if (campaign_write(c, f->name, ending, text, bytes, &written))
        *path = written;
}

void confirm_report(struct campaign *c, struct finding *f)
{
    char *text = NULL;
    size_t bytes = 0;
    FILE *out = open_memstream(&text, &bytes);

    if (f->story)
        write_anew(c, f, ".story.json", f->story, f->story_bytes, &f->story_file);
    free(f->story);
    f->story = NULL;
    if (!out)
        return;
    report_finding(out, f, false, false);
    fclose(out);
    write_anew(c, f, ".txt", text, bytes, &f->report_file);
    free(text);
}

char *confirm_schedule(struct campaign *c, const struct finding *f, struct schedule *s,
                       size_t *bytes)
{
    char *text = NULL;
    FILE *out = open_memstream(&text, bytes);

    if (!out)
        return NULL;
    if (!c->stamp_key.known)
        c->stamp_key = stamp_key(true);
    s->input = mem_copy(c->input_file);
    s->finding = mem_copy(f->name);
    s->kind = mem_copy(finding_word(f->kind));
    s->text = report_headline(f);
    s->fingerprint = f->fingerprint;
    schedule_write(out, s, &c->stamp_key);
    fclose(out);
    free(s->input);
    free(s->finding);
    free(s->kind);
    free(s->text);
    s->input = s->finding = s->kind = s->text = NULL;
    return text;
}

void confirm_save(struct campaign *c, struct confirmation *k, struct finding *f)
{
    struct evidence *e = &k->evidence;
    struct schedule *s = &e->schedule;
    char *text;
    size_t bytes;
    if (s->runs)
        save_input(c);
    text = s->runs ? confirm_schedule(c, f, s, &bytes) : NULL;
    if (text) {
        f->unstamped = !c->stamp_key.known;
        kept_add(c, f, k->symptom[k->next - 1].key, text, bytes, &e->config);
        if (!campaign_write(c, f->name, ".schedule", text, bytes, &f->schedule_file)) {
            f->schedule_text = text;
            text = NULL;
        }
        free(text);
    }
    /* Where the output is the finding, replays are compared with it, empty or not. */
    if (e->out_bytes || (e->out && (f->kind == HD_FK_OUTPUT || f->kind == HD_FK_ORACLE)))
        campaign_write(c, f->name, ".stdout", e->out, e->out_bytes, &f->output_file);
    if (e->err_bytes)
        campaign_write(c, f->name, ".stderr", e->err, e->err_bytes, &f->error_file);
    confirm_report(c, f);
}

static char *describe_strategy(const struct evidence *e)
{
    const struct hdp_config *config = &e->config;
    if (e->earlier)
        return mem_copy("replayed");
    if (e->predicted)
        return mem_copy("predicted");
    if (config->deadlock_edges || config->aimed_locks)
        return mem_copy("steered");
    if (strategy_depth(config->strategy) == HDP_DEPTH_OF_BUG)
        return mem_format("%s depth %u", strategy_word(config->strategy), config->depth);
    return mem_copy(strategy_word(config->strategy));
}

/* Symptoms that are known are counted and dropped from the list. */
static size_t keep_new(struct campaign *c, struct symptom *list, size_t count, uint64_t number,
                       uint32_t faults, bool has_passed)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        struct symptom_entry *e = find(c, list[i].key);
        if (!e && HASH_COUNT(c->known) < KNOWN_BOUND) {
            list[kept++] = list[i];
            continue;
        }
        if (e && has_passed)
            outcomes_doubt(e->finding);
        if (e && !c->following &&
            (e->finding->last != number || !number)) { /* one schedule counts once */
            e->finding->last = number;
            e->finding->count += campaign_counts(c, number);
            e->finding->faultless += campaign_counts(c, number) && !faults;
        }
        free(list[i].text);
        finding_free(list[i].found);
    }
    return kept;
}

struct confirmation *confirm(struct campaign *c, struct worker *w, uint64_t number,
                             struct symptom *list, size_t count)
{
    bool has_passed = outcomes_has_passed(c, outcomes_decisions(w));
    count = keep_new(c, list, count, number, w->region->result.faults, has_passed);
    if (!count)
        return NULL;
    struct confirmation *k = mem_zeroed(1, sizeof *k);
    unsigned replays = c->options.replays;
    *k = (struct confirmation){.number = number, .symptom = list, .count = count};
    campaign_look_at(c, w);
    take_evidence(c, w, &k->evidence);
    for (size_t i = 0; i < count; i++) {
        k->found[i] = symptom_finding(c, w, &list[i]);
        if (list[i].index >= 0)
            steering_of(&w->region->finding[list[i].index], &k->predicted[i]);
        if (list[i].kind == HD_FK_HANG && replays > 1)
            replays = 1; /* each takes the whole time-out */
        if (list[i].kind == HD_FK_NONDETERMINISM)
            replays = 0; /* that it does not replay is the finding */
    }
    for (unsigned n = 0; n < replays && k->evidence.schedule.runs; n++)
        if (!replay_once(c, w, k, n == 0))
            break;
    for (size_t i = 0; i < count; i++) {
        struct finding *f = k->found[i];
        if (has_passed)
            outcomes_doubt(f);
        if (f->reproduced == f->replays || f->kind == HD_FK_HANG)
            continue;
        f->why_not = why_not(c, w, k, i);
        if (!f->reproduced && !f->doubtful)
            f->doubtful = mem_format(
                "no replay of its schedule showed it again%s",
                f->why_not == WHY_OUTSIDE  ? ": what decides it lies outside of the schedule"
                : f->why_not == WHY_REPLAY ? ", although its seed does each time: please report it"
                                           : "");
    }
    return k;
}

void confirm_drop(struct confirmation *k)
{
    if (!k)
        return;
    for (; k->next < k->count; k->next++)
        finding_free(k->found[k->next]);
    drop_evidence(&k->evidence);
    symptoms_free(k->symptom, k->count);
    free(k);
}

struct finding *confirm_next(struct campaign *c, struct confirmation *k, struct steering *predicted)
{
    while (k->next < k->count) {
        size_t i = k->next++;
        struct finding *f = k->found[i];
        bool is_new, hidden;
        f->first = k->number;
        f->faultless = k->evidence.faultless;
        f->earlier = k->evidence.earlier;
        f->strategy = k->number || f->earlier ? describe_strategy(&k->evidence) : NULL;
        f = campaign_keep(c, f, &hidden, &is_new);
        if (!find(c, k->symptom[i].key))
            remember(c, k->symptom[i].key, f);
        if (hidden)
            continue;
        if ((!is_new && f->last == k->number) || !campaign_counts(c, k->number) ||
            k->evidence.earlier) {
            f->count--;
            f->faultless -= k->evidence.faultless;
        }
        f->last = k->number;
        *predicted = k->predicted[i];
        if (!is_new)
            continue;
        if (k->number && campaign_counts(c, k->number))
            c->stats.strategy[k->evidence.config.strategy % HDP_STRATEGIES].found++;
        return f;
    }
    confirm_drop(k);
    return NULL;
}
