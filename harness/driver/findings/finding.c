/* finding.c - see finding.h */
#include "finding.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/alloc.h"
#include "util/by_value.h"
#include "wire/hash.h"

/* So many findings of one campaign may have a fingerprint and other places. */
#define SAME_FINGERPRINT 64u

static const struct {
    const char *word, *title;
} kinds[HD_FK_COUNT] = {
#define FINDING(NAME, word, title, advice, plant) [HD_FK_##NAME] = {word, title},
#include "wire/finding_kinds.inc"
};

const char *finding_word(enum hd_finding_kind kind)
{
    return (unsigned)kind < HD_FK_COUNT ? kinds[kind].word : "unknown";
}

const char *finding_title(enum hd_finding_kind kind)
{
    return (unsigned)kind < HD_FK_COUNT ? kinds[kind].title : "unknown finding";
}

enum hd_finding_kind finding_kind(const char *word)
{
    for (unsigned i = 0; i < HD_FK_COUNT; i++)
        if (strcmp(kinds[i].word, word) == 0)
            return (enum hd_finding_kind)i;
    return HD_FK_COUNT;
}

const char *finding_tools(unsigned tools, char *buffer, size_t bytes)
{
    static const char *const names[] = {"heddle", "tsan", "helgrind", "drd", "the program"};
    size_t used = 0;
    buffer[0] = '\0';
    for (unsigned i = 0; i < sizeof names / sizeof *names; i++) {
        if (!(tools & 1u << i) || used >= bytes)
            continue;
        int n = snprintf(buffer + used, bytes - used, "%s%s", used ? ", " : "", names[i]);
        used += n > 0 ? (size_t)n : 0;
    }
    return buffer;
}

struct finding *finding_new(enum hd_finding_kind kind, enum tool tool, const char *text)
{
    struct finding *f = mem_zeroed(1, sizeof *f);
    f->kind = kind;
    f->tools = tool;
    f->text = mem_copy(text ? text : "");
    f->count = 1;
    return f;
}

void finding_forget_moments(struct finding *f)
{
    for (size_t i = 0; i < f->moments; i++) {
        free(f->moment[i].thread);
        free(f->moment[i].what);
        free(f->moment[i].place);
    }
    free(f->moment);
    f->moment = NULL;
    f->moments = 0;
}

void finding_free(struct finding *f)
{
    if (!f)
        return;
    for (size_t i = 0; i < f->notes; i++) {
        free(f->note[i].thread);
        free(f->note[i].object);
        free(f->note[i].text);
        free(f->note[i].history);
        stack_clear(&f->note[i].stack);
    }
    free(f->note);
    finding_forget_moments(f);
    free(f->text);
    free(f->fault);
    free(f->doubtful);
    free(f->raw);
    free(f->schedule_file);
    free(f->schedule_text);
    free(f->shrunk.file);
    free(f->report_file);
    free(f->output_file);
    free(f->error_file);
    free(f->story);
    free(f->story_file);
    free(f->strategy);
    free(f->name);
    free(f->same_as);
    free(f->same_cause);
    free(f);
}

struct note *finding_note(struct finding *f, enum hd_role role)
{
    f->note = mem_grow(f->note, f->notes, sizeof *f->note);
    struct note *n = &f->note[f->notes];
    *n = (struct note){.role = role, .link = (uint32_t)f->notes};
    f->notes++;
    return n;
}

void finding_moment(struct finding *f, uint32_t step, const char *thread, const char *what,
                    const char *place)
{
    f->moment = mem_grow(f->moment, f->moments, sizeof *f->moment);
    f->moment[f->moments++] = (struct moment){
        .step = step, .thread = mem_copy(thread), .what = mem_copy(what), .place = mem_copy(place)};
}

static uint64_t mix_text(uint64_t h, const char *text)
{
    return hash_bytes(h, text, strlen(text) + 1);
}

static uint64_t mix_frame(uint64_t h, const struct frame *fr)
{
    if (fr->file && fr->line) {
        const char *slash = strrchr(fr->file, '/');
        h = mix_text(h, slash ? slash + 1 : fr->file);
        h = hash_bytes(h, &fr->line, sizeof fr->line);
        return h;
    }
    if (fr->function && !fr->module)
        return mix_text(h, fr->function);
    h = mix_text(h, fr->module ? fr->module : "?");
    return hash_bytes(h, &fr->offset, sizeof fr->offset);
}

