/* hd_linear(): what it finds, what it says of it, that it is silent on what is right, that a schedule's name is a
 * replay; each bad specification is refused with one sentence. */
#undef NDEBUG /* assert() fails in what is tested */
#include <assert.h>
#include <limits.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include <heddle/linear.h>
#include <heddle/mutex.h>

struct counter {
    long plain;
    atomic_long atomic;
    struct hd_mutex lock;
};

static void *counter_make(void)
{
    return calloc(1, sizeof(struct counter));
}

static void *counter_none(void)
{
    return NULL;
}

static void add_plain(void *structure, struct hd_call *call)
{
    struct counter *c = structure;
    call->result[0] = c->plain += call->arg[0];
}

static void add_atomic(void *structure, struct hd_call *call)
{
    struct counter *c = structure;
    call->result[0] = atomic_fetch_add(&c->atomic, call->arg[0]) + call->arg[0];
}

/* Of two locks' sections that should be one. */
static void add_torn(void *structure, struct hd_call *call)
{
    struct counter *c = structure;
    long before;

    hd_mutex_lock(&c->lock);
    before = c->plain;
    hd_mutex_unlock(&c->lock);
    hd_mutex_lock(&c->lock);
    call->result[0] = c->plain = before + call->arg[0];
    hd_mutex_unlock(&c->lock);
}

static void add_crashing(void *structure, struct hd_call *call)
{
    struct counter *c = structure;

    if (atomic_fetch_add(&c->atomic, 1) == 1)
        abort();
    call->result[0] = c->plain;
    atomic_fetch_add(&c->atomic, -1);
}

static void add_locked_for_ever(void *structure, struct hd_call *call)
{
    (void)call;
    hd_mutex_lock(&((struct counter *)structure)->lock);
}

static void apply_add(void *state, struct hd_call *call)
{
    call->result[0] = *(long *)state += call->arg[0];
}

static void apply_nothing(void *state, struct hd_call *call)
{
    (void)state, (void)call;
}

#define ADD(how)                                                                                   \
    {                                                                                              \
        .name = "add", .run = how, .apply = apply_add, .args = 1, .results = 1, .range = {         \
            {1, 9}                                                                                 \
        }                                                                                          \
    }
static const struct hd_linear_op plain_ops[] = {ADD(add_plain)};
static const struct hd_linear_op atomic_ops[] = {ADD(add_atomic)};
static const struct hd_linear_op torn_ops[] = {ADD(add_torn)};
static const struct hd_linear_op crashing_ops[] = {
    {.name = "add", .run = add_crashing, .apply = apply_nothing}};
static const struct hd_linear_op locked_ops[] = {
    {.name = "lock", .run = add_locked_for_ever, .apply = apply_nothing}};

static struct hd_linear_spec spec_of(const struct hd_linear_op *ops)
{
    return (struct hd_linear_spec){.name = "counter",
                                   .ops = ops,
                                   .op_count = 1,
                                   .make = counter_make,
                                   .destroy = free,
                                   .state_bytes = sizeof(long)};
}

static struct hd_explore_result result;

static int explore(const struct hd_linear_op *ops, const struct hd_linear_options *options)
{
    static const struct hd_linear_options few = {.schedules = 25};
    struct hd_linear_spec spec = spec_of(ops);

    return hd_linear(&spec, options ? options : &few, &result);
}

static bool says(const char *text)
{
    return strstr(result.report, text) != NULL;
}

static void a_lost_update_is_found_and_shown(void **state)
{
    (void)state;
    assert_int_equal(explore(plain_ops, NULL), 1);
    assert_string_equal(result.word, "assertion");
    /* Two calls with the least argument: the second one forgets the first. */
    assert_true(says("add(1) = 1 of T1 has no place: counter is not linearizable\n") ||
                says("add(1) = 1 of T2 has no place: counter is not linearizable\n"));
    assert_true(says("    T0          T1          T2\n"));
    assert_true(says("add(1) ..."));
    assert_true(says("<- has no place\n"));
    assert_true(says("run it again alone: HEDDLE_SCHEDULE=counter:1."));
    assert_null(strstr(result.report, "T3"));
}

