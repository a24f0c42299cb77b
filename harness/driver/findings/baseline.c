/* baseline.c - see baseline.h */
#include "baseline.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "finding.h"
#include "util/alloc.h"
#include "util/quantity.h"
#include "util/read_file.h"

#define FILE_BOUND (16u << 20)

struct known {
    uint64_t fingerprint;
    char *kind, *test, *headline;
    bool met;
};

struct baseline {
    struct known *list;
    size_t count;
};

/* NULL, or what is wrong with the line. */
static const char *parse_line(struct baseline *b, char *line)
{
    char *digits = strsep(&line, "\t"), *kind = strsep(&line, "\t"), *test = strsep(&line, "\t");
    struct known k = {0};

    if (!line)
        return "a line is fingerprint, kind, test and headline, with tabs between them";
    if (strlen(digits) != 16 || !parse_digits(digits, 16, UINT64_MAX, &k.fingerprint))
        return "a fingerprint is 16 hexadecimal digits";
    if (finding_kind(kind) == HD_FK_COUNT)
        return "there is no such kind of finding";
    k.kind = mem_copy(kind);
    k.test = mem_copy(test);
    k.headline = mem_copy(line);
    b->list = mem_grow(b->list, b->count, sizeof *b->list);
    b->list[b->count++] = k;
    return NULL;
}

struct baseline *baseline_read(const char *path, char **why)
{
    size_t bytes;
    unsigned number = 0;
    char *text = read_file(path, FILE_BOUND + 1, &bytes), *rest = text, *line;
    struct baseline *b = mem_zeroed(1, sizeof *b);

    *why = NULL;
    if (!text)
        *why = mem_format("cannot read the baseline %s: %s", path, strerror(errno));
    else if (bytes > FILE_BOUND || strlen(text) != bytes)
        *why = mem_format("%s is no baseline: `heddle baseline DIR` writes one", path);
    while (!*why && (line = strsep(&rest, "\n"))) {
        const char *wrong;
        number++;
        if (!*line || *line == '#')
            continue;
        if ((wrong = parse_line(b, line)))
            *why = mem_format("%s:%u: %s", path, number, wrong);
    }
    free(text);
    if (!*why)
        return b;
    baseline_free(b);
    return NULL;
}

void baseline_free(struct baseline *b)
{
    for (size_t i = 0; b && i < b->count; i++) {
        free(b->list[i].kind);
        free(b->list[i].test);
        free(b->list[i].headline);
    }
    if (b)
        free(b->list);
    free(b);
}

bool baseline_knows(struct baseline *b, uint64_t fingerprint)
{
    bool known = false;

    for (size_t i = 0; i < b->count; i++)
        if (b->list[i].fingerprint == fingerprint)
            known = b->list[i].met = true;
    return known;
}

size_t baseline_gone(const struct baseline *b, const char *test, FILE *to)
{
    size_t n = 0;

    for (size_t i = 0; i < b->count; i++)
        if (!b->list[i].met && strcmp(b->list[i].test, test) == 0) {
            n++;
            fprintf(to, "heddle: in the baseline, but not found any more: %s, %s\n",
                    b->list[i].test, b->list[i].headline);
        }
    return n;
}

void baseline_write_head(FILE *to)
{
    fputs("# Findings that are known: heddle run --baseline=FILE. Fingerprint, kind, test, "
          "headline.\n",
          to);
}

/* What would end a field or the line. */
static void field(FILE *to, const char *text, char end)
{
    for (; *text; text++)
        fputc(*text == '\t' || *text == '\n' || *text == '\r' ? ' ' : *text, to);
    fputc(end, to);
}

void baseline_write(FILE *to, const char *fingerprint, const char *kind, const char *test,
                    const char *headline)
{
    field(to, fingerprint, '\t');
    field(to, kind, '\t');
    field(to, test, '\t');
    field(to, headline, '\n');
}
