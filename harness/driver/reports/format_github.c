/* format_github.c - workflow commands of GitHub Actions: annotations of a pull request's lines. */
#include <stdlib.h>

#include "formats.h"
#include "source_place.h"
#include "test_document.h"

/* What ends a command or a property is written as a percent escape. */
static void escaped(FILE *to, const char *text, bool property)
{
    for (const char *p = text; *p; p++)
        if (*p == '%' || *p == '\r' || *p == '\n' || (property && (*p == ':' || *p == ',')))
            fprintf(to, "%%%02X", (unsigned char)*p);
        else
            fputc(*p, to);
}

static void annotate(FILE *to, const json_t *test, const json_t *finding)
{
    const char *program =
        document_word(json_object_get(json_object_get(test, "report"), "program"), "path");
    bool known = json_is_true(json_object_get(finding, "known"));
    struct source_place place;
    char *replay = document_replay(finding);

    fprintf(to, "::%s ", document_fails(finding) ? "error" : known ? "notice" : "warning");
    if (source_place_finding(finding, program, &place)) {
        fputs("file=", to);
        escaped(to, place.path, true);
        if (place.line)
            fprintf(to, ",line=%d", place.line);
        if (place.line && place.column)
            fprintf(to, ",col=%d", place.column);
        fputc(',', to);
    }
    fputs("title=", to);
    escaped(to, document_word(finding, "kind"), true);
    fputs("::", to);
    escaped(to, document_word(finding, "headline"), false);
    if (replay) {
        fputs("%0A", to);
        escaped(to, replay, false);
    }
    fputc('\n', to);
    free(replay);
    free(place.path);
}

/* A message about no line. */
static void tell(FILE *to, const char *level, const char *about, const char *what)
{
    fprintf(to, "::%s title=heddle::", level);
    escaped(to, about, false);
    fputs(": ", to);
    escaped(to, what, false);
    fputc('\n', to);
}

void format_github(FILE *to, const json_t *document)
{
    const json_t *tests = json_object_get(document, "tests");
    size_t skipped = test_document_count(document, "skipped"), i;
    json_t *test;

    /* Otherwise no annotation would mean that nothing was found. */
    if (skipped && skipped == json_array_size(tests)) {
        const char *why = document_word(json_array_get(tests, 0), "why");
        tell(to, "notice", "nothing judged", skipped == 1 && why ? why : "each test was skipped");
    }
    json_array_foreach(tests, i, test)
    {
        const char *why = document_word(test, "why");
        size_t at = 0;
        for (json_t *f; (f = document_finding(test, &at));)
            annotate(to, test, f);
        if (document_word(test, "verdict")[0] == 'e' && why)
            tell(to, "error", document_word(test, "name"), why);
    }
}