bool finding_decides(enum hd_finding_kind kind, enum hd_role role)
{
    switch (role) {
    case HD_ROLE_ACCESS:
    case HD_ROLE_PREVIOUS_ACCESS:
    case HD_ROLE_EDGE_TOOK:
    case HD_ROLE_WAITED:
    case HD_ROLE_NEEDED:
        return true;
    case HD_ROLE_WAITS:
        return true;
    case HD_ROLE_HERE: /* who notices that all sleep is chance */
        return kind != HD_FK_DEADLOCK && kind != HD_FK_LOST_WAKEUP && kind != HD_FK_LEAK_BLOCKED &&
               kind != HD_FK_USE_AFTER_FREE && kind != HD_FK_EXIT_CODE;
    case HD_ROLE_CREATED:
        return kind == HD_FK_LEAK_UNJOINED || kind == HD_FK_LEAK_OBJECT;
    case HD_ROLE_HOLDS:
        return kind == HD_FK_LOCK_AT_EXIT;
    case HD_ROLE_EARLIER:
        return kind == HD_FK_USE_AFTER_FREE || kind == HD_FK_DOUBLE_FREE;
    case HD_ROLE_FREED: /* too early, whoever uses it then */
        return kind == HD_FK_USE_AFTER_FREE;
    case HD_ROLE_COULD_WAKE:
    case HD_ROLE_ALLOCATED:
    case HD_ROLE_EDGE_HELD:
    case HD_ROLE_WOKE:
    case HD_ROLE_CASE:
    case HD_ROLE_INTERRUPTED:
    case HD_ROLE_WITH:
    case HD_ROLE_WOULD_WAKE:
    case HD_ROLE_LAST_OP:
    case HD_ROLE_COUNT:
        return false;
    }
    return false;
}

/* A join waits for whoever is stuck: it says nothing about the bug unless it is all there is. */
static bool is_only_waiting_for_the_stuck(const struct finding *f, const struct note *n)
{
    if (n->role != HD_ROLE_WAITS || n->kind != HD_EV_THREAD_JOIN)
        return false;
    for (size_t i = 0; i < f->notes; i++)
        if (f->note[i].role == HD_ROLE_WAITS && f->note[i].kind != HD_EV_THREAD_JOIN)
            return true;
    return false;
}

bool finding_is_leak(enum hd_finding_kind kind)
{
    return kind == HD_FK_LEAK_BLOCKED || kind == HD_FK_LEAK_UNJOINED || kind == HD_FK_LEAK_OBJECT;
}

static bool is_race(enum hd_finding_kind kind)
{
    return kind == HD_FK_DATA_RACE || kind == HD_FK_PREDICTED_RACE;
}

static bool starts_with_any(const char *text, const char *const *starts)
{
    for (; text && *starts; starts++)
        if (strncmp(text, *starts, strlen(*starts)) == 0)
            return true;
    return false;
}

static bool contains_any(const char *text, const char *const *parts)
{
    for (; text && *parts; parts++)
        if (strstr(text, *parts))
            return true;
    return false;
}

/* The place that tells one bug from another: the innermost frame of the user's own code, but for
 * wrappers of locks. */
static const struct frame *telling_frame(const struct stack *s)
{
    static const char *const wrappers[] = {"lock",  "Lock",    "mutex", "Mutex",
                                           "_wait", "acquire", NULL};
    static const char *const system[] = {"libc.so", "libstdc++.so", "ld-linux", "libgcc_s", NULL};
    for (size_t i = 0; i + 1 < s->count; i++)
        if (!contains_any(s->frame[i].function, wrappers) &&
            !starts_with_any(s->frame[i].module, system))
            return &s->frame[i];
    return s->count ? &s->frame[s->count - 1] : NULL;
}

bool finding_is_prediction(enum hd_finding_kind kind)
{
    return kind == HD_FK_LOCK_ORDER || kind == HD_FK_WAIT_HOLDING_LOCK ||
           kind == HD_FK_PREDICTED_RACE;
}

