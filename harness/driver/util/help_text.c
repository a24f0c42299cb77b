/* help_text.c - see help_text.h
 *
 * argp breaks lines wrongly where a text just fills one, or where its buffer ends behind a long option. So it
 * is asked for one line each, with the texts of options at a column that no option reaches, and lines are broken here.
 */
#include "help_text.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"

#define ARGP_FORMAT "rmargin=20000,opt-doc-col=100"
#define ARGP_COLUMN 100u
enum { WIDTH = 79, TEXT_COLUMN = 29, USAGE_COLUMN = 12 };

/* What argp_parse() adds; it is given here as argp_help() does not. */
static const struct argp_option common_options[] = {
    {"help", '?', 0, 0, "Give this help list", -1},
    {"usage", -3, 0, 0, "Give a short usage message", 0},
    {0}};
static const struct argp common_argp = {.options = common_options};

/* `at`: the column where it begins; further lines begin at `indent`. */
static void print_broken(FILE *to, const char *text, size_t at, int indent)
{
    bool begins = true;

    while (*text) {
        size_t spaces = strspn(text, " "), word = strcspn(text + spaces, " ");
        if (!word)
            break;
        if (!begins && at + spaces + word > WIDTH) {
            fprintf(to, "\n%*s", indent, "");
            at = (size_t)indent;
        } else {
            fprintf(to, "%*s", (int)spaces, "");
            at += spaces;
        }
        fprintf(to, "%.*s", (int)word, text + spaces);
        at += word;
        text += spaces + word;
        begins = false;
    }
    fputc('\n', to);
}

static void print_option(FILE *to, char *line)
{
    const char *text = strlen(line) > ARGP_COLUMN ? line + ARGP_COLUMN : "";
    size_t n = strlen(line) < ARGP_COLUMN ? strlen(line) : ARGP_COLUMN;

    while (n && line[n - 1] == ' ')
        n--;
    fprintf(to, "%.*s", (int)n, line);
    if (!*text) {
        fputc('\n', to);
        return;
    }
    if (n + 2 > TEXT_COLUMN) {
        fputc('\n', to);
        n = 0;
    }
    fprintf(to, "%*s", (int)(TEXT_COLUMN - n), "");
    print_broken(to, text, TEXT_COLUMN, TEXT_COLUMN);
}

static bool is_option(const char *line)
{
    return line[0] == ' ' && line[strspn(line, " ")] == '-';
}

static void print_lines(FILE *to, char *text)
{
    for (char *line = text, *end; *line; line = end) {
        end = line + strcspn(line, "\n");
        if (*end)
            *end++ = 0;
        if (is_option(line))
            print_option(to, line);
        else
            print_broken(to, line, 0, strncmp(line, "Usage:", 6) == 0 ? USAGE_COLUMN : 0);
    }
}

void help_print(FILE *to, const struct argp *argp, char *name)
{
    struct argp whole = *argp;
    struct argp_child *children;
    char *text = NULL;
    size_t bytes, n = 0;
    FILE *lines = open_memstream(&text, &bytes);

    if (!lines)
        return;
    while (argp->children && argp->children[n].argp)
        n++;
    children = mem_zeroed(n + 2, sizeof *children);
    if (n)
        memcpy(children, argp->children, n * sizeof *children);
    children[n].argp = &common_argp;
    whole.children = children;
    setenv("ARGP_HELP_FMT", ARGP_FORMAT, 1);
    argp_help(&whole, lines, ARGP_HELP_STD_HELP, name);
    fclose(lines);
    print_lines(to, text);
    free(text);
    free(children);
}
