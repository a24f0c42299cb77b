/* exploration_state.c - an exploration as data: the paths of its searches, and who sleeps on them.
 *
 * What the steps of a path touched is found again by the next schedule that takes it.
 */
#include "exploration_inside.h"

#include <stdlib.h>
#include <string.h>

#include "util/alloc.h"

static json_t *of_footprint(const struct footprint *f)
{
    json_t *list = json_array();

    for (uint32_t i = 0; i < f->count; i++) {
        json_array_append_new(list, json_integer((json_int_t)f->touch[i].key));
        json_array_append_new(list, json_integer(f->touch[i].mode));
    }
    return list;
}

static json_t *of_node(const struct node *n)
{
    json_t *threads = json_array(), *sleepers = json_array();

    if (n->is_choice)
        return json_pack("{s:I, s:I, s:o, s:o}", "choice", (json_int_t)n->choice, "options",
                         (json_int_t)n->options, "threads", threads, "sleepers", sleepers);
    for (uint32_t i = 0; i < n->runnables; i++)
        json_array_append_new(threads,
                              json_pack("[I, i]", (json_int_t)n->runnable[i], n->branch[i]));
    for (uint32_t i = 0; i < n->sleepers; i++)
        json_array_append_new(sleepers, json_pack("[I, o]", (json_int_t)n->sleeper[i].thread,
                                                  of_footprint(&n->sleeper[i].would)));
    return json_pack("{s:I, s:o, s:o, s:o}", "thread", (json_int_t)n->thread, "threads", threads,
                     "sleepers", sleepers, "seen", of_footprint(&n->seen));
}

static json_t *of_search(const struct search *s)
{
    json_t *path = json_array();

    for (uint32_t i = 0; i < s->depth; i++)
        json_array_append_new(path, of_node(&s->path[i]));
    return json_pack("{s:I, s:f, s:o}", "root", (json_int_t)s->root, "weight", s->weight, "path",
                     path);
}

json_t *exploration_json(const struct exploration *e)
{
    const struct exploration_counts *c = &e->counts;
    json_t *searches = json_array();

    for (unsigned i = 0; i < e->workers; i++)
        if (!e->search[i].over)
            json_array_append_new(searches, of_search(&e->search[i]));
    return json_pack("{s:o, s:o, s:o, s:I, s:I, s:I, s:i, s:b, s:b, s:b, s:b}", "searches",
                     searches, "traces", distinct_json(&e->traces), "failed",
                     distinct_json(&e->failed), "schedules", (json_int_t)c->schedules, "redundant",
                     (json_int_t)c->redundant, "restarts", (json_int_t)c->restarts, "uncontrolled",
                     (int)c->uncontrolled, "left_out", c->left_out, "astray", c->astray, "full",
                     c->full, "died", c->died);
}

/* ---- and back ---- */

static uint32_t whole(const json_t *o, const char *name)
{
    return (uint32_t)json_integer_value(json_object_get(o, name));
}

static struct footprint footprint_from(const json_t *list)
{
    struct footprint f = {0};

    for (size_t i = 0; i + 1 < json_array_size(list); i += 2) {
        struct hdp_touch t = {.key = (uint64_t)json_integer_value(json_array_get(list, i)),
                              .mode = (uint32_t)json_integer_value(json_array_get(list, i + 1))};
        footprint_add(&f, &t, 1);
    }
    return f;
}

/* A choice needs options, a decision the thread that it goes on with. */
static bool is_sound(const struct node *n)
{
    if (n->is_choice)
        return n->choice < n->options;
    for (uint32_t i = 0; i < n->runnables; i++)
        if (n->runnable[i] == n->thread)
            return n->branch[i] == BRANCH_TAKEN;
    return false;
}

static bool node_from(struct node *n, const json_t *from)
{
    const json_t *threads = json_object_get(from, "threads");
    json_t *one;
    size_t i;

    *n = (struct node){.is_choice = json_object_get(from, "options"),
                       .choice = whole(from, "choice"),
                       .options = whole(from, "options"),
                       .thread = whole(from, "thread")};
    if (n->is_choice)
        return is_sound(n);
    n->runnables = (uint32_t)json_array_size(threads);
    n->runnable = mem_zeroed(n->runnables + 1u, sizeof *n->runnable);
    n->branch = mem_zeroed(n->runnables + 1u, sizeof *n->branch);
    json_array_foreach(threads, i, one)
    {
        n->runnable[i] = (uint32_t)json_integer_value(json_array_get(one, 0));
        n->branch[i] = (uint8_t)json_integer_value(json_array_get(one, 1));
    }
    json_array_foreach(json_object_get(from, "sleepers"), i, one)
    {
        struct footprint would = footprint_from(json_array_get(one, 1));
        node_sleep(n, (uint32_t)json_integer_value(json_array_get(one, 0)), &would);
        footprint_clear(&would);
    }
    n->seen = footprint_from(json_object_get(from, "seen"));
    return is_sound(n);
}

static bool search_from(struct search *s, const json_t *from)
{
    const json_t *path = json_object_get(from, "path");
    uint32_t depth = (uint32_t)json_array_size(path);
    bool sound = true;

    *s = (struct search){.root = whole(from, "root"),
                         .weight = json_real_value(json_object_get(from, "weight"))};
    s->path = mem_zeroed(depth + 1u, sizeof *s->path);
    s->room = depth + 1;
    while (sound && s->depth < depth) {
        sound = node_from(&s->path[s->depth], json_array_get(path, s->depth));
        s->depth++;
    }
    return sound && depth < HDP_EXPLORED_STEPS && s->root <= depth;
}

bool exploration_read(struct exploration *e, const json_t *from)
{
    const json_t *searches = json_object_get(from, "searches");
    size_t parts = json_array_size(searches);
    bool sound = json_is_array(searches) && parts < 65536;

    for (unsigned i = 0; i < e->workers; i++)
        search_forget(&e->search[i]);
    if (sound && parts > e->workers) { /* whoever is done with one takes the next */
        e->search = mem_resize(e->search, parts * sizeof *e->search);
        for (; e->workers < parts; e->workers++)
            e->search[e->workers] = (struct search){.over = true};
    }
    for (size_t i = 0; sound && i < parts; i++)
        sound = search_from(&e->search[i], json_array_get(searches, i));
    e->counts = (struct exploration_counts){
        .schedules = (uint64_t)json_integer_value(json_object_get(from, "schedules")),
        .redundant = (uint64_t)json_integer_value(json_object_get(from, "redundant")),
        .restarts = (uint64_t)json_integer_value(json_object_get(from, "restarts")),
        .uncontrolled = whole(from, "uncontrolled"),
        .left_out = json_is_true(json_object_get(from, "left_out")),
        .astray = json_is_true(json_object_get(from, "astray")),
        .full = json_is_true(json_object_get(from, "full")),
        .died = json_is_true(json_object_get(from, "died"))};
    return sound && distinct_read(&e->traces, json_object_get(from, "traces")) &&
           distinct_read(&e->failed, json_object_get(from, "failed"));
}
