/* format_gitlab.c - GitLab's code quality report: an array of issues, each at a file of the
 * repository. */
#include <string.h>

#include "formats.h"
#include "json_text.h"
#include "source_place.h"
#include "test_document.h"
#include "util/alloc.h"

static json_t *issue(const json_t *test, const json_t *finding)
{
    const char *program =
        document_word(json_object_get(json_object_get(test, "report"), "program"), "path");
    struct source_place place;
    bool known = json_is_true(json_object_get(finding, "known"));
    json_t *o = json_object(), *location = json_object(), *lines = json_object();
    char *replay = document_replay(finding);
    char *text = mem_format("%s%s%s", document_word(finding, "headline"), replay ? "; " : "",
                            replay ? replay : "");

    if (!source_place_finding(finding, program, &place))
        place = source_place(program, NULL);
    json_object_set_new(lines, "begin", json_integer(place.line ? place.line : 1));
    json_object_set_new(location, "path", json_string(place.path));
    json_object_set_new(location, "lines", lines);
    json_object_set_new(o, "description", json_string(text));
    json_object_set_new(o, "check_name", json_string(document_word(finding, "kind")));
    json_object_set_new(o, "fingerprint", json_string(document_word(finding, "fingerprint")));
    json_object_set_new(o, "severity",
                        json_string(document_fails(finding) ? "critical"
                                    : known                 ? "info"
                                                            : "minor"));
    json_object_set_new(o, "location", location);
    free(place.path);
    free(replay);
    free(text);
    return o;
}

/* One bug that several tests show is one issue. */
static bool is_told(const json_t *issues, const json_t *one)
{
    size_t i;
    json_t *other;

    json_array_foreach(issues, i, other)
    {
        if (strcmp(document_word(other, "fingerprint"), document_word(one, "fingerprint")) == 0)
            return true;
    }
    return false;
}

void format_gitlab(FILE *to, const json_t *document)
{
    json_t *issues = json_array(), *test;
    size_t i;

    json_array_foreach(json_object_get(document, "tests"), i, test)
    {
        size_t at = 0;
        for (json_t *f; (f = document_finding(test, &at));) {
            json_t *one = issue(test, f);
            if (!is_told(issues, one))
                json_array_append(issues, one);
            json_decref(one);
        }
    }
    json_print(to, issues);
    json_decref(issues);
}
