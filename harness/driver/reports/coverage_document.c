/* coverage_document.c - see coverage_document.h
 *
 * A document's four lists hold objects of a few texts, which say what the entry is of, and of booleans, the ways that
 * it went or did not.
 */
#include "coverage_document.h"

#include <stdlib.h>
#include <string.h>

#include "json_text.h"
#include "util/alloc.h"

#define PAIRS 10000u /* in a document */
#define SHOWN 3u     /* of each list, in a summary */

struct place {
    char *text;
    uint32_t ways;
};

struct pair {
    uint32_t first, second;
    uint8_t order;
};

struct coverage {
    struct place *place, *lock;
    size_t places, locks;
    struct pair *pair; /* as taken: one may stand there several times */
    size_t pairs;
    bool partly;
};

struct coverage *coverage_new(void)
{
    return mem_zeroed(1, sizeof(struct coverage));
}

void coverage_free(struct coverage *c)
{
    if (!c)
        return;
    for (size_t i = 0; i < c->places; i++)
        free(c->place[i].text);
    for (size_t i = 0; i < c->locks; i++)
        free(c->lock[i].text);
    free(c->place);
    free(c->lock);
    free(c->pair);
    free(c);
}

/* "bank.c:23 (transfer)"; NULL: the place is unknown. */
static char *place_text(struct symbols *s, uint64_t site)
{
    struct stack frames = {0};
    char *text = NULL;

    symbols_frames(s, site, true, &frames);
    const struct frame *f = frames.count ? &frames.frame[0] : NULL;
    if (f && f->file && f->line)
        text =
            mem_format("%s:%u (%s)", base_name(f->file), f->line, f->function ? f->function : "?");
    else if (f && f->function)
        text = mem_copy(f->function);
    stack_clear(&frames);
    return text;
}

static char *lock_text(struct symbols *s, const struct hdp_covered_lock *l)
{
    char *text = symbols_variable(s, l->addr);

    if (!text) {
        char *place = place_text(s, l->created_site);
        text = place ? mem_format("the lock made at %s", place) : NULL;
        free(place);
    }
    return text;
}

/* The entry of this text; takes it over. */
static uint32_t entry(struct place **list, size_t *count, char *text, uint32_t ways)
{
    size_t i = 0;

    while (i < *count && strcmp((*list)[i].text, text) != 0)
        i++;
    if (i == *count) {
        *list = mem_grow(*list, *count, sizeof **list);
        (*list)[(*count)++] = (struct place){.text = text};
    } else {
        free(text);
    }
    (*list)[i].ways |= ways;
    return (uint32_t)i;
}

void coverage_take(struct coverage *c, struct hdp_covered *from, struct symbols *symbols)
{
    uint32_t index[HDP_COVERED_PLACES];
    uint32_t n = from->places < HDP_COVERED_PLACES ? from->places : HDP_COVERED_PLACES;

    hdp_covered_take_back(from, 0); /* its last batch may have died */
    c->partly |= from->full != 0;
    for (uint32_t i = 0; i < n; i++) {
        char *text = place_text(symbols, from->place[i].site);
        index[i] = text ? entry(&c->place, &c->places, text, from->place[i].ways) : UINT32_MAX;
    }
    for (uint32_t i = 0; i < n; i++)
        for (uint32_t k = 0; k < n; k++) {
            if (!from->order[i][k] || index[i] == UINT32_MAX || index[k] == UINT32_MAX)
                continue;
            c->pair = mem_grow(c->pair, c->pairs, sizeof *c->pair);
            c->pair[c->pairs++] = (struct pair){index[i], index[k], from->order[i][k]};
        }
    for (uint32_t i = 0; i < HDP_COVERED_OBJECTS; i++) {
        const struct hdp_covered_lock *l = &from->lock[i];
        char *text = l->id && l->ways & HDP_COVERED_SHARED ? lock_text(symbols, l) : NULL;
        if (text)
            entry(&c->lock, &c->locks, text, l->ways);
    }
}

/* ---- documents ---- */

static int by_text(const void *a, const void *b)
{
    const struct place *const *x = a, *const *y = b;
    return strcmp((*x)->text, (*y)->text);
}

/* An array of pointers to them, in the order of their texts. */
static const struct place **sorted(const struct place *list, size_t count)
{
    const struct place **all = mem_zeroed(count + 1, sizeof *all);

    for (size_t i = 0; i < count; i++)
        all[i] = &list[i];
    qsort(all, count, sizeof *all, by_text);
    return all;
}

static json_t *entry_of(const char *key, const char *text, const char *one, bool has_one,
                        const char *other, bool has_other)
{
    json_t *o = json_object();

    json_object_set_new(o, key, json_text(text));
    json_object_set_new(o, one, json_boolean(has_one));
    if (other)
        json_object_set_new(o, other, json_boolean(has_other));
    return o;
}

