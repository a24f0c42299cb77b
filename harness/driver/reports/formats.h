/* formats.h - a run in the formats that CI systems read, several at once: --report=LIST.
 *
 * Each is made of the same document (test_document.h) and decides nothing.
 */
#ifndef HEDDLE_DRIVER_FORMATS_H
#define HEDDLE_DRIVER_FORMATS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

/* Write the tests of `document`. Errors are those of the stream. */
typedef void format_writer(FILE *to, const json_t *document);
format_writer format_github, format_gitlab, format_html, format_junit, format_sarif, format_tap;

#define FORMATS 7

struct formats {
    struct {
        format_writer *write;
        char *path; /* NULL: stdout */
    } wanted[FORMATS];
    size_t count;
};

/* Add those of a list, "junit:FILE,sarif:FILE,github". NULL, or a sentence (free() it). */
char *formats_parse(struct formats *f, const char *list);
/* Does one of them go to stdout? */
bool formats_to_stdout(const struct formats *f);
/* Write them all, each file whole or not at all. False: one could not be written, which is said. */
bool formats_write(const struct formats *f, const json_t *document);
/* Write a file, whole or not at all. False: it could not be, which is said. */
bool formats_save(const char *path, const char *text, size_t bytes);
void formats_free(struct formats *f);

#endif /* HEDDLE_DRIVER_FORMATS_H */
