/* story_document.c - see story_document.h
 *
 * The rows are written first, to memory: they say which objects and places the tables before them are to have.
 * The program writes the region, and may be broken: every index is checked.
 */
#include "story_document.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "json_text.h"
#include "source_place.h"
#include "util/alloc.h"
#include "util/fault_words.h"
#include "util/read_file.h"

#define NONE UINT32_MAX
/* Lines of source around a place, and in all. */
#define AROUND 12u
#define SOURCE_LINES 20000u
#define SOURCE_BOUND (32u << 20)
#define LINE_BOUND 400

/* An object of the story, by its id. */
struct told_object {
    uint32_t id, index;
    enum hd_object kind;
    int64_t room, level; /* of a channel or semaphore */
    bool has_level;
    UT_hash_handle hh;
};

struct told_place {
    uint64_t site;
    uint32_t index;
    UT_hash_handle hh;
};

/* Who last did what orders those that come after it. */
struct sender {
    uint64_t clock;
    uint32_t thread, step;
    UT_hash_handle hh;
};

struct thread_index {
    uint32_t hash, index;
    UT_hash_handle hh;
};

struct story {
    const struct scene *scene;
    const struct hdp_region *region;
    FILE *rows;
    bool any_row;
    uint32_t first; /* of the rows; 0: with what was before the first decision */
    uint32_t end, threads, objects, places;
    struct told_object *object;
    struct told_place *place;
    struct frame *frame; /* of each place */
    struct sender *sender;
    struct thread_index *thread;
    /* What holds where the rows begin. */
    const struct hdp_story_event **held;
    size_t helds;
    const struct hdp_story_event **waits; /* of each thread, or NULL */
};

/* ---- tables ---- */

static void write_text(FILE *to, const char *value)
{
    json_t *text = json_text(value);
    json_dumpf(text, to, JSON_ENCODE_ANY | JSON_ENSURE_ASCII);
    json_decref(text);
}

static uint32_t thread_of(const struct story *s, uint32_t hash)
{
    struct thread_index *t;
    HASH_FIND(hh, s->thread, &hash, sizeof hash, t);
    return t ? t->index : NONE;
}

static struct told_object *object_of(struct story *s, uint32_t id, unsigned event)
{
    struct told_object *o;

    if (!id)
        return NULL;
    HASH_FIND(hh, s->object, &id, sizeof id, o);
    if (o)
        return o;
    o = mem_zeroed(1, sizeof *o);
    o->id = id;
    o->index = s->objects++;
    o->kind = scene_kind(s->scene, id, event);
    HASH_ADD(hh, s->object, id, sizeof o->id, o);
    return o;
}

static uint32_t object_index(struct story *s, uint32_t id, unsigned event)
{
    const struct told_object *o = object_of(s, id, event);
    return o ? o->index : NONE;
}

static uint32_t place_of_frame(struct story *s, const struct frame *f)
{
    s->frame = mem_grow(s->frame, s->places, sizeof *s->frame);
    s->frame[s->places] = (struct frame){.function = mem_copy(f->function),
                                         .file = mem_copy(f->file),
                                         .module = mem_copy(f->module),
                                         .line = f->line,
                                         .column = f->column,
                                         .offset = f->offset};
    return s->places++;
}

/* The innermost frame of a note that has a file, as a place of its own. */
static uint32_t place_of_note(struct story *s, const struct note *n)
{
    for (size_t i = 0; i < n->stack.count; i++)
        if (n->stack.frame[i].file)
            return place_of_frame(s, &n->stack.frame[i]);
    return n->stack.count ? place_of_frame(s, &n->stack.frame[0]) : NONE;
}

static uint32_t place_of(struct story *s, uint64_t site)
{
    struct told_place *p;

    if (!site)
        return NONE;
    HASH_FIND(hh, s->place, &site, sizeof site, p);
    if (p)
        return p->index;
    struct stack frames = {0};
    scene_place(s->scene, site, &frames);
    p = mem_zeroed(1, sizeof *p);
    p->site = site;
    p->index = frames.count ? place_of_frame(s, &frames.frame[0]) : NONE;
    stack_clear(&frames);
    HASH_ADD(hh, s->place, site, sizeof p->site, p);
    return p->index;
}

