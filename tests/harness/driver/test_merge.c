/* test_merge.c - what shards found out about causes, each a part of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "reports/merge_documents.h"

struct row {
    const char *name, *print;
    int first;
    const char *cause; /* a name, or NULL */
    bool fails;
    bool impossible; /* as the other shard shows */
};

static json_t *finding(const struct row *r)
{
    json_t *f =
        json_pack("{s:s, s:s, s:s, s:s, s:i, s:s?, s:n, s:s?, s:i, s:i, s:b, s:[s]}", "name",
                  r->name, "kind", r->impossible ? "predicted-race" : "data-race", "fingerprint",
                  r->print, "headline", "a race", "first_schedule", r->first, "same_cause",
                  r->cause, "same_as", "doubtful", r->impossible ? "perhaps" : NULL, "replays", 3,
                  "reproduced", 3, "fails", r->fails, "tools", "heddle");
    char text[128];
    snprintf(text, sizeof text, "%s  a race\n%s", r->name,
             r->cause ? "" : "\n  Seen also as:\n\n    data-race-9        old\n");
    json_object_set_new(f, "report", json_string(text));
    return f;
}

static void add_shard(struct merge *m, int index, const struct row *rows, const struct row *other)
{
    json_t *list = json_array(), *excluded = json_array();
    for (; rows->name; rows++)
        json_array_append_new(list, finding(rows));
    for (; other->name; other++)
        if (other->impossible)
            json_array_append_new(excluded, json_string(other->print));
    json_t *document =
        json_pack("{s:[{s:s, s:s, s:f, s:{s:o, s:o, s:{s:i, s:i}, s:{}, s:i, s:i, s:s, s:{s:s}}}]}",
                  "tests", "name", "t", "verdict", "failed", "seconds", 1.0, "report", "findings",
                  list, "excluded", excluded, "shard", "index", index, "count", 2, "statistics",
                  "suppressed", 0, "seed", 1, "strategy", "auto", "program", "build_id", "0");
    assert_non_null(document);
    char *why = merge_add(m, document, index == 1 ? "one" : "two");
    if (why)
        fail_msg("%s", why);
    json_decref(document);
}

/* The findings of two shards together, in their order. */
static json_t *merged(const struct row *one, const struct row *two)
{
    struct merge *m = merge_new();
    json_t *missing = json_array();
    add_shard(m, 1, one, two);
    add_shard(m, 2, two, one);
    json_t *document = merge_finish(m, missing);
    assert_int_equal(json_array_size(missing), 0);
    json_decref(missing);
    return document;
}

static const json_t *at(const json_t *document, size_t i)
{
    const json_t *test = json_array_get(json_object_get(document, "tests"), 0);
    return json_array_get(json_object_get(json_object_get(test, "report"), "findings"), i);
}

static void belongs_to(const json_t *document, size_t i, const char *cause)
{
    const char *now = json_string_value(json_object_get(at(document, i), "same_cause"));
    if (cause)
        assert_string_equal(now, cause);
    else
        assert_null(now);
}

/* The one knows that b belongs to a, the other that c belongs to b: both belong to a, which says so. */
static void chains_end_at_their_head(void **state)
{
    (void)state;
    static const struct row one[] = {{"data-race-1", "aa", 1, NULL, true, false},
                                     {"data-race-2", "bb", 2, "data-race-1", true, false},
                                     {.name = NULL}},
                            two[] = {{"data-race-1", "bb", 3, NULL, true, false},
                                     {"data-race-2", "cc", 4, "data-race-1", true, false},
                                     {"data-race-3", "dd", 5, NULL, true, false},
                                     {.name = NULL}};
    json_t *document = merged(one, two);
    belongs_to(document, 0, NULL);
    belongs_to(document, 1, "data-race-1");
    belongs_to(document, 2, "data-race-1");
    belongs_to(document, 3, NULL);
    assert_string_equal(json_string_value(json_object_get(at(document, 0), "report")),
                        "data-race-1  a race\n\n  Seen also as:\n\n"
                        "    data-race-2        a race, reproduced 6 of 6\n"
                        "    data-race-3        a race, reproduced 3 of 3\n");
    assert_string_equal(json_string_value(json_object_get(at(document, 3), "report")),
                        "data-race-3  a race\n");
    json_decref(document);
}

/* In each shard another one was first. One of them has to be told. */
static void rings_have_a_head(void **state)
{
    (void)state;
    static const struct row one[] = {{"data-race-1", "aa", 2, NULL, true, false},
                                     {"data-race-2", "bb", 1, "data-race-1", true, false},
                                     {"data-race-3", "cc", 9, "data-race-2", true, false},
                                     {.name = NULL}},
                            two[] = {{"data-race-1", "bb", 4, NULL, true, false},
                                     {"data-race-2", "aa", 1, "data-race-1", true, false},
                                     {.name = NULL}};
    json_t *document = merged(one, two);
    belongs_to(document, 0, NULL);
    belongs_to(document, 1, "data-race-1");
    belongs_to(document, 2, "data-race-1");
    json_decref(document);
}

/* Who leads into a ring belongs to its head, and is none of it. */
static void a_chain_leads_into_a_ring(void **state)
{
    (void)state;
    static const struct row one[] = {{"data-race-1", "00", 1, "data-race-2", true, false},
                                     {"data-race-2", "cc", 2, "data-race-3", true, false},
                                     {"data-race-3", "bb", 3, "data-race-2", true, false},
                                     {"data-race-4", "01", 4, "data-race-1", true, false},
                                     {.name = NULL}},
                            two[] = {{.name = NULL}};
    json_t *document = merged(one, two);
    belongs_to(document, 0, "data-race-3");
    belongs_to(document, 1, "data-race-3");
    belongs_to(document, 2, NULL);
    belongs_to(document, 3, "data-race-3");
    json_decref(document);
}

/* What fails is told for itself, whatever another shard took it to belong to. */
static void what_fails_is_told(void **state)
{
    (void)state;
    static const struct row one[] = {{"data-race-1", "aa", 1, NULL, false, false},
                                     {"data-race-2", "bb", 2, "data-race-1", true, false},
                                     {.name = NULL}},
                            two[] = {{.name = NULL}};
    json_t *document = merged(one, two);
    belongs_to(document, 0, NULL);
    belongs_to(document, 1, NULL);
    json_decref(document);
}

/* What the others belong to turns out to be impossible: the first of them is told. */
static void those_that_lose_their_head_keep_together(void **state)
{
    (void)state;
    static const struct row one[] = {{"predicted-race-1", "aa", 1, NULL, true, true},
                                     {"data-race-1", "bb", 2, "predicted-race-1", true, false},
                                     {"data-race-2", "cc", 3, "predicted-race-1", true, false},
                                     {.name = NULL}},
                            two[] = {{.name = NULL}};
    json_t *document = merged(one, two);
    belongs_to(document, 0, NULL);
    belongs_to(document, 1, "data-race-1");
    assert_null(at(document, 2));
    json_decref(document);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chains_end_at_their_head),
        cmocka_unit_test(rings_have_a_head),
        cmocka_unit_test(a_chain_leads_into_a_ring),
        cmocka_unit_test(what_fails_is_told),
        cmocka_unit_test(those_that_lose_their_head_keep_together),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
