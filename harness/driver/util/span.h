/* span.h - reading text that is not terminated and may hold any byte, piece by piece.
 *
 * Functions that take a pointer move its start forward over what they read, and leave it alone when
 * it does not match.
 */
#ifndef HEDDLE_DRIVER_SPAN_H
#define HEDDLE_DRIVER_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "alloc.h"

struct span {
    const char *p;
    size_t n;
};

#define LITERAL(text) ((struct span){text, sizeof(text) - 1})

/* The literal `word`. */
static inline bool span_eat(struct span *s, struct span word)
{
    if (s->n < word.n || memcmp(s->p, word.p, word.n) != 0)
        return false;
    s->p += word.n;
    s->n -= word.n;
    return true;
}

static inline bool span_starts(struct span s, const char *word)
{
    size_t n = strlen(word);
    return s.n >= n && memcmp(s.p, word, n) == 0;
}

/* Where `word` first occurs. */
static inline bool span_find(struct span s, struct span word, size_t *at)
{
    const char *hit = s.n ? memmem(s.p, s.n, word.p, word.n) : NULL;
    if (hit)
        *at = (size_t)(hit - s.p);
    return hit != NULL;
}

/* Skip to behind `word`; false, nothing skipped, when it does not occur. */
static inline bool span_skip_past(struct span *s, struct span word)
{
    size_t at;
    if (!span_find(*s, word, &at))
        return false;
    s->p += at + word.n;
    s->n -= at + word.n;
    return true;
}

/* Digits of base 10 or 16, at most 20 of them. */
static inline bool span_number(struct span *s, unsigned base, uint64_t *value)
{
    size_t i = 0;
    uint64_t v = 0;
    for (; i < s->n; i++) {
        unsigned c = (unsigned char)s->p[i], digit = 99;
        if (c >= '0' && c <= '9')
            digit = c - '0';
        else if (c >= 'a' && c <= 'f')
            digit = c - 'a' + 10;
        if (digit >= base)
            break;
        v = v * base + digit;
    }
    if (i == 0 || i > 20)
        return false;
    s->p += i;
    s->n -= i;
    *value = v;
    return true;
}

/* A copy of at most 4096 bytes, up to the first NUL; to be freed. */
static inline char *span_text(struct span s)
{
    if (s.n > 4096)
        s.n = 4096;
    return mem_format("%.*s", (int)s.n, s.n ? s.p : "");
}

/* Take the next line of *rest, without its end. */
static inline bool span_line(struct span *rest, struct span *line)
{
    if (rest->n == 0)
        return false;
    const char *end = memchr(rest->p, '\n', rest->n);
    size_t n = end ? (size_t)(end - rest->p) : rest->n;
    *line = (struct span){rest->p, n};
    rest->p += n + (end != NULL);
    rest->n -= n + (end != NULL);
    if (line->n && line->p[line->n - 1] == '\r')
        line->n--;
    return true;
}

#endif /* HEDDLE_DRIVER_SPAN_H */