/* ---- rows ---- */

struct row {
    const char *what, *event;
    uint32_t step, thread, object, place, other;
    int64_t n;
    bool has_n;
};

static void write_index(FILE *to, uint32_t index)
{
    if (index == NONE)
        fputs("null", to);
    else
        fprintf(to, "%u", index);
}

/* [step, thread, what, event, object, place, other, n]; nulls at the end are left out. */
static void write_row(struct story *s, const struct row *r)
{
    const uint32_t index[] = {r->object, r->place, r->other};
    size_t told = 3;

    while (told && !r->has_n && index[told - 1] == NONE)
        told--;
    fprintf(s->rows, "%s\n[%u,", s->any_row ? "," : "", r->step);
    write_index(s->rows, r->thread);
    fprintf(s->rows, ",\"%s\"", r->what);
    if (r->event)
        fprintf(s->rows, ",\"%s\"", r->event);
    else if (told)
        fputs(",null", s->rows);
    for (size_t i = 0; i < told; i++) {
        fputc(',', s->rows);
        write_index(s->rows, index[i]);
    }
    if (r->has_n)
        fprintf(s->rows, ",%lld", (long long)r->n);
    fputc(']', s->rows);
    s->any_row = true;
}

static void write_step(struct story *s, uint32_t number)
{
    const struct hdp_step *at = &s->region->trace[number - 1];
    bool choice = (at->flags & HDP_STEP_CHOICE) != 0;
    uint32_t fault = hdp_step_is_fault(at) ? HDP_STEP_DETAIL(at->flags) : HDP_FAULT_KINDS;
    bool fails = fault < HDP_FAULT_KINDS;
    struct row r = {.what = fails                           ? "fails"
                            : choice                        ? "chooses"
                            : at->flags & HDP_STEP_TIMEOUT  ? "times-out"
                            : at->flags & HDP_STEP_SPURIOUS ? "wakes-for-no-reason"
                            : at->flags & HDP_STEP_CANCEL   ? "is-cancelled"
                                                            : "does",
                    .event = fails    ? fault_words[fault].text
                             : choice ? NULL
                                      : event_word(at->kind),
                    .step = number,
                    .thread = thread_of(s, at->thread),
                    .object = choice ? NONE : object_index(s, at->object, at->kind),
                    .place = place_of(s, at->site),
                    .other = NONE,
                    .n = at->choice,
                    .has_n = choice};
    write_row(s, &r);
}

static void write_event(struct story *s, uint32_t step, const struct hdp_story_event *e)
{
    static const char *const words[HDP_STORY_KINDS] = {
        [HDP_STORY_WAITS] = "waits",       [HDP_STORY_CASE] = "or-for",
        [HDP_STORY_GOES_ON] = "may-go-on", [HDP_STORY_TAKES] = "takes",
        [HDP_STORY_GIVES] = "gives",       [HDP_STORY_MAKES] = "makes",
        [HDP_STORY_BEGINS] = "begins",     [HDP_STORY_ENDS] = "ends",
        [HDP_STORY_JOINS] = "joins"};
    bool site = e->what == HDP_STORY_WAITS || e->what == HDP_STORY_TAKES ||
                e->what == HDP_STORY_GIVES || e->what == HDP_STORY_MAKES;
    struct row r = {.what = words[e->what],
                    .event = e->kind ? event_word(e->kind) : NULL,
                    .step = step,
                    .thread = e->thread < s->threads ? e->thread : NONE,
                    .object = object_index(s, e->object, e->kind),
                    .place = site ? place_of(s, e->site) : NONE,
                    .other = e->other < s->threads ? e->other : NONE,
                    .n = e->n,
                    .has_n = e->what == HDP_STORY_TAKES && e->n};
    write_row(s, &r);
}

