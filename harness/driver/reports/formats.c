/* formats.c - see formats.h */
#include "formats.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "json_text.h"
#include "util/alloc.h"
#include "util/complain.h"
#include "util/whole_file.h"

static const struct {
    const char *name;
    format_writer *write;
    bool printable; /* goes to stdout when no file is named */
} table[FORMATS] = {
    {"junit", format_junit, false},  {"sarif", format_sarif, false},
    {"github", format_github, true}, {"gitlab", format_gitlab, false},
    {"tap", format_tap, true},       {"json", json_print, false},
    {"html", format_html, false},
};

static char *check_path(const char *path)
{
    char *folder = whole_file_folder(path), *why = NULL;
    struct stat st;

    if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
        why = mem_format("--report: %s is a folder", path);
    else if (!*path || path[strlen(path) - 1] == '/' || stat(folder, &st) != 0 ||
             !S_ISDIR(st.st_mode))
        why = mem_format("--report: %s cannot be written, there is no folder %s", path, folder);
    free(folder);
    return why;
}

static char *add(struct formats *f, const char *word)
{
    size_t n = strcspn(word, ":");
    const char *path = word[n] ? word + n + 1 : NULL;
    size_t i = 0;

    while (i < FORMATS && (strlen(table[i].name) != n || strncmp(table[i].name, word, n) != 0))
        i++;
    if (i == FORMATS)
        return mem_format("--report: there is no format \"%.*s\" (junit, sarif, github, gitlab, "
                          "tap, json, html)",
                          (int)n, word);
    if (!path && !table[i].printable)
        return mem_format("--report: %s goes to a file, %s:FILE", table[i].name, table[i].name);
    for (size_t k = 0; k < f->count; k++)
        if (f->wanted[k].write == table[i].write)
            return mem_format("--report names %s twice", table[i].name);
    char *why = path ? check_path(path) : NULL;
    if (!why) {
        f->wanted[f->count].write = table[i].write;
        f->wanted[f->count++].path = mem_copy(path);
    }
    return why;
}

char *formats_parse(struct formats *f, const char *list)
{
    char *copy = mem_copy(list), *rest = copy, *word, *why = NULL;

    while (!why && (word = strsep(&rest, ",")))
        why = add(f, word);
    free(copy);
    return why;
}

bool formats_to_stdout(const struct formats *f)
{
    for (size_t i = 0; i < f->count; i++)
        if (!f->wanted[i].path)
            return true;
    return false;
}

bool formats_save(const char *path, const char *text, size_t bytes)
{
    int error = whole_file_replace(path, text, bytes);

    if (error)
        complain("%s cannot be written: %s", path, strerror(error));
    return !error;
}

bool formats_write(const struct formats *f, const json_t *document)
{
    bool written = true;

    for (size_t i = 0; i < f->count; i++) {
        char *text = NULL;
        size_t bytes = 0;
        if (!f->wanted[i].path) {
            f->wanted[i].write(stdout, document);
            continue;
        }
        FILE *to = open_memstream(&text, &bytes);
        if (to)
            f->wanted[i].write(to, document);
        if (!to || fclose(to) != 0) {
            complain("%s cannot be written: %s", f->wanted[i].path, strerror(errno));
            written = false;
        } else {
            written &= formats_save(f->wanted[i].path, text, bytes);
        }
        free(text);
    }
    return written;
}

void formats_free(struct formats *f)
{
    for (size_t i = 0; i < f->count; i++)
        free(f->wanted[i].path);
    *f = (struct formats){0};
}
