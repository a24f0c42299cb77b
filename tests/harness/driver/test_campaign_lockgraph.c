/* test_campaign_lockgraph.c - the graph of a campaign: what is merged, and that its files can be read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "reports/campaign_lockgraph.h"
#include "temporary.h"
#include "util/alloc.h"

static uint32_t node(struct lockgraph *g, uint32_t id, const char *home)
{
    bool is_new;
    struct hdp_lock lock = {.id = id, .kind = HD_OB_MUTEX, .count = 1};
    uint32_t i = lockgraph_node(g, &lock, NULL, &is_new);
    if (is_new && home)
        g->node[i].home = mem_copy(home);
    return i;
}

static struct lock_arc *arc(struct lockgraph *g, uint32_t held, uint32_t took, uint32_t *gate,
                            size_t gates, const char *thread, uint64_t schedule)
{
    struct lock_arc like = {.held = held, .took = took, .gate = gate, .gates = gates, .count = 1};
    return lockgraph_arc(g, &like, thread, schedule);
}

static const struct lock_node *named(const struct lockgraph *g, const char *home)
{
    for (size_t i = 0; i < g->nodes; i++)
        if (g->node[i].home && strcmp(g->node[i].home, home) == 0)
            return &g->node[i];
    return NULL;
}

/* Seen in several schedules: one edge, its counts summed, its gates those of every time. */
static void merged(void **state)
{
    (void)state;
    struct lockgraph *g = lockgraph_new();
    uint32_t a = node(g, 7, "a"), b = node(g, 9, "b"),
             both[2] = {node(g, 11, "x"), node(g, 13, "y")};
    assert_int_equal(node(g, 7, NULL), a);
    arc(g, a, b, both, 2, "T1", 1);
    arc(g, a, b, both, 2, "T1", 1);
    arc(g, a, b, both + 1, 1, "T2", 4);
    struct lock_arc *e = arc(g, a, b, NULL, 0, "T1", 0); /* gates not known: no change */
    assert_int_equal(g->arcs, 1);
    assert_int_equal(e->count, 4);
    assert_int_equal(e->schedules, 2);
    assert_int_equal(e->threads, 2);
    assert_int_equal(e->gates, 1);
    assert_int_equal(e->gate[0], both[1]);
    lockgraph_free(g);
}

/* The order in which things were seen does not show. */
static void order_is_stable(void **state)
{
    (void)state;
    char *text[2];
    for (int turn = 0; turn < 2; turn++) {
        struct lockgraph *g = lockgraph_new();
        struct names objects = {0};
        uint32_t a = node(g, turn ? 9 : 7, turn ? "b" : "a"),
                 b = node(g, turn ? 7 : 9, turn ? "a" : "b");
        arc(g, a, b, NULL, 0, turn ? "T2" : "T1", 1);
        arc(g, b, a, NULL, 0, turn ? "T1" : "T2", 1);
        lockgraph_finish(g, &objects);
        assert_string_equal(g->node[0].name, "mutex M1 (a)");
        text[turn] = mem_format("%s>%s %s|%s>%s %s", g->node[g->arc[0].held].name,
                                g->node[g->arc[0].took].name, g->arc[0].thread[0],
                                g->node[g->arc[1].held].name, g->node[g->arc[1].took].name,
                                g->arc[1].thread[0]);
        lockgraph_free(g);
        names_free(&objects);
    }
    assert_string_equal(text[0], text[1]);
    free(text[0]);
    free(text[1]);
}

/* Past the limit a lock goes to its class, and the graph stays small. */
static void classes_past_the_limit(void **state)
{
    (void)state;
    struct lockgraph *g = lockgraph_new();
    for (uint32_t i = 0; i < LOCKGRAPH_LOCKS + 1000; i++)
        node(g, i + 1, NULL);
    assert_int_equal(g->nodes, LOCKGRAPH_LOCKS + 1);
    assert_true(g->node[LOCKGRAPH_LOCKS].is_class);
    assert_false(g->node[LOCKGRAPH_LOCKS - 1].is_class);
    lockgraph_free(g);
}

