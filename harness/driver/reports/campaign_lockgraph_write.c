/* campaign_lockgraph_write.c - the lock-order graph as DOT (for graphviz) and as JSON
 * (docs/json.md). */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "campaign_lockgraph.h"
#include "json_text.h"
#include "util/alloc.h"
#include "util/whole_file.h"

/* A class with more locks than this is drawn as one box; those of a predicted deadlock stay. */
#define DRAWN_ONE_BY_ONE 8u

/* ---- JSON ---- */

static json_t *numbers(const uint32_t *n, size_t count)
{
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(list, json_integer(n[i]));
    return list;
}

static json_t *words(const char *const *text, size_t count)
{
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(list, json_text(text[i]));
    return list;
}

static json_t *lock_json(const struct lock_node *n)
{
    json_t *o = json_object();
    json_object_set_new(o, "name", json_text(n->name));
    json_object_set_new(o, "kind", json_string(n->kind ? object_word(n->kind) : "lock"));
    json_object_set_new(o, "class", json_boolean(n->is_class));
    json_object_set_new(o, "locks", json_integer((json_int_t)n->count));
    json_object_set_new(o, "made_at", json_frames(lockgraph_stack(n->created)));
    return o;
}

static json_t *arc_json(const struct lock_arc *a)
{
    json_t *o = json_object();
    json_object_set_new(o, "held", json_integer(a->held));
    json_object_set_new(o, "held_at", json_frames(lockgraph_stack(a->held_at)));
    json_object_set_new(o, "held_mode", json_string(a->held_shared ? "read" : "write"));
    json_object_set_new(o, "took", json_integer(a->took));
    json_object_set_new(o, "took_at", json_frames(lockgraph_stack(a->took_at)));
    json_object_set_new(o, "took_mode", json_string(a->took_shared ? "read" : "write"));
    json_object_set_new(o, "gates", numbers(a->gate, a->gates));
    json_object_set_new(o, "threads", words((const char *const *)a->thread, a->threads));
    json_object_set_new(o, "count", json_integer((json_int_t)a->count));
    json_object_set_new(o, "schedules", json_integer((json_int_t)a->schedules));
    json_object_set_new(o, "predicted", json_boolean(a->predicted));
    json_object_set_new(o, "findings", words(a->finding, a->findings));
    return o;
}

static void write_json(FILE *to, const struct lockgraph *g, const struct lockgraph_about *about)
{
    json_t *doc = json_object(), *locks = json_array(), *edges = json_array(), *args = json_array(),
           *program = json_object();
    for (char *const *a = about->argv; *a; a++)
        json_array_append_new(args, json_text(*a));
    for (size_t i = 0; i < g->nodes; i++)
        json_array_append_new(locks, lock_json(&g->node[i]));
    for (size_t i = 0; i < g->arcs; i++)
        json_array_append_new(edges, arc_json(&g->arc[i]));
    json_object_set_new(program, "path", json_text(about->program));
    json_object_set_new(program, "arguments", args);
    json_object_set_new(doc, "schema", json_string("heddle-lock-graph"));
    json_object_set_new(doc, "version", json_integer(1));
    json_object_set_new(doc, "heddle", json_string(HEDDLE_VERSION));
    json_object_set_new(doc, "source", json_string(about->source));
    json_object_set_new(doc, "program", program);
    json_object_set_new(doc, "schedules", json_integer((json_int_t)g->schedules));
    json_object_set_new(doc, "schedules_without", json_integer((json_int_t)g->without));
    json_object_set_new(doc, "locks_dropped", json_integer((json_int_t)g->locks_dropped));
    json_object_set_new(doc, "edges_dropped", json_integer((json_int_t)g->arcs_dropped));
    json_object_set_new(doc, "orders_forgotten", json_integer((json_int_t)g->forgotten));
    json_object_set_new(doc, "locks", locks);
    json_object_set_new(doc, "edges", edges);
    json_dumpf(doc, to, JSON_INDENT(1) | JSON_ENSURE_ASCII);
    fputc('\n', to);
    json_decref(doc);
}

/* ---- DOT ---- */

/* Inside a quoted string. */
static void quote(FILE *to, const char *text)
{
    for (const unsigned char *p = (const unsigned char *)text; *p; p++) {
        if (*p == '"' || *p == '\\')
            fputc('\\', to);
        fputc(*p < 0x20 || *p >= 0x7f ? '?' : *p, to);
    }
}

static void quote_place(FILE *to, const struct lock_place *p)
{
    const struct stack *s = lockgraph_stack(p);
    const struct frame *f = s->count ? &s->frame[0] : NULL;
    char *text = !f        ? mem_copy("an unknown place")
                 : f->file ? mem_format("%s%s%s:%u", f->function ? f->function : "",
                                        f->function ? "() " : "", base_name(f->file), f->line)
                           : mem_format("%s%s%s+0x%llx", f->function ? f->function : "",
                                        f->function ? "() " : "", f->module ? f->module : "?",
                                        (unsigned long long)f->offset);
    quote(to, text);
    free(text);
}

