/* attach_report.c - see attach_report.h */
#include "attach_report.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "activity.h"
#include "reports/json_text.h"
#include "reports/report_json.h"
#include "reports/report_text.h"
#include "standstill.h"
#include "symbols/numbering.h"
#include "util/alloc.h"
#include "util/quantity.h"

#define DOCUMENT_VERSION 1
#define HOT 50         /* percent of a processor */
#define NAMED 8u       /* threads of a group that are named */
#define FRAMES_MOST 24 /* of a stack that is printed */

/* "2 threads", "1 goroutine" */
static char *counted(size_t n, bool fibres)
{
    return mem_format("%zu %s%s", n, fibres ? "goroutine" : "thread", n == 1 ? "" : "s");
}

static size_t fibres_of(const struct view *v)
{
    size_t n = 0;
    for (size_t i = 0; i < v->threads; i++)
        n += v->thread[i].seen->fibre != 0;
    return n;
}

/* Threads, or goroutines without one, that wait for the same at the same place. */
struct group {
    size_t shape, first, count;
    char *text;
    int64_t idle_ns; /* the longest */
};

static const struct view *last_of(const struct attached *a)
{
    return a->look[a->looks - 1];
}

static char *state_of(const struct attached *a, size_t i, const struct activity *did)
{
    const struct view *v = last_of(a);
    const struct wait *w = &v->thread[i].wait;
    bool runs = w->kind == HD_EV_NONE || w->kind == HD_EV_SPIN_LOCK || did->percent >= HOT;
    char *text = standstill_wait(v, w);
    if (!runs || did->percent < 0)
        return text;
    char *more =
        mem_format("%s (%d %% of a processor between the looks%s%s)", text, did->percent,
                   did->within ? ", at each of them in " : "", did->within ? did->within : "");
    free(text);
    return more;
}

static int by_time(const void *a, const void *b)
{
    const struct group *x = a, *y = b;
    if (x->idle_ns != y->idle_ns)
        return x->idle_ns > y->idle_ns ? -1 : 1;
    return (x->first > y->first) - (x->first < y->first);
}

static struct group *groups_of(const struct attached *a, size_t *count, size_t *in)
{
    const struct view *v = last_of(a);
    struct group *list = NULL;
    *count = 0;
    for (size_t i = 0; i < v->threads; i++) {
        struct activity did = activity_of(a->look, a->at, a->looks, i);
        char *text = state_of(a, i, &did);
        size_t g = 0;
        while (g < *count &&
               (list[g].shape != v->thread[i].shape || strcmp(list[g].text, text) != 0 ||
                !v->thread[list[g].first].seen->fibre != !v->thread[i].seen->fibre))
            g++;
        if (g == *count) {
            list = mem_grow(list, *count, sizeof *list);
            list[(*count)++] = (struct group){v->thread[i].shape, i, 0, text, -1};
        } else {
            free(text);
        }
        list[g].count++;
        if (did.idle_ns > list[g].idle_ns)
            list[g].idle_ns = did.idle_ns;
        in[i] = g;
    }
    return list;
}

static void print_members(FILE *to, const struct view *v, const size_t *in, size_t group,
                          size_t count)
{
    size_t named = 0;
    for (size_t i = 0; i < v->threads && named < NAMED; i++)
        if (in[i] == group) {
            fprintf(to, "%s%s", named++ ? ", " : "    ", v->thread[i].label);
            if (v->thread[i].seen->tid)
                fprintf(to, " %d", (int)v->thread[i].seen->tid);
        }
    if (count > named)
        fprintf(to, ", and %zu more", count - named);
    fputc('\n', to);
}

static void print_stack(FILE *to, const struct stack *s)
{
    struct stack cut = *s;
    if (!s->count)
        fputs("      (its stack could not be read)\n", to);
    if (cut.count > FRAMES_MOST)
        cut.count = FRAMES_MOST;
    report_stack(to, &cut, 6);
    if (s->count > cut.count)
        fprintf(to, "      ... and %zu more\n", s->count - cut.count);
}