static struct lockgraph *strange(void)
{
    struct lockgraph *g = lockgraph_new();
    struct names objects = {0};
    uint32_t a = node(g, 1, "quote\" back\\slash"), b = node(g, 2, "\x80\xff\n");
    arc(g, a, b, NULL, 0, "T1 (\"w\\\")", 1);
    arc(g, b, a, &a, 1, "T2", 1)->predicted = true;
    g->schedules = 3;
    lockgraph_finish(g, &objects);
    names_free(&objects);
    return g;
}

static char *save(const struct lockgraph *g, const char *path)
{
    char *argv[] = {(char *)(uintptr_t) "prog", (char *)(uintptr_t) "\xc3\x28", NULL};
    struct lockgraph_about about = {"run", "/bin/pr\"og", argv};
    return lockgraph_save(g, &about, path);
}

static void json_can_be_read(void **state)
{
    (void)state;
    json_error_t error;
    struct lockgraph *g = strange();
    char *path = temporary("heddle-lockgraph-XXXXXX.json");
    close(mkstemps(path, 5));
    assert_null(save(g, path));
    json_t *doc = json_load_file(path, JSON_REJECT_DUPLICATES, &error);
    assert_non_null(doc);
    assert_string_equal(json_string_value(json_object_get(doc, "schema")), "heddle-lock-graph");
    json_t *locks = json_object_get(doc, "locks"), *edges = json_object_get(doc, "edges"), *edge;
    assert_int_equal(json_array_size(locks), 2);
    assert_int_equal(json_array_size(edges), 2);
    size_t i, red = 0;
    json_array_foreach(edges, i, edge)
    {
        static const char *const fields[] = {"held_at",   "took_at",   "held_mode",
                                             "took_mode", "gates",     "threads",
                                             "count",     "schedules", "findings"};
        for (size_t k = 0; k < sizeof fields / sizeof *fields; k++)
            assert_non_null(json_object_get(edge, fields[k]));
        assert_true(json_integer_value(json_object_get(edge, "held")) < 2);
        assert_true(json_integer_value(json_object_get(edge, "took")) < 2);
        red += json_is_true(json_object_get(edge, "predicted"));
    }
    assert_int_equal(red, 1);
    assert_non_null(named(g, "quote\" back\\slash"));
    json_decref(doc);
    unlink(path);
    free(path);
    lockgraph_free(g);
}

/* A reader of the part of DOT that is written: every quote is closed, every node is declared. */
static void dot_can_be_read(void **state)
{
    (void)state;
    struct lockgraph *g = strange();
    char *path = temporary("heddle-lockgraph-XXXXXX.dot"), line[4096];
    close(mkstemps(path, 4));
    bool declared[2] = {false}, red = false;
    size_t depth = 0, edges = 0;
    assert_null(save(g, path));
    FILE *in = fopen(path, "re");
    assert_non_null(in);
    while (fgets(line, sizeof line, in)) {
        bool quoted = false;
        unsigned from, to;
        for (const char *p = line; *p; p++) {
            assert_true((unsigned char)*p < 0x80);
            if (*p == '\\' && quoted)
                assert_true(*++p != '\0');
            else if (*p == '"')
                quoted = !quoted;
            else if (!quoted)
                depth += *p == '{' || *p == '[', depth -= *p == '}' || *p == ']';
        }
        assert_false(quoted);
        if (sscanf(line, " n%u -> n%u [", &from, &to) == 2) {
            assert_true(from < 2 && to < 2 && declared[from] && declared[to]);
            edges++;
            red |= strstr(line, "color=red") != NULL;
        } else if (sscanf(line, " n%u [", &from) == 1) {
            assert_true(from < 2 && !declared[from]);
            declared[from] = true;
        }
    }
    fclose(in);
    assert_int_equal(depth, 0);
    assert_int_equal(edges, 2);
    assert_true(red);
    unlink(path);
    free(path);
    lockgraph_free(g);
}

static void wrong_names(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "", ".dot", "graph", "graph.txt", "graph.dot.gz", "dot", "/absent/x.dot", "x.JSON"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        char *why = lockgraph_check(wrong[i]);
        assert_non_null(why);
        free(why);
    }
    assert_null(lockgraph_check("/tmp/x.dot"));
    assert_null(lockgraph_check("x.y.json"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(merged),
        cmocka_unit_test(order_is_stable),
        cmocka_unit_test(classes_past_the_limit),
        cmocka_unit_test(json_can_be_read),
        cmocka_unit_test(dot_can_be_read),
        cmocka_unit_test(wrong_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