static void the_same_is_found_again(void **state)
{
    static struct hd_explore_result first;

    (void)state;
    assert_int_equal(explore(plain_ops, NULL), 1);
    first = result;
    assert_int_equal(explore(plain_ops, NULL), 1);
    assert_int_equal(first.schedules, result.schedules);
    assert_string_equal(first.report, result.report);
}

static void atomic_adds_are_linearizable(void **state)
{
    const struct hd_linear_options options = {.scenarios = 10};

    (void)state;
    assert_int_equal(explore(atomic_ops, &options), 0);
    assert_true(result.exhausted > 0 && result.exhausted < 10);
    assert_true(says(" scenarios; of "));
}

/* Of two threads that add once each there are few schedules: all are explored, and say it. */
static void small_scenarios_are_exhausted(void **state)
{
    struct hd_linear_options o = {.scenarios = 5, .threads = 2, .calls = 1, .alone = -1};

    (void)state;
    assert_int_equal(explore(atomic_ops, &o), 0);
    assert_int_equal(result.exhausted, 5);
    assert_true(result.schedules < 5 * 20);
    assert_true(says("of 5 of these they are all that there are\n"));
    assert_int_equal(explore(plain_ops, &o), 1);
    o.memory_model = "c11";
    assert_int_equal(explore(atomic_ops, &o), 0);
    assert_int_equal(result.exhausted, 0);
    assert_int_equal(result.schedules, 5 * 100);
}

/* Its calls touch nothing in common: only that one was over when the other began tells that it is wrong. */
struct flag {
    atomic_long told, shown;
};

static void *flag_make(void)
{
    return calloc(1, sizeof(struct flag));
}

static void tell_too_little(void *structure, struct hd_call *call)
{
    (void)call;
    atomic_store(&((struct flag *)structure)->told, 1);
}

static void tell(void *structure, struct hd_call *call)
{
    (void)call;
    atomic_store(&((struct flag *)structure)->shown, 1);
}

static void look(void *structure, struct hd_call *call)
{
    call->result[0] = atomic_load(&((struct flag *)structure)->shown);
}

static void apply_tell(void *state, struct hd_call *call)
{
    (void)call;
    *(long *)state = 1;
}

static void apply_look(void *state, struct hd_call *call)
{
    call->result[0] = *(long *)state;
}

static int explore_flag(void (*run_tell)(void *structure, struct hd_call *call),
                        enum hd_linear_condition condition)
{
    const struct hd_linear_op ops[] = {
        {.name = "look", .run = look, .apply = apply_look, .results = 1, .only = 1},
        {.name = "tell", .run = run_tell, .apply = apply_tell, .only = 2}};
    const struct hd_linear_spec spec = {.name = "flag",
                                        .ops = ops,
                                        .op_count = 2,
                                        .make = flag_make,
                                        .destroy = free,
                                        .state_bytes = sizeof(long)};
    const struct hd_linear_options o = {
        .condition = condition, .scenarios = 5, .threads = 2, .calls = 1, .alone = -1};

    return hd_linear(&spec, &o, &result);
}

static void ends_and_begins_have_an_order(void **state)
{
    (void)state;
    assert_int_equal(explore_flag(tell_too_little, HD_LINEARIZABLE), 1);
    assert_true(says("look() = 0 of T1 has no place: flag is not linearizable\n"));
    assert_int_equal(explore_flag(tell, HD_LINEARIZABLE), 0);
    assert_int_equal(result.exhausted, 5);
    assert_int_equal(explore_flag(tell_too_little, HD_SEQUENTIAL), 0);
    assert_int_equal(result.exhausted, 5);
}

static void what_waits_through_the_library_needs_no_hooks(void **state)
{
    (void)state;
    assert_int_equal(explore(torn_ops, NULL), 1);
    assert_string_equal(result.word, "assertion");
}

static void crashes_and_deadlocks_are_reported_with_their_history(void **state)
{
    (void)state;
    assert_int_equal(explore(crashing_ops, NULL), 1);
    assert_true(says("counter: crash\n"));
    assert_true(says("add() ..."));
    assert_int_equal(explore(locked_ops, NULL), 1);
    assert_true(says("lock() ..."));
    assert_false(says("has no place"));
}

/* ---- the conditions ---- */