static void print_groups(FILE *to, const struct attached *a)
{
    const struct view *v = last_of(a);
    size_t count, *in = mem_zeroed(v->threads ? v->threads : 1, sizeof *in);
    struct group *list = groups_of(a, &count, in);
    char time[32];
    /* the members of each were noted by its number before they are sorted */
    for (size_t i = 0; i < v->threads; i++)
        in[i] = list[in[i]].first;
    if (count)
        qsort(list, count, sizeof *list, by_time);
    for (size_t g = 0; g < count; g++) {
        const struct group *one = &list[g];
        char *count_text = counted(one->count, v->thread[one->first].seen->fibre);
        fprintf(to, "\n  %s%s %s", count_text, one->count == 1 ? "" : ", each", one->text);
        free(count_text);
        if (one->idle_ns >= 0 && one->idle_ns > 100000000)
            fprintf(to, "; %s run for %s", one->count == 1 ? "has not" : "one has not",
                    show_time(one->idle_ns, time, sizeof time));
        fputc('\n', to);
        print_members(to, v, in, one->first, one->count);
        print_stack(to, &v->shape[one->shape].stack);
        free(one->text);
    }
    free(list);
    free(in);
}

/* Nobody runs, but not all that could end a wait is in the process. */
static bool only_signals_wake(const struct view *v)
{
    if (!v->threads || !v->s->may_be_called)
        return false;
    for (size_t i = 0; i < v->threads; i++) {
        const struct wait *w = &v->thread[i].wait;
        if (w->kind == HD_EV_NONE || w->ends || w->woken)
            return false;
    }
    return true;
}

static void print_finding(FILE *to, const struct finding *f, bool bold)
{
    char *line =
        *f->text ? mem_format("%s: %s", finding_title(f->kind), f->text) : report_headline(f);
    fprintf(to, "%s%s%s\n", bold ? "\033[1m" : "", line, bold ? "\033[0m" : "");
    report_waits(to, f);
    free(line);
}

static void print_answer(FILE *to, const struct attached *a, bool bold)
{
    const struct view *v = last_of(a);
    for (size_t i = 0; i < a->findings.count; i++) {
        fputs(i ? "\n" : "", to);
        print_finding(to, a->findings.list[i], bold);
        char *aim = standstill_aim(a->look[a->looks - 1], a->findings.list[i]);
        if (aim)
            fprintf(to, "\n  To see it again under control:  heddle run --aim=deadlock:%s -- %s\n",
                    aim, v->s->program ? v->s->program : "PROGRAM");
        free(aim);
    }
    if (a->findings.count)
        return;
    fprintf(to, "%sno deadlock seen%s", bold ? "\033[1m" : "", bold ? "\033[0m" : "");
    if (only_signals_wake(v))
        fprintf(to,
                ": every thread waits for another, and only a signal handler or a timer of the "
                "program could wake one%s",
                v->s->pid ? "" : " (a core does not say whether it has any)");
    fputc('\n', to);
    for (size_t i = 0; i < v->threads; i++) {
        struct activity did = activity_of(a->look, a->at, a->looks, i);
        if (did.percent < HOT)
            continue;
        char *state = state_of(a, i, &did);
        fprintf(to, "  %s %s\n", v->thread[i].label, state);
        free(state);
    }
}

static void print_about(FILE *to, const struct attached *a)
{
    const struct view *v = last_of(a);
    char time[32];
    fprintf(to, "\n%s", v->s->program ? v->s->program : "The program");
    if (v->s->pid)
        fprintf(to, ", process %d", (int)v->s->pid);
    size_t fibres = fibres_of(v);
    char *threads = counted(v->threads - fibres, false), *others = counted(fibres, true);
    fprintf(to, ": %s%s%s%s, by what they wait for, longest first\n", threads,
            fibres ? ", and " : "", fibres ? others : "", fibres ? " that no thread carries" : "");
    free(threads);
    free(others);
    print_groups(to, a);
    if (v->s->pid) {
        fprintf(to, "\n%zu look%s; the process stood still for ", a->looks,
                a->looks == 1 ? "" : "s");
        for (size_t i = 0; i < a->looks; i++)
            fprintf(to, "%s%s", i ? ", " : "",
                    show_time(a->look[i]->s->stopped_ns, time, sizeof time));
        fputs(" and goes on\n", to);
    }
    for (size_t i = 0; i < v->s->missings; i++)
        fprintf(to, "not known: %s\n", v->s->missing[i]);
}

