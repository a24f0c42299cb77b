/* numbering.h - numbers with names, both ways: threads by hash, objects by id, sites by index. */
#ifndef HEDDLE_DRIVER_NUMBERING_H
#define HEDDLE_DRIVER_NUMBERING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <heddle/event.h>

struct name; /* opaque */

struct names {
    struct name *by_number, *by_text;
    struct name **list; /* in order of names_add() */
    size_t count;
};

/* The text of a number, or NULL; the number of a text, or false. Borrowed. */
const char *names_text(const struct names *n, uint32_t number);
bool names_number(const struct names *n, const char *text, uint32_t *number);
/* Add a pair; both must be new. Returns the copy of text. */
const char *names_add(struct names *n, uint32_t number, const char *text);
/* The i-th pair, i < count. */
const char *names_at(const struct names *n, size_t i, uint32_t *number);
void names_free(struct names *n);

/* Objects: the name of an id, made up from its kind ("M3") when it is seen for the first time. */
const char *names_object(struct names *n, uint32_t id, enum hd_object kind);
/* The object that stands for a thread (in a join) has the thread's hash with the lowest bit set. */
static inline uint32_t thread_object(uint32_t hash)
{
    return hash | 1;
}
/* What kind of object an event is about, as far as the event tells. */
enum hd_object object_of_event(enum hd_event kind);

/* Words of the tables in heddle/event.h; parse: HD_EV_COUNT when there is no such word. */
const char *event_word(unsigned kind);
const char *event_doing(unsigned kind);
/* The last part of the word: "lock", "wait", "create". */
const char *event_verb(unsigned kind);
enum hd_event event_parse(const char *word);
const char *object_word(unsigned kind);
/* FNV-1a, 32 bit: the hash of a thread's name. */
uint32_t name_hash(const char *text);

#endif /* HEDDLE_DRIVER_NUMBERING_H */
