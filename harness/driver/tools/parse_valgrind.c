/* parse_valgrind.c - the XML of Helgrind and DRD into findings.
 *
 * The log is a row of records: <announcethread> (where a thread was made), <error>, <fatal_signal>.
 * Each is cut out by its tags and given to expat by itself, for two reasons: a forked process goes
 * on in its parent's file, so that no part of that file is a document; and what a killed process or
 * somebody else's output broke costs one record.
 *
 * An error is a list of parts, each a sentence and the stack that follows it; the first says what
 * happened, the others explain. Helgrind's XML does not carry the locks held (its text does).
 */
#include "tool_log.h"

#include <expat.h>
#include <stdlib.h>
#include <string.h>

#include "util/alloc.h"
#include "util/span.h"

#define MAX_PARTS 24
#define MAX_THREADS 512
#define MAX_LEAF 2048
/* DRD does not know the other access, only a stretch of that thread's life: no place to show. */
#define OTHER_SEGMENT "other segment"

struct part {
    char *text; /* NULL until read */
    uint32_t thread;
    struct stack stack;
};

struct record {
    char kind[64];
    uint32_t thread; /* of an announcement */
    struct part part[MAX_PARTS];
    size_t parts;
    /* while reading */
    char leaf[MAX_LEAF + 1];
    size_t leaf_bytes;
    char *function, *module, *folder, *file;
    unsigned line;
    uint64_t ip;
};

static struct part *new_part(struct record *r)
{
    if (r->parts < MAX_PARTS)
        r->parts++;
    return &r->part[r->parts - 1];
}

static struct part *last_part(struct record *r)
{
    return r->parts ? &r->part[r->parts - 1] : new_part(r);
}

/* A sentence: the first of the record, or the head of a part. Two in a row without a stack between
 * are one ("... failed", "with error code 16"). */
static void take_sentence(struct record *r, const char *text, bool explains)
{
    struct part *p = last_part(r);

    if (explains || p->stack.count)
        p = new_part(r);
    if (!p->text) {
        p->text = mem_copy(text);
        return;
    }
    char *both = mem_format("%s; %s", p->text, text);
    free(p->text);
    p->text = both;
}

static void XMLCALL on_start(void *data, const XML_Char *name, const XML_Char **attributes)
{
    struct record *r = data;

    (void)attributes;
    r->leaf_bytes = 0;
    if (strcmp(name, "xauxwhat") == 0 ||
        (strcmp(name, "stack") == 0 && last_part(r)->stack.count)) /* a second one, no sentence */
        new_part(r);
    else if (strncmp(name, "other_segment", 13) == 0)
        take_sentence(r, OTHER_SEGMENT, true);
}

static void XMLCALL on_text(void *data, const XML_Char *text, int bytes)
{
    struct record *r = data;
    size_t n = (size_t)bytes, room = MAX_LEAF - r->leaf_bytes;

    if (n > room)
        n = room;
    memcpy(r->leaf + r->leaf_bytes, text, n);
    r->leaf_bytes += n;
}

static void take(char **to, const char *text)
{
    free(*to);
    *to = mem_copy(text);
}

static void push_frame(struct record *r)
{
    struct stack *s = &last_part(r)->stack;

    if (s->count < TOOL_LOG_FRAMES) {
        char *path =
            r->file && r->folder ? mem_format("%s/%s", r->folder, r->file) : mem_copy(r->file);
        stack_push(s, r->function, path, r->line, 0, r->module, r->ip);
        free(path);
    }
    take(&r->function, NULL);
    take(&r->module, NULL);
    take(&r->folder, NULL);
    take(&r->file, NULL);
    r->line = 0;
    r->ip = 0;
}

static void XMLCALL on_end(void *data, const XML_Char *name)
{
    struct record *r = data;
    const char *leaf = r->leaf;
    struct span hex = {leaf, 0};

    r->leaf[r->leaf_bytes] = '\0';
    hex.n = r->leaf_bytes;
    if (strcmp(name, "kind") == 0 || strcmp(name, "signame") == 0) {
        if (!r->kind[0])
            memcpy(r->kind, leaf, strnlen(leaf, sizeof r->kind - 1));
    } else if (strcmp(name, "hthreadid") == 0) {
        uint32_t id = (uint32_t)strtoul(leaf, NULL, 10);
        r->thread = id;
        last_part(r)->thread = id;
    } else if (strcmp(name, "what") == 0 || strcmp(name, "text") == 0) {
        take_sentence(r, leaf, false);
    } else if (strcmp(name, "auxwhat") == 0) {
        take_sentence(r, leaf, true);
    } else if (strcmp(name, "ip") == 0) {
        if (span_eat(&hex, LITERAL("0x"))) {
            for (size_t i = 0; i < r->leaf_bytes; i++)
                if (r->leaf[i] >= 'A' && r->leaf[i] <= 'F')
                    r->leaf[i] = (char)(r->leaf[i] - 'A' + 'a');
            span_number(&hex, 16, &r->ip);
        }
    } else if (strcmp(name, "obj") == 0) {
        take(&r->module, leaf);
    } else if (strcmp(name, "fn") == 0) {
        take(&r->function, leaf);
    } else if (strcmp(name, "dir") == 0) {
        take(&r->folder, leaf);
    } else if (strcmp(name, "file") == 0) {
        take(&r->file, leaf);
    } else if (strcmp(name, "line") == 0) {
        r->line = (unsigned)strtoul(leaf, NULL, 10);
    } else if (strcmp(name, "frame") == 0) {
        push_frame(r);
    }
    r->leaf_bytes = 0;
}