/* How many values are in a channel, or units in a semaphore; false: that does not change, or is not known. */
static bool level(struct told_object *o, const struct hdp_story_event *e)
{
    bool channel = o->kind == HD_OB_CHAN;
    int64_t n = e->n;

    switch (e->what) {
    case HDP_STORY_ROOM:
        o->has_level = n > 0 || (n == 0 && !channel);
        o->room = n;
        o->level = channel ? 0 : n;
        return o->has_level;
    case HDP_STORY_FILLED:
        o->level += channel ? n : -n;
        return o->has_level;
    case HDP_STORY_MOVES:
        n = e->kind == HD_EV_CHAN_SEND || e->kind == HD_EV_SEM_POST ? n
            : e->kind == HD_EV_CHAN_RECV || e->kind == HD_EV_SEM_WAIT ||
                    e->kind == HD_EV_SEM_TRYWAIT || e->kind == HD_EV_HD_SEMAPHORE
                ? -n
                : 0;
        o->level += n;
        return o->has_level && n;
    default:
        return false;
    }
}

static void write_level(struct story *s, uint32_t step, uint32_t thread,
                        const struct told_object *o)
{
    write_row(s, &(struct row){.what = "level",
                               .step = step,
                               .thread = thread < s->threads ? thread : NONE,
                               .object = o->index,
                               .place = NONE,
                               .other = NONE,
                               .n = o->level,
                               .has_n = true});
}

static struct sender *sender_of(struct story *s, uint64_t clock)
{
    struct sender *from;
    HASH_FIND(hh, s->sender, &clock, sizeof clock, from);
    return from;
}

static void note_sender(struct story *s, const struct hdp_story_event *e)
{
    struct sender *from = sender_of(s, e->site);

    if (!from) {
        from = mem_zeroed(1, sizeof *from);
        from->clock = e->site;
        HASH_ADD(hh, s->sender, clock, sizeof from->clock, from);
    }
    from->thread = e->thread;
    from->step = e->step;
}

static void write_order(struct story *s, const struct hdp_story_event *e)
{
    const struct sender *from = sender_of(s, e->site);

    if (!from || from->thread == e->thread || from->thread >= s->threads || from->step < s->first)
        return;
    write_row(s, &(struct row){.what = "after",
                               .step = e->step,
                               .thread = e->thread < s->threads ? e->thread : NONE,
                               .object = object_index(s, e->object, e->kind),
                               .place = NONE,
                               .other = from->thread,
                               .n = from->step,
                               .has_n = true});
}

/* ---- what holds where the rows begin ---- */

static void take_in(struct story *s, const struct hdp_story_event *e)
{
    if (e->thread >= s->threads)
        return;
    switch (e->what) {
    case HDP_STORY_TAKES:
        s->held = mem_grow(s->held, s->helds, sizeof *s->held);
        s->held[s->helds++] = e;
        break;
    case HDP_STORY_GIVES:
        for (size_t i = 0; i < s->helds; i++)
            if (s->held[i]->thread == e->thread && s->held[i]->object == e->object) {
                s->held[i] = s->held[--s->helds];
                break;
            }
        break;
    case HDP_STORY_WAITS:
        s->waits[e->thread] = e;
        break;
    case HDP_STORY_GOES_ON:
    case HDP_STORY_ENDS:
        s->waits[e->thread] = NULL;
        break;
    default:
        break;
    }
}

static void write_beginning(struct story *s)
{
    for (size_t i = 0; i < s->helds; i++)
        write_event(s, s->first - 1, s->held[i]);
    for (uint32_t t = 0; t < s->threads; t++)
        if (s->waits[t])
            write_event(s, s->first - 1, s->waits[t]);
    for (struct told_object *o = s->object; o; o = o->hh.next)
        if (o->has_level)
            write_level(s, s->first - 1, NONE, o);
}

static void tell(struct story *s, const struct hdp_story_event *e)
{
    struct told_object *o;
    bool told = e->step >= s->first;

    switch (e->what) {
    case HDP_STORY_SENT:
        note_sender(s, e);
        break;
    case HDP_STORY_RECEIVED:
        if (told)
            write_order(s, e);
        break;
    case HDP_STORY_ROOM:
    case HDP_STORY_FILLED:
    case HDP_STORY_MOVES:
        o = object_of(s, e->object, e->kind);
        if (o && level(o, e) && told)
            write_level(s, e->step, e->thread, o);
        break;
    default:
        if (told)
            write_event(s, e->step, e);
        else
            take_in(s, e);
    }
}

