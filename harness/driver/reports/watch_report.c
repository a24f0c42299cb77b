/* watch_report.c - see watch_report.h */
#include "watch_report.h"

#include <stdlib.h>
#include <string.h>

#include "campaign_lockgraph.h"
#include "findings/finding.h"
#include "symbols/symbol.h"
#include "util/alloc.h"
#include "util/complain.h"

struct watch_report {
    struct symbols *symbols;
    FILE *log;
    struct suppressions *suppressions;
    struct lockgraph *graph; /* NULL: not asked for */
    bool graph_whole;        /* all of it came */
    uint64_t shown, suppressed;
    char *map;
    size_t map_bytes, map_room;
    bool map_new;
    /* The finding whose report is not whole yet; NULL: none. */
    struct finding *finding;
    char *text;
    size_t text_bytes;
    FILE *held; /* into text */
    /* The dump that somebody asked for; NULL: none, or it has not begun. */
    FILE *copy;
    char *copied;
    size_t copied_bytes;
    bool copies; /* the next dump */
};

static void print_frame(FILE *to, const struct frame *f)
{
    if (f->function && f->file)
        fprintf(to, "%s  %s:%u", f->function, f->file, f->line);
    else if (f->function)
        fprintf(to, "%s  (%s+0x%llx)", f->function, f->module ? f->module : "?",
                (unsigned long long)f->offset);
    else
        fprintf(to, "%s+0x%llx", f->module ? f->module : "?", (unsigned long long)f->offset);
}

/* A code address: the place itself, or on a line of its own all functions inlined there. Our own
 * code and libc's start-up give nothing, and then the line goes, too. */
static bool print_code(struct watch_report *w, FILE *to, uint64_t pc, const char *indent)
{
    struct stack s = {0};
    symbols_frames(w->symbols, pc, true, &s);
    for (size_t i = 0; i < s.count && (indent || i == 0); i++) {
        if (i)
            fprintf(to, "\n%s", indent);
        print_frame(to, &s.frame[i]);
    }
    bool any = s.count != 0;
    stack_clear(&s);
    return any;
}

static void print_object(struct watch_report *w, FILE *to, uint64_t addr)
{
    char *name = symbols_variable(w->symbols, addr);
    if (name)
        fputs(name, to);
    else
        fprintf(to, "0x%llx", (unsigned long long)addr);
    free(name);
}

/* The line in words; false when nothing is left of it. */
static bool translate(struct watch_report *w, const char *line, FILE *to)
{
    const char *text = line + strspn(line, " ");
    char indent[16];
    bool alone =
        text[0] == '{' && text[1] == 'c' && strchr(text, '}') && strchr(text, '}')[1] == '\0';
    snprintf(indent, sizeof indent, "%.*s", (int)(text - line), line);
    for (const char *p = line; *p;) {
        char *end;
        if (*p != '{' || (p[1] != 'c' && p[1] != 'o')) {
            fputc(*p++, to);
            continue;
        }
        uint64_t addr = strtoull(p + 2, &end, 16);
        if (*end != '}') {
            fputc(*p++, to);
            continue;
        }
        if (p[1] == 'o')
            print_object(w, to, addr);
        else if (!print_code(w, to, addr, alone ? indent : NULL) && alone)
            return false;
        p = end + 1;
    }
    fputc('\n', to);
    return true;
}

/* Lines that begin with \1 are the program's memory map; an empty one begins it anew. */
static void take_map(struct watch_report *w, const char *line)
{
    size_t n = strlen(line);
    if (!n)
        w->map_bytes = 0;
    if (w->map_bytes + n + 2 > w->map_room) {
        char *larger = mem_zeroed(2 * (w->map_bytes + n + 2), 1);
        if (w->map_bytes)
            memcpy(larger, w->map, w->map_bytes);
        free(w->map);
        w->map = larger;
        w->map_room = 2 * (w->map_bytes + n + 2);
    }
    memcpy(w->map + w->map_bytes, line, n);
    w->map_bytes += n;
    w->map[w->map_bytes] = '\0';
    if (n)
        memcpy(w->map + w->map_bytes++, "\n", 2);
    w->map_new = true;
}