struct drawing {
    const struct lockgraph *g;
    uint32_t *box;   /* node that stands for each node */
    uint64_t *locks; /* that a box stands for */
    bool *shown;     /* an edge begins or ends there */
};

static bool one_class(const struct lock_node *a, const struct lock_node *b)
{
    return a->created && a->created == b->created && a->kind == b->kind;
}

static const struct lockgraph *sorting; /* for qsort; the driver has one thread */

static int by_class(const void *a, const void *b)
{
    uint32_t i = *(const uint32_t *)a, k = *(const uint32_t *)b;
    const struct lock_node *x = &sorting->node[i], *y = &sorting->node[k];
    uintptr_t p = (uintptr_t)x->created, q = (uintptr_t)y->created;
    int order = (p > q) - (p < q);
    order = order ? order : (x->kind > y->kind) - (x->kind < y->kind);
    return order ? order : (i > k) - (i < k);
}

static void arrange(struct drawing *d)
{
    const struct lockgraph *g = d->g;
    bool *alone = mem_zeroed(g->nodes + 1, sizeof *alone);
    uint32_t *order = mem_zeroed(g->nodes + 1, sizeof *order);
    for (size_t i = 0; i < g->arcs; i++) {
        const struct lock_arc *a = &g->arc[i];
        alone[a->held] |= a->predicted;
        alone[a->took] |= a->predicted;
    }
    for (uint32_t i = 0; i < g->nodes; i++) {
        order[i] = d->box[i] = i;
        d->locks[i] = g->node[i].count;
    }
    sorting = g;
    qsort(order, g->nodes, sizeof *order, by_class);
    for (size_t i = 0, k; i < g->nodes; i = k) {
        uint32_t first = UINT32_MAX;
        for (k = i + 1; k < g->nodes && one_class(&g->node[order[i]], &g->node[order[k]]); k++)
            ;
        for (size_t n = i; n < k && k - i > DRAWN_ONE_BY_ONE; n++) {
            uint32_t at = order[n];
            if (alone[at])
                continue;
            if (first == UINT32_MAX)
                first = at;
            else
                d->locks[first] += d->locks[at];
            d->box[at] = first;
        }
    }
    for (size_t i = 0; i < g->arcs; i++)
        d->shown[d->box[g->arc[i].held]] = d->shown[d->box[g->arc[i].took]] = true;
    free(alone);
    free(order);
}

static void draw_boxes(FILE *to, const struct drawing *d)
{
    for (size_t i = 0; i < d->g->nodes; i++) {
        const struct lock_node *n = &d->g->node[i];
        if (d->box[i] != i || !d->shown[i])
            continue;
        fprintf(to, "  n%zu [label=\"", i);
        if (d->locks[i] > 1) {
            const char *word = n->kind ? object_word(n->kind) : "lock";
            fprintf(to, "%llu %s%s", (unsigned long long)d->locks[i], word, lockgraph_plural(word));
        } else {
            quote(to, n->name);
        }
        if (n->created) {
            fputs("\\nmade or first used at ", to);
            quote_place(to, n->created);
        }
        fputs(d->locks[i] > 1 ? "\", peripheries=2];\n" : "\"];\n", to);
    }
}

/* An edge that stands for several, by their boxes and places. */
struct drawn {
    uint32_t from, to;
    const struct lock_arc *arc;
    uint64_t count;
};

static int by_ends(const void *a, const void *b)
{
    const struct drawn *x = a, *y = b;
    const void *p[] = {x->arc->held_at, x->arc->took_at}, *q[] = {y->arc->held_at, y->arc->took_at};
    int order = (x->from > y->from) - (x->from < y->from);
    order = order ? order : (x->to > y->to) - (x->to < y->to);
    order = order ? order : x->arc->predicted - y->arc->predicted;
    order = order ? order : memcmp(p, q, sizeof p);
    return order ? order : (x->arc > y->arc) - (x->arc < y->arc);
}

static bool drawn_as_one(const struct drawn *x, const struct drawn *y)
{
    return x->from == y->from && x->to == y->to && !x->arc->predicted && !y->arc->predicted &&
           x->arc->held_at == y->arc->held_at && x->arc->took_at == y->arc->took_at;
}

