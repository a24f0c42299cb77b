/* trace_events.c - see trace_events.h
 *
 * A thread is in one slice at a time: it runs a decision, or it waits. Locks are asynchronous events of their own,
 * what lets others go on and what orders them are flows, and channels are counters.
 */
#include "trace_events.h"

#include <stdlib.h>
#include <string.h>

#include "findings/phrase.h"
#include "symbols/numbering.h"
#include "test_document.h"
#include "util/alloc.h"

/* Of a decision; what happens behind it before the next one has its order in them. */
#define MICROSECONDS 10

struct lane {
    json_t *slice; /* open, borrowed from the events; NULL: none */
    int64_t since;
    json_t *woken; /* the flow that leads to its next decision; owned, or NULL */
};

struct tracing {
    json_t *events;
    const json_t *threads, *objects, *places;
    struct lane *lane;
    size_t lanes;
    int pid;
    int64_t now, step, behind, flows;
    int64_t *begin; /* of each decision that was told, from the first step on */
    int64_t first, steps;
    json_t *held; /* object -> threads that hold it, with the number of each hold */
    json_int_t holds;
};

static json_t *event(struct tracing *t, const char *phase, size_t thread, const char *name)
{
    json_t *e = json_object();

    json_object_set_new(e, "ph", json_string(phase));
    json_object_set_new(e, "ts", json_integer(t->now));
    json_object_set_new(e, "pid", json_integer(t->pid));
    json_object_set_new(e, "tid", json_integer((json_int_t)thread + 1));
    json_object_set_new(e, "name", json_string(name));
    return e;
}

static json_t *add(struct tracing *t, json_t *e)
{
    json_array_append_new(t->events, e);
    return e;
}

static void name_of(struct tracing *t, const char *what, size_t thread, const char *key,
                    json_t *value)
{
    json_t *e = event(t, "M", thread, what), *args = json_object();

    json_object_set_new(args, key, value);
    json_object_set_new(e, "args", args);
    json_object_set_new(e, "ts", json_integer(0));
    add(t, e);
}

/* ---- slices ---- */

static void end_slice(struct tracing *t, struct lane *l)
{
    if (l->slice)
        json_object_set_new(l->slice, "dur", json_integer(t->now - l->since));
    l->slice = NULL;
}

static char *place_of(const struct tracing *t, const json_t *index)
{
    const json_t *p = json_is_integer(index)
                          ? json_array_get(t->places, (size_t)json_integer_value(index))
                          : NULL;
    const char *file = document_word(p, "file"), *function = document_word(p, "function");
    const json_t *line = json_object_get(p, "line");

    return !p                              ? NULL
           : file && json_is_integer(line) ? mem_format("%s %s:%lld", function ? function : "?",
                                                        file, (long long)json_integer_value(line))
                                           : mem_copy(function);
}

static const char *object_of(const struct tracing *t, const json_t *index)
{
    return json_is_integer(index)
               ? document_word(json_array_get(t->objects, (size_t)json_integer_value(index)),
                               "text")
               : NULL;
}

static void begin_slice(struct tracing *t, size_t thread, const char *category, const char *name,
                        const json_t *row)
{
    struct lane *l = &t->lane[thread];
    json_t *e, *args = json_object();
    char *place = place_of(t, json_array_get(row, 5));

    end_slice(t, l);
    e = event(t, "X", thread, name);
    json_object_set_new(e, "cat", json_string(category));
    json_object_set_new(args, "step", json_integer(t->step));
    if (place)
        json_object_set_new(args, "at", json_string(place));
    json_object_set_new(e, "args", args);
    l->slice = add(t, e);
    l->since = t->now;
    free(place);
}

/* ---- flows ---- */

static json_t *flow(struct tracing *t, const char *phase, size_t thread, const char *name,
                    int64_t id, int64_t at)
{
    json_t *e = event(t, phase, thread, name);

    json_object_set_new(e, "cat", json_string(name));
    json_object_set_new(e, "id", json_integer(id));
    json_object_set_new(e, "ts", json_integer(at));
    if (*phase == 'f')
        json_object_set_new(e, "bp", json_string("e"));
    return e;
}

/* `other` lets `thread` go on: an arrow to its next decision, if one comes. */
static void wake(struct tracing *t, size_t thread, size_t other)
{
    struct lane *l = &t->lane[thread];

    if (!t->lane[other].slice || other == thread)
        return;
    json_decref(l->woken);
    l->woken = flow(t, "s", other, "lets go on", ++t->flows, t->now);
}

