/* page.h - what text for people is written on: how wide it is, whether it has colours, and that nothing
 * but text comes through to it.
 *
 *   threads  one at a time
 */
#ifndef HEDDLE_DRIVER_PAGE_H
#define HEDDLE_DRIVER_PAGE_H

#include <stdbool.h>
#include <stdio.h>

/* Our own escape sequences, the only ones that come through. */
#define PAGE_BOLD "\033[1m"
#define PAGE_DIM "\033[2m"
#define PAGE_RED "\033[31m"
#define PAGE_PLAIN "\033[0m"

struct page {
    FILE *to; /* write here */
    bool colour;
    int width;  /* of a line, in columns */
    bool folds; /* it is a terminal: long lines are broken between words */
    FILE *real;
    char *text;
    size_t bytes;
};

/* How wide the terminal of a stream is; 0: it is none. */
int page_terminal(FILE *of);
/* Begin a page that goes to `to`, and end it: what is in the program's names and sources is untrusted,
 * and of control characters a question mark is left. */
void page_begin(struct page *p, FILE *to, bool colour);
void page_end(struct page *p);
/* The sequence, if the page has colours, else "". */
const char *page_style(const struct page *p, const char *sequence);
/* The same for one string, in place: without escape sequences. */
void page_clean(char *text);

#endif /* HEDDLE_DRIVER_PAGE_H */