/* The sides as places: lines of the sources as they are now. */
static uint64_t place_of_finding(const struct finding *f)
{
    uint64_t *side = mem_zeroed(f->notes, sizeof *side);
    size_t sides = 0;
    for (size_t i = 0; i < f->notes; i++) {
        const struct note *n = &f->note[i];
        if (!finding_decides(f->kind, n->role) || is_only_waiting_for_the_stuck(f, n) ||
            (f->causes && i >= f->causes))
            continue;
        uint64_t h = HASH_BASIS;
        if (!is_race(f->kind)) /* which side came first is chance */
            h = hash_bytes(h, &(unsigned){n->role}, sizeof(unsigned));
        const struct frame *fr =
            is_race(f->kind) && n->stack.count ? &n->stack.frame[0] : telling_frame(&n->stack);
        if (fr && fr->function && f->kind == HD_FK_LIVELOCK) /* where in its loop is chance */
            h = mix_text(h, fr->function);
        else if (fr)
            h = mix_frame(h, fr);
        side[sides++] = h;
    }
    qsort(side, sides, sizeof *side, by_value);
    uint64_t h = mix_text(HASH_BASIS, finding_word(f->kind));
    bool placed = false;
    for (size_t i = 0; i < sides; i++)
        if (i == 0 || side[i] != side[i - 1]) {
            h = hash_bytes(h, &side[i], sizeof side[i]);
            placed = true;
        }
    /* Two tests may leak by way of one helper. */
    if (f->charged_at)
        h = mix_text(h, f->text + f->charged_at);
    /* Without a place only the text tells one from the other: its numbers are chance, but for an
     * exit code. */
    if (!placed)
        for (const char *p = f->text; *p; p++)
            if (*p < '0' || *p > '9' || f->kind == HD_FK_EXIT_CODE)
                h = hash_bytes(h, p, 1);
    free(side);
    return h ? h : 1;
}

/* ---- what lasts: no lines, addresses, or names of ours ---- */

/* Text without numbers. */
static uint64_t mix_words(uint64_t h, const char *text, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        if (text[i] < '0' || text[i] > '9')
            h = hash_bytes(h, &text[i], 1);
    return h;
}

/* The name of a function without what a compiler adds for its copies and parts. */
static uint64_t mix_function(uint64_t h, const char *function)
{
    size_t n = strcspn(function, ".");
    return hash_bytes(h, function, n ? n : strlen(function));
}

/* The variable of an object, if it is one; elements of an array are one. */
static uint64_t mix_variable(uint64_t h, const struct note *n)
{
    const char *text = n->object, *name = text ? strchr(text, '(') : NULL;
    if (name && strncmp(name, "(made at ", 9) != 0 && strncmp(name, "(on the stack", 13) != 0)
        return mix_words(h, name, strlen(name));
    if (text && strncmp(text, "variable ", 9) == 0)
        return mix_words(h, text, strlen(text));
    return hash_bytes(h, &(unsigned){n->object_kind}, sizeof(unsigned));
}

/* Does the text say what went wrong? Others name threads, numbers and lines. */
static bool text_lasts(enum hd_finding_kind kind)
{
    return kind == HD_FK_ASSERTION || kind == HD_FK_PANIC || kind == HD_FK_CRASH ||
           kind == HD_FK_SYNC_MISUSE || kind == HD_FK_SANITIZER || kind == HD_FK_TOOL;
}

static uint64_t side_that_lasts(const struct finding *f, const struct note *n)
{
    uint64_t h = HASH_BASIS;
    if (!is_race(f->kind))
        h = hash_bytes(h, &(unsigned){n->role}, sizeof(unsigned));
    const struct frame *fr =
        is_race(f->kind) && n->stack.count ? &n->stack.frame[0] : telling_frame(&n->stack);
    if (fr && fr->function)
        h = mix_function(h, fr->function);
    else if (fr)
        h = mix_frame(h, fr);
    return mix_variable(h, n);
}

#define FINGERPRINT_VERSION "2"

static uint64_t fingerprint_of(const struct finding *f)
{
    uint64_t *side = mem_zeroed(f->notes, sizeof *side);
    size_t sides = 0;
    for (size_t i = 0; i < f->notes; i++)
        if (finding_decides(f->kind, f->note[i].role) &&
            !is_only_waiting_for_the_stuck(f, &f->note[i]) && !(f->causes && i >= f->causes))
            side[sides++] = side_that_lasts(f, &f->note[i]);
    qsort(side, sides, sizeof *side, by_value);
    uint64_t h = mix_text(mix_text(HASH_BASIS, FINGERPRINT_VERSION), finding_word(f->kind));
    for (size_t i = 0; i < sides; i++)
        if (i == 0 || side[i] != side[i - 1])
            h = hash_bytes(h, &side[i], sizeof side[i]);
    const char *place = strstr(f->text, " ("); /* of an assertion */
    if (f->charged_at)
        h = mix_text(h, f->text + f->charged_at);
    else if (f->kind == HD_FK_EXIT_CODE)
        h = mix_text(h, f->text);
    else if (!sides || text_lasts(f->kind))
        h = mix_words(h, f->text, place ? (size_t)(place - f->text) : strlen(f->text));
    free(side);
    return h ? h : 1;
}

uint64_t finding_fingerprint(struct finding *f)
{
    f->place = place_of_finding(f);
    f->fingerprint = fingerprint_of(f);
    return f->fingerprint;
}