static json_t *pairs_of(const struct coverage *c, const struct place *const *place, bool *whole)
{
    size_t n = c->places;
    unsigned char *order = mem_zeroed(n * n + 1, 1);
    uint32_t *rank = mem_zeroed(n + 1, sizeof *rank);
    json_t *list = json_array();

    for (size_t i = 0; i < n; i++)
        rank[place[i] - c->place] = (uint32_t)i;
    for (size_t i = 0; i < c->pairs; i++)
        order[rank[c->pair[i].first] * n + rank[c->pair[i].second]] |= c->pair[i].order;
    for (size_t i = 0; i < n; i++)
        for (size_t k = i; k < n; k++) {
            unsigned char there = order[i * n + k], back = order[k * n + i];
            bool locks = place[i]->ways & place[k]->ways & HDP_COVERED_LOCKS;
            bool swapped = !(there & HDP_COVERED_BEFORE) && back & HDP_COVERED_BEFORE;
            if (!there && !back)
                continue;
            if ((place[i]->ways | place[k]->ways) & HDP_COVERED_PARTLY ||
                json_array_size(list) == PAIRS) {
                *whole = false;
                continue;
            }
            json_t *o = json_object();
            json_object_set_new(o, "first", json_text(place[swapped ? k : i]->text));
            json_object_set_new(o, "second", json_text(place[swapped ? i : k]->text));
            json_object_set_new(o, "reversed", json_boolean(there & back & HDP_COVERED_BEFORE));
            if (locks)
                json_object_set_new(o, "overlapped",
                                    json_boolean((there | back) & HDP_COVERED_MET));
            json_array_append_new(list, o);
        }
    free(order);
    free(rank);
    return list;
}

json_t *coverage_json(const struct coverage *c)
{
    json_t *o = json_object(), *locks = json_array(), *waits = json_array(), *tries = json_array();
    const struct place **place = sorted(c->place, c->places), **lock = sorted(c->lock, c->locks);
    bool whole = !c->partly;

    for (size_t i = 0; i < c->locks; i++)
        json_array_append_new(locks, entry_of("lock", lock[i]->text, "contended",
                                              lock[i]->ways & HDP_COVERED_WAITED, NULL, false));
    for (size_t i = 0; i < c->places; i++) {
        uint32_t ways = place[i]->ways;
        if (ways & HDP_COVERED_TIMED)
            json_array_append_new(waits, entry_of("place", place[i]->text, "timed_out",
                                                  ways & HDP_COVERED_TIMED_OUT, "woken",
                                                  ways & HDP_COVERED_WOKEN));
        if (ways & HDP_COVERED_TRIES)
            json_array_append_new(tries,
                                  entry_of("place", place[i]->text, "got", ways & HDP_COVERED_GOT,
                                           "missed", ways & HDP_COVERED_MISSED));
    }
    json_object_set_new(o, "locks", locks);
    json_object_set_new(o, "waits", waits);
    json_object_set_new(o, "tries", tries);
    json_object_set_new(o, "pairs", pairs_of(c, place, &whole));
    json_object_set_new(o, "whole", json_boolean(whole));
    free(place);
    free(lock);
    return o;
}

/* The ways that entries of the lists may go, in words. */
static const struct {
    const char *list, *way;
    const char *did;    /* "never ..., N of M ..." in a summary, "+ ...: ..." of two */
    const char *things; /* of which these are */
} ways[] = {
    {"locks", "contended", "contended", "locks that several threads took"},
    {"waits", "timed_out", "timed out", "timed waits"},
    {"waits", "woken", "woken before their time", "timed waits"},
    {"tries", "got", "successful", "tries of locks"},
    {"tries", "missed", "in vain", "tries of locks"},
    {"pairs", "overlapped", "overlapping", "pairs of critical sections"},
    {"pairs", "reversed", "the other way round", "pairs of places"},
};
enum { WAYS = sizeof ways / sizeof *ways };

static const char *word(const json_t *e, const char *key)
{
    return json_string_value(json_object_get(e, key));
}

static bool is_order(const char *way)
{
    return strcmp(way, "reversed") == 0;
}

/* "a.c:3 (f)", "a.c:3 (f) before b.c:7 (g)". free() it. */
static char *name_of(const json_t *e, const char *way)
{
    const char *first = word(e, "first"), *second = word(e, "second"), *lock = word(e, "lock");

    if (first && second)
        return mem_format("%s %s %s", first, is_order(way) ? "before" : "and", second);
    return mem_copy(lock ? lock : word(e, "place") ? word(e, "place") : "?");
}

/* Two threads at one place: there is no other way round. */
static bool can_go(const json_t *e, const char *way)
{
    return json_is_boolean(json_object_get(e, way)) &&
           (!is_order(way) ||
            !json_equal(json_object_get(e, "first"), json_object_get(e, "second")));
}

