/* merge_documents.c - see merge_documents.h
 *
 * Findings are one if their fingerprints are. Names are given anew, by the schedule that showed each first;
 * until then what refers to another finding (same_as, same_cause) does it by fingerprint.
 */
#include "merge_documents.h"

#include <stdlib.h>
#include <string.h>

#include "findings/finding.h"
#include "coverage_document.h"
#include "report_text.h"
#include "test_document.h"
#include "util/alloc.h"

/* One test of the result while it grows. */
struct merging {
    json_t *test;
    json_t *findings; /* by fingerprint */
    json_t *excluded; /* a set of fingerprints */
    json_t *shards;   /* by index: the folder; empty: not split */
    json_int_t shard_count;
};

struct merge {
    struct merging *test;
    size_t tests;
    json_t *index; /* by name */
};

static json_int_t number(const json_t *o, const char *key)
{
    return json_integer_value(json_object_get(o, key));
}

static json_t *report_of(const json_t *test)
{
    json_t *report = json_object_get(test, "report");
    return json_is_object(report) ? report : NULL;
}

/* ---- findings ---- */

/* A name of this report by its fingerprint instead; `prints`: all of them by name. */
static void refer_by_fingerprint(json_t *finding, const json_t *prints, const char *key)
{
    const char *name = document_word(finding, key);
    json_t *print = name ? json_object_get(prints, name) : NULL;

    if (print)
        json_object_set(finding, key, print);
    else if (name)
        json_object_set_new(finding, key, json_null());
}

static void refer_by_name(json_t *finding, const json_t *by_fingerprint, const char *key)
{
    const char *print = document_word(finding, key);
    json_t *other = print ? json_object_get(by_fingerprint, print) : NULL;

    json_object_set_new(finding, key,
                        other ? json_string(document_word(other, "name")) : json_null());
}

/* The schedule that showed it first; before the first thread: 0. */
static json_int_t first_of(const json_t *finding)
{
    return number(finding, "first_schedule");
}

/* Does the one say more than the other? What happened is more than what is doubtful. */
static bool is_better(const json_t *one, const json_t *other)
{
    bool sure = !document_word(one, "doubtful"), other_sure = !document_word(other, "doubtful");
    return sure != other_sure ? sure : first_of(one) < first_of(other);
}

static void add_number(json_t *to, const json_t *a, const json_t *b, const char *key)
{
    json_object_set_new(to, key, json_integer(number(a, key) + number(b, key)));
}

static void unite_list(json_t *to, const json_t *from)
{
    size_t i, k;
    json_t *item, *there;

    json_array_foreach(from, i, item)
    {
        bool known = false;
        json_array_foreach(to, k, there)
        {
            known |= json_equal(there, item) != 0;
        }
        if (!known)
            json_array_append(to, item);
    }
}

static void add_finding(struct merging *m, json_t *finding)
{
    const char *print = document_word(finding, "fingerprint");
    json_t *there = json_object_get(m->findings, print);

    if (there) {
        json_t *kept = is_better(finding, there) ? finding : there,
               *other = kept == there ? finding : there;
        add_number(kept, there, finding, "schedules");
        add_number(kept, there, finding, "replays");
        add_number(kept, there, finding, "reproduced");
        unite_list(json_object_get(kept, "tools"), json_object_get(other, "tools"));
        finding = kept;
    }
    json_object_set(m->findings, print, finding);
}

/* ---- statistics ---- */

/* The points of faults are the same in all parts. */
static bool is_greatest(const char *key)
{
    return (strlen(key) > 4 && strcmp(key + strlen(key) - 4, "_max") == 0) ||
           strcmp(key, "points") == 0 || strcmp(key, "tried") == 0;
}

