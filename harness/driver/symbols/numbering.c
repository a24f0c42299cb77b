/* numbering.c - see numbering.h */
#include "numbering.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "util/alloc.h"
#include "wire/hash.h"

struct name {
    uint32_t number;
    char *text;
    UT_hash_handle by_num, by_txt;
};

static const struct {
    const char *word, *doing;
    enum hd_object object;
} events[] = {
#define EVENT(name, text, doing, object) {text, doing, HD_OB_##object},
    HD_EVENT_MAP(EVENT)
#undef EVENT
};

static const struct {
    const char *prefix, *word;
} objects[] = {
#define OBJECT(name, prefix, word) {prefix, word},
    HD_OBJECT_MAP(OBJECT)
#undef OBJECT
};

const char *event_word(unsigned kind)
{
    return kind < HD_EV_COUNT ? events[kind].word : "unknown";
}

const char *event_doing(unsigned kind)
{
    return kind < HD_EV_COUNT ? events[kind].doing : "doing something unknown";
}

const char *event_verb(unsigned kind)
{
    const char *word = event_word(kind), *last = strrchr(word, '_');
    return last ? last + 1 : word;
}

enum hd_event event_parse(const char *word)
{
    for (unsigned i = 0; i < HD_EV_COUNT; i++)
        if (strcmp(events[i].word, word) == 0)
            return (enum hd_event)i;
    return HD_EV_COUNT;
}

const char *object_word(unsigned kind)
{
    return kind < HD_OB_COUNT ? objects[kind].word : "object";
}

uint32_t name_hash(const char *text)
{
    return hash32_bytes(HASH32_BASIS, text, strlen(text));
}

const char *names_text(const struct names *n, uint32_t number)
{
    struct name *found;
    HASH_FIND(by_num, n->by_number, &number, sizeof number, found);
    return found ? found->text : NULL;
}

bool names_number(const struct names *n, const char *text, uint32_t *number)
{
    struct name *found;
    HASH_FIND(by_txt, n->by_text, text, strlen(text), found);
    if (found)
        *number = found->number;
    return found != NULL;
}

const char *names_add(struct names *n, uint32_t number, const char *text)
{
    struct name *added = mem_zeroed(1, sizeof *added);
    added->number = number;
    added->text = mem_copy(text);
    HASH_ADD(by_num, n->by_number, number, sizeof added->number, added);
    HASH_ADD_KEYPTR(by_txt, n->by_text, added->text, strlen(added->text), added);
    n->list = mem_grow(n->list, n->count, sizeof(struct name *));
    n->list[n->count++] = added;
    return added->text;
}

const char *names_at(const struct names *n, size_t i, uint32_t *number)
{
    *number = n->list[i]->number;
    return n->list[i]->text;
}

void names_free(struct names *n)
{
    HASH_CLEAR(by_num, n->by_number);
    HASH_CLEAR(by_txt, n->by_text);
    for (size_t i = 0; i < n->count; i++) {
        free(n->list[i]->text);
        free(n->list[i]);
    }
    free(n->list);
    *n = (struct names){0};
}

/* Has the name the prefix of another kind? Timers and tickers are told of by the same events. */
static bool is_of_another_kind(const char *name, enum hd_object kind)
{
    if (kind == HD_OB_NONE || kind == HD_OB_THREAD || (unsigned)kind >= HD_OB_COUNT ||
        kind == HD_OB_TIMER || kind == HD_OB_TICKER)
        return false;
    size_t bytes = strcspn(name, "0123456789");
    if (strlen(objects[kind].prefix) == bytes && strncmp(objects[kind].prefix, name, bytes) == 0)
        return false;
    for (unsigned i = HD_OB_MUTEX; i < HD_OB_COUNT; i++)
        if (i != HD_OB_TIMER && i != HD_OB_TICKER && strlen(objects[i].prefix) == bytes &&
            strncmp(objects[i].prefix, name, bytes) == 0)
            return true;
    return false;
}

const char *names_object(struct names *n, uint32_t id, enum hd_object kind)
{
    const char *known = names_text(n, id);
    if (known && is_of_another_kind(known, kind)) {
        /* In this schedule the thread made another thing as its first, second ... */
        id ^= 0x9e3779b9u * (unsigned)kind;
        known = names_text(n, id);
    }
    if (known)
        return known;
    /* "T3" is the name of a thread, and not of the third one that is joined. */
    const char *prefix =
        (unsigned)kind < HD_OB_COUNT && kind != HD_OB_THREAD ? objects[kind].prefix : "O";
    char text[32];
    uint32_t taken, serial = 0;
    do
        snprintf(text, sizeof text, "%s%u", prefix, ++serial);
    while (names_number(n, text, &taken));
    return names_add(n, id, text);
}

enum hd_object object_of_event(enum hd_event kind)
{
    return (unsigned)kind < HD_EV_COUNT ? events[kind].object : HD_OB_NONE;
}