static void print_way(FILE *to, const json_t *list, size_t w, size_t most)
{
    size_t all = 0, never = 0, i;
    json_t *e;

    json_array_foreach(list, i, e)
    {
        all += can_go(e, ways[w].way);
        never += can_go(e, ways[w].way) && json_is_false(json_object_get(e, ways[w].way));
    }
    if (!never)
        return;
    fprintf(to, "  never %s, %zu of %zu %s: ", ways[w].did, never, all, ways[w].things);
    all = 0;
    json_array_foreach(list, i, e)
    {
        if (all == most || !can_go(e, ways[w].way) ||
            !json_is_false(json_object_get(e, ways[w].way)))
            continue;
        char *name = name_of(e, ways[w].way);
        fprintf(to, "%s%s", all++ ? ", " : "", name);
        free(name);
    }
    if (never > most)
        fprintf(to, " and %zu more", never - most);
    fputc('\n', to);
}

void coverage_print(FILE *to, const json_t *coverage, size_t most)
{
    for (size_t w = 0; w < WAYS; w++)
        print_way(to, json_object_get(coverage, ways[w].list), w, most);
}

bool coverage_lacks(const json_t *coverage)
{
    for (size_t w = 0; w < WAYS; w++)
        if (json_array_size(json_object_get(coverage, ways[w].list)))
            return true;
    return false;
}

void coverage_summary(FILE *to, const struct coverage *c)
{
    json_t *coverage = coverage_json(c);

    coverage_print(to, coverage, SHOWN);
    json_decref(coverage);
}

/* ---- two of them ---- */

/* What an entry is of, whichever of its places came first. free() it. */
static char *key_of(const json_t *e)
{
    const char *first = word(e, "first"), *second = word(e, "second");

    if (!first || !second)
        return name_of(e, "");
    return strcmp(first, second) <= 0 ? mem_format("%s\n%s", first, second)
                                      : mem_format("%s\n%s", second, first);
}

/* The entries of a list by that. */
static json_t *index_of(const json_t *list)
{
    json_t *all = json_object(), *e;
    size_t i;

    json_array_foreach(list, i, e)
    {
        char *key = key_of(e);
        json_object_set(all, key, e);
        free(key);
    }
    return all;
}

static json_t *find(const json_t *index, const json_t *e)
{
    char *key = key_of(e);
    json_t *there = json_object_get(index, key);

    free(key);
    return there;
}

/* Was one of its places before the other, as texts? */
static bool has_order(const json_t *e, const char *first, const char *second)
{
    const char *a = word(e, "first"), *b = word(e, "second");

    return a && b &&
           ((strcmp(a, first) == 0 && strcmp(b, second) == 0) ||
            (json_is_true(json_object_get(e, "reversed")) && strcmp(a, second) == 0 &&
             strcmp(b, first) == 0));
}

static void join_entry(json_t *there, const json_t *e)
{
    const char *key, *first = word(e, "first"), *second = word(e, "second");
    json_t *value;

    json_object_foreach((json_t *)e, key, value)
    {
        if (json_is_true(value))
            json_object_set(there, key, value);
    }
    if (first && second && !has_order(there, first, second))
        json_object_set_new(there, "reversed", json_true());
}

void coverage_join(json_t *to, const json_t *from)
{
    static const char *const lists[] = {"locks", "waits", "tries", "pairs"};

    for (size_t l = 0; l < sizeof lists / sizeof *lists; l++) {
        json_t *list = json_object_get(to, lists[l]), *index = index_of(list), *e, *there;
        size_t i;
        json_array_foreach(json_object_get(from, lists[l]), i, e)
        {
            if ((there = find(index, e)))
                join_entry(there, e);
            else
                json_array_append_new(list, json_deep_copy(e));
        }
        json_decref(index);
    }
    if (!json_is_true(json_object_get(from, "whole")))
        json_object_set_new(to, "whole", json_false());
}

static size_t print_orders(FILE *to, char sign, const json_t *e, const json_t *there)
{
    const char *place[2] = {word(e, "first"), word(e, "second")};
    size_t n = 0;

    for (int i = 0; i < 2 && place[0] && place[1]; i++) {
        const char *first = place[i], *second = place[!i];
        if (!has_order(e, first, second) || has_order(there, first, second) ||
            (i && strcmp(first, second) == 0))
            continue;
        fprintf(to, "%c in this order: %s before %s\n", sign, first, second);
        n++;
    }
    return n;
}

/* What is in `one` and not in `other`. */
static size_t print_more(FILE *to, char sign, const json_t *one, const json_t *other)
{
    size_t n = 0;

    for (size_t w = 0; w < WAYS; w++) {
        json_t *index = index_of(json_object_get(other, ways[w].list)), *e;
        size_t i;
        json_array_foreach(json_object_get(one, ways[w].list), i, e)
        {
            const json_t *there = find(index, e);
            if (is_order(ways[w].way)) {
                n += print_orders(to, sign, e, there);
            } else if (json_is_true(json_object_get(e, ways[w].way)) &&
                       !json_is_true(json_object_get(there, ways[w].way))) {
                char *name = name_of(e, ways[w].way);
                fprintf(to, "%c %s: %s\n", sign, ways[w].did, name);
                free(name);
                n++;
            }
        }
        json_decref(index);
    }
    return n;
}

size_t coverage_compare(FILE *to, const json_t *one, const json_t *other)
{
    size_t lost = print_more(to, '-', one, other);

    print_more(to, '+', other, one);
    return lost;
}