/* Counts are added, but for the greatest of something. */
static void add_statistics(json_t *to, const json_t *from)
{
    const char *key;
    json_t *value;

    json_object_foreach((json_t *)from, key, value)
    {
        json_t *there = json_object_get(to, key);
        if (strcmp(key, "unseen") == 0 || strcmp(key, "pct") == 0)
            continue;
        bool greatest = is_greatest(key);
        if (!there || json_is_null(there))
            json_object_set_new(to, key, json_deep_copy(value));
        else if (json_is_object(value))
            add_statistics(there, value);
        else if (json_is_array(value))
            unite_list(there, value);
        else if (json_is_boolean(value))
            json_object_set_new(to, key, json_boolean(json_is_true(there) || json_is_true(value)));
        else if (json_is_integer(value) && !greatest)
            add_number(to, to, from, key);
        else if (json_is_integer(value) && json_integer_value(value) > json_integer_value(there))
            json_object_set(to, key, value);
        else if (json_is_real(value))
            json_object_set_new(to, key,
                                json_real(json_real_value(there) + json_real_value(value)));
    }
}

/* What is not counted: of the first alone it is as it was. */
static json_t *worth_of(const json_t *statistics)
{
    json_t *o = json_object();

    json_object_set(o, "unseen", json_object_get(statistics, "unseen"));
    json_object_set_new(o, "pct", json_deep_copy(json_object_get(statistics, "pct")));
    return o;
}

/* Of all together is not known what each saw of the others'. What pct promises for each holds on. */
static void join_worth(json_t *to, const json_t *from)
{
    json_t *list = json_object_get(to, "pct"), *item, *there;
    size_t i, k;

    json_object_set_new(to, "unseen", json_null());
    json_array_foreach(json_object_get(from, "pct"), i, item)
    {
        json_t *same = NULL;
        json_array_foreach(list, k, there)
        {
            if (number(there, "depth") == number(item, "depth"))
                same = there;
        }
        if (!same) {
            json_array_append_new(list, json_deep_copy(item));
            continue;
        }
        double a = json_real_value(json_object_get(same, "probability")),
               b = json_real_value(json_object_get(item, "probability"));
        add_number(same, same, item, "schedules");
        for (const char *const *key = (const char *const[]){"threads", "steps", NULL}; *key; key++)
            if (number(item, *key) > number(same, *key))
                json_object_set(same, *key, json_object_get(item, *key));
        json_object_set_new(same, "probability", json_real(1 - (1 - a) * (1 - b)));
    }
}

/* ---- tests ---- */

static void take_findings(struct merging *m, const json_t *report)
{
    json_t *list = json_object_get(report, "findings"), *prints = json_object(), *f, *print;
    size_t i;

    json_array_foreach(list, i, f)
    {
        json_object_set(prints, document_word(f, "name"), json_object_get(f, "fingerprint"));
    }
    json_array_foreach(list, i, f)
    {
        refer_by_fingerprint(f, prints, "same_as");
        refer_by_fingerprint(f, prints, "same_cause");
    }
    json_decref(prints);
    json_array_foreach(list, i, f)
    {
        add_finding(m, f);
    }
    json_array_foreach(json_object_get(report, "excluded"), i, print)
    {
        if (json_is_string(print))
            json_object_set_new(m->excluded, json_string_value(print), json_true());
    }
}

/* NULL, or why the report is of another campaign than what is there. */
static char *check_shard(struct merging *m, const json_t *report, const char *folder)
{
    static const char *const same[] = {"seed", "strategy", NULL};
    const json_t *shard = json_object_get(report, "shard"), *there = report_of(m->test);
    const char *name = document_word(m->test, "name");
    char index[24];

    if (!json_is_object(shard) || number(shard, "count") < 2)
        return m->shard_count
                   ? mem_format("%s: the run of %s in it is no shard, others are", folder, name)
                   : NULL;
    for (size_t i = 0; there && same[i]; i++)
        if (!json_equal(json_object_get(report, same[i]), json_object_get(there, same[i])))
            return mem_format("%s: its %s of %s is another than the other shards'", folder, same[i],
                              name);
    if (there && !json_equal(json_object_get(json_object_get(report, "program"), "build_id"),
                             json_object_get(json_object_get(there, "program"), "build_id")))
        return mem_format("%s: another build of %s than the other shards'", folder, name);
    if (there && m->shard_count != number(shard, "count"))
        return mem_format("%s: %s is split in %lld there, in %lld elsewhere", folder, name,
                          (long long)number(shard, "count"), (long long)m->shard_count);
    snprintf(index, sizeof index, "%lld", (long long)number(shard, "index"));
    if (json_object_get(m->shards, index))
        return mem_format("%s: shard %s of %s is in %s as well", folder, index, name,
                          json_string_value(json_object_get(m->shards, index)));
    json_object_set_new(m->shards, index, json_string(folder));
    m->shard_count = number(shard, "count");
    return NULL;
}