static void free_record(struct record *r)
{
    for (size_t i = 0; i < r->parts; i++) {
        free(r->part[i].text);
        stack_clear(&r->part[i].stack);
    }
    take(&r->function, NULL);
    take(&r->module, NULL);
    take(&r->folder, NULL);
    take(&r->file, NULL);
}

static bool read_record(struct span text, struct record *r)
{
    XML_Parser parser = XML_ParserCreate("UTF-8");

    *r = (struct record){0};
    if (!parser)
        return false;
    XML_SetUserData(parser, r);
    XML_SetElementHandler(parser, on_start, on_end);
    XML_SetCharacterDataHandler(parser, on_text);
    bool good = XML_Parse(parser, text.p, (int)text.n, XML_TRUE) == XML_STATUS_OK;
    XML_ParserFree(parser);
    return good && r->parts > 0;
}

/* Threads announced so far in this log: id and where made. */
struct threads {
    struct {
        uint32_t id;
        struct stack made;
    } list[MAX_THREADS];
    size_t count;
};

static void name_thread(struct note *n, uint32_t id)
{
    if (!id)
        return;
    n->thread_id = id;
    n->thread = id == 1 ? mem_copy("main") : mem_format("thread #%u", id);
}

static void move_stack(struct note *n, struct stack *from)
{
    n->stack = *from;
    *from = (struct stack){0};
}

static void copy_stack(struct note *n, const struct stack *from)
{
    for (size_t i = 0; i < from->count; i++) {
        const struct frame *fr = &from->frame[i];
        stack_push(&n->stack, fr->function, fr->file, fr->line, fr->column, fr->module, fr->offset);
    }
}

/* "... during read of size 4 at 0x4A4B048 by thread #3", "... previous write of size 4 by thread
 * #2", "Conflicting store by thread 3 at 0x04a6c038 size 4" */
static void read_access(struct note *n, const char *text)
{
    bool write = strstr(text, "write") || strstr(text, "store");
    const char *size = strstr(text, " size "), *at = strstr(text, " at 0x");
    const char *thread = strstr(text, " by thread ");
    unsigned bytes = size ? (unsigned)strtoul(size + 6, NULL, 10) : 0;

    n->kind = write ? HD_EV_WRITE : HD_EV_READ;
    n->extra = (bytes & HD_ACCESS_SIZE) | (write ? HD_ACCESS_WRITE : 0);
    n->text = mem_format("%s of %u byte%s", write ? "write" : "read", bytes, bytes == 1 ? "" : "s");
    if (at)
        n->addr = strtoull(at + 6, NULL, 16);
    if (thread && !n->thread_id) {
        thread += 11;
        name_thread(n, (uint32_t)strtoul(*thread == '#' ? thread + 1 : thread, NULL, 10));
    }
}

static bool has(const char *text, const char *words)
{
    return text && strstr(text, words);
}

/* "Address 0x10c1c0 is 0 bytes inside data symbol "d"" -> what stands behind "is". */
static void describe_place(struct finding *f, const char *text)
{
    const char *is = strstr(text, " is ");
    size_t n;

    if (!is || f->text[0])
        return;
    free(f->text);
    n = strlen(is + 4);
    if (n > 8 && strcmp(is + 4 + n - 8, " alloc'd") == 0)
        n -= 8;
    f->text = mem_format("%.*s", (int)n, is + 4);
}

