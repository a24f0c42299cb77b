/* corpus.c - see corpus.h */
#include "corpus.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "reports/json_text.h"
#include "reports/test_document.h"
#include "schedules/config_words.h"
#include "util/alloc.h"
#include "util/complain.h"
#include "util/whole_file.h"

#define VERSION 1

/* What has to be the same. */
static json_t *same_of(const struct campaign_options *o)
{
    const struct plan *plan = &o->plan;
    json_t *same = json_object(), *arguments = json_array();

    for (char *const *a = o->argv; *a; a++)
        json_array_append_new(arguments, json_text(a == o->argv ? base_name(*a) : *a));
    json_object_set_new(same, "arguments", arguments);
    json_object_set_new(
        same, "strategy",
        json_string(plan->strategy == PLAN_AUTO ? "auto" : strategy_word(plan->strategy)));
    json_object_set_new(same, "depth", json_integer(plan->depth));
    json_object_set_new(same, "seed", json_integer((json_int_t)plan->seed));
    json_object_set_new(same, "points", json_integer(o->config.points));
    json_object_set_new(same, "memory_model", json_integer(o->config.memory_model));
    return same;
}

static char *file_of(const char *folder)
{
    return mem_format("%s/corpus.json", folder);
}

static uint64_t number(const json_t *o, const char *key)
{
    json_int_t n = json_integer_value(json_object_get(o, key));
    return n > 0 ? (uint64_t)n : 0;
}

/* NULL: it is as it should be. */
static char *check(const json_t *state, const char *file, const struct campaign_options *o)
{
    const char *schema = document_word(state, "schema");
    json_t *same = same_of(o);
    char *why = NULL;

    if (!schema || strcmp(schema, "heddle-corpus") != 0 || number(state, "version") != VERSION ||
        !number(state, "next_schedule") || !document_word(state, "build_id"))
        why = mem_format("--corpus: %s was not written by this Heddle", file);
    else if (!json_equal(json_object_get(state, "campaign"), same))
        why = mem_format("--corpus: %s is of another campaign: other arguments, seed, strategy, "
                         "points or memory model",
                         file);
    json_decref(same);
    return why;
}

static bool is_whole(const json_t *learned)
{
    struct feedback *f = feedback_new();
    bool whole = feedback_read(f, learned);

    feedback_free(f);
    return whole;
}

char *corpus_read(const char *folder, const struct campaign_options *o, json_t **state)
{
    char *file = file_of(folder), *why = NULL;
    json_error_t error;

    *state = NULL;
    if (mkdir(folder, 0777) != 0 && errno != EEXIST)
        why = mem_format("--corpus: %s cannot be made: %s", folder, strerror(errno));
    else if (access(file, F_OK) == 0 && !(*state = json_load_file(file, 0, &error)))
        why = mem_format("--corpus: %s:%d: %s", file, error.line, error.text);
    else if (*state)
        why = check(*state, file, o);
    const char *build = o->target->build_id;
    bool old = *state && !why && (!*build || strcmp(document_word(*state, "build_id"), build) != 0);
    if (old)
        complain("--corpus: %s %s: what was learned is learned anew", file,
                 *build ? "is of another build" : "may be of another build, as this one has no id");
    else if (*state && !why && !is_whole(json_object_get(*state, "learned")))
        why = mem_format("--corpus: %s is damaged: what was learned cannot be read. Without the "
                         "file it is learned anew",
                         file);
    if (old || why) {
        json_decref(*state);
        *state = NULL;
    }
    free(file);
    return why;
}

/* Then the addresses of one start are none of the next. */
static bool is_randomised(const struct campaign *c)
{
    return c->crew.bell && c->crew.bell->randomised;
}

void corpus_give(struct campaign *c, const json_t *state)
{
    if (c->trouble || is_randomised(c) ||
        !feedback_read(c->feedback, json_object_get(state, "learned")))
        return;
    c->next = number(state, "next_schedule");
    c->options.begin = c->next;
    if (c->options.schedules)
        c->options.schedules += c->next - 1;
    c->expected_steps = c->steps_seen = (uint32_t)number(state, "steps");
    c->expected_threads = c->threads_seen = (uint32_t)number(state, "threads");
    c->waited_steps = c->waited_steps_seen = (uint32_t)number(state, "waited_steps");
    c->work_jumps = c->work_jumps_seen = (uint32_t)number(state, "work_jumps");
    c->from_outside = number(state, "from_outside");
    c->silent = c->next > 2 && !c->from_outside;
    feedback_share(c->feedback, &c->crew);
}

bool corpus_write(struct campaign *c, uint64_t next)
{
    char *file, *text;
    json_t *state;
    int error;

    if (is_randomised(c)) {
        complain("--corpus: address randomisation could not be turned off: what was learned holds "
                 "for no other start, nothing is read from %s nor written there",
                 c->options.corpus);
        return false;
    }
    file = file_of(c->options.corpus);
    state = json_object();
    feedback_share(c->feedback, &c->crew);
    json_object_set_new(state, "schema", json_string("heddle-corpus"));
    json_object_set_new(state, "version", json_integer(VERSION));
    json_object_set_new(state, "campaign", same_of(&c->options));
    json_object_set_new(state, "build_id", json_text(c->options.target->build_id));
    json_object_set_new(state, "next_schedule", json_integer((json_int_t)next));
    json_object_set_new(state, "steps", json_integer(c->steps_seen));
    json_object_set_new(state, "threads", json_integer(c->threads_seen));
    json_object_set_new(state, "waited_steps", json_integer(c->waited_steps_seen));
    json_object_set_new(state, "work_jumps", json_integer(c->work_jumps_seen));
    json_object_set_new(state, "from_outside", json_integer((json_int_t)c->from_outside));
    json_object_set_new(state, "learned", feedback_json(c->feedback));
    text = json_dumps(state, JSON_COMPACT | JSON_ENSURE_ASCII);
    error = text ? whole_file_replace(file, text, strlen(text)) : ENOMEM;
    if (error)
        complain("%s cannot be written: %s", file, strerror(error));
    json_decref(state);
    free(text);
    free(file);
    return !error;
}
