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

void format_github(FILE *to, const json_t *document)
{
    size_t i;
    json_t *test;

    json_array_foreach(json_object_get(document, "tests"), i, test)
    {
        const char *why = document_word(test, "why");
        size_t at = 0;
        for (json_t *f; (f = document_finding(test, &at));)
            annotate(to, test, f);
        if (document_word(test, "verdict")[0] == 'e' && why) {
            fputs("::error title=heddle::", to);
            escaped(to, document_word(test, "name"), false);
            fputs(": ", to);
            escaped(to, why, false);
            fputc('\n', to);
        }
    }
}
