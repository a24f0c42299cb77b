/* earlier.c - see earlier.h */
#include "earlier.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bring_about.h"
#include "confirm.h"
#include "judge.h"
#include "program/worker.h"
#include "reports/test_document.h"
#include "schedules/schedule.h"
#include "util/alloc.h"
#include "util/complain.h"
#include "util/read_file.h"
#include "util/whole_file.h"

/* Schedules near a recorded order that are tried in another build. */
#define NEAR 100u
#define FILE_BOUND (64u << 20)
/* What is looked for is what this campaign looks for. */
#define LOOKED_FOR ((uint32_t)(HDP_LOCK_ORDER | HDP_REACH | HDP_NO_LEAKS | HDP_RACES))

/* ---- which can be followed here ---- */

static bool same_arguments(const struct schedule *s, char *const *argv)
{
    size_t n = 1;

    for (; n < s->arguments && argv[n]; n++)
        if (strcmp(s->argument[n], argv[n]) != 0)
            return false;
    return n >= s->arguments && !argv[n];
}

/* Why nothing can be said of it; NULL: it can be followed. */
static char *cannot(const struct campaign *c, const struct schedule *s)
{
    const struct campaign_options *o = &c->options;
    const char *tool = o->tool ? o->tool->backend->name : NULL;
    enum hd_finding_kind kind = s->kind ? finding_kind(s->kind) : HD_FK_COUNT;

    if (strcmp(base_name(s->program), base_name(o->target->path)) != 0)
        return mem_format("it is of another program, %s", base_name(s->program));
    if (!same_arguments(s, o->argv))
        return mem_copy("it was recorded with other arguments");
    if (s->input && o->launch.input < 0)
        return mem_copy("it was recorded with a standard input, and there is none");
    if (!s->tool != !tool || (tool && strcmp(s->tool, tool) != 0))
        return mem_format("it was found by --tool=%s", s->tool ? s->tool : "heddle");
    if (kind == HD_FK_OUTPUT || kind == HD_FK_NONDETERMINISM)
        return mem_copy("only a comparison of schedules tells");
    if (kind == HD_FK_ORACLE && !o->oracle)
        return mem_copy("only the oracle tells (--oracle)");
    return NULL;
}

/* ---- one of them ---- */

struct trial {
    struct campaign *c;
    struct worker *w;
    const struct schedule *schedule;
    bool changed; /* the program has, since */
    struct earlier_entry *entry;
};

static bool is_recorded(const struct trial *t, const struct finding *f)
{
    return finding_is_print(f, t->schedule->fingerprint) ||
           (t->changed && f->kind == finding_kind(t->schedule->kind));
}

/* Does this kind of symptom say anything about the schedule? Predictions are of others. */
static bool decides(const struct trial *t, enum hd_finding_kind kind)
{
    return !finding_is_prediction(kind) || kind == finding_kind(t->schedule->kind);
}

static void take(struct trial *t, struct symptom *list, size_t count)
{
    uint64_t key[SYMPTOMS];
    size_t keys = 0;

    for (size_t i = 0; i < count; i++)
        if (decides(t, list[i].kind))
            key[keys++] = list[i].key;
    if (!keys) {
        symptoms_free(list, count);
        return;
    }
    t->c->following = true;
    report_symptoms(t->c, t->w, 0, list, count);
    t->c->following = false;
    for (size_t i = 0; i < keys && t->entry->how != EARLIER_REMAINS; i++) {
        const struct finding *f = confirm_known(t->c, key[i]);
        if (f)
            t->entry->how = is_recorded(t, f) ? EARLIER_REMAINS : EARLIER_ANOTHER;
        if (f && f->name) {
            free(t->entry->now);
            t->entry->now = mem_copy(f->name);
        }
    }
}

static void say(struct earlier_entry *e, const char *why)
{
    e->how = EARLIER_UNKNOWN;
    free(e->why);
    e->why = mem_copy(why);
}

/* One way to follow it. False: others are in vain. */
static bool follow(struct trial *t, uint32_t attempt)
{
    struct campaign *c = t->c;
    struct hdp_region *region = t->w->region;
    struct symptom list[SYMPTOMS];
    bool checks = c->options.check_output;

    region->config = t->schedule->config;
    region->config.attempt = attempt;
    if (attempt >= HDP_NEAR)
        region->config.seed = attempt;
    region->config.flags &= ~LOOKED_FOR;
    region->config.flags |= HDP_TRACE | (c->options.config.flags & LOOKED_FOR);
    campaign_look_at(c, t->w);
    schedule_expand(t->schedule, c->symbols, region);
    if (!campaign_run_now(c, t->w)) {
        say(t->entry, "it could not be run");
        return false;
    }
    c->stats.replays++;
    t->entry->near += attempt >= HDP_NEAR;
    const struct hdp_result result = region->result;
    bool cut = t->w->slow || result.outcome == HDP_CUT, edited = region->config.flags & HDP_EDITED;
    c->options.check_output = false; /* there is nothing yet that it could be compared with */
    size_t count = judge(c, t->w, 0, list);
    c->options.check_output = checks;
    take(t, list, count);
    if (t->entry->how == EARLIER_REMAINS || t->entry->how == EARLIER_ANOTHER)
        return t->entry->how == EARLIER_ANOTHER;
    if (attempt == HDP_HELP && cut)
        say(t->entry, "it did not come to its end");
    else if (attempt == HDP_HELP && !edited &&
             (result.diverged_at || result.outcome == HDP_DIVERGED))
        say(t->entry, "its decisions could not be followed");
    else if (attempt == HDP_HELP && !edited && result.ahead)
        say(t->entry, "a child process was late, and the order was another one");
    else if (attempt == HDP_HELP && edited && !result.followed)
        say(t->entry, "nothing of what it names is in this program");
    return t->entry->how != EARLIER_UNKNOWN;
}