static void fill_race(struct finding *f, struct record *r)
{
    struct note *n = finding_note(f, HD_ROLE_ACCESS);

    name_thread(n, r->part[0].thread);
    read_access(n, r->part[0].text);
    move_stack(n, &r->part[0].stack);
    for (size_t i = 1; i < r->parts; i++) {
        struct part *p = &r->part[i];
        if (has(p->text, OTHER_SEGMENT))
            continue;
        if (has(p->text, "conflicts with a previous")) {
            n = finding_note(f, HD_ROLE_PREVIOUS_ACCESS);
            name_thread(n, p->thread);
            read_access(n, p->text);
            move_stack(n, &p->stack);
        } else if (has(p->text, "alloc'd") || (!p->text && p->stack.count) ||
                   has(p->text, "at offset")) {
            if (p->text)
                describe_place(f, p->text);
            if (p->stack.count) {
                n = finding_note(f, HD_ROLE_ALLOCATED);
                move_stack(n, &p->stack);
            }
        } else if (p->text) {
            describe_place(f, p->text);
        }
    }
}

static void name_lock(struct note *n, const char *text, const char *before)
{
    const char *at = text ? strstr(text, before) : NULL;

    if (!at)
        return;
    uint64_t addr = strtoull(at + strlen(before), NULL, 16);
    n->object = mem_format("lock at 0x%llx", (unsigned long long)addr);
    n->object_id = (uint32_t)addr;
    n->addr = addr;
}

/* Thread T violates "A before B": it holds B and takes A; the order was made by taking A, then
 * B. */
static void fill_lock_order(struct finding *f, struct record *r)
{
    struct note *n = finding_note(f, HD_ROLE_EDGE_HELD);

    name_lock(n, r->part[0].text, "before ");
    name_thread(n, r->part[0].thread);
    n = finding_note(f, HD_ROLE_EDGE_TOOK);
    n->link = 0;
    n->kind = HD_EV_MUTEX_LOCK;
    name_lock(n, r->part[0].text, "order \"");
    name_thread(n, r->part[0].thread);
    move_stack(n, &r->part[0].stack);
    uint32_t held = 0;
    for (size_t i = 1; i < r->parts; i++) {
        struct part *p = &r->part[i];
        if (has(p->text, "Required order was established")) {
            held = (uint32_t)f->notes;
            n = finding_note(f, HD_ROLE_EDGE_HELD);
        } else if (has(p->text, "followed by a later acquisition")) {
            n = finding_note(f, HD_ROLE_EDGE_TOOK);
            n->kind = HD_EV_MUTEX_LOCK;
            n->link = held;
        } else {
            continue; /* "Lock at 0x.. was first observed": addresses of Helgrind's own */
        }
        name_lock(n, p->text, "lock at ");
        move_stack(n, &p->stack);
    }
}

static void fill_misuse(struct finding *f, struct record *r)
{
    struct note *n = finding_note(f, HD_ROLE_HERE);

    name_thread(n, r->part[0].thread);
    move_stack(n, &r->part[0].stack);
    free(f->text);
    const char *text = r->part[0].text ? r->part[0].text : r->kind;
    size_t digits = 0;
    /* "Thread #1: pthread_mutex_destroy of a locked mutex" */
    if (strncmp(text, "Thread #", 8) == 0) {
        digits = strspn(text + 8, "0123456789");
        if (strncmp(text + 8 + digits, ": ", 2) == 0)
            text += 8 + digits + 2;
    }
    f->text = mem_copy(text);
    for (size_t i = 1; i < r->parts && f->notes < TOOL_LOG_NOTES; i++)
        if (r->part[i].stack.count) {
            n = finding_note(f, HD_ROLE_EARLIER);
            n->text = mem_copy(r->part[i].text);
            name_thread(n, r->part[i].thread);
            move_stack(n, &r->part[i].stack);
        }
}

static const struct {
    const char *kind, *words; /* NULL: any */
    enum hd_finding_kind is;
} kinds[] = {
    {"Race", NULL, HD_FK_DATA_RACE},
    {"ConflictingAccess", NULL, HD_FK_DATA_RACE},
    {"LockOrder", NULL, HD_FK_LOCK_ORDER},
    {"UnlockUnlocked", NULL, HD_FK_UNLOCK_NOT_HELD},
    {"UnlockForeign", NULL, HD_FK_UNLOCK_NOT_OWNER},
    {"UnlockBogus", NULL, HD_FK_UNLOCK_NOT_HELD},
    {"SIGSEGV", NULL, HD_FK_CRASH},
    {"SIGBUS", NULL, HD_FK_CRASH},
    {"SIGFPE", NULL, HD_FK_CRASH},
    {"SIGILL", NULL, HD_FK_CRASH},
    {"SIGABRT", NULL, HD_FK_CRASH},
    {NULL, "of a locked", HD_FK_DESTROY_IN_USE},
    {NULL, "Destroying locked", HD_FK_DESTROY_IN_USE},
    {NULL, "being waited upon", HD_FK_DESTROY_IN_USE},
    {NULL, "still holds", HD_FK_LOCK_AT_EXIT},
    {NULL, "Recursive locking not allowed", HD_FK_SELF_DEADLOCK},
    {NULL, "Attempt to re-lock", HD_FK_SELF_DEADLOCK},
    {NULL, "not locked by calling thread", HD_FK_UNLOCK_NOT_OWNER},
    {NULL, "Mutex not locked", HD_FK_UNLOCK_NOT_HELD},
    {NULL, "un-held mutex", HD_FK_COND_NOT_LOCKED},
    {NULL, "mutex not held by thread", HD_FK_COND_NOT_LOCKED},
    {NULL, "cond is associated with a different mutex", HD_FK_COND_TWO_MUTEXES},
    {NULL, "used with two different mutexes", HD_FK_COND_TWO_MUTEXES},
};