/* The n-th finding of a campaign with a fingerprint, but at other places. */
static uint64_t nth_fingerprint(uint64_t fingerprint, unsigned n)
{
    return n ? hash_bytes(fingerprint, &n, sizeof n) : fingerprint;
}

bool finding_is_print(const struct finding *f, uint64_t fingerprint)
{
    for (unsigned n = 0; n < SAME_FINGERPRINT; n++)
        if (nth_fingerprint(f->fingerprint, n) == fingerprint)
            return true;
    return false;
}

static void merge(struct finding *old, struct finding *f)
{
    if (f->tools & ~old->tools && old->doubtful && !f->doubtful) {
        free(old->doubtful); /* another tool, without that weakness, saw it too */
        old->doubtful = NULL;
    }
    old->tools |= f->tools;
    old->count += f->count;
    old->faultless += f->faultless;
    if (!old->first || (f->first && f->first < old->first))
        old->first = f->first;
    if (old->notes == f->notes)
        for (size_t i = 0; i < old->notes; i++)
            if (old->note[i].stack.count == 0 && old->note[i].role == f->note[i].role) {
                old->note[i].stack = f->note[i].stack;
                f->note[i].stack = (struct stack){0};
            }
}

/* The place of a race's side; 0 = unknown. */
static uint64_t place_of(const struct note *n)
{
    return n->stack.count ? mix_frame(HASH_BASIS, &n->stack.frame[0]) : 0;
}

/* DRD knows one side of a race only: is `f` such a half, and `whole` a race with that side? */
static bool is_half_of(const struct finding *f, const struct finding *whole)
{
    const struct note *side = NULL;

    if (!is_race(f->kind) || f->kind != whole->kind)
        return false;
    for (size_t i = 0; i < f->notes; i++)
        if (f->note[i].role == HD_ROLE_PREVIOUS_ACCESS)
            return false;
        else if (f->note[i].role == HD_ROLE_ACCESS)
            side = &f->note[i];
    for (size_t i = 0; side && i < whole->notes; i++)
        if ((whole->note[i].role == HD_ROLE_ACCESS ||
             whole->note[i].role == HD_ROLE_PREVIOUS_ACCESS) &&
            place_of(&whole->note[i]) && place_of(&whole->note[i]) == place_of(side))
            return true;
    return false;
}

/* The side that names the variable that a race is about; NULL: it has no name. */
static const struct note *named_side(const struct finding *f)
{
    for (size_t i = 0; i < f->notes; i++)
        if (f->note[i].role == HD_ROLE_ACCESS && f->note[i].object && f->note[i].name_at)
            return &f->note[i];
    return NULL;
}

enum variables finding_variables(const struct finding *f, const struct finding *g)
{
    const struct note *a = named_side(f), *b = named_side(g);
    if (!a || !b)
        return VARIABLES_UNKNOWN;
    const char *v = a->object + a->name_at, *w = b->object + b->name_at;
    size_t n = strcspn(v, "[+."), m = strcspn(w, "[+."); /* without which part of it */
    bool same = n == m && strncmp(v, w, n) == 0 &&
                (!a->variable || !b->variable || a->variable == b->variable);
    return same ? VARIABLES_SAME : VARIABLES_DIFFER;
}

static bool is_taken(const struct findings *all, uint64_t fingerprint)
{
    for (size_t i = 0; i < all->count; i++)
        if (all->list[i]->fingerprint == fingerprint)
            return true;
    return false;
}

struct finding *findings_add(struct findings *all, struct finding *f, bool *is_new)
{
    if (!f->fingerprint)
        finding_fingerprint(f);
    for (size_t i = 0; i < all->count; i++)
        if ((all->list[i]->place == f->place &&
             finding_variables(all->list[i], f) != VARIABLES_DIFFER) ||
            is_half_of(f, all->list[i])) {
            merge(all->list[i], f);
            finding_free(f);
            *is_new = false;
            return all->list[i];
        }
    uint64_t first = f->fingerprint;
    for (unsigned n = 1; is_taken(all, f->fingerprint); n++)
        f->fingerprint = nth_fingerprint(first, n);
    all->list = mem_grow(all->list, all->count, sizeof *all->list);
    all->list[all->count++] = f;
    f->name = mem_format("%s-%u", finding_word(f->kind), ++all->named[f->kind]);
    *is_new = true;
    return f;
}

size_t findings_bugs(const struct findings *all)
{
    size_t bugs = 0;
    for (size_t i = 0; i < all->count; i++)
        bugs += !all->list[i]->same_as && !all->list[i]->same_cause;
    return bugs;
}

void findings_free(struct findings *all)
{
    for (size_t i = 0; i < all->count; i++)
        finding_free(all->list[i]);
    free(all->list);
    *all = (struct findings){0};
}
