/* corpus.c - see corpus.h */
#include "corpus.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "earlier.h"
#include "reports/json_text.h"
#include "reports/test_document.h"
#include "schedules/config_words.h"
#include "util/alloc.h"
#include "util/complain.h"
#include "util/state_file.h"

#define VERSION 2

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

/* ---- predictions that were not brought about ---- */

static bool is_excluded(const struct campaign *c, const struct finding *f)
{
    for (size_t i = 0; i < c->excluded.count; i++)
        if (c->excluded.list[i] == f)
            return true;
    return false;
}

static json_t *open_json(const struct campaign *c)
{
    json_t *list = json_array();

    for (size_t i = 0; i < c->opens; i++) {
        const struct open_prediction *p = c->open[i];
        json_t *one = json_object(), *edges = json_array();
        for (uint32_t k = 0; k < p->steering.edges; k++)
            json_array_append_new(edges, json_pack("[I,I]", (json_int_t)p->steering.edge[k].held,
                                                   (json_int_t)p->steering.edge[k].took));
        json_object_set_new(one, "place", json_integer((json_int_t)p->place));
        json_object_set_new(one, "edges", edges);
        json_object_set_new(one, "waits", json_integer((json_int_t)p->steering.waits));
        json_object_set_new(one, "tried", json_integer(p->tried));
        if (!p->shown && !(p->finding && is_excluded(c, p->finding)))
            json_array_append(list, one);
        json_decref(one);
    }
    return list;
}

static json_t *open_races_json(const struct campaign *c)
{
    json_t *list = json_array();

    for (size_t i = 0; i < c->races.opens; i++) {
        const struct predicted_race *o = &c->races.open[i];
        if (!o->shown)
            json_array_append_new(
                list, json_pack("{s:[I,I],s:[b,b],s:I,s:I}", "sites", (json_int_t)o->site[0],
                                (json_int_t)o->site[1], "extra", o->extra[0], o->extra[1],
                                "address", (json_int_t)o->addr, "tried", (json_int_t)o->tried));
    }
    return list;
}

static bool read_open_race(const json_t *from, struct predicted_race *o)
{
    json_int_t site[2], addr, tried;
    int extra[2];

    if (json_unpack((json_t *)from, "{s:[I,I!],s:[b,b!],s:I,s:I}", "sites", &site[0], &site[1],
                    "extra", &extra[0], &extra[1], "address", &addr, "tried", &tried) != 0 ||
        tried < 0 || tried > UINT32_MAX)
        return false;
    *o = (struct predicted_race){.site = {(uint64_t)site[0], (uint64_t)site[1]},
                                 .extra = {extra[0] != 0, extra[1] != 0},
                                 .addr = (uint64_t)addr,
                                 .tried = (unsigned)tried};
    return true;
}

static bool read_open(const json_t *from, struct open_prediction *p)
{
    const json_t *edges = json_object_get(from, "edges"), *edge;
    size_t n = json_array_size(edges), i;
    json_int_t place, waits, held, took;
    int tried;

    *p = (struct open_prediction){0};
    if (n > HDP_DEADLOCK_EDGES || !n ||
        json_unpack((json_t *)from, "{s:I,s:I,s:i}", "place", &place, "waits", &waits, "tried",
                    &tried) != 0 ||
        tried < 0)
        return false;
    json_array_foreach(edges, i, edge)
    {
        if (json_unpack((json_t *)edge, "[I,I!]", &held, &took) != 0)
            return false;
        p->steering.edge[p->steering.edges++] =
            (struct hdp_deadlock_edge){(uint64_t)held, (uint64_t)took};
    }
    p->place = (uint64_t)place;
    p->steering.waits = (uint64_t)waits;
    p->tried = (unsigned)tried;
    return true;
}

/* ---- the file ---- */

static const char *what_differs(const json_t *theirs, const json_t *ours)
{
    static const struct {
        const char *key, *words;
    } items[] = {{"arguments", "list of arguments"},
                 {"strategy", "--strategy"},
                 {"depth", "--depth"},
                 {"seed", "--seed"},
                 {"points", "choice of points (--points)"},
                 {"memory_model", "memory model (--memory-model)"}};
    const json_t *a = json_object_get(theirs, "arguments"), *b = json_object_get(ours, "arguments");

    if (!json_equal(json_array_get(a, 0), json_array_get(b, 0)))
        return "program";
    for (size_t i = 0; i < sizeof items / sizeof *items; i++)
        if (!json_equal(json_object_get(theirs, items[i].key), json_object_get(ours, items[i].key)))
            return items[i].words;
    return "description";
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
        why = mem_format("--corpus: %s is of another campaign, with another %s: give this one a "
                         "folder of its own, or the same again",
                         file, what_differs(json_object_get(state, "campaign"), same));
    json_decref(same);
    return why;
}

