/* suppress.c - see suppress.h */
#include "suppress.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "util/alloc.h"
#include "util/read_file.h"

#define FILE_BOUND (16u << 20)
#define ALL_KINDS (~(uint64_t)0)
#define BIT(kind) ((uint64_t)1 << HD_FK_##kind)

enum field { ANY, FUN, SRC, VAR, OBJ, GAP };

struct pattern {
    enum field field;
    char *text;
    char *glob; /* the same as fnmatch() takes it */
};

struct suppression {
    uint64_t kinds; /* of findings */
    struct pattern *frame;
    size_t frames;
    bool stack; /* the patterns are frames, in this order from the innermost */
    char *file, *said;
    unsigned line;
    uint64_t used;
};

struct suppressions {
    struct suppression *list;
    size_t count, passed_over;
};

/* Words of other tools. No kinds: it means nothing here. */
static const struct {
    const char *word;
    uint64_t kinds;
} foreign[] = {
    {"race", BIT(DATA_RACE) | BIT(PREDICTED_RACE) | BIT(USE_AFTER_FREE)},
    {"race_top", BIT(DATA_RACE) | BIT(PREDICTED_RACE) | BIT(USE_AFTER_FREE)},
    {"deadlock", BIT(LOCK_ORDER) | BIT(DEADLOCK)},
    {"thread", BIT(LEAK_UNJOINED) | BIT(LEAK_BLOCKED)},
    {"mutex",
     BIT(UNLOCK_NOT_HELD) | BIT(UNLOCK_NOT_OWNER) | BIT(DESTROY_IN_USE) | BIT(USE_AFTER_DESTROY)},
    {"signal", 0},
    {"called_from_lib", 0},
    {"Helgrind:Race", BIT(DATA_RACE)},
    {"Helgrind:LockOrder", BIT(LOCK_ORDER)},
    {"Helgrind:FreeMemLock", BIT(DESTROY_IN_USE)},
    {"Helgrind:UnlockUnlocked", BIT(UNLOCK_NOT_HELD)},
    {"Helgrind:UnlockForeign", BIT(UNLOCK_NOT_OWNER)},
    {"Helgrind:Misc", BIT(SYNC_MISUSE) | BIT(LOCK_AT_EXIT) | BIT(DESTROY_IN_USE)},
    {"drd:ConflictingAccess", BIT(DATA_RACE)},
    {"drd:MutexErr", BIT(UNLOCK_NOT_HELD) | BIT(UNLOCK_NOT_OWNER) | BIT(DESTROY_IN_USE)},
};

struct suppressions *suppress_new(void)
{
    return mem_zeroed(1, sizeof(struct suppressions));
}

static void drop_pattern(struct pattern *p)
{
    free(p->text);
    free(p->glob);
}

static void drop(struct suppression *x)
{
    for (size_t i = 0; i < x->frames; i++)
        drop_pattern(&x->frame[i]);
    free(x->frame);
    free(x->file);
    free(x->said);
}

void suppress_free(struct suppressions *s)
{
    for (size_t i = 0; s && i < s->count; i++)
        drop(&s->list[i]);
    if (s)
        free(s->list);
    free(s);
}

/* ---- reading ---- */