static enum hd_finding_kind kind_of(const struct record *r)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (kinds[i].kind ? strcmp(kinds[i].kind, r->kind) == 0
                          : has(r->part[0].text, kinds[i].words))
            return kinds[i].is;
    return HD_FK_SYNC_MISUSE;
}

/* Where the threads of the finding were made. */
static void add_threads(struct finding *f, const struct threads *known)
{
    size_t notes = f->notes;

    for (size_t t = 0; t < known->count; t++)
        for (size_t i = 0; i < notes; i++)
            if (f->note[i].thread_id == known->list[t].id && known->list[t].made.count) {
                struct note *n = finding_note(f, HD_ROLE_CREATED);
                n->object = mem_format("thread #%u", known->list[t].id);
                copy_stack(n, &known->list[t].made);
                break;
            }
}

static void take_error(struct span text, enum tool tool, const struct threads *known,
                       struct tool_log *log)
{
    struct record r;

    if (!read_record(text, &r) || !r.kind[0] || !r.part[0].stack.count) {
        tool_log_add_raw(log, tool, text.p, text.n);
        free_record(&r);
        return;
    }
    enum hd_finding_kind kind = kind_of(&r);
    struct finding *f = finding_new(kind, tool, NULL);
    f->fatal = kind == HD_FK_CRASH;
    if (kind == HD_FK_DATA_RACE && r.part[0].text)
        fill_race(f, &r);
    else if (kind == HD_FK_LOCK_ORDER)
        fill_lock_order(f, &r);
    else
        fill_misuse(f, &r);
    add_threads(f, known);
    tool_log_add(log, f);
    free_record(&r);
}

static void take_thread(struct span text, struct threads *known)
{
    struct record r;

    if (read_record(text, &r) && r.thread && known->count < MAX_THREADS) {
        known->list[known->count].id = r.thread;
        known->list[known->count].made = r.part[0].stack;
        known->count++;
        r.part[0].stack = (struct stack){0};
    }
    free_record(&r);
}

static const struct {
    struct span open, close;
    bool error;
} records[] = {
    {{"<announcethread>", 16}, {"</announcethread>", 17}, false},
    {{"<error>", 7}, {"</error>", 8}, true},
    {{"<fatal_signal>", 14}, {"</fatal_signal>", 15}, true},
};

#define RECORDS (sizeof records / sizeof *records)

/* Cut the record of kind `which` that begins at the head of s. False: it was cut off in the middle,
 * *record reaches to where the next one begins. */
static bool cut_record(struct span s, size_t which, struct span *record)
{
    struct span inner = {s.p + 1, s.n - 1};
    size_t next, end;

    if (span_find(inner, records[which].open, &next))
        s.n = next + 1;
    *record = s;
    if (!span_find(s, records[which].close, &end))
        return false;
    record->n = end + records[which].close.n;
    return true;
}

void parse_valgrind(const char *text, size_t bytes, enum tool tool, struct tool_log *log)
{
    struct threads *known = mem_zeroed(1, sizeof *known);
    size_t at = 0, next[RECORDS] = {0}; /* where the next one of each kind begins */

    for (bool first = true;; first = false) {
        size_t which = 0;
        for (size_t i = 0; i < RECORDS; i++) {
            struct span rest = {text + at, bytes - at};
            if (first || next[i] < at)
                next[i] = span_find(rest, records[i].open, &next[i]) ? next[i] + at : bytes;
            if (next[i] < next[which])
                which = i;
        }
        if (next[which] >= bytes)
            break;
        struct span record, rest = {text + next[which], bytes - next[which]};
        bool whole = cut_record(rest, which, &record);
        if (!records[which].error)
            take_thread(record, known);
        else if (whole)
            take_error(record, tool, known, log);
        else
            tool_log_add_raw(log, tool, record.p, record.n);
        at = next[which] + record.n;
    }
    for (size_t i = 0; i < known->count; i++)
        stack_clear(&known->list[i].made);
    free(known);
}
