/* cmd_explain.c - heddle explain: what a kind of finding means, with a small wrong and right program.
 *
 * The pages are the programs of harness/driver/explain, one a kind, put together by cmake/embed.cmake:
 * each begins with a comment "KIND - in one line", and says by #ifdef RIGHT what differs.
 */
#include <argp.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "findings/finding.h"
#include "util/alloc.h"
#include "util/complain.h"
#include "util/exit_code.h"
#include "util/nearest.h"
#include "util/options.h"

extern const char explain_pages[];

/* The page of a kind and where it ends; NULL: there is none. */
static const char *page_of(const char *word, const char **end)
{
    char *head = mem_format("/* %s - ", word);
    const char *page = strstr(explain_pages, head);

    free(head);
    if (!page)
        return NULL;
    *end = page + strlen(page);
    for (const char *at = page; (at = strstr(at, "\n/* ")); at++) {
        char *next = mem_format("%.*s", (int)strcspn(at + 4, " "), at + 4);
        bool begins =
            finding_kind(next) != HD_FK_COUNT && strncmp(at + 4 + strlen(next), " - ", 3) == 0;
        free(next);
        if (begins) {
            *end = at + 1;
            break;
        }
    }
    return page;
}

/* The comment without its marks; returns where the program begins. */
static const char *print_comment(const char *page, const char *end)
{
    bool first = true;

    for (const char *line = page; line < end; line += strcspn(line, "\n") + 1) {
        int n = (int)strcspn(line, "\n");
        if (strncmp(line, " */", 3) == 0)
            return line + n + 1;
        int skip = n < 3 ? n : 3;
        printf("%s%.*s\n", first ? "" : "  ", n - skip, line + skip);
        first = false;
    }
    return end;
}

/* One of the two programs. */
static void print_program(const char *code, const char *end, bool right)
{
    bool inside = false, shown = true;

    for (const char *line = code; line < end; line += strcspn(line, "\n") + 1) {
        int n = (int)strcspn(line, "\n");
        if (strncmp(line, "#ifdef RIGHT", 12) == 0 || strncmp(line, "#ifndef RIGHT", 13) == 0) {
            inside = true;
            shown = right == (line[3] == 'd');
        } else if (inside && strncmp(line, "#else", 5) == 0) {
            shown = !shown;
        } else if (inside && strncmp(line, "#endif", 6) == 0) {
            inside = false;
            shown = true;
        } else if (shown) {
            printf(n ? "      %.*s\n" : "%.*s\n", n, line);
        }
    }
}

static void print_page(const char *page, const char *end)
{
    const char *code = print_comment(page, end);

    if (code >= end)
        return;
    fputs("\n  Wrong:\n\n", stdout);
    print_program(code, end, false);
    fputs("\n  Right:\n\n", stdout);
    print_program(code, end, true);
}

static void list_kinds(void)
{
    for (unsigned i = 0; i < HD_FK_COUNT; i++) {
        const char *word = finding_word((enum hd_finding_kind)i), *end;
        const char *page = page_of(word, &end), *line = page ? strstr(page, " - ") : NULL;
        if (line)
            printf("  %-18s %.*s\n", word, (int)strcspn(line + 3, "\n"), line + 3);
    }
    fputs("\nheddle explain KIND: what it means, how it is found, a wrong and a right program.\n",
          stdout);
}

/* "deadlock" of "deadlock-1", the name of a finding. */
static char *kind_of(const char *text)
{
    size_t n = strlen(text);

    while (n > 0 && isdigit((unsigned char)text[n - 1]))
        n--;
    return n > 0 && n < strlen(text) && text[n - 1] == '-' ? mem_format("%.*s", (int)n - 1, text)
                                                           : mem_copy(text);
}

static bool explain(const char *text)
{
    struct nearest near = {.typed = text};
    char *word = kind_of(text);
    const char *end, *page = finding_kind(word) != HD_FK_COUNT ? page_of(word, &end) : NULL;

    free(word);
    if (page) {
        print_page(page, end);
        return true;
    }
    for (unsigned i = 0; i < HD_FK_COUNT; i++)
        nearest_try(&near, finding_word((enum hd_finding_kind)i));
    if (near.word)
        complain("there is no kind of finding \"%s\": did you mean %s?", text, near.word);
    else
        complain("there is no kind of finding \"%s\"; heddle explain lists them", text);
    return false;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    (void)arg;
    if (key != ARGP_KEY_ARG)
        return ARGP_ERR_UNKNOWN;
    if (state->arg_num == 0)
        *(int *)state->input = state->next - 1;
    return 0;
}

int cmd_explain(int argc, char **argv)
{
    static const struct argp argp = {
        .parser = parse,
        .args_doc = "[KIND...]",
        .doc = "Say what a kind of finding means, how it is found and what its limits are, with a "
               "small wrong and right program. KIND may be the name of a finding: deadlock-1. "
               "Without one: list them."
               "\vExit codes: 0 printed, 2 wrong usage."};
    int first = 0;

    options_parse(&argp, "heddle explain", argc, argv, 0, &first);
    if (!first) {
        list_kinds();
        return EXIT_NOTHING;
    }
    for (int i = first; i < argc; i++) {
        if (i > first)
            putchar('\n');
        if (!explain(argv[i]))
            return EXIT_USAGE;
    }
    return EXIT_NOTHING;
}