/* A register that one thread sets. */
struct number {
    struct hd_mutex lock;
    long value, before; /* the latest two */
    long base;          /* the value when nothing ran last */
    int running;
    atomic_long weak[2];
};

static void *number_make(void)
{
    return calloc(1, sizeof(struct number));
}

static void enter(struct number *n)
{
    hd_mutex_lock(&n->lock);
    if (n->running++ == 0)
        n->base = n->value;
    hd_mutex_unlock(&n->lock);
}

static void leave(struct number *n)
{
    hd_mutex_lock(&n->lock);
    n->running--;
    hd_mutex_unlock(&n->lock);
}

static void set(void *structure, struct hd_call *call)
{
    struct number *n = structure;

    enter(n);
    hd_mutex_lock(&n->lock);
    n->before = n->value;
    n->value = call->arg[0];
    hd_mutex_unlock(&n->lock);
    leave(n);
}

static void get_before(void *structure, struct hd_call *call)
{
    struct number *n = structure;

    hd_mutex_lock(&n->lock);
    call->result[0] = n->before;
    hd_mutex_unlock(&n->lock);
}

static void get_base(void *structure, struct hd_call *call)
{
    struct number *n = structure;

    enter(n);
    call->result[0] = n->base;
    leave(n);
}

static void set_weak(void *structure, struct hd_call *call)
{
    atomic_store_explicit(&((struct number *)structure)->weak[call->arg[0]], call->arg[1],
                          memory_order_relaxed);
}

static void get_weak(void *structure, struct hd_call *call)
{
    call->result[0] = atomic_load_explicit(&((struct number *)structure)->weak[call->arg[0]],
                                           memory_order_relaxed);
}

static void apply_set(void *state, struct hd_call *call)
{
    ((long *)state)[call->arg[0]] = call->arg[1];
}

static void apply_get(void *state, struct hd_call *call)
{
    call->result[0] = ((long *)state)[call->arg[0]];
}

static void apply_set_one(void *state, struct hd_call *call)
{
    *(long *)state = call->arg[0];
}

static void apply_get_one(void *state, struct hd_call *call)
{
    call->result[0] = *(long *)state;
}

/* Wrong only in a call that begins after a set is over, by a thread that had called before the set began. What a get
 * does last is what a set sees of it. */
static void set_seen(void *structure, struct hd_call *call)
{
    struct number *n = structure;

    if (!atomic_load(&n->weak[1]))
        atomic_store(&n->weak[0], call->arg[0]);
}

static void get_again(void *structure, struct hd_call *call)
{
    struct number *n = structure;

    call->result[0] = atomic_load(&n->weak[0]);
    atomic_fetch_add(&n->weak[1], 1);
}

#define SET(how, by)                                                                               \
    {                                                                                              \
        .name = "set", .run = how, .apply = apply_set_one, .args = 1, .distinct = 1, .only = by    \
    }
#define GET(how, by)                                                                               \
    {                                                                                              \
        .name = "get", .run = how, .apply = apply_get_one, .results = 1, .only = by                \
    }

static int judged(const struct hd_linear_op *ops, const struct hd_linear_options *options)
{
    const struct hd_linear_spec spec = {.name = "number",
                                        .ops = ops,
                                        .op_count = 2,
                                        .make = number_make,
                                        .destroy = free,
                                        .state_bytes = 2 * sizeof(long)};

    return hd_linear(&spec, options, &result);
}

static void conditions_differ(void **state)
{
    static const struct hd_linear_op late[] = {SET(set, 1), GET(get_before, 2)};
    static const struct hd_linear_op quiet[] = {SET(set, 1), GET(get_base, 0)};
    struct hd_linear_options o = {.scenarios = 20, .schedules = 20, .threads = 2, .alone = -1};

    (void)state;
    assert_int_equal(judged(late, &o), 1);
    assert_true(says("has no place: number is not linearizable\n"));
    assert_int_equal(judged(quiet, &o), 1);
    o.condition = HD_SEQUENTIAL;
    assert_int_equal(judged(late, &o), 0);
    assert_int_equal(judged(quiet, &o), 1);
    assert_true(says("has no place: number is not sequentially consistent\n"));
    o.condition = HD_QUIESCENT;
    assert_int_equal(judged(late, &o), 1);
    assert_true(says("has no place: number is not quiescently consistent\n"));
    assert_int_equal(judged(quiet, &o), 0);
}