static void mark_origin(const json_t *report, const char *folder)
{
    size_t i;
    json_t *f;

    json_array_foreach(json_object_get(report, "findings"), i, f)
    {
        json_object_set_new(f, "from", json_string(folder));
    }
}

static char *add_test(struct merging *m, const json_t *test, const char *folder)
{
    json_t *report = report_of(test), *there = report_of(m->test);
    const char *trouble = document_word(report, "trouble");
    char *why;

    if (!report)
        return NULL;
    if ((why = check_shard(m, report, folder)))
        return why;
    mark_origin(report, folder);
    take_findings(m, report);
    if (!there) {
        json_t *copy = json_copy(report);
        json_object_set_new(copy, "findings", json_array());
        json_object_set_new(copy, "statistics", worth_of(json_object_get(report, "statistics")));
        json_object_set_new(copy, "suppressed", json_integer(0));
        json_object_set_new(copy, "shard", json_null());
        json_object_set_new(copy, "summary", json_null());
        json_object_set_new(copy, "coverage", json_deep_copy(json_object_get(report, "coverage")));
        json_object_set_new(m->test, "report", copy);
        there = copy;
    } else {
        json_object_set_new(json_object_get(there, "statistics"), "interleavings_exact",
                            json_false());
        join_worth(json_object_get(there, "statistics"), json_object_get(report, "statistics"));
        if (json_is_object(json_object_get(there, "coverage")))
            coverage_join(json_object_get(there, "coverage"), json_object_get(report, "coverage"));
    }
    if (trouble)
        json_object_set(there, "trouble", json_object_get(report, "trouble"));
    add_number(there, there, report, "suppressed");
    add_statistics(json_object_get(there, "statistics"), json_object_get(report, "statistics"));
    json_object_set_new(m->test, "seconds",
                        json_real(json_number_value(json_object_get(m->test, "seconds")) +
                                  json_number_value(json_object_get(test, "seconds"))));
    return NULL;
}

static int by_first(const void *a, const void *b)
{
    json_t *const *x = a, *const *y = b;
    int order = (first_of(*x) > first_of(*y)) - (first_of(*x) < first_of(*y));
    return order ? order
                 : strcmp(document_word(*x, "fingerprint"), document_word(*y, "fingerprint"));
}

/* What another schedule showed to be impossible, unless it happened. */
static bool is_excluded(const struct merging *m, const json_t *finding)
{
    return document_word(finding, "doubtful") &&
           finding_is_prediction(finding_kind(document_word(finding, "kind"))) &&
           json_object_get(m->excluded, document_word(finding, "fingerprint"));
}

static const char *next_cause(const struct merging *m, const char *print)
{
    const char *next = document_word(json_object_get(m->findings, print), "same_cause");
    return next && json_object_get(m->findings, next) ? next : NULL;
}

/* Of those that belong to each other in a ring, from `print` on. */
static const char *least_of_ring(const struct merging *m, const char *print)
{
    const char *least = print;

    for (const char *p = next_cause(m, print); strcmp(p, print) != 0; p = next_cause(m, p))
        if (strcmp(p, least) < 0)
            least = p;
    return least;
}

/* The fingerprint of what a finding belongs to in the end: each shard has found out a part of it. Those
 * that belong to each other in a ring have the least of their fingerprints. `causes` has what is known by now, by
 * fingerprint; null: it is on the way. */
static const char *cause_of(const struct merging *m, const json_t *finding, json_t *causes)
{
    const char *first = document_word(finding, "fingerprint"), *print = first, *next, *cause;

    while (!json_object_get(causes, print) && (next = next_cause(m, print))) {
        json_object_set_new(causes, print, json_null());
        print = next;
    }
    cause = document_word(causes, print);
    if (!cause)
        cause = json_is_null(json_object_get(causes, print)) ? least_of_ring(m, print) : print;
    for (print = first; (next = next_cause(m, print)) && !document_word(causes, print);
         print = next)
        json_object_set_new(causes, print, json_string(cause));
    return cause;
}

