/* format_sarif.c - SARIF 2.1.0: a result a finding, its sides as related locations and stacks, the
 * interleaving as a code flow with a thread flow a thread.
 */
#include <stdlib.h>
#include <string.h>

#include "findings/finding.h"
#include "formats.h"
#include "json_text.h"
#include "source_place.h"
#include "test_document.h"
#include "util/alloc.h"

struct rules {
    json_t *list;
    int index[HD_FK_COUNT]; /* from 1; 0: not yet there */
};

static json_t *message(const char *text)
{
    json_t *o = json_object();
    json_object_set_new(o, "text", json_string(text));
    return o;
}

/* A URI reference: what is no letter, digit or one of -._~/ is escaped. */
static char *uri_of(const char *path)
{
    char *uri = mem_zeroed(3 * strlen(path) + 1, 1), *to = uri;

    for (const unsigned char *p = (const unsigned char *)path; *p; p++)
        if ((*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') || (*p >= '0' && *p <= '9') ||
            strchr("-._~/", *p))
            *to++ = (char)*p;
        else
            to += sprintf(to, "%%%02X", *p);
    return uri;
}

static json_t *artifact(const char *path, bool inside)
{
    json_t *o = json_object();
    char *uri = uri_of(path), *whole = *path == '/' ? mem_format("file://%s", uri) : mem_copy(uri);

    json_object_set_new(o, "uri", json_string(whole));
    if (inside)
        json_object_set_new(o, "uriBaseId", json_string("SRCROOT"));
    free(uri);
    free(whole);
    return o;
}

/* Takes place->path over. */
static json_t *physical(const struct source_place *place)
{
    json_t *o = json_object(), *region = json_object();

    json_object_set_new(o, "artifactLocation", artifact(place->path, place->inside));
    json_object_set_new(region, "startLine", json_integer(place->line));
    if (place->column)
        json_object_set_new(region, "startColumn", json_integer(place->column));
    if (place->line)
        json_object_set(o, "region", region);
    json_decref(region);
    free(place->path);
    return o;
}

static json_t *location(const struct source_place *place, const char *text)
{
    json_t *o = json_object();

    if (place)
        json_object_set_new(o, "physicalLocation", physical(place));
    if (text)
        json_object_set_new(o, "message", message(text));
    return o;
}

/* "T1 (deposit): waits, mutex M2 (journal)". */
static char *side(const json_t *note)
{
    const char *thread = document_word(note, "thread"), *object = document_word(note, "object"),
               *text = document_word(note, "text");

    return mem_format("%s%s%s%s%s%s%s", thread ? thread : "", thread ? ": " : "",
                      document_word(note, "role"), object ? ", " : "", object ? object : "",
                      text ? ", " : "", text ? text : "");
}

static json_t *stack(const json_t *note, const char *program)
{
    json_t *o = json_object(), *frames = json_array(), *frame;
    char *text = side(note);
    size_t i;

    json_array_foreach(json_object_get(note, "stack"), i, frame)
    {
        const char *file = document_word(frame, "file"), *module = document_word(frame, "module"),
                   *function = document_word(frame, "function");
        json_t *f = json_object(), *at;
        struct source_place place = {0};
        if (file) {
            place = source_place(file, program);
            place.line = (int)json_integer_value(json_object_get(frame, "line"));
            place.column = (int)json_integer_value(json_object_get(frame, "column"));
        }
        at = location(file ? &place : NULL, function);
        json_object_set_new(f, "location", at);
        if (module)
            json_object_set_new(f, "module", json_string(module));
        json_array_append_new(frames, f);
    }
    json_object_set_new(o, "message", message(text));
    json_object_set_new(o, "frames", frames);
    free(text);
    return o;
}

/* Steps name places as "bank.c:12". The file is one that a side of the finding names, if it is but
 * one. */
static bool place_of_step(const json_t *finding, const char *where, const char *program,
                          struct source_place *place)
{
    const char *colon = where ? strrchr(where, ':') : NULL, *file = NULL;
    size_t i, k;
    json_t *note, *frame;

    if (!colon)
        return false;
    json_array_foreach(json_object_get(finding, "notes"), i, note)
    {
        json_array_foreach(json_object_get(note, "stack"), k, frame)
        {
            const char *named = document_word(frame, "file");
            const char *base = named ? strrchr(named, '/') : NULL;
            base = base ? base + 1 : named;
            if (!base || strlen(base) != (size_t)(colon - where) ||
                strncmp(base, where, strlen(base)) != 0)
                continue;
            if (file && strcmp(file, named) != 0)
                return false;
            file = named;
        }
    }
    if (!file)
        return false;
    *place = source_place(file, program);
    place->line = atoi(colon + 1);
    return true;
}

static json_t *flow_of(json_t *flows, const char *thread)
{
    size_t i;
    json_t *flow;

    json_array_foreach(flows, i, flow)
    {
        if (strcmp(document_word(flow, "id"), thread) == 0)
            return json_object_get(flow, "locations");
    }
    flow = json_object();
    json_object_set_new(flow, "id", json_string(thread));
    json_object_set_new(flow, "locations", json_array());
    json_array_append_new(flows, flow);
    return json_object_get(flow, "locations");
}

static json_t *code_flows(const json_t *finding, const char *program)
{
    json_t *flows = json_array(), *step;
    size_t i;

    json_array_foreach(json_object_get(finding, "interleaving"), i, step)
    {
        const char *thread = document_word(step, "thread");
        struct source_place place;
        bool known = place_of_step(finding, document_word(step, "where"), program, &place);
        char *text = mem_format("%s: %s", thread, document_word(step, "what"));
        json_t *o = json_object();
        json_object_set_new(o, "location", location(known ? &place : NULL, text));
        json_object_set_new(o, "executionOrder", json_integer((json_int_t)i + 1));
        json_array_append_new(flow_of(flows, thread), o);
        free(text);
    }
    if (!json_array_size(flows)) {
        json_decref(flows);
        return json_array();
    }
    json_t *flow = json_object(), *list = json_array();
    json_object_set_new(flow, "threadFlows", flows);
    json_array_append_new(list, flow);
    return list;
}

static int rule_of(struct rules *rules, enum hd_finding_kind kind, const char *advice)
{
    json_t *o;

    if (rules->index[kind])
        return rules->index[kind] - 1;
    o = json_object();
    json_object_set_new(o, "id", json_string(finding_word(kind)));
    json_object_set_new(o, "shortDescription", message(finding_title(kind)));
    if (advice && *advice)
        json_object_set_new(o, "help", message(advice));
    json_array_append_new(rules->list, o);
    rules->index[kind] = (int)json_array_size(rules->list);
    return rules->index[kind] - 1;
}

static json_t *properties(const json_t *test, const json_t *finding)
{
    char *replay = document_replay(finding);
    json_t *o = json_object();

    json_object_set(o, "test", json_object_get(test, "name"));
    json_object_set(o, "doubtful", json_object_get(finding, "doubtful"));
    json_object_set(o, "reproduced", json_object_get(finding, "reproduced"));
    json_object_set(o, "replays", json_object_get(finding, "replays"));
    json_object_set_new(o, "replay", replay ? json_string(replay) : json_null());
    free(replay);
    return o;
}

static json_t *result(struct rules *rules, const json_t *test, const json_t *finding)
{
    const char *program =
        document_word(json_object_get(json_object_get(test, "report"), "program"), "path");
    const char *word = document_word(finding, "kind");
    enum hd_finding_kind kind = finding_kind(word);
    bool known = json_is_true(json_object_get(finding, "known"));
    json_t *o = json_object(), *locations = json_array(), *related = json_array(),
           *stacks = json_array(), *prints = json_object(), *note;
    struct source_place place;
    size_t i;

    json_object_set_new(o, "ruleId", json_string(word));
    if (kind < HD_FK_COUNT)
        json_object_set_new(o, "ruleIndex",
                            json_integer(rule_of(rules, kind, document_word(finding, "advice"))));
    json_object_set_new(o, "level",
                        json_string(document_fails(finding) ? "error"
                                    : known                 ? "note"
                                                            : "warning"));
    json_object_set_new(o, "message", message(document_word(finding, "headline")));
    if (source_place_finding(finding, program, &place))
        json_array_append_new(locations, location(&place, NULL));
    json_array_foreach(json_object_get(finding, "notes"), i, note)
    {
        char *text = side(note);
        if (source_place_of(json_object_get(note, "stack"), program, &place))
            json_array_append_new(related, location(&place, text));
        if (json_array_size(json_object_get(note, "stack")))
            json_array_append_new(stacks, stack(note, program));
        free(text);
    }
    json_object_set_new(prints, "heddleFingerprint/v1",
                        json_string(document_word(finding, "fingerprint")));
    json_object_set_new(o, "locations", locations);
    json_object_set_new(o, "relatedLocations", related);
    json_object_set_new(o, "stacks", stacks);
    json_object_set_new(o, "codeFlows", code_flows(finding, program));
    json_object_set_new(o, "partialFingerprints", prints);
    if (known)
        json_object_set_new(o, "baselineState", json_string("unchanged"));
    json_object_set_new(o, "properties", properties(test, finding));
    return o;
}

/* One a test: was it run, and if not, why? */
static json_t *invocation(const json_t *test)
{
    const char *verdict = document_word(test, "verdict"), *why = document_word(test, "why");
    const json_t *report = json_object_get(test, "report");
    json_t *o = json_object(), *told = json_array();

    if (why) {
        json_t *one = json_object();
        json_object_set_new(one, "level",
                            json_string(strcmp(verdict, "error") == 0 ? "error" : "note"));
        json_object_set_new(one, "message", message(why));
        json_array_append_new(told, one);
    }
    if (json_is_object(report)) {
        json_object_set(o, "arguments",
                        json_object_get(json_object_get(report, "program"), "arguments"));
        json_object_set(o, "exitCode", json_object_get(report, "exit_code"));
    }
    json_object_set_new(o, "executionSuccessful", json_boolean(strcmp(verdict, "error") != 0));
    json_object_set_new(o, "toolExecutionNotifications", told);
    return o;
}

void format_sarif(FILE *to, const json_t *document)
{
    struct rules rules = {.list = json_array()};
    json_t *log = json_object(), *run = json_object(), *tool = json_object(),
           *driver = json_object(), *bases = json_object(), *root = json_object(),
           *runs = json_array(), *results = json_array(), *invocations = json_array(), *test;
    char *path = uri_of(source_root()),
         *folder = mem_format("file://%s%s", path, strcmp(path, "/") == 0 ? "" : "/");
    size_t i;

    json_array_foreach(json_object_get(document, "tests"), i, test)
    {
        size_t at = 0;
        for (json_t *f; (f = document_finding(test, &at));)
            json_array_append_new(results, result(&rules, test, f));
        json_array_append_new(invocations, invocation(test));
    }
    json_object_set_new(driver, "name", json_string("Heddle"));
    json_object_set_new(driver, "version", json_string(document_word(document, "heddle")));
    json_object_set_new(driver, "rules", rules.list);
    json_object_set_new(tool, "driver", driver);
    json_object_set_new(root, "uri", json_string(folder));
    json_object_set_new(bases, "SRCROOT", root);
    json_object_set_new(run, "tool", tool);
    json_object_set_new(run, "originalUriBaseIds", bases);
    json_object_set_new(run, "columnKind", json_string("unicodeCodePoints"));
    json_object_set_new(run, "invocations", invocations);
    json_object_set_new(run, "results", results);
    json_array_append_new(runs, run);
    json_object_set_new(log, "$schema",
                        json_string("https://json.schemastore.org/sarif-2.1.0.json"));
    json_object_set_new(log, "version", json_string("2.1.0"));
    json_object_set_new(log, "runs", runs);
    json_print(to, log);
    json_decref(log);
    free(path);
    free(folder);
}