static bool is_whole(const json_t *state)
{
    struct feedback *f = feedback_new();
    struct open_prediction p;
    struct predicted_race race;
    bool whole = feedback_read(f, json_object_get(state, "learned"));
    json_t *open = json_object_get(state, "open"), *one;
    size_t i;

    json_array_foreach(open, i, one)
    {
        whole = whole && read_open(one, &p);
    }
    json_array_foreach(json_object_get(state, "open_races"), i, one)
    {
        whole = whole && read_open_race(one, &race);
    }
    feedback_free(f);
    return whole && json_is_array(open);
}

char *corpus_hold(const char *folder, int *lock, bool *misuse)
{
    char *file = mem_format("%s/lock", folder), *why = NULL;
    struct stat st;
    /* No child holds such a lock on: who is killed holds nothing. */
    struct flock ours_alone = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

    *misuse = true;
    *lock = -1;
    if (mkdir(folder, 0777) != 0 && errno != EEXIST)
        why = mem_format("--corpus: %s cannot be made: %s", folder, strerror(errno));
    else if (stat(folder, &st) == 0 && !S_ISDIR(st.st_mode))
        why = mem_format("--corpus: %s is not a folder", folder);
    else if (access(folder, R_OK | W_OK | X_OK) != 0 ||
             (*lock = open(file, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666)) < 0)
        why = mem_format("--corpus: %s cannot be written to: %s", folder, strerror(errno));
    else if (fcntl(*lock, F_SETLK, &ours_alone) != 0) {
        *misuse = false;
        why = errno == EAGAIN || errno == EACCES
                  ? mem_format("--corpus: another run is learning in %s: wait for its end, or give "
                               "this one a folder of its own",
                               folder)
                  : mem_format("--corpus: %s cannot be locked: %s", folder, strerror(errno));
    }
    if (why && *lock >= 0) {
        close(*lock);
        *lock = -1;
    }
    free(file);
    return why;
}

char *corpus_read(const char *folder, const struct campaign_options *o, json_t **state)
{
    char *file = file_of(folder), *why = state_file_read(file, "--corpus", state);

    if (*state)
        why = check(*state, file, o);
    const char *build = o->target->build_id;
    bool old = *state && !why && (!*build || strcmp(document_word(*state, "build_id"), build) != 0);
    if (old)
        complain("--corpus: %s %s: what was learned is learned anew", file,
                 *build ? "is of another build" : "may be of another build, as this one has no id");
    else if (*state && !why && !is_whole(*state))
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
    if (c->options.at_least)
        c->options.at_least += c->next - 1;
    c->expected_steps = c->steps_seen = (uint32_t)number(state, "steps");
    c->expected_threads = c->threads_seen = (uint32_t)number(state, "threads");
    c->waited_steps = c->waited_steps_seen = (uint32_t)number(state, "waited_steps");
    c->work_jumps = c->work_jumps_seen = (uint32_t)number(state, "work_jumps");
    c->from_outside = number(state, "from_outside");
    c->silent = c->next > 2 && !c->from_outside;
    feedback_share(c->feedback, &c->crew);
    size_t i;
    json_t *one;
    json_array_foreach(json_object_get(state, "open"), i, one)
    {
        struct open_prediction *p = mem_zeroed(1, sizeof *p);
        read_open(one, p);
        c->open = mem_grow(c->open, c->opens, sizeof *c->open);
        c->open[c->opens++] = p;
    }
    struct predicted_race race;
    json_array_foreach(json_object_get(state, "open_races"), i, one)
    {
        if (read_open_race(one, &race))
            predict_leave_open(&c->races, &race);
    }
}

char *corpus_findings(const char *folder)
{
    return mem_format("%s/findings", folder);
}

bool corpus_write(struct campaign *c, uint64_t next)
{
    char *file, *findings = corpus_findings(c->options.corpus);
    bool kept = earlier_keep(c, findings);
    json_t *state;

    free(findings);
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
    json_object_set_new(state, "open", open_json(c));
    json_object_set_new(state, "open_races", open_races_json(c));
    kept &= state_file_write(file, state);
    json_decref(state);
    free(file);
    return kept;
}