/* The report of a finding ends with those that belong to it, as they are called now: `also`, or NULL. */
static void tell_also(json_t *finding, const json_t *also)
{
    const char *report = document_word(finding, "report"), *at = NULL;
    char *text = NULL;
    size_t bytes, i;
    FILE *out = report ? open_memstream(&text, &bytes) : NULL;
    json_t *one;

    if (!out)
        return;
    for (const char *next = report; (next = strstr(next, REPORT_SEEN_ALSO)); next++)
        at = next;
    fwrite(report, 1, at ? (size_t)(at - report) : strlen(report), out);
    json_array_foreach(also, i, one)
    {
        struct finding counts = {.kind = finding_kind(document_word(one, "kind")),
                                 .replays = (unsigned)number(one, "replays"),
                                 .reproduced = (unsigned)number(one, "reproduced")};
        report_seen_also(out, i == 0, document_word(one, "name"), document_word(one, "headline"),
                         &counts);
    }
    fclose(out);
    json_object_set_new(finding, "report", json_string(text));
    free(text);
}

/* Those that one mistake makes belong to one of them: to it that the others belong to, or, where that
 * turned out to be impossible, to the first. */
static void group(const struct merging *m, json_t *const *list, size_t n, const json_t *listed)
{
    json_t *heads = json_object(),      /* by fingerprint of the cause */
        *causes = json_object(),        /* fingerprints by fingerprint */
            *belonging = json_object(); /* lists by name of what they belong to */
    const json_t **head = mem_zeroed(n, sizeof *head);

    for (size_t i = 0; i < n; i++) {
        const char *cause = cause_of(m, list[i], causes);
        json_t *there = json_object_get(listed, cause);
        if (!json_object_get(heads, cause))
            json_object_set(heads, cause, there ? there : list[i]);
        head[i] = json_object_get(heads, cause);
    }
    for (size_t i = 0; i < n; i++) {
        bool belongs = head[i] != list[i] && document_fails(head[i]) == document_fails(list[i]);
        const char *name = belongs ? document_word(head[i], "name") : NULL;
        json_object_set_new(list[i], "same_cause", name ? json_string(name) : json_null());
        if (name && !json_object_get(belonging, name))
            json_object_set_new(belonging, name, json_array());
        if (name)
            json_array_append(json_object_get(belonging, name), list[i]);
    }
    for (size_t i = 0; i < n; i++)
        tell_also(list[i], json_object_get(belonging, document_word(list[i], "name")));
    json_decref(heads);
    json_decref(causes);
    json_decref(belonging);
    free(head);
}

static json_t *named_findings(struct merging *m)
{
    size_t room = json_object_size(m->findings), n = 0, named[HD_FK_COUNT + 1] = {0};
    json_t **list = mem_zeroed(room, sizeof(json_t *)), *f, *all = json_array(),
           *listed = json_object(); /* by fingerprint, as m->findings */
    const char *print;

    json_object_foreach(m->findings, print, f)
    {
        if (is_excluded(m, f))
            continue;
        list[n++] = f;
        json_object_set(listed, print, f);
    }
    qsort(list, n, sizeof(json_t *), by_first);
    for (size_t i = 0; i < n; i++) {
        const char *kind = document_word(list[i], "kind");
        char *name = mem_format("%s-%zu", kind, ++named[finding_kind(kind)]);
        json_object_set(list[i], "was", json_object_get(list[i], "name"));
        json_object_set_new(list[i], "name", json_string(name));
        free(name);
    }
    for (size_t i = 0; i < n; i++) {
        refer_by_name(list[i], listed, "same_as");
        json_array_append(all, list[i]);
    }
    group(m, list, n, listed);
    json_decref(listed);
    free(list);
    return all;
}

static bool any_fails(const json_t *findings)
{
    size_t i;
    json_t *f;

    json_array_foreach(findings, i, f)
    {
        if (document_fails(f))
            return true;
    }
    return false;
}