static void others_come_between_two_calls_of_a_thread(void **state)
{
    static const struct hd_linear_op ops[] = {SET(set_seen, 1), GET(get_again, 2)};
    const struct hd_linear_options o = {
        .scenarios = 20, .schedules = 40, .threads = 2, .calls = 2, .alone = -1};

    (void)state;
    assert_int_equal(judged(ops, &o), 1);
}

/* Two relaxed registers: that one call was over when another began orders the two, unless time is no matter. */
static void weak_registers_are_judged_by_what_time_orders(void **state)
{
    static const struct hd_linear_op ops[] = {
        {.name = "set", .run = set_weak, .apply = apply_set, .args = 2, .range = {{0, 1}, {1, 3}}},
        {.name = "get",
         .run = get_weak,
         .apply = apply_get,
         .args = 1,
         .results = 1,
         .range = {{0, 1}}}};
    struct hd_linear_options o = {.scenarios = 20, .schedules = 40, .memory_model = "c11"};

    (void)state;
    assert_int_equal(judged(ops, &o), 0);
    o.condition = HD_SEQUENTIAL;
    assert_int_equal(judged(ops, &o), 1);
    o.memory_model = NULL;
    assert_int_equal(judged(ops, &o), 0);
}

/* A counter that cannot be destroyed after exactly two calls: what is smaller fails, but otherwise. */
static void add_counted(void *structure, struct hd_call *call)
{
    atomic_fetch_add(&((struct counter *)structure)->atomic, 1);
    add_plain(structure, call);
}

static void destroy_unless_two(void *structure)
{
    if (atomic_load(&((struct counter *)structure)->atomic) == 2)
        abort();
    free(structure);
}

/* The same as an assertion, which is what a contradiction is reported as. */
static void destroy_asserts_unless_two(void *structure)
{
    assert(atomic_load(&((struct counter *)structure)->atomic) != 2);
    free(structure);
}

/* Calls that overlap crash; others are counted. */
static void add_alone(void *structure, struct hd_call *call)
{
    add_crashing(structure, call);
    call->result[0] = 0;
    ((struct counter *)structure)->plain++;
}

static void destroy_crashes_at_two(void *structure)
{
    if (((struct counter *)structure)->plain == 2)
        raise(SIGFPE);
    free(structure);
}

static void a_smaller_crash_is_the_same_one(void **state)
{
    static const struct hd_linear_op ops[] = {
        {.name = "add", .run = add_alone, .apply = apply_nothing}};
    struct hd_linear_options o = {.schedules = 25, .alone = -1};
    struct hd_linear_spec spec = spec_of(ops);

    (void)state;
    spec.destroy = destroy_crashes_at_two;
    assert_int_equal(hd_linear(&spec, &o, &result), 1);
    assert_true(says("SIGABRT"));
    assert_false(says("SIGFPE"));
}

static void what_is_smaller_fails_in_the_same_way(void **state)
{
    static const struct hd_linear_op ops[] = {ADD(add_counted)};
    struct hd_linear_options o = {.schedules = 25, .alone = -1};
    struct hd_linear_spec spec = spec_of(ops);

    (void)state;
    spec.destroy = destroy_unless_two;
    assert_int_equal(hd_linear(&spec, &o, &result), 1);
    assert_string_equal(result.word, "assertion");
    assert_true(says(" has no place: counter is not linearizable\n"));
    spec.destroy = destroy_asserts_unless_two;
    assert_int_equal(hd_linear(&spec, &o, &result), 1);
    assert_true(says(" has no place: counter is not linearizable\n"));
}

static atomic_int *shared; /* by all schedules */

static void add_wrong_once(void *structure, struct hd_call *call)
{
    add_atomic(structure, call);
    if (!atomic_exchange(shared, 1))
        call->result[0] = -1;
}

static void crash_once(void *structure, struct hd_call *call)
{
    add_atomic(structure, call);
    if (!atomic_exchange(shared, 1))
        abort();
}