static void write_rows(struct story *s)
{
    const struct hdp_story *from = &s->region->story;
    uint32_t events = from->events < HDP_STORY_EVENTS ? from->events : HDP_STORY_EVENTS, i = 0;

    for (uint32_t step = 0; step <= s->end; step++) {
        if (step && step == s->first)
            write_beginning(s);
        if (step && step >= s->first)
            write_step(s, step);
        for (; i < events && from->event[i].step <= step; i++)
            if (from->event[i].what < HDP_STORY_KINDS)
                tell(s, &from->event[i]);
    }
}

/* ---- the document ---- */

static void write_threads(FILE *to, const struct story *s)
{
    const struct hdp_region *r = s->region;

    fputs(",\n\"threads\": [", to);
    for (uint32_t i = 0; i < s->threads; i++) {
        char *text = scene_thread(s->scene, r->thread[i].hash), *name = NULL;
        name = mem_format("%.31s", r->thread[i].name);
        fprintf(to, "%s\n{\"name\": ", i ? "," : "");
        write_text(to, name);
        fputs(", \"text\": ", to);
        write_text(to, text);
        fputs(", \"made_by\": ", to);
        write_index(to, i && r->thread[i].creator < s->threads ? r->thread[i].creator : NONE);
        fputc('}', to);
        free(text);
        free(name);
    }
    fputc(']', to);
}

static int by_index(const struct told_object *a, const struct told_object *b)
{
    return a->index < b->index ? -1 : a->index > b->index;
}

/* As reports call it; an access is known by its word, which variables may share. */
static char *object_text(const struct story *s, const struct told_object *o)
{
    const struct hdp_object *entry =
        o->kind == HD_OB_MEMORY ? scene_object_entry(s->region, o->id) : NULL;
    char *word = entry && !entry->label[0] ? scene_word(s->scene, entry) : NULL;
    char *text = word ? mem_format("%s %s (%s)", object_word(o->kind),
                                   names_object(s->scene->objects, o->id, o->kind), word)
                      : scene_object(s->scene, o->id, o->kind);

    free(word);
    return text;
}

static void write_objects(FILE *to, struct story *s)
{
    HASH_SORT(s->object, by_index);
    fputs(",\n\"objects\": [", to);
    for (const struct told_object *o = s->object; o; o = o->hh.next) {
        char *text = object_text(s, o);
        uint32_t thread = NONE;
        for (uint32_t i = 0; o->kind == HD_OB_THREAD && i < s->threads; i++)
            if (thread_object(s->region->thread[i].hash) == o->id)
                thread = i;
        fprintf(to, "%s\n{\"name\": ", o->index ? "," : "");
        if (thread == NONE) {
            write_text(to, names_object(s->scene->objects, o->id, o->kind));
        } else {
            char *name = mem_format("%.31s", s->region->thread[thread].name);
            write_text(to, name);
            free(name);
        }
        fputs(", \"kind\": ", to);
        write_text(to, object_word(o->kind));
        fputs(", \"text\": ", to);
        write_text(to, text);
        fputs(", \"thread\": ", to);
        write_index(to, thread);
        if (o->has_level)
            fprintf(to, ", \"room\": %lld}", (long long)o->room);
        else
            fputs(", \"room\": null}", to);
        free(text);
    }
    fputc(']', to);
}

static void write_places(FILE *to, const struct story *s)
{
    fputs(",\n\"places\": [", to);
    for (uint32_t i = 0; i < s->places; i++) {
        const struct frame *f = &s->frame[i];
        fprintf(to, "%s\n{\"function\": ", i ? "," : "");
        write_text(to, f->function);
        fputs(", \"file\": ", to);
        write_text(to, f->file);
        fputs(", \"line\": ", to);
        write_index(to, f->line ? f->line : NONE);
        fputs(", \"column\": ", to);
        write_index(to, f->column ? f->column : NONE);
        fputs(", \"module\": ", to);
        write_text(to, f->module);
        fputc('}', to);
    }
    fputc(']', to);
}

/* ---- source ---- */

static int by_file(const void *a, const void *b)
{
    const struct frame *x = *(const struct frame *const *)a, *y = *(const struct frame *const *)b;
    int order = strcmp(x->file, y->file);
    return order ? order : x->line < y->line ? -1 : x->line > y->line;
}

