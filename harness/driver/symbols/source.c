/* source.c - see source.h */
#include "source.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <uthash.h>

#include "util/alloc.h"
#include "util/read_file.h"

#define SOURCE_BOUND (32u << 20)

struct file {
    char *path, *text;
    char **line;
    unsigned lines;
    UT_hash_handle hh;
};

static struct file *files;

static void cut_lines(struct file *f)
{
    for (char *at = f->text; *at;) {
        size_t n = strcspn(at, "\n");
        bool last = !at[n];
        char *end = at + n;
        while (end > at && strchr(" \t\r", end[-1]))
            end--;
        *end = '\0';
        f->line = mem_grow(f->line, f->lines, sizeof *f->line);
        f->line[f->lines++] = at + strspn(at, " \t");
        if (last)
            break;
        at += n + 1;
    }
}

static struct file *get(const char *path)
{
    struct file *f;
    HASH_FIND_STR(files, path, f);
    if (f)
        return f;
    size_t bytes = 0;
    struct stat st;
    f = mem_zeroed(1, sizeof *f);
    f->path = mem_copy(path);
    f->text =
        stat(path, &st) == 0 && S_ISREG(st.st_mode) ? read_file(path, SOURCE_BOUND, &bytes) : NULL;
    if (f->text && bytes < SOURCE_BOUND)
        cut_lines(f);
    HASH_ADD_KEYPTR(hh, files, f->path, strlen(f->path), f);
    return f;
}

unsigned source_lines(const char *path)
{
    return path ? get(path)->lines : 0;
}

const char *source_line(const char *path, unsigned line)
{
    const struct file *f = path ? get(path) : NULL;
    return f && line && line <= f->lines ? f->line[line - 1] : NULL;
}

unsigned source_indent(const char *path, unsigned line)
{
    const char *text = source_line(path, line), *at = text;
    while (at && at > get(path)->text && (at[-1] == ' ' || at[-1] == '\t'))
        at--;
    return (unsigned)(text - at);
}