static void what_does_not_come_again_is_reported(void **state)
{
    static const struct hd_linear_op wrong[] = {ADD(add_wrong_once)}, crash[] = {ADD(crash_once)};
    const struct hd_linear_options o = {.schedules = 5};

    (void)state;
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(shared, MAP_FAILED);
    assert_int_equal(explore(wrong, &o), 1);
    assert_int_equal(result.failing, 1);
    assert_int_equal(result.first, 1);
    assert_true(says(" = -1 of T"));
    assert_true(says(
        " has no place: counter is not linearizable\n  scenario 1, as schedule 1 of it was:\n"));
    assert_true(says("<- has no place\n"));
    assert_true(says("  It did not come again: "));
    assert_false(says("HEDDLE_SCHEDULE"));
    atomic_store(shared, 0);
    assert_int_equal(explore(crash, &o), 1);
    assert_int_equal(result.failing, 1);
    assert_string_equal(result.word, "crash");
    assert_true(says("SIGABRT: aborted\n  It did not come again: "));
    munmap(shared, sizeof *shared);
    assert_int_equal(explore(plain_ops, NULL), 1);
    assert_false(says("did not come again"));
}

/* ---- large arguments ---- */

#define WRONG_FROM 1234567890123

static void wrong_if_large(void *structure, struct hd_call *call)
{
    atomic_fetch_add(&((struct counter *)structure)->atomic, 1);
    call->result[0] = 1;
    for (int a = 0; a < HD_CALL_VALUES; a++)
        call->result[0] &= call->arg[a] == 0 || call->arg[a] >= WRONG_FROM + a;
    call->result[0] &= call->arg[0] != 0;
}

static void apply_zero(void *state, struct hd_call *call)
{
    (void)state;
    call->result[0] = 0;
}

static void large_arguments_become_the_smallest_that_fail(void **state)
{
    struct hd_linear_op op = {.name = "take",
                              .run = wrong_if_large,
                              .apply = apply_zero,
                              .args = 1,
                              .results = 1,
                              .range = {{0, LONG_MAX}, {1, LONG_MAX}, {1, LONG_MAX}}};
    const struct hd_linear_options o = {.schedules = 2, .threads = 2, .calls = 1, .alone = -1};

    (void)state;
    assert_int_equal(explore(&op, &o), 1);
    assert_true(says("take(1234567890123) = 1 of T1 has no place"));
    assert_true(says("scenario 1, made smaller:\n"));
    op.args = 3; /* there is an end, also where the smallest is far */
    assert_int_equal(explore(&op, &o), 1);
    assert_true(says(" = 1 of T1 has no place"));
    assert_true(says("scenario 1, made smaller as far as 200 tries went:\n"));
}

/* What the child prints with HEDDLE_SCHEDULE set, and how it ends. */
static int run_alone(const char *schedule, const struct hd_linear_op *ops, char *text, size_t bytes)
{
    int out[2], status;
    size_t got = 0;
    ssize_t n;
    pid_t pid;

    assert_int_equal(pipe(out), 0);
    pid = fork();
    if (pid == 0) {
        dup2(out[1], 2);
        close(out[0]);
        close(out[1]);
        setenv("HEDDLE_SCHEDULE", schedule, 1);
        _exit(explore(ops, NULL) == 0 ? 42 : 43); /* it ran, which ends the process */
    }
    close(out[1]);
    while ((n = read(out[0], text + got, bytes - 1 - got)) > 0)
        got += (size_t)n;
    text[got] = 0;
    close(out[0]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return status;
}

static void a_name_is_a_replay(void **state)
{
    static char text[65536], name[64];
    const char *at;
    unsigned schedules;
    int status;

    (void)state;
    assert_int_equal(explore(plain_ops, NULL), 1);
    at = strstr(result.report, "HEDDLE_SCHEDULE=");
    assert_non_null(at);
    assert_int_equal(sscanf(at, "HEDDLE_SCHEDULE=%60s", name), 1);
    status = run_alone(name, plain_ops, text, sizeof text);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 1);
    assert_non_null(strstr(text, result.report));
    status = run_alone("counter:2.1", atomic_ops, text, sizeof text);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    assert_string_equal(text, "passes\n");
    status = run_alone("another:1.1", plain_ops, text, sizeof text);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 42);
    setenv("HEDDLE_SCHEDULES", "40", 1);
    assert_int_equal(explore(plain_ops, NULL), 1);
    at = strstr(result.report, "HEDDLE_SCHEDULES=");
    assert_non_null(at);
    assert_int_equal(sscanf(at, "HEDDLE_SCHEDULES=%u HEDDLE_SCHEDULE=%60s", &schedules, name), 2);
    assert_int_equal(schedules, 40);
    status = run_alone(name, plain_ops, text, sizeof text);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 1);
    assert_non_null(strstr(text, result.report));
    unsetenv("HEDDLE_SCHEDULES");
}