static uint32_t graph_node(struct watch_report *w, const struct hdp_lock *lock)
{
    bool is_new;
    uint32_t i = lockgraph_node(w->graph, lock,
                                lockgraph_place(w->graph, w->symbols, lock->created_site), &is_new);
    if (i != LOCKGRAPH_NONE && is_new) {
        struct lock_node *n = &w->graph->node[i];
        char *name = lock->addr ? symbols_variable(w->symbols, lock->addr) : NULL;
        n->home = name         ? name
                  : lock->addr ? mem_format("0x%llx", (unsigned long long)lock->addr)
                               : NULL;
    }
    return i;
}

static uint64_t next_number(const char **text, int base)
{
    char *end;
    uint64_t n = strtoull(*text, &end, base);
    *text = end;
    return n;
}

/* One end of an edge: its node and place. */
static uint32_t next_end(struct watch_report *w, const char **text, bool *shared,
                         const struct lock_place **at)
{
    struct hdp_lock lock = {.count = 1};
    lock.addr = next_number(text, 16);
    lock.created_site = next_number(text, 16);
    lock.kind = (uint16_t)next_number(text, 10);
    *shared = next_number(text, 10) != 0;
    *at = lockgraph_place(w->graph, w->symbols, next_number(text, 16));
    return graph_node(w, &lock);
}

/* A row of the lock-order graph: see instrument/observe/output.c. */
static void take_edge(struct watch_report *w, const char *line)
{
    struct lock_arc like = {0};
    const char *at = line + 1;
    uint32_t gate[HDP_LOCK_GATES];
    char thread[16] = "";
    int used = 0;
    if (*line == 'f') {
        w->graph->forgotten = strtoull(line + 1, NULL, 10);
        return;
    }
    if (*line == 'z') {
        w->graph_whole = true;
        return;
    }
    like.held = next_end(w, &at, &like.held_shared, &like.held_at);
    like.took = next_end(w, &at, &like.took_shared, &like.took_at);
    like.count = next_number(&at, 10) * (*line != 'r');
    sscanf(at, " %15s%n", thread, &used);
    at += used;
    like.gate = *line == 'r' ? NULL : gate;
    while (*at && like.gates < HDP_LOCK_GATES) {
        struct hdp_lock lock = {.addr = next_number(&at, 16), .count = 1};
        lock.created_site = next_number(&at, 16);
        gate[like.gates] = graph_node(w, &lock);
        like.gates += gate[like.gates] != LOCKGRAPH_NONE;
    }
    if (like.held == LOCKGRAPH_NONE || like.took == LOCKGRAPH_NONE)
        return;
    struct lock_arc *a = lockgraph_arc(w->graph, &like, thread, 0);
    if (a && *line == 'r')
        a->predicted = true;
}

/* "heddle: KIND: ...": the kind, or HD_FK_COUNT. */
static enum hd_finding_kind kind_in(const char *line)
{
    if (strncmp(line, "heddle: ", 8) != 0)
        return HD_FK_COUNT;
    char *word = mem_format("%.*s", (int)strcspn(line + 8, ":"), line + 8);
    enum hd_finding_kind kind = finding_kind(word);
    free(word);
    return kind;
}

/* What a suppression may name in the line: each address is a side of the finding, but frames that
 * stand alone in their lines are one stack. */
static void learn(struct watch_report *w, const char *line)
{
    static const char *const opening[] = {"{c", "{o"};
    bool alone = strncmp(line + strspn(line, " "), opening[0], 2) == 0;
    for (const char *p = line; (p = strchr(p, '{')); p++) {
        uint64_t addr = strtoull(p + 2, NULL, 16);
        struct finding *f = w->finding;
        if (strncmp(p, opening[1], 2) == 0) {
            finding_note(f, HD_ROLE_HERE)->object = symbols_variable(w->symbols, addr);
        } else if (strncmp(p, opening[0], 2) == 0) {
            struct note *last = f->notes ? &f->note[f->notes - 1] : NULL;
            bool goes_on = alone && last && last->stack.count;
            symbols_frames(w->symbols, addr, true,
                           goes_on ? &last->stack : &finding_note(f, HD_ROLE_HERE)->stack);
        }
    }
}