static void try_file(struct campaign *c, struct worker *w, const char *file)
{
    struct stamp_key key = stamp_key(false);
    struct schedule s;
    bool ours;
    char *why = schedule_read(file, &key, &s, &ours);
    struct earlier_entry *e = earlier_add(
        &c->stats.earlier, why || !s.finding ? base_name(file) : s.finding, why ? NULL : s.text);
    struct trial t = {.c = c, .w = w, .schedule = &s, .entry = e};

    if (!why && !s.kind)
        why = mem_copy("it does not say what it shows");
    if (!why)
        why = campaign_has_enough(c) ? mem_copy("it was not tried") : cannot(c, &s);
    if (why) {
        say(e, why);
    } else {
        const char *build = c->options.target->build_id;
        t.changed = s.other_build = !s.build_id || !*build || strcmp(s.build_id, build) != 0;
        uint32_t ways = t.changed && identity_known(&s) ? HDP_NEAR + NEAR : 1;
        if (strcmp(base_name(s.program), c->options.target->path) != 0)
            symbols_alias(c->symbols, s.program, c->options.target->path);
        uint32_t n = 0;
        while (n < ways && !campaign_has_enough(c) && follow(&t, n))
            n++;
        if (n < ways && e->how == EARLIER_GONE)
            say(e, "it was not tried to the end");
        if (e->how == EARLIER_GONE && (s.config.flags ^ c->options.config.flags) & LOOKED_FOR)
            say(e, "it was recorded with other options (--lock-order, --reach, --no-leaks)");
    }
    free(why);
    schedule_free(&s);
}

/* ---- all of them ---- */

static int is_whole_schedule(const struct dirent *e)
{
    size_t n = strlen(e->d_name), ending = strlen(".schedule"), min = strlen(".min.schedule");

    return e->d_name[0] != '.' && n > ending && strcmp(e->d_name + n - ending, ".schedule") == 0 &&
           !(n > min && strcmp(e->d_name + n - min, ".min.schedule") == 0);
}

/* Those that the run reported and whose schedules are not in its folder: a suite's lie below it. */
static void try_reported(struct campaign *c, struct worker *w, const char *folder)
{
    char *why;
    json_t *document = test_document_read(folder, &why), *test, *f;
    size_t i, k, n = strlen(folder);

    json_array_foreach(json_object_get(document, "tests"), i, test)
    {
        json_array_foreach(json_object_get(json_object_get(test, "report"), "findings"), k, f)
        {
            const char *named = document_word(f, "schedule_file");
            char *file = named ? document_file(folder, named) : NULL;
            bool inside =
                file && strncmp(file, folder, n) == 0 && file[n] == '/' && access(file, R_OK) == 0;
            if (!inside)
                say(earlier_add(&c->stats.earlier, document_word(f, "name"), NULL),
                    named ? "its schedule file is missing" : "its schedule was not saved");
            else if (strchr(file + n + 1, '/'))
                try_file(c, w, file);
            free(file);
        }
    }
    json_decref(document);
    free(why);
}

void earlier_try(struct campaign *c, struct worker *w, const char *folder)
{
    struct dirent **entry;
    int n = scandir(folder, &entry, is_whole_schedule, versionsort);
    struct hdp_learned *news = mem_zeroed(1, sizeof *news);

    c->stats.earlier.folder = n > 0 || !c->options.corpus ? mem_copy(folder) : NULL;
    *news = w->region->news;
    for (int i = 0; i < n; i++) {
        char *file = mem_format("%s/%s", folder, entry[i]->d_name);
        try_file(c, w, file);
        free(file);
        free(entry[i]);
    }
    if (n >= 0)
        free(entry);
    if (!c->options.corpus)
        try_reported(c, w, folder);
    w->region->news = *news;
    free(news);
    if (w->state == WORKER_DONE)
        worker_next(w);
}

bool earlier_keep(const struct campaign *c, const char *folder)
{
    bool kept = mkdir(folder, 0777) == 0 || errno == EEXIST;

    if (!kept)
        complain("%s cannot be made: %s", folder, strerror(errno));
    for (size_t i = 0; i < c->findings.count && kept; i++) {
        const struct finding *f = c->findings.list[i];
        size_t bytes = f->schedule_text ? strlen(f->schedule_text) : 0;
        char *text = f->schedule_file ? read_file(f->schedule_file, FILE_BOUND, &bytes)
                                      : mem_copy(f->schedule_text);
        char *file = mem_format("%s/%016llx.schedule", folder, (unsigned long long)f->fingerprint);
        int error = text ? whole_file_replace(file, text, bytes) : 0;
        if (error)
            complain("%s cannot be written: %s", file, strerror(error));
        kept = !error;
        free(file);
        free(text);
    }
    return kept;
}