static void draw_edge(FILE *to, const struct lockgraph *g, const struct drawn *e)
{
    const struct lock_arc *a = e->arc;
    fprintf(to, "  n%u -> n%u [label=\"%s", e->from, e->to, a->held_shared ? "read at " : "");
    quote_place(to, a->held_at);
    fprintf(to, "\\nthen %s", a->took_shared ? "read at " : "");
    quote_place(to, a->took_at);
    for (size_t i = 0; i < a->threads && i < 4; i++) {
        fputs(i ? ", " : "\\nby ", to);
        quote(to, a->thread[i]);
    }
    fputs(a->threads > 4 ? ", ..." : "", to);
    if (a->schedules)
        fprintf(to, "\\nin %llu schedule%s", (unsigned long long)a->schedules,
                a->schedules == 1 ? "" : "s");
    for (size_t i = 0; i < a->gates; i++) {
        fputs(i ? ", " : "\\nwhile holding ", to);
        quote(to, g->node[a->gate[i]].name);
    }
    for (size_t i = 0; i < a->findings; i++) {
        fputs(i ? ", " : "\\n", to);
        quote(to, a->finding[i]);
    }
    fprintf(to, "\", weight=%llu%s%s];\n",
            (unsigned long long)(e->count < 100 ? e->count + 1 : 100),
            a->held_shared && a->took_shared ? ", style=dashed" : "",
            a->predicted ? ", color=red, fontcolor=red, penwidth=2" : "");
}

static void draw_edges(FILE *to, const struct drawing *d)
{
    const struct lockgraph *g = d->g;
    struct drawn *list = mem_zeroed(g->arcs + 1, sizeof *list);
    for (size_t i = 0; i < g->arcs; i++)
        list[i] = (struct drawn){d->box[g->arc[i].held], d->box[g->arc[i].took], &g->arc[i],
                                 g->arc[i].count};
    qsort(list, g->arcs, sizeof *list, by_ends);
    for (size_t i = 0, k; i < g->arcs; i = k) {
        for (k = i + 1; k < g->arcs && drawn_as_one(&list[i], &list[k]); k++)
            list[i].count += list[k].count;
        draw_edge(to, g, &list[i]);
    }
    free(list);
}

static void write_dot(FILE *to, const struct lockgraph *g, const struct lockgraph_about *about)
{
    struct drawing d = {.g = g,
                        .box = mem_zeroed(g->nodes + 1, sizeof *d.box),
                        .locks = mem_zeroed(g->nodes + 1, sizeof *d.locks),
                        .shown = mem_zeroed(g->nodes + 1, sizeof *d.shown)};
    arrange(&d);
    fputs("digraph \"lock order\" {\n  label=\"lock order of ", to);
    quote(to, base_name(about->program));
    if (g->schedules)
        fprintf(to, ", %llu schedules", (unsigned long long)g->schedules);
    if (g->locks_dropped || g->arcs_dropped)
        fprintf(to, "; %llu locks and %llu edges did not fit", (unsigned long long)g->locks_dropped,
                (unsigned long long)g->arcs_dropped);
    if (g->forgotten)
        fprintf(to, "; %llu orders forgotten: not every deadlock is predicted",
                (unsigned long long)g->forgotten);
    fputs("\";\n  node [shape=box, fontname=\"sans-serif\"];\n"
          "  edge [fontname=\"sans-serif\", fontsize=10];\n",
          to);
    draw_boxes(to, &d);
    draw_edges(to, &d);
    fputs("}\n", to);
    free(d.box);
    free(d.locks);
    free(d.shown);
}

/* ---- files ---- */

static const char *suffix(const char *path)
{
    const char *dot = strrchr(base_name(path), '.');
    return dot && dot != base_name(path) && (strcmp(dot, ".dot") == 0 || strcmp(dot, ".json") == 0)
               ? dot
               : NULL;
}

/* Folder of path; free() it. */
char *lockgraph_check(const char *path)
{
    struct stat st;
    if (!suffix(path))
        return mem_format("--lock-graph wants a file whose name ends in .dot or .json, not \"%s\"",
                          path);
    char *folder = whole_file_folder(path), *why = NULL;
    if (stat(folder, &st) != 0 || !S_ISDIR(st.st_mode))
        why = mem_format("--lock-graph: there is no folder %s", folder);
    else if (access(folder, W_OK | X_OK) != 0)
        why = mem_format("--lock-graph: nothing can be written to %s: %s", folder, strerror(errno));
    else if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
        why = mem_format("--lock-graph: %s is a folder", path);
    free(folder);
    return why;
}

char *lockgraph_save(const struct lockgraph *g, const struct lockgraph_about *about,
                     const char *path)
{
    const char *ending = suffix(path);
    char *text = NULL, *why = NULL;
    size_t bytes = 0;
    FILE *out = open_memstream(&text, &bytes);
    if (!out || !ending)
        return mem_format("%s cannot be written: %s", path, strerror(errno));
    if (strcmp(ending, ".dot") == 0)
        write_dot(out, g, about);
    else
        write_json(out, g, about);
    fclose(out);
    int error = whole_file_replace(path, text, bytes);
    if (error)
        why = mem_format("%s cannot be written: %s", path, strerror(error));
    free(text);
    return why;
}