static void write_line(FILE *to, const char *line, size_t n)
{
    char *copy = mem_format("%.*s", (int)(n < LINE_BOUND ? n : LINE_BOUND), line);
    write_text(to, copy);
    free(copy);
}

/* The lines around those `count` places of one file, as ranges that do not touch. */
static void write_file(FILE *to, const struct frame *const *at, size_t count, const char *program,
                       uint32_t *left, bool *any)
{
    char *path = source_find(at[0]->file, program), *text = NULL;
    size_t bytes, i = 0;
    unsigned line = 1;
    bool open = false;

    if (path)
        text = read_file(path, SOURCE_BOUND, &bytes);
    for (char *p = text; p && *p && i < count && *left; line++) {
        size_t n = strcspn(p, "\n");
        while (i < count && at[i]->line + AROUND < line)
            i++;
        bool near = i < count && line + AROUND >= at[i]->line;
        if (open && !near)
            fputs("]}", to);
        if (near && !open) {
            fprintf(to, "%s\n{\"file\": ", *any ? "," : "");
            write_text(to, at[0]->file);
            fprintf(to, ", \"first\": %u, \"lines\": [", line);
            *any = true;
        }
        if (near) {
            fputs(open ? "," : "", to);
            write_line(to, p, n && p[n - 1] == '\r' ? n - 1 : n);
            --*left;
        }
        open = near;
        p += n + (p[n] != '\0');
    }
    if (open)
        fputs("]}", to);
    free(text);
    free(path);
}

static void write_sources(FILE *to, const struct story *s, const char *program)
{
    const struct frame **at = mem_zeroed(s->places + 1u, sizeof *at);
    size_t count = 0;
    uint32_t left = SOURCE_LINES;
    bool any = false;

    for (uint32_t i = 0; i < s->places; i++)
        if (s->frame[i].file && s->frame[i].line)
            at[count++] = &s->frame[i];
    qsort(at, count, sizeof(*at), by_file);
    fputs(",\n\"sources\": [", to);
    for (size_t i = 0, n; i < count; i += n) {
        for (n = 1; i + n < count && strcmp(at[i]->file, at[i + n]->file) == 0; n++)
            ;
        write_file(to, at + i, n, program, &left, &any);
    }
    fputc(']', to);
    free(at);
}

/* ---- what of it matters for the finding ---- */

static void write_relation(FILE *to, struct story *s, const struct finding *f, const char *name,
                           enum hd_role role)
{
    bool any = false;

    fprintf(to, ",\n\"%s\": [", name);
    for (size_t i = 0; i < f->notes; i++) {
        const struct note *n = &f->note[i];
        uint32_t thread = thread_of(s, n->thread_id);
        if (n->role != role || thread == NONE || !n->object_id)
            continue;
        fprintf(to, "%s[%u, %u]", any ? ", " : "", thread, object_index(s, n->object_id, n->kind));
        any = true;
    }
    fputc(']', to);
}

static void write_accesses(FILE *to, struct story *s, const struct finding *f)
{
    bool any = false;

    fputs(",\n\"accesses\": [", to);
    for (size_t i = 0; i < f->notes; i++) {
        const struct note *n = &f->note[i];
        uint32_t thread = thread_of(s, n->thread_id);
        if (!n->step || thread == NONE)
            continue;
        fprintf(to, "%s{\"step\": %u, \"thread\": %u, \"text\": ", any ? ", " : "", n->step,
                thread);
        write_text(to, n->text);
        fputs(", \"object\": ", to);
        write_text(to, n->object);
        fputs(", \"place\": ", to);
        write_index(to, place_of_note(s, n));
        fputc('}', to);
        any = true;
    }
    fputc(']', to);
}

/* Where it ended, after the last decision. */
static void write_end(FILE *to, struct story *s, const struct finding *f)
{
    const char *what = f->kind == HD_FK_CRASH       ? "crashes"
                       : f->kind == HD_FK_ASSERTION ? "assertion fails"
                       : f->kind == HD_FK_PANIC     ? "panics"
                                                    : NULL;

    for (size_t i = 0; what && i < f->notes; i++) {
        const struct note *n = &f->note[i];
        uint32_t thread = thread_of(s, n->thread_id);
        if (n->role != HD_ROLE_HERE || thread == NONE)
            continue;
        char *text = mem_format("%s: %s", what, f->text);
        fprintf(to, ",\n\"end\": {\"thread\": %u, \"text\": ", thread);
        write_text(to, text);
        fputs(", \"place\": ", to);
        write_index(to, place_of_note(s, n));
        fputc('}', to);
        free(text);
        return;
    }
    fputs(",\n\"end\": null", to);
}

