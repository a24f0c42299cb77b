/* Which findings of other tools are doubtful, and when the mark goes. */
#include "logs.h"

#include "temporary.h"
#include "tools/false_alarms.h"

static char *folder;

/* A race whose both sides stand in a source file of that text. */
static struct finding *race_in(const char *name, const char *text, enum tool tool)
{
    char *path = mem_format("%s/%s", folder, name);
    FILE *out = fopen(path, "w");
    struct finding *f = finding_new(HD_FK_DATA_RACE, tool, NULL);

    assert_non_null(out);
    fputs(text, out);
    fclose(out);
    stack_push(&finding_note(f, HD_ROLE_ACCESS)->stack, "a", path, 10, 0, NULL, 0);
    stack_push(&finding_note(f, HD_ROLE_PREVIOUS_ACCESS)->stack, "b", path, 20, 0, NULL, 0);
    free(path);
    return f;
}

static int is_doubtful(struct finding *f)
{
    struct doubts *d = doubts_new();

    doubt_mark(d, f);
    int doubtful = f->doubtful != NULL;
    doubts_free(d);
    finding_free(f);
    return doubtful;
}

static void races(void **state)
{
    static const struct {
        const char *text;
        int helgrind, drd, tsan;
    } cases[] = {
        {"int x; pthread_mutex_lock(&m);", 0, 0, 0},
        {"atomic_store(&ready, 1);", 1, 1, 0},
        {"_Atomic int ready;", 1, 1, 0},
        {"__atomic_thread_fence(__ATOMIC_SEQ_CST);", 1, 1, 1},
        {"__sync_synchronize();", 1, 1, 1},
        {"pipe(fds); write(fds[1], &c, 1);", 1, 1, 0},
        {"pthread_once(&once, init);", 1, 0, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char name[32];
        snprintf(name, sizeof name, "case%zu.c", i);
        assert_int_equal(is_doubtful(race_in(name, cases[i].text, TOOL_HELGRIND)),
                         cases[i].helgrind);
        assert_int_equal(is_doubtful(race_in(name, cases[i].text, TOOL_DRD)), cases[i].drd);
        assert_int_equal(is_doubtful(race_in(name, cases[i].text, TOOL_TSAN)), cases[i].tsan);
        assert_int_equal(is_doubtful(race_in(name, cases[i].text, TOOL_HEDDLE)), 0);
    }
}

static void a_second_tool_takes_the_mark_away(void **state)
{
    struct findings all = {0};
    struct doubts *d = doubts_new();
    bool is_new;
    struct finding *f = race_in("both.c", "atomic_int x;", TOOL_HELGRIND);

    (void)state;
    doubt_mark(d, f);
    f = findings_add(&all, f, &is_new);
    assert_non_null(f->doubtful);
    struct finding *g = race_in("both.c", "atomic_int x;", TOOL_TSAN);
    doubt_mark(d, g);
    assert_ptr_equal(findings_add(&all, g, &is_new), f);
    assert_false(is_new);
    assert_null(f->doubtful);
    assert_int_equal(f->tools, TOOL_HELGRIND | TOOL_TSAN);
    doubts_free(d);
    findings_free(&all);
}

static void half_a_race_joins_the_whole(void **state)
{
    struct findings all = {0};
    bool is_new;
    struct finding *whole = race_in("half.c", "int x;", TOOL_HELGRIND);
    struct finding *half = finding_new(HD_FK_DATA_RACE, TOOL_DRD, NULL);
    char *path = mem_format("%s/half.c", folder);

    (void)state;
    stack_push(&finding_note(half, HD_ROLE_ACCESS)->stack, "b", path, 20, 0, NULL, 0);
    free(path);
    findings_add(&all, whole, &is_new);
    assert_ptr_equal(findings_add(&all, half, &is_new), whole);
    assert_int_equal(whole->tools, TOOL_HELGRIND | TOOL_DRD);
    findings_free(&all);
}

static struct finding *order_of(uint32_t first_thread, uint32_t second_thread, enum hd_event how)
{
    struct finding *f = finding_new(HD_FK_LOCK_ORDER, TOOL_TSAN, NULL);
    struct note *n = finding_note(f, HD_ROLE_EDGE_TOOK);

    n->thread_id = first_thread;
    n->kind = how;
    n = finding_note(f, HD_ROLE_EDGE_TOOK);
    n->thread_id = second_thread;
    n->kind = HD_EV_MUTEX_LOCK;
    return f;
}

static void lock_orders(void **state)
{
    (void)state;
    assert_false(is_doubtful(order_of(2, 3, HD_EV_MUTEX_LOCK)));
    assert_false(is_doubtful(order_of(0, 0, HD_EV_MUTEX_LOCK))); /* Helgrind: threads not known */
    assert_true(is_doubtful(order_of(2, 2, HD_EV_MUTEX_LOCK)));
    assert_true(is_doubtful(order_of(2, 3, HD_EV_MUTEX_TRYLOCK)));
}

/* A misuse whose innermost frames are these; caller may be NULL. */
static struct finding *misuse_in(const char *function, const char *caller, enum tool tool)
{
    struct finding *f =
        finding_new(HD_FK_SYNC_MISUSE, tool, "pthread_mutex_destroy with invalid argument");
    struct note *n = finding_note(f, HD_ROLE_HERE);

    stack_push(&n->stack, function, NULL, 0, 0, NULL, 0);
    if (caller)
        stack_push(&n->stack, caller, NULL, 0, 0, NULL, 0);
    return f;
}

static void destructors_of_libraries(void **state)
{
    (void)state;
    assert_true(is_doubtful(misuse_in("_dl_call_fini", "_dl_fini", TOOL_HELGRIND)));
    assert_true(is_doubtful(misuse_in("_dl_fini", NULL, TOOL_HELGRIND)));
    assert_false(is_doubtful(misuse_in("close_log", "_dl_call_fini", TOOL_HELGRIND)));
    assert_false(is_doubtful(misuse_in("_dl_call_fini", "_dl_fini", TOOL_HEDDLE)));
}

static void warnings_of_valgrind(void **state)
{
    (void)state;
    assert_true(is_doubtful(
        finding_new(HD_FK_SYNC_MISUSE, TOOL_HELGRIND,
                    "pthread_cond_signal: dubious: associated lock is not held by any thread")));
    assert_true(is_doubtful(
        finding_new(HD_FK_SYNC_MISUSE, TOOL_DRD,
                    "Probably a race condition: condition variable 0x1 has been signaled but the "
                    "associated mutex 0x2 is not locked by the signalling thread.")));
    assert_false(is_doubtful(finding_new(HD_FK_DESTROY_IN_USE, TOOL_HELGRIND,
                                         "pthread_mutex_destroy of a locked mutex")));
}

static void unconfirmed_orders_come_last(void **state)
{
    struct findings all = {0};
    bool is_new;
    struct finding *order = order_of(2, 3, HD_EV_MUTEX_LOCK);
    struct finding *race = race_in("rank.c", "int x;", TOOL_TSAN);

    (void)state;
    findings_add(&all, order, &is_new);
    findings_add(&all, race, &is_new);
    doubt_unconfirmed(&all);
    doubt_rank(&all);
    assert_ptr_equal(all.list[0], race);
    assert_ptr_equal(all.list[1], order);
    assert_non_null(order->doubtful);
    order->tools |= TOOL_HEDDLE;
    free(order->doubtful);
    order->doubtful = NULL;
    doubt_unconfirmed(&all);
    assert_null(order->doubtful);
    findings_free(&all);
}

static int make_folder(void **state)
{
    (void)state;
    folder = temporary("heddle-doubt-XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
    (void)state;
    return temporary_remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(races),
        cmocka_unit_test(a_second_tool_takes_the_mark_away),
        cmocka_unit_test(half_a_race_joins_the_whole),
        cmocka_unit_test(lock_orders),
        cmocka_unit_test(warnings_of_valgrind),
        cmocka_unit_test(destructors_of_libraries),
        cmocka_unit_test(unconfirmed_orders_come_last),
    };

    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