void watch_report_copy(struct watch_report *w)
{
    w->copies = true;
}

char *watch_report_copied(struct watch_report *w)
{
    char *text = w->copy ? NULL : w->copied;
    if (text)
        w->copied = NULL;
    return text;
}

static void copy(struct watch_report *w, const char *text)
{
    if (w->copies && strncmp(text, "heddle: dump of ", 16) == 0) {
        w->copies = false;
        w->copy = open_memstream(&w->copied, &w->copied_bytes);
    }
    if (!w->copy)
        return;
    fputs(text, w->copy);
    if (strncmp(text, "heddle: end of the dump", 23) == 0) {
        fclose(w->copy);
        w->copy = NULL;
    }
}

static void show(struct watch_report *w, const char *text)
{
    copy(w, text);
    fputs(text, stderr);
    if (w->log) {
        fputs(text, w->log);
        fflush(w->log);
    }
}

/* The report is whole. */
static void finish(struct watch_report *w)
{
    if (!w->finding)
        return;
    fclose(w->held);
    if (w->suppressions && suppress_matches(w->suppressions, w->finding)) {
        w->suppressed++;
    } else {
        w->shown++;
        show(w, w->text);
    }
    free(w->text);
    finding_free(w->finding);
    w->finding = NULL;
}

static void begin(struct watch_report *w, enum hd_finding_kind kind)
{
    finish(w);
    w->text = NULL;
    w->held = open_memstream(&w->text, &w->text_bytes);
    if (w->held)
        w->finding = finding_new(kind, TOOL_HEDDLE, NULL);
}

void watch_report_line(struct watch_report *w, const char *line)
{
    if (*line == '\1') {
        take_map(w, line + 1);
        return;
    }
    if (*line == '\3') {
        finish(w);
        return;
    }
    if (w->map_new)
        symbols_map(w->symbols, w->map);
    w->map_new = false;
    if (*line == '\2') {
        if (w->graph)
            take_edge(w, line + 1);
        return;
    }
    enum hd_finding_kind kind = kind_in(line);
    if (kind != HD_FK_COUNT)
        begin(w, kind);
    if (w->finding) {
        learn(w, line);
        translate(w, line, w->held);
        return;
    }
    char *text = NULL;
    size_t bytes = 0;
    FILE *to = open_memstream(&text, &bytes);
    if (!to)
        return;
    bool any = translate(w, line, to);
    fclose(to);
    if (any)
        show(w, text);
    free(text);
}

struct watch_report *watch_report_new(const char *library, FILE *log,
                                      struct suppressions *suppressions, bool graph)
{
    struct watch_report *w = mem_zeroed(1, sizeof *w);
    w->symbols = symbols_new();
    w->log = log;
    w->suppressions = suppressions;
    w->graph = graph ? lockgraph_new() : NULL;
    symbols_hide(w->symbols, library);
    return w;
}

uint64_t watch_report_end(struct watch_report *w, uint64_t *suppressed)
{
    finish(w);
    *suppressed = w->suppressed;
    return w->shown;
}

bool watch_report_save_graph(struct watch_report *w, const char *path, const char *program,
                             char **argv)
{
    struct lockgraph_about about = {"watch", program, argv};
    struct names none = {0};
    if (!w->graph_whole)
        complain("the program did not end by exit or SIGQUIT: %s has only the edges of locks that "
                 "were destroyed and of predicted deadlocks",
                 path);
    lockgraph_finish(w->graph, &none);
    char *why = lockgraph_save(w->graph, &about, path);
    if (why)
        complain("%s", why);
    bool saved = !why;
    free(why);
    return saved;
}

void watch_report_free(struct watch_report *w)
{
    lockgraph_free(w->graph);
    symbols_free(w->symbols);
    if (w->copy)
        fclose(w->copy);
    free(w->copied);
    free(w->map);
    free(w);
}