static void arrive(struct tracing *t, size_t thread)
{
    struct lane *l = &t->lane[thread];

    if (!l->woken)
        return;
    int64_t id = json_integer_value(json_object_get(l->woken, "id"));
    add(t, l->woken);
    add(t, flow(t, "f", thread, "lets go on", id, t->now));
    l->woken = NULL;
}

static void order(struct tracing *t, size_t thread, size_t other, int64_t step)
{
    if (step < t->first || step > t->steps || !t->begin[step - t->first] || !t->lane[thread].slice)
        return;
    add(t, flow(t, "s", other, "comes before", ++t->flows, t->begin[step - t->first]));
    add(t, flow(t, "f", thread, "comes before", t->flows, t->now));
}

/* ---- locks and channels ---- */

static void lock(struct tracing *t, size_t thread, const json_t *object, bool takes)
{
    char *key = mem_format("%lld %zu", (long long)json_integer_value(object), thread);
    json_t *known = json_object_get(t->held, key), *e;
    const char *name = object_of(t, object);

    if (name && takes == !known) {
        json_int_t id = known ? json_integer_value(known) : ++t->holds;
        e = event(t, takes ? "b" : "e", thread, name);
        json_object_set_new(e, "cat", json_string("lock"));
        json_object_set_new(e, "id", json_integer(id));
        if (takes) {
            json_t *args = json_object();
            json_object_set_new(
                args, "held by",
                json_copy(json_object_get(json_array_get(t->threads, thread), "text")));
            json_object_set_new(e, "args", args);
            json_object_set_new(t->held, key, json_integer(id));
        } else {
            json_object_del(t->held, key);
        }
        add(t, e);
    }
    free(key);
}

static void let_go_of_all(struct tracing *t)
{
    const char *key;
    json_t *id, *e;
    void *next;

    json_object_foreach_safe(t->held, next, key, id)
    {
        char *end;
        long object = strtol(key, &end, 10);
        size_t thread = (size_t)strtol(end, NULL, 10);
        const json_t *o = json_array_get(t->objects, (size_t)object);
        e = event(t, "e", thread, document_word(o, "text"));
        json_object_set_new(e, "cat", json_string("lock"));
        json_object_set(e, "id", id);
        add(t, e);
    }
}

static void level(struct tracing *t, const json_t *object, const json_t *n)
{
    const char *name = object_of(t, object);
    json_t *e, *args;

    if (!name)
        return;
    e = event(t, "C", 0, name);
    args = json_object();
    json_object_set_new(args, "level", json_copy((json_t *)n));
    json_object_set_new(e, "args", args);
    add(t, e);
}

/* ---- rows ---- */

static bool is_decision(const char *what)
{
    return strcmp(what, "does") == 0 || strcmp(what, "times-out") == 0 ||
           strcmp(what, "wakes-for-no-reason") == 0 || strcmp(what, "is-cancelled") == 0 ||
           strcmp(what, "chooses") == 0 || strcmp(what, "fails") == 0;
}

static void decide(struct tracing *t, size_t thread, const char *what, const json_t *row)
{
    const char *word = json_string_value(json_array_get(row, 3)),
               *object = object_of(t, json_array_get(row, 4));
    enum hd_event event = word ? event_parse(word) : HD_EV_NONE;
    char *name =
        strcmp(what, "chooses") == 0
            ? mem_format("chooses %lld", (long long)json_integer_value(json_array_get(row, 7)))
        : strcmp(what, "fails") == 0
            ? mem_format("fault: %s", word ? word : "")
            : mem_format("%s%s%s%s", event_verb(event), object ? " " : "", object ? object : "",
                         strcmp(what, "times-out") == 0             ? ": timed out"
                         : strcmp(what, "wakes-for-no-reason") == 0 ? ": woken for no reason"
                         : strcmp(what, "is-cancelled") == 0        ? ": cancelled"
                                                                    : "");

    for (size_t i = 0; i < t->lanes; i++)
        if (t->lane[i].slice && strcmp(document_word(t->lane[i].slice, "cat"), "runs") == 0)
            end_slice(t, &t->lane[i]);
    begin_slice(t, thread, "runs", name, row);
    if (t->step >= t->first && t->step <= t->steps)
        t->begin[t->step - t->first] = t->now;
    arrive(t, thread);
    free(name);
}