static void names_of_no_schedule_are_refused(void **state)
{
    static const char *const wrong[] = {"counter:",    "counter:3",    "counter:3.",  "counter:0.1",
                                        "counter:3.0", "counter:1.1x", "counter:-1.1"};
    char wanted[200];

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        setenv("HEDDLE_SCHEDULE", wrong[i], 1);
        assert_int_equal(explore(plain_ops, NULL), -1);
        snprintf(wanted, sizeof wanted,
                 "hd_linear: HEDDLE_SCHEDULE=%s is none: counter:S.N is schedule N of scenario S\n",
                 wrong[i]);
        assert_string_equal(result.report, wanted);
    }
    setenv("HEDDLE_SCHEDULE", "counter:3.26", 1);
    assert_int_equal(explore(plain_ops, NULL), -1);
    assert_string_equal(result.report,
                        "hd_linear: there are 25 schedules of each scenario, and no schedule 26: "
                        "HEDDLE_SCHEDULES=N asks for more\n");
    unsetenv("HEDDLE_SCHEDULE");
}

/* ---- what cannot be ---- */

static void refused(const struct hd_linear_spec *spec, const struct hd_linear_options *options,
                    const char *why)
{
    char wanted[200];

    assert_int_equal(hd_linear(spec, options, &result), -1);
    snprintf(wanted, sizeof wanted, "hd_linear: %s\n", why);
    assert_string_equal(result.report, wanted);
}

static void bad_specifications_are_refused(void **state)
{
    static char long_name[300];
    struct hd_linear_op op = plain_ops[0];
    struct hd_linear_spec good = spec_of(&op), spec = good;

    (void)state;
    refused(NULL, NULL, "there is no specification");
    spec.name = NULL;
    refused(&spec, NULL, "the specification has no name");
    spec.name = long_name;
    memset(long_name, 'x', sizeof long_name - 1);
    refused(&spec, NULL, "the specification's name is too long");
    spec = good;
    spec.make = NULL;
    refused(&spec, NULL, "there is no make()");
    spec = good;
    spec.op_count = 0;
    refused(&spec, NULL, "there are no operations");
    spec = good;
    spec.ops = NULL;
    refused(&spec, NULL, "there are no operations");
    spec = good;
    spec.clear = free;
    refused(&spec, NULL, "copy(), clear() and equal() belong together");
    op.run = NULL;
    refused(&good, NULL, "add has no run()");
    op = plain_ops[0];
    op.apply = NULL;
    refused(&good, NULL, "add has no apply()");
    op = plain_ops[0];
    op.name = NULL;
    refused(&good, NULL, "operation 1 has no name");
    op = plain_ops[0];
    op.args = 4;
    refused(&good, NULL, "add has 0 to 3 arguments and results");
    op = plain_ops[0];
    op.results = -1;
    refused(&good, NULL, "add has 0 to 3 arguments and results");
    op = plain_ops[0];
    op.range[0].most = 0;
    refused(&good, NULL, "a range of add ends before it begins");
    op = plain_ops[0];
    op.only = 5;
    refused(&good, NULL, "only of add is the number of a thread, 1 to 4");
}

static void bad_options_are_refused(void **state)
{
    struct hd_linear_spec spec = spec_of(plain_ops);

    (void)state;
    refused(&spec, &(struct hd_linear_options){.threads = 5}, "threads are 2 to 4");
    refused(&spec, &(struct hd_linear_options){.threads = 1}, "threads are 2 to 4");
    refused(&spec, &(struct hd_linear_options){.calls = 6}, "calls of a thread are 1 to 5");
    refused(&spec, &(struct hd_linear_options){.alone = 6},
            "calls while no thread runs are at most 5");
    refused(&spec, &(struct hd_linear_options){.condition = (enum hd_linear_condition)3},
            "unknown condition");
    refused(&spec, &(struct hd_linear_options){.strategy = "luck"}, "unknown strategy \"luck\"");
    refused(&spec, &(struct hd_linear_options){.memory_model = "arm"},
            "unknown memory model \"arm\": sc, tso or c11");
}

