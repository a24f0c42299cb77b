/* progress_file.c - see progress_file.h */
#include "progress_file.h"

#include <jansson.h>
#include <string.h>

#include "reports/json_text.h"
#include "reports/test_document.h"
#include "schedules/config_words.h"
#include "symbols/symbol.h"
#include "util/alloc.h"
#include "util/state_file.h"

#define PROGRESS_VERSION 1

/* What has to be the same; the program may be another build. */
static json_t *campaign(char *const *argv, const struct plan *plan)
{
    json_t *o = json_object(), *arguments = json_array();

    for (char *const *a = argv; *a; a++)
        json_array_append_new(arguments, json_text(a == argv ? base_name(*a) : *a));
    json_object_set_new(o, "arguments", arguments);
    json_object_set_new(
        o, "strategy",
        json_string(plan->strategy == PLAN_AUTO ? "auto" : strategy_word(plan->strategy)));
    json_object_set_new(o, "depth", json_integer(plan->depth));
    json_object_set_new(o, "seed", json_integer((json_int_t)plan->seed));
    return o;
}

char *progress_read(const char *path, char *const *argv, const struct plan *plan, uint64_t *begin)
{
    json_t *document, *wanted;
    const char *schema;
    char *why = state_file_read(path, "--continue", &document);

    *begin = 1;
    if (!document)
        return why;
    wanted = campaign(argv, plan);
    schema = document_word(document, "schema");
    json_int_t next = json_integer_value(json_object_get(document, "next_schedule"));
    if (!schema || strcmp(schema, "heddle-progress") != 0 || next < 1)
        why = mem_format("--continue: %s was not written by --continue", path);
    else if (!json_equal(json_object_get(document, "campaign"), wanted))
        why = mem_format("--continue: %s is of another campaign: other arguments, seed or strategy",
                         path);
    else
        *begin = (uint64_t)next;
    json_decref(document);
    json_decref(wanted);
    return why;
}

bool progress_write(const char *path, char *const *argv, const struct plan *plan, uint64_t next)
{
    json_t *document = json_object();

    json_object_set_new(document, "schema", json_string("heddle-progress"));
    json_object_set_new(document, "version", json_integer(PROGRESS_VERSION));
    json_object_set_new(document, "campaign", campaign(argv, plan));
    json_object_set_new(document, "next_schedule", json_integer((json_int_t)next));
    bool kept = state_file_write(path, document);
    json_decref(document);
    return kept;
}