void attach_report(FILE *to, const struct attached *a, bool bold)
{
    print_answer(to, a, bold);
    print_about(to, a);
}

/* ---- JSON ---- */

static json_t *hex(uint64_t n)
{
    char text[32];
    snprintf(text, sizeof text, "0x%llx", (unsigned long long)n);
    return json_string(text);
}

static json_t *number_or_null(int64_t n)
{
    return n >= 0 ? json_integer(n) : json_null();
}

/* As people read it. */
static json_t *finding_text(const struct finding *f)
{
    char *text = NULL;
    size_t bytes = 0;
    FILE *out = open_memstream(&text, &bytes);
    if (!out)
        return json_null();
    print_finding(out, f, false);
    fclose(out);
    json_t *value = json_text(text);
    free(text);
    return value;
}

static json_t *json_thread(const struct attached *a, size_t i)
{
    const struct view *v = last_of(a);
    const struct viewed *t = &v->thread[i];
    const struct wait *w = &t->wait;
    struct activity did = activity_of(a->look, a->at, a->looks, i);
    char *state = state_of(a, i, &did);
    json_t *o = json_object();
    json_object_set_new(o, "thread", json_text(t->label));
    json_object_set_new(o, "tid", t->seen->fibre ? json_null() : json_integer(t->seen->tid));
    json_object_set_new(o, "name", json_text(*t->seen->name ? t->seen->name : NULL));
    json_object_set_new(o, "does", json_string(event_word(w->kind)));
    json_object_set_new(o, "text", json_text(state));
    json_object_set_new(o, "object", json_text(w->name));
    json_object_set_new(o, "address", w->object ? hex(w->object) : json_null());
    json_object_set_new(o, "mutex", w->with ? hex(w->with) : json_null());
    json_object_set_new(o, "holder",
                        w->holder != NOBODY ? json_text(v->thread[w->holder].label) : json_null());
    json_object_set_new(o, "holder_gone", w->gone ? json_integer(w->gone) : json_null());
    json_object_set_new(o, "ends_from_outside", json_boolean(w->ends));
    json_object_set_new(o, "percent", number_or_null(did.percent));
    json_object_set_new(o, "not_run_ns", number_or_null(did.idle_ns));
    json_object_set_new(o, "stack", json_frames(&v->shape[t->shape].stack));
    free(state);
    return o;
}

void attach_report_json(FILE *to, const struct attached *a, int code)
{
    const struct view *v = last_of(a);
    json_t *o = json_object(), *list = json_array();
    json_object_set_new(o, "schema", json_string("heddle-attach"));
    json_object_set_new(o, "version", json_integer(DOCUMENT_VERSION));
    json_object_set_new(o, "heddle", json_string(HEDDLE_VERSION));
    json_object_set_new(o, "program", json_text(v->s->program));
    json_object_set_new(o, "pid", v->s->pid ? json_integer(v->s->pid) : json_null());
    json_object_set_new(o, "exit_code", json_integer(code));
    for (size_t i = 0; i < a->looks; i++)
        json_array_append_new(list, json_integer(a->look[i]->s->stopped_ns));
    json_object_set_new(o, "stopped_ns", list);
    list = json_array();
    for (size_t i = 0; i < a->findings.count; i++) {
        json_t *one = report_json_finding(&a->findings, a->findings.list[i]);
        json_object_set_new(one, "report", finding_text(a->findings.list[i]));
        json_array_append_new(list, one);
    }
    json_object_set_new(o, "findings", list);
    list = json_array();
    for (size_t i = 0; i < v->threads; i++)
        json_array_append_new(list, json_thread(a, i));
    json_object_set_new(o, "threads", list);
    list = json_array();
    for (size_t i = 0; i < v->s->missings; i++)
        json_array_append_new(list, json_text(v->s->missing[i]));
    json_object_set_new(o, "not_known", list);
    json_dumpf(o, to, JSON_INDENT(2));
    fputc('\n', to);
    json_decref(o);
}