static void tell(struct tracing *t, const json_t *row)
{
    const char *what = json_string_value(json_array_get(row, 2));
    const json_t *thread_index = json_array_get(row, 1), *other_index = json_array_get(row, 6);
    size_t thread = (size_t)json_integer_value(thread_index),
           other = (size_t)json_integer_value(other_index);
    const json_t *object = json_array_get(row, 4);

    if (what && strcmp(what, "level") == 0) {
        level(t, object, json_array_get(row, 7));
        return;
    }
    if (!what || !json_is_integer(thread_index) || thread >= t->lanes)
        return;
    bool others = json_is_integer(other_index) && other < t->lanes;
    if (is_decision(what)) {
        decide(t, thread, what, row);
    } else if (strcmp(what, "waits") == 0) {
        const char *word = json_string_value(json_array_get(row, 3));
        char *name = phrase_wait(word ? event_parse(word) : HD_EV_NONE, object_of(t, object));
        begin_slice(t, thread, "waits", name, row);
        free(name);
    } else if (strcmp(what, "may-go-on") == 0) {
        end_slice(t, &t->lane[thread]);
        if (others)
            wake(t, thread, other);
    } else if (strcmp(what, "makes") == 0 && others) {
        wake(t, other, thread);
    } else if (strcmp(what, "takes") == 0) {
        lock(t, thread, object, true);
    } else if (strcmp(what, "gives") == 0) {
        lock(t, thread, object, false);
    } else if (strcmp(what, "ends") == 0) {
        end_slice(t, &t->lane[thread]);
    } else if (strcmp(what, "after") == 0 && others) {
        order(t, thread, other, json_integer_value(json_array_get(row, 7)));
    }
}

static void tell_all(struct tracing *t, const json_t *rows)
{
    size_t i;
    json_t *row;

    json_array_foreach(rows, i, row)
    {
        int64_t step = json_integer_value(json_array_get(row, 0));
        t->behind = step == t->step ? t->behind + 1 : 0;
        t->step = step;
        t->now =
            step * MICROSECONDS + (t->behind < MICROSECONDS - 1 ? t->behind : MICROSECONDS - 1);
        tell(t, row);
    }
    t->now = (t->step + 1) * MICROSECONDS;
    for (i = 0; i < t->lanes; i++) {
        end_slice(t, &t->lane[i]);
        json_decref(t->lane[i].woken);
    }
    let_go_of_all(t);
}

static void name_all(struct tracing *t, const char *name)
{
    size_t i;
    json_t *thread;

    name_of(t, "process_name", 0, "name", json_string(name));
    name_of(t, "process_sort_index", 0, "sort_index", json_integer(t->pid));
    json_array_foreach(t->threads, i, thread)
    {
        name_of(t, "thread_name", i, "name", json_copy(json_object_get(thread, "text")));
        name_of(t, "thread_sort_index", i, "sort_index", json_integer((json_int_t)i));
    }
}

static bool is_whole(const json_t *story)
{
    static const char *const lists[] = {"threads", "objects", "places"};
    const json_t *list;
    size_t i, n;
    json_t *part;

    for (n = 0; n < sizeof lists / sizeof *lists; n++) {
        list = json_object_get(story, lists[n]);
        if (!json_is_array(list))
            return false;
        json_array_foreach(list, i, part)
        {
            if (n < 2 && !document_word(part, "text"))
                return false;
        }
    }
    int64_t before = 0, first = json_integer_value(json_object_get(story, "first")),
            steps = json_integer_value(json_object_get(story, "steps"));
    const json_t *rows = json_object_get(story, "rows");
    json_array_foreach(rows, i, part)
    {
        int64_t step = json_integer_value(json_array_get(part, 0));
        if (step < before || step > steps)
            return false;
        before = step;
    }
    /* each step has its row */
    return json_is_array(rows) && first >= 1 && steps >= 0 && steps < INT32_MAX &&
           steps - first < (int64_t)json_array_size(rows);
}

json_t *trace_new(void)
{
    json_t *trace = json_object();

    json_object_set_new(trace, "displayTimeUnit", json_string("ms"));
    json_object_set_new(trace, "traceEvents", json_array());
    return trace;
}

bool trace_add(json_t *trace, const json_t *story, int pid, const char *name)
{
    struct tracing t = {.events = json_object_get(trace, "traceEvents"),
                        .threads = json_object_get(story, "threads"),
                        .objects = json_object_get(story, "objects"),
                        .places = json_object_get(story, "places"),
                        .pid = pid,
                        .step = -1,
                        .first = json_integer_value(json_object_get(story, "first")),
                        .steps = json_integer_value(json_object_get(story, "steps"))};

    if (!is_whole(story))
        return false;
    t.lanes = json_array_size(t.threads);
    t.lane = mem_zeroed(t.lanes + 1, sizeof *t.lane);
    t.begin = mem_zeroed(t.steps < t.first ? 1 : (size_t)(t.steps - t.first + 1), sizeof *t.begin);
    t.held = json_object();
    name_all(&t, name);
    tell_all(&t, json_object_get(story, "rows"));
    json_decref(t.held);
    free(t.lane);
    free(t.begin);
    return true;
}