struct reader {
    const char *name, *at, *end;
    unsigned line;
    const char *text; /* of the line, without blanks at either end */
    size_t bytes;
    unsigned column; /* of text */
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

/* The next line that says something. False: the end. */
static bool next_line(struct reader *r)
{
    while (r->at < r->end) {
        const char *begin = r->at, *stop = memchr(begin, '\n', (size_t)(r->end - begin));
        stop = stop ? stop : r->end;
        r->at = stop < r->end ? stop + 1 : r->end;
        r->line++;
        const char *first = begin;
        while (first < stop && is_blank(*first))
            first++;
        while (stop > first && is_blank(stop[-1]))
            stop--;
        if (first == stop || *first == '#')
            continue;
        r->text = first;
        r->bytes = (size_t)(stop - first);
        r->column = (unsigned)(first - begin) + 1;
        return true;
    }
    return false;
}

static char *refuse(const struct reader *r, size_t offset, const char *why)
{
    return mem_format("%s:%u:%u: %s", r->name, r->line, r->column + (unsigned)offset, why);
}

static char *part(const char *text, size_t bytes)
{
    return mem_format("%.*s", (int)bytes, text);
}

static bool is(const char *text, size_t bytes, const char *word)
{
    return strlen(word) == bytes && memcmp(text, word, bytes) == 0;
}

/* The kinds that a word means; false: it is none. */
static bool kinds_of(const char *text, size_t bytes, uint64_t *kinds)
{
    for (unsigned k = 0; k < HD_FK_COUNT; k++)
        if (is(text, bytes, finding_word((enum hd_finding_kind)k))) {
            *kinds = (uint64_t)1 << k;
            /* TSan's deadlock: is its lock-order report */
            if (k == HD_FK_DEADLOCK)
                *kinds |= BIT(LOCK_ORDER);
            return true;
        }
    for (size_t i = 0; i < sizeof foreign / sizeof *foreign; i++)
        if (is(text, bytes, foreign[i].word)) {
            *kinds = foreign[i].kinds;
            return true;
        }
    *kinds = ALL_KINDS;
    return is(text, bytes, "*");
}

static enum field field_of(const char **text, size_t *bytes)
{
    static const struct {
        const char *prefix;
        enum field field;
    } fields[] = {{"fun:", FUN}, {"src:", SRC}, {"var:", VAR}, {"obj:", OBJ}};
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        if (*bytes > 4 && memcmp(*text, fields[i].prefix, 4) == 0) {
            *text += 4;
            *bytes -= 4;
            return fields[i].field;
        }
    return ANY;
}

/* Only * and ? are special, and ^ and $ at the ends: without them it may stand anywhere. Valgrind's
 * match the whole name. */
static char *glob_of(const char *text, bool whole)
{
    size_t bytes = strlen(text);
    bool from_start = whole || *text == '^';
    bool to_end = whole || (bytes > from_start && text[bytes - 1] == '$');
    char *glob = mem_zeroed(2 * bytes + 3, 1), *to = glob;
    if (!whole) {
        text += from_start;
        bytes -= (size_t)from_start + to_end;
    }
    if (!from_start)
        *to++ = '*';
    for (; bytes; bytes--, text++) {
        if (*text == '[' || *text == '\\')
            *to++ = '\\';
        *to++ = *text;
    }
    if (!to_end)
        *to++ = '*';
    return glob;
}

static void add_pattern(struct suppression *x, enum field field, char *text, bool whole)
{
    x->frame = mem_grow(x->frame, x->frames, sizeof *x->frame);
    x->frame[x->frames++] = (struct pattern){field, text, glob_of(text, whole)};
}

static void add(struct suppressions *s, struct suppression *x)
{
    s->list = mem_grow(s->list, s->count, sizeof *s->list);
    s->list[s->count++] = *x;
}

static bool has_zero(const char *text, size_t bytes)
{
    return memchr(text, '\0', bytes) != NULL;
}

static char *parse_line(struct suppressions *s, const struct reader *r)
{
    const char *colon = memchr(r->text, ':', r->bytes);
    uint64_t kinds;
    if (!colon)
        return refuse(r, r->bytes, "a suppression is kind:pattern, here is no colon");
    size_t n = (size_t)(colon - r->text), rest = r->bytes - n - 1;
    const char *pattern = colon + 1;
    if (!kinds_of(r->text, n, &kinds))
        return refuse(r, 0, "there is no such kind of finding");
    if (!rest)
        return refuse(r, r->bytes, "a pattern is missing behind the colon");
    if (has_zero(r->text, r->bytes))
        return refuse(r, n + 1, "a pattern is text");
    if (!kinds) {
        s->passed_over++;
        return NULL;
    }
    struct suppression x = {.kinds = kinds,
                            .file = mem_copy(r->name),
                            .line = r->line,
                            .said = part(r->text, r->bytes)};
    enum field field = field_of(&pattern, &rest);
    add_pattern(&x, field, part(pattern, rest), false);
    add(s, &x);
    return NULL;
}

/* Frames of the call itself, which our stacks begin below of. */
static bool is_call(const struct pattern *p)
{
    static const char *const calls[] = {"pthread_", "mutex_", "sem_", "__pthread_"};
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
        if (p->field == FUN && strncmp(p->text, calls[i], strlen(calls[i])) == 0)
            return true;
    return false;
}

/* A block in braces; r stands at the brace. */
static char *parse_block(struct suppressions *s, struct reader *r)
{
    struct suppression x = {.file = mem_copy(r->name), .line = r->line, .stack = true};
    char *why = NULL;
    uint64_t kinds = 0;
    if (r->bytes != 1)
        why = refuse(r, 1, "the brace stands alone on its line");
    else if (!next_line(r))
        why = refuse(r, 0, "the block ends before its name");
    else
        x.said = part(r->text, r->bytes);
    if (!why && !next_line(r)) {
        why = refuse(r, 0, "the block ends before its kind (Helgrind:Race)");
    } else if (!why && !memchr(r->text, ':', r->bytes)) {
        why = refuse(r, r->bytes, "a kind is Tool:Kind, here is no colon");
    } else if (!why && (!kinds_of(r->text, r->bytes, &kinds) || kinds == ALL_KINDS)) {
        kinds = 0; /* of a tool that looks for something else */
    }
    while (!why) {
        if (!next_line(r)) {
            why = refuse(r, 0, "the block is not closed");
            break;
        }
        const char *text = r->text;
        size_t bytes = r->bytes;
        if (is(text, bytes, "}"))
            break;
        enum field field = is(text, bytes, "...") ? GAP : field_of(&text, &bytes);
        if ((field == ANY || field == VAR) && kinds)
            why = refuse(r, 0, "a frame is fun:, obj:, src: or ...");
        else if (has_zero(text, bytes))
            why = refuse(r, 0, "a pattern is text");
        else if (kinds)
            add_pattern(&x, field, part(text, bytes), true);
    }
    size_t calls = 0;
    while (calls < x.frames && is_call(&x.frame[calls]))
        drop_pattern(&x.frame[calls++]);
    x.frames -= calls;
    if (x.frames)
        memmove(x.frame, x.frame + calls, x.frames * sizeof *x.frame);
    x.kinds = x.frames ? kinds : 0; /* it would be every finding of the kind */
    if (why || !x.kinds) {
        s->passed_over += !why;
        drop(&x);
        return why;
    }
    add(s, &x);
    return NULL;
}

char *suppress_parse(struct suppressions *s, const char *name, const char *text, size_t bytes)
{
    struct reader r = {.name = name, .at = text, .end = text + bytes};
    char *why = NULL;
    while (!why && next_line(&r))
        why = *r.text == '{' ? parse_block(s, &r) : parse_line(s, &r);
    return why;
}

char *suppress_read(struct suppressions *s, const char *path)
{
    size_t bytes;
    char *text = read_file(path, FILE_BOUND + 1, &bytes), *why;
    if (!text)
        return mem_format("cannot read the suppressions in %s: %s", path, strerror(errno));
    if (bytes > FILE_BOUND)
        why = mem_format("%s is larger than 16 MiB: those are no suppressions", path);
    else
        why = suppress_parse(s, path, text, bytes);
    free(text);
    return why;
}

/* ---- matching ---- */

static bool text_matches(const struct pattern *x, const char *text)
{
    return text && fnmatch(x->glob, text, 0) == 0;
}

static bool frame_matches(const struct pattern *x, const struct frame *f)
{
    switch (x->field) {
    case FUN:
        return text_matches(x, f->function);
    case SRC:
        return text_matches(x, f->file);
    case OBJ:
        return text_matches(x, f->module);
    case ANY:
        return text_matches(x, f->function) || text_matches(x, f->file) ||
               text_matches(x, f->module);
    case VAR:
    case GAP:
        break;
    }
    return false;
}

/* The frames x[0..n) one after the other from the innermost of s on; a gap is any number. */
static bool stack_matches(const struct pattern *x, size_t n, const struct stack *s)
{
    size_t p = 0, i = 0, gap = n, back = 0;
    while (p < n) {
        if (x[p].field == GAP) {
            gap = ++p;
            back = i;
        } else if (i < s->count && frame_matches(&x[p], &s->frame[i])) {
            p++;
            i++;
        } else if (gap < n && back < s->count) {
            p = gap;
            i = ++back;
        } else {
            return false;
        }
    }
    return true;
}

static bool note_matches(const struct suppression *x, const struct note *n)
{
    if (x->stack)
        return n->stack.count && stack_matches(x->frame, x->frames, &n->stack);
    const struct pattern *p = x->frame;
    if ((p->field == ANY || p->field == VAR) && text_matches(p, n->object))
        return true;
    for (size_t i = 0; i < n->stack.count; i++)
        if (frame_matches(p, &n->stack.frame[i]))
            return true;
    return false;
}

bool suppress_matches(struct suppressions *s, const struct finding *f)
{
    for (size_t i = 0; i < s->count; i++) {
        struct suppression *x = &s->list[i];
        if (!(x->kinds >> f->kind & 1))
            continue;
        for (size_t k = 0; k < f->notes; k++)
            if (note_matches(x, &f->note[k])) {
                x->used++;
                return true;
            }
    }
    return false;
}

/* What tells the thread of a leak from others: the function that it began with, or the one that
 * made it. */
static const struct frame *telling_frame(const struct finding *f)
{
    for (size_t i = 0; i < f->notes; i++) {
        const struct note *n = &f->note[i];
        if (n->stack.count && finding_decides(f->kind, n->role))
            return &n->stack.frame[n->role == HD_ROLE_WAITS ? n->stack.count - 1 : 0];
    }
    return NULL;
}

char *suppress_line(const struct finding *f)
{
    const struct frame *frame = telling_frame(f);

    if (frame && frame->function)
        return mem_format("%s:^%s$", finding_word(f->kind), frame->function);
    if (!frame || !frame->module)
        return NULL;
    /* Without the library's version. */
    const char *so = strstr(frame->module, ".so");
    return mem_format("%s:obj:%.*s", finding_word(f->kind),
                      (int)(so ? so + 3 - frame->module : (ptrdiff_t)strlen(frame->module)),
                      frame->module);
}

size_t suppress_unused(const struct suppressions *s, FILE *to)
{
    size_t n = 0;
    for (size_t i = 0; i < s->count; i++)
        if (!s->list[i].used) {
            n++;
            fprintf(to, "heddle: %s:%u: \"%s\" suppressed nothing\n", s->list[i].file,
                    s->list[i].line, s->list[i].said);
        }
    return n;
}

size_t suppress_count(const struct suppressions *s)
{
    return s->count;
}

size_t suppress_passed_over(const struct suppressions *s)
{
    return s->passed_over;
}