__attribute__((no_sanitize("thread"))) static void nothing(void *structure, struct hd_call *call)
{
    (void)structure, (void)call;
}

static void what_cannot_be_seen_does_not_pass(void **state)
{
    static const struct hd_linear_op ops[] = {
        {.name = "nothing", .run = nothing, .apply = apply_nothing}};

    (void)state;
    assert_int_equal(explore(ops, NULL), -1);
    assert_string_equal(result.report,
                        "hd_linear: nothing of counter is seen: build it with heddle-cc\n");
    assert_true(result.schedules < 20 * 25); /* more scenarios would not help */
}

/* Not in the first scenario. */
static void what_is_seen_later_passes(void **state)
{
    static const struct hd_linear_op ops[] = {
        {.name = "nothing", .run = nothing, .apply = apply_nothing, .weight = 6}, ADD(add_atomic)};
    const struct hd_linear_options o = {.schedules = 2, .threads = 2, .calls = 1, .alone = -1};
    struct hd_linear_spec spec = spec_of(ops);

    (void)state;
    spec.op_count = 2;
    assert_int_equal(hd_linear(&spec, &o, &result), 0);
    assert_true(result.schedules >= 100);
}

/* Whoever comes second waits for ever, in steps. */
static void wait_in_steps(void *structure, struct hd_call *call)
{
    struct counter *c = structure;

    call->result[0] = 0;
    if (atomic_fetch_add(&c->atomic, 1) % 2)
        while (atomic_load(&c->atomic) < 1000)
            atomic_fetch_add(&c->atomic, 2);
}

static void schedules_that_are_cut_are_told(void **state)
{
    static const struct hd_linear_op ops[] = {
        {.name = "wait", .run = wait_in_steps, .apply = apply_nothing}};
    struct hd_linear_options o = {
        .scenarios = 10, .schedules = 10, .max_steps = 60, .threads = 2, .calls = 1};

    (void)state;
    o.alone = -1;
    assert_int_equal(explore(ops, &o), -1);
    assert_string_equal(result.report, "hd_linear: 110 of 110 schedules of counter did not end "
                                       "within 60 steps, and were not judged\n");
    o.max_steps = 0;
    assert_int_equal(explore(ops, &o), 0);
    assert_true(says("counter: silent in "));
}

static void no_structure_is_a_failure(void **state)
{
    struct hd_linear_spec spec = spec_of(plain_ops);

    (void)state;
    spec.make = counter_none;
    assert_int_equal(hd_linear(&spec, NULL, &result), 1);
    assert_true(says("make() returned no structure"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_lost_update_is_found_and_shown),
        cmocka_unit_test(the_same_is_found_again),
        cmocka_unit_test(atomic_adds_are_linearizable),
        cmocka_unit_test(small_scenarios_are_exhausted),
        cmocka_unit_test(ends_and_begins_have_an_order),
        cmocka_unit_test(what_waits_through_the_library_needs_no_hooks),
        cmocka_unit_test(crashes_and_deadlocks_are_reported_with_their_history),
        cmocka_unit_test(conditions_differ),
        cmocka_unit_test(others_come_between_two_calls_of_a_thread),
        cmocka_unit_test(weak_registers_are_judged_by_what_time_orders),
        cmocka_unit_test(what_is_smaller_fails_in_the_same_way),
        cmocka_unit_test(a_smaller_crash_is_the_same_one),
        cmocka_unit_test(what_does_not_come_again_is_reported),
        cmocka_unit_test(large_arguments_become_the_smallest_that_fail),
        cmocka_unit_test(a_name_is_a_replay),
        cmocka_unit_test(names_of_no_schedule_are_refused),
        cmocka_unit_test(bad_specifications_are_refused),
        cmocka_unit_test(bad_options_are_refused),
        cmocka_unit_test(what_cannot_be_seen_does_not_pass),
        cmocka_unit_test(what_is_seen_later_passes),
        cmocka_unit_test(schedules_that_are_cut_are_told),
        cmocka_unit_test(no_structure_is_a_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