static void write_matter(FILE *to, struct story *s, const struct finding *f)
{
    uint32_t last = 0;
    bool any = false;

    fputs(",\n\"moments\": [", to);
    for (size_t i = 0; i < f->moments; i++) {
        uint32_t step = f->moment[i].step;
        if (!step || step == last)
            continue;
        fprintf(to, "%s%u", any ? ", " : "", step);
        last = step;
        any = true;
    }
    fputc(']', to);
    write_relation(to, s, f, "waits", HD_ROLE_WAITS);
    write_relation(to, s, f, "holds", HD_ROLE_HOLDS);
    write_relation(to, s, f, "could_wake", HD_ROLE_COULD_WAKE);
    write_relation(to, s, f, "would_wake", HD_ROLE_WOULD_WAKE);
    write_relation(to, s, f, "lock_held", HD_ROLE_EDGE_HELD);
    write_relation(to, s, f, "lock_took", HD_ROLE_EDGE_TOOK);
    write_accesses(to, s, f);
    write_end(to, s, f);
}

/* ---- begin and end ---- */

static void begin(struct story *s, const struct scene *scene, uint32_t end)
{
    const struct hdp_region *r = scene->region;
    uint32_t steps = r->result.steps < HDP_STEPS ? r->result.steps : HDP_STEPS;

    *s = (struct story){.scene = scene, .region = r};
    s->end = end && end < steps ? end : steps;
    s->first = s->end > STORY_STEPS ? s->end - STORY_STEPS + 1 : 0;
    s->threads = r->thread_count < HDP_THREADS ? r->thread_count : HDP_THREADS;
    s->waits = mem_zeroed(s->threads + 1u, sizeof *s->waits);
    for (uint32_t i = 0; i < s->threads; i++) {
        struct thread_index *t = mem_zeroed(1, sizeof *t);
        t->hash = r->thread[i].hash;
        t->index = i;
        HASH_ADD(hh, s->thread, hash, sizeof t->hash, t);
    }
}

#define FORGET(table)                                                                              \
    do {                                                                                           \
        while (table) {                                                                            \
            void *entry = table;                                                                   \
            HASH_DEL(table, table);                                                                \
            free(entry);                                                                           \
        }                                                                                          \
    } while (0)

static void forget(struct story *s)
{
    FORGET(s->object);
    FORGET(s->place);
    FORGET(s->sender);
    FORGET(s->thread);
    for (uint32_t i = 0; i < s->places; i++) {
        free(s->frame[i].function);
        free(s->frame[i].file);
        free(s->frame[i].module);
    }
    free(s->frame);
    free(s->held);
    free(s->waits);
}

char *story_document(const struct scene *scene, const struct finding *f, uint32_t end,
                     const char *program, size_t *bytes)
{
    struct story s;
    char *rows = NULL, *text = NULL;
    size_t row_bytes = 0;

    begin(&s, scene, end);
    s.rows = open_memstream(&rows, &row_bytes);
    FILE *to = open_memstream(&text, bytes);
    if (s.rows && to) {
        write_rows(&s);
        fprintf(to,
                "{\"schema\": \"heddle-story\", \"version\": %d, \"heddle\": \"%s\",\n"
                "\"steps\": %u, \"first\": %u, \"whole\": %s",
                STORY_VERSION, HEDDLE_VERSION, s.end, s.first ? s.first : 1,
                s.region->story.full ? "false" : "true");
        write_matter(to, &s, f);
        write_threads(to, &s);
        write_objects(to, &s);
        write_places(to, &s);
        write_sources(to, &s, program);
    }
    if (s.rows)
        fclose(s.rows);
    if (to) {
        fprintf(to, ",\n\"rows\": [%s]}\n", rows ? rows : "");
        fclose(to);
    }
    free(rows);
    forget(&s);
    return text;
}
