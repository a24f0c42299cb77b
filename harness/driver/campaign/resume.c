/* resume.c - see resume.h */
#include "resume.h"

#include <stdlib.h>
#include <string.h>

#include "campaign.h"
#include "campaign_state.h"
#include "feedback.h"
#include "reports/explored.h"
#include "reports/json_text.h"
#include "util/alloc.h"
#include "util/complain.h"
#include "util/real_time.h"
#include "util/state_file.h"

#define VERSION 1
#define EVERY_NS 1000000000ll
#define SHARE 20 /* of the time, a part that writing may take */

/* What has to be the same. */
static json_t *exploration_of(const struct campaign_options *o)
{
    json_t *arguments = json_array();

    for (char *const *a = o->argv; *a; a++)
        json_array_append_new(arguments, json_text(*a));
    return json_pack("{s:o, s:o, s:b, s:b, s:i, s:I, s:I, s:I, s:I, s:I}", "arguments", arguments,
                     "build_id", json_text(o->target->build_id), "plain", o->explore.plain, "inner",
                     o->explore.inner, "preemptions",
                     o->explore.bounded ? (int)o->explore.preemptions : -1, "steps",
                     (json_int_t)o->explore.steps, "points", (json_int_t)o->config.points,
                     "max_steps", (json_int_t)o->config.max_steps, "patience",
                     (json_int_t)o->config.patience_ns, "flags", (json_int_t)o->config.flags);
}

char *resume_read(const char *path, const struct campaign_options *o, json_t **state)
{
    json_t *wanted, *document;
    const char *schema;
    char *why = state_file_read(path, "--resume", &document);

    *state = NULL;
    if (!document)
        return why;
    wanted = exploration_of(o);
    schema = json_string_value(json_object_get(document, "schema"));
    if (!schema || strcmp(schema, "heddle-exploration") != 0 ||
        json_integer_value(json_object_get(document, "version")) != VERSION)
        why = mem_format("--resume: %s was not written by --resume of this version", path);
    else if (!json_equal(json_object_get(document, "exploration_of"), wanted))
        why = mem_format("--resume: %s is of another exploration: another build, other arguments, "
                         "bounds or points",
                         path);
    struct exploration *tried = why ? NULL : exploration_new(&o->explore, 1);
    struct feedback *learned = why ? NULL : feedback_new();
    if (tried && (!exploration_read(tried, json_object_get(document, "exploration")) ||
                  !feedback_read(learned, json_object_get(document, "learned"))))
        why = mem_format("--resume: %s is damaged; without it the exploration begins anew", path);
    exploration_free(tried);
    if (learned)
        feedback_free(learned);
    json_decref(wanted);
    if (why)
        json_decref(document);
    else
        *state = document;
    return why;
}

/* Then the addresses of one start are none of the next. */
static bool is_randomised(const struct campaign *c)
{
    return c->crew.bell && c->crew.bell->randomised;
}

void resume_give(struct campaign *c, const json_t *state)
{
    if (c->trouble || is_randomised(c) ||
        !feedback_read(c->feedback, json_object_get(state, "learned")) ||
        !exploration_read(c->exploration, json_object_get(state, "exploration")))
        return;
    feedback_share(c->feedback, &c->crew);
    c->stats.explored.counts = exploration_counts(c->exploration);
    c->stats.explored.failures = (uint64_t)json_integer_value(json_object_get(state, "failures"));
    c->stats.explored.doubts = json_deep_copy(json_object_get(state, "doubts"));
    c->stats.accesses_watched = json_is_true(json_object_get(state, "accesses_watched"));
    if (c->options.schedules)
        c->options.schedules += c->stats.explored.counts.schedules;
    c->next += c->stats.explored.counts.schedules + c->stats.explored.counts.redundant;
    c->resumed = true;
}

static bool write_now(struct campaign *c)
{
    json_t *state = json_object();

    json_object_set_new(state, "schema", json_string("heddle-exploration"));
    json_object_set_new(state, "version", json_integer(VERSION));
    json_object_set_new(state, "exploration_of", exploration_of(&c->options));
    json_object_set_new(
        state, "failures",
        json_integer((json_int_t)(c->stats.explored.failures + campaign_failures(c))));
    json_object_set_new(state, "doubts", explored_doubts(&c->stats));
    json_object_set_new(state, "accesses_watched", json_boolean(c->stats.accesses_watched));
    json_object_set_new(state, "learned", feedback_json(c->feedback));
    json_object_set_new(state, "exploration", exploration_json(c->exploration));
    bool kept = state_file_write(c->options.resume, state);
    json_decref(state);
    return kept;
}

bool resume_write(struct campaign *c, bool at_end)
{
    int64_t now = real_now();

    if (!c->options.resume || !c->exploration || !c->crew.worker)
        return true;
    if (is_randomised(c)) {
        if (at_end)
            complain("--resume: address randomisation could not be turned off: how far this is "
                     "holds for no other start, and is not kept");
        return !at_end;
    }
    /* What runs with fewer points than are known begins anew: the file is as good. */
    if (c->points_came || (!at_end && (now < c->resume_next_ns || c->resume_failed)))
        return true;
    c->resume_failed = !write_now(c);
    int64_t took = real_now() - now;
    c->resume_next_ns = now + took + (took * SHARE > EVERY_NS ? took * SHARE : EVERY_NS);
    return !c->resume_failed;
}