/* Shards that are not there: "abba: shard 3 of 4 is missing". */
static bool name_missing(const struct merging *m, json_t *missing)
{
    bool any = false;

    for (json_int_t i = 1; i <= m->shard_count; i++) {
        char index[24];
        snprintf(index, sizeof index, "%lld", (long long)i);
        if (json_object_get(m->shards, index))
            continue;
        char *text = mem_format("shard %s/%lld of %s is missing: run it alone with --shard=%s/%lld",
                                index, (long long)m->shard_count, document_word(m->test, "name"),
                                index, (long long)m->shard_count);
        json_array_append_new(missing, json_string(text));
        free(text);
        any = true;
    }
    return any;
}

static void finish(struct merging *m, json_t *missing)
{
    json_t *report = report_of(m->test), *findings = named_findings(m);
    bool incomplete = name_missing(m, missing), fails = any_fails(findings);
    const char *trouble = document_word(report, "trouble"),
               *verdict = document_word(m->test, "verdict");

    if (report) {
        verdict = fails ? "failed" : trouble || incomplete ? "error" : verdict;
        if (!fails && strcmp(verdict, "failed") == 0)
            verdict = "passed";
        json_object_set_new(m->test, "verdict", json_string(verdict));
        if (strcmp(verdict, "error") == 0 && (trouble || incomplete))
            json_object_set_new(m->test, "why",
                                json_string(trouble ? trouble : "a shard is missing"));
        if (strcmp(verdict, "passed") == 0)
            json_object_set_new(m->test, "why", json_null());
        json_object_set_new(report, "exit_code",
                            json_integer(fails                           ? 1
                                         : strcmp(verdict, "error") == 0 ? 3
                                                                         : 0));
        json_object_set(report, "findings", findings);
    }
    json_decref(findings);
}

static int severity(const char *verdict)
{
    static const char *const order[] = {"skipped", "passed", "error", "failed", NULL};

    for (int i = 0; order[i]; i++)
        if (strcmp(order[i], verdict) == 0)
            return i;
    return 0;
}

static struct merging *merging_of(struct merge *all, const json_t *test)
{
    const char *name = document_word(test, "name"), *verdict = document_word(test, "verdict");
    json_t *known = json_object_get(all->index, name);
    struct merging *m;

    if (known) {
        m = &all->test[json_integer_value(known)];
        if (severity(verdict) > severity(document_word(m->test, "verdict"))) {
            json_object_set_new(m->test, "verdict", json_string(verdict));
            json_object_set(m->test, "why", json_object_get(test, "why"));
        }
        return m;
    }
    all->test = mem_grow(all->test, all->tests, sizeof *all->test);
    m = &all->test[all->tests];
    *m = (struct merging){.test = json_object(),
                          .findings = json_object(),
                          .excluded = json_object(),
                          .shards = json_object()};
    json_object_set_new(m->test, "name", json_string(name));
    json_object_set_new(m->test, "verdict", json_string(verdict));
    json_object_set(m->test, "why", json_object_get(test, "why"));
    json_object_set_new(m->test, "seconds", json_real(0));
    json_object_set_new(m->test, "report", json_null());
    json_object_set_new(all->index, name, json_integer((json_int_t)all->tests++));
    return m;
}

struct merge *merge_new(void)
{
    struct merge *m = mem_zeroed(1, sizeof *m);
    m->index = json_object();
    return m;
}

char *merge_add(struct merge *m, json_t *document, const char *folder)
{
    char *why = NULL;
    size_t i;
    json_t *test;

    json_array_foreach(json_object_get(document, "tests"), i, test)
    {
        if (!why)
            why = add_test(merging_of(m, test), test, folder);
    }
    return why;
}

json_t *merge_finish(struct merge *m, json_t *missing)
{
    json_t *document = test_document_new();

    for (size_t i = 0; i < m->tests; i++) {
        struct merging *one = &m->test[i];
        finish(one, missing);
        json_array_append_new(json_object_get(document, "tests"), one->test);
        json_decref(one->findings);
        json_decref(one->excluded);
        json_decref(one->shards);
    }
    json_decref(m->index);
    free(m->test);
    free(m);
    return document;
}
