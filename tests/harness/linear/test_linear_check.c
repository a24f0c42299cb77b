/* The checker of histories: against one that tries every order of the calls, on random histories, under each
 * condition; and histories whose verdict is known. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "linear_check.h"

enum { HISTORIES = 12000, MOST = 6 };

/* ---- models: a register, a queue ---- */

static void apply_write(void *state, struct hd_call *call)
{
    *(long *)state = call->arg[0];
}

static void apply_read(void *state, struct hd_call *call)
{
    call->result[0] = *(long *)state;
}

static void apply_add(void *state, struct hd_call *call)
{
    call->result[0] = *(long *)state += call->arg[0];
}

static const struct hd_linear_op write_op = {.name = "write", .apply = apply_write, .args = 1};
static const struct hd_linear_op read_op = {.name = "read", .apply = apply_read, .results = 1};
static const struct hd_linear_op add_op = {
    .name = "add", .apply = apply_add, .args = 1, .results = 1};
static const struct hd_linear_spec number = {.name = "number", .state_bytes = sizeof(long)};

struct queue {
    long count;
    long *value; /* of the heap: copied, compared and freed by functions */
};

static void queue_copy(void *to, const void *from)
{
    struct queue *a = to;
    const struct queue *b = from;

    a->count = b->count;
    a->value = NULL;
    if (!b->count)
        return;
    a->value = malloc((size_t)b->count * sizeof *a->value);
    if (!a->value)
        abort();
    memcpy(a->value, b->value, (size_t)b->count * sizeof *a->value);
}

static void queue_clear(void *state)
{
    free(((struct queue *)state)->value);
}

static int queue_equal(const void *a, const void *b)
{
    const struct queue *x = a, *y = b;

    return x->count == y->count &&
           (x->count == 0 || memcmp(x->value, y->value, (size_t)x->count * sizeof *x->value) == 0);
}

static void apply_put(void *state, struct hd_call *call)
{
    struct queue *q = state;
    long *value = realloc(q->value, (size_t)(q->count + 1) * sizeof *value);

    if (!value)
        abort();
    q->value = value;
    q->value[q->count++] = call->arg[0];
}

static void apply_take(void *state, struct hd_call *call)
{
    struct queue *q = state;

    call->result[0] = q->count ? q->value[0] : -1;
    if (q->count)
        memmove(q->value, q->value + 1, (size_t)--q->count * sizeof *q->value);
}

static const struct hd_linear_op put_op = {.name = "put", .apply = apply_put, .args = 1};
static const struct hd_linear_op take_op = {.name = "take", .apply = apply_take, .results = 1};
static const struct hd_linear_spec queue = {.name = "queue",
                                            .state_bytes = sizeof(struct queue),
                                            .copy = queue_copy,
                                            .clear = queue_clear,
                                            .equal = queue_equal};

/* ---- every order ---- */

/* Written apart from the checker: straight from the definitions. */
static bool was_quiet_between(const struct linear_history *h, const struct linear_call *a,
                              const struct linear_call *b)
{
    for (uint32_t moment = a->ended; moment < b->begun; moment++) {
        bool quiet = true; /* between this moment and the next */
        for (uint32_t i = 0; i < h->count; i++)
            quiet &= !(h->call[i].begun <= moment && h->call[i].ended > moment);
        if (quiet)
            return true;
    }
    return false;
}

static bool must_precede(const struct linear_history *h, const struct linear_call *a,
                         const struct linear_call *b, enum hd_linear_condition condition)
{
    if (condition == HD_LINEARIZABLE)
        return a->ended < b->begun;
    if (condition == HD_QUIESCENT)
        return a->ended < b->begun && was_quiet_between(h, a, b);
    if (a->thread == 0 && !a->behind)
        return b->thread != 0 || b->behind || a < b;
    if (b->thread == 0 && b->behind)
        return a->thread != 0 || !a->behind || a < b;
    return a->thread == b->thread && a->begun < b->begun;
}

static bool order_is_right(const struct hd_linear_spec *spec, const struct linear_history *h,
                           enum hd_linear_condition condition, const uint32_t *order)
{
    long plain = 0;
    struct queue heap = {0};
    void *state = spec == &queue ? (void *)&heap : (void *)&plain;
    bool right = true;

    for (uint32_t i = 0; i < h->count; i++)
        for (uint32_t j = i + 1; j < h->count; j++)
            if (must_precede(h, &h->call[order[j]], &h->call[order[i]], condition))
                return false;
    for (uint32_t i = 0; i < h->count; i++) {
        const struct linear_call *c = &h->call[order[i]];
        struct hd_call model = {0};
        memcpy(model.arg, c->call.arg, sizeof model.arg);
        c->op->apply(state, &model);
        right &= model.result[0] == c->call.result[0];
    }
    if (spec == &queue)
        queue_clear(&heap);
    return right;
}

static bool any_order(const struct hd_linear_spec *spec, const struct linear_history *h,
                      enum hd_linear_condition condition, uint32_t *order, uint32_t fixed)
{
    if (fixed == h->count)
        return order_is_right(spec, h, condition, order);
    for (uint32_t i = fixed; i < h->count; i++) {
        uint32_t saved = order[fixed];
        bool found;
        order[fixed] = order[i];
        order[i] = saved;
        found = any_order(spec, h, condition, order, fixed + 1);
        order[i] = order[fixed];
        order[fixed] = saved;
        if (found)
            return true;
    }
    return false;
}

/* ---- random histories ---- */

static uint32_t draw(uint64_t *random, uint32_t n)
{
    *random = *random * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(*random >> 33) % n;
}

/* Calls of some threads that begin and end in any order that threads allow, with results that are sometimes possible. */
static void random_history(struct linear_history *h, bool of_queue, uint64_t *random)
{
    static const struct hd_linear_op *const ops[2][3] = {{&write_op, &read_op, &add_op},
                                                         {&put_op, &take_op, &take_op}};
    uint32_t threads = 1 + draw(random, 4), running[LINEAR_THREADS + 1], left, before, behind;

    memset(h, 0, sizeof *h);
    h->count = 1 + draw(random, MOST);
    before = draw(random, 3);
    behind = draw(random, 3);
    for (uint32_t i = 0; i < h->count; i++) {
        struct linear_call *c = &h->call[i];
        c->op = ops[of_queue][draw(random, 3)];
        c->call.arg[0] = c->op->args ? 1 + (long)draw(random, 3) : 0;
        if (c->op->results)
            c->call.result[0] = (long)draw(random, of_queue ? 5 : 7) - of_queue;
        if (i >= before && i + behind < h->count)
            c->thread = 1 + draw(random, threads);
        else
            c->behind = i >= before;
    }
    for (uint32_t phase = 0; phase < 3; phase++) {
        for (uint32_t t = 0; t <= LINEAR_THREADS; t++)
            running[t] = LINEAR_CALLS;
        do {
            uint32_t t = phase == 1 ? 1 + draw(random, threads) : 0, i = running[t];
            left = 0;
            if (i < LINEAR_CALLS) {
                h->call[i].ended = ++h->clock;
                running[t] = LINEAR_CALLS;
            } else {
                for (i = 0; i < h->count; i++)
                    if (!h->call[i].begun && h->call[i].thread == t &&
                        (t || h->call[i].behind == (phase == 2))) {
                        h->call[i].begun = ++h->clock;
                        running[t] = i;
                        break;
                    }
            }
            for (i = 0; i < h->count; i++)
                left += !h->call[i].ended && (h->call[i].thread != 0) == (phase == 1) &&
                        (phase == 1 || h->call[i].behind == (phase == 2));
        } while (left);
    }
}

static void agrees_with_every_order(void **state)
{
    static const enum hd_linear_condition conditions[] = {HD_LINEARIZABLE, HD_SEQUENTIAL,
                                                          HD_QUIESCENT};
    uint32_t explained[3] = {0}, order[LINEAR_CALLS];
    uint64_t random = 7;

    (void)state;
    for (uint32_t n = 0; n < HISTORIES; n++) {
        const struct hd_linear_spec *spec = n % 2 ? &queue : &number;
        struct linear_history h;
        random_history(&h, n % 2, &random);
        for (uint32_t c = 0; c < 3; c++) {
            bool wanted;
            for (uint32_t i = 0; i < h.count; i++)
                order[i] = i;
            wanted = any_order(spec, &h, conditions[c], order, 0);
            explained[c] += wanted;
            assert_int_equal(linear_explained(spec, &h, conditions[c]), wanted);
            if (wanted)
                assert_int_equal(linear_check(spec, &h, conditions[c]), LINEAR_CALLS);
            else
                assert_in_range(linear_check(spec, &h, conditions[c]), 0, h.count - 1);
        }
    }
    /* Neither verdict is rare, and the conditions differ. */
    for (uint32_t c = 0; c < 3; c++)
        assert_in_range(explained[c], HISTORIES / 10, HISTORIES - HISTORIES / 10);
    assert_true(explained[0] < explained[1] && explained[0] < explained[2]);
}

/* ---- known verdicts ---- */

static struct linear_call call(const struct hd_linear_op *op, long value, uint32_t thread,
                               uint32_t begun, uint32_t ended)
{
    struct linear_call c = {.op = op, .thread = thread, .begun = begun, .ended = ended};

    if (op->args)
        c.call.arg[0] = value;
    else
        c.call.result[0] = value;
    return c;
}

static void a_late_read_is_not_linearizable(void **state)
{
    struct linear_history h = {
        .clock = 4, .count = 2, .call = {call(&write_op, 1, 1, 1, 2), call(&read_op, 0, 2, 3, 4)}};

    (void)state;
    assert_int_equal(linear_check(&number, &h, HD_LINEARIZABLE), 1);
    assert_int_equal(linear_check(&number, &h, HD_SEQUENTIAL), LINEAR_CALLS);
    assert_int_equal(linear_check(&number, &h, HD_QUIESCENT), 1);
}

static void own_order_does_not_bind_the_quiescent(void **state)
{
    /* One call of a third thread runs all the time. */
    struct linear_history h = {.clock = 6,
                               .count = 3,
                               .call = {call(&write_op, 1, 1, 2, 3), call(&read_op, 0, 1, 4, 5),
                                        call(&write_op, 2, 2, 1, 6)}};

    (void)state;
    assert_int_equal(linear_check(&number, &h, HD_QUIESCENT), LINEAR_CALLS);
    assert_int_equal(linear_check(&number, &h, HD_SEQUENTIAL), 1);
    assert_int_equal(linear_check(&number, &h, HD_LINEARIZABLE), 1);
}

/* What has not ended may have had its effect, or not. */
static void a_call_that_has_not_ended_may_count(void **state)
{
    struct linear_history h = {.clock = 5,
                               .count = 3,
                               .call = {call(&write_op, 1, 1, 1, 0), call(&read_op, 0, 2, 2, 3),
                                        call(&read_op, 1, 2, 4, 5)}};

    (void)state;
    assert_int_equal(linear_check(&number, &h, HD_LINEARIZABLE), LINEAR_CALLS);
    h.call[1].call.result[0] = 1;
    assert_int_equal(linear_check(&number, &h, HD_LINEARIZABLE), LINEAR_CALLS);
    h.call[2].call.result[0] = 0;
    assert_int_equal(linear_check(&number, &h, HD_LINEARIZABLE), 2);
    h.call[0].op = &add_op; /* what it would have returned is not known */
    h.call[2].call.result[0] = 1;
    assert_int_equal(linear_check(&number, &h, HD_LINEARIZABLE), LINEAR_CALLS);
    h.call[0].begun = 0; /* it was never begun */
    assert_int_equal(linear_check(&number, &h, HD_LINEARIZABLE), 1);
    h.call[1].call.result[0] = h.call[2].call.result[0] = 0;
    assert_int_equal(linear_check(&number, &h, HD_LINEARIZABLE), LINEAR_CALLS);
}

/* Of several wrong calls the one that ended first is named, wherever it stands in the list. */
static void the_first_wrong_call_is_named(void **state)
{
    struct linear_history h = {.clock = 8,
                               .count = 4,
                               .call = {call(&read_op, 8, 1, 5, 8), call(&read_op, 9, 2, 3, 4),
                                        call(&write_op, 1, 3, 1, 2), call(&read_op, 1, 3, 6, 7)}};

    (void)state;
    assert_int_equal(linear_check(&number, &h, HD_LINEARIZABLE), 1);
}

static int at_least(const struct hd_call *got, const struct hd_call *model)
{
    return got->result[0] >= model->result[0];
}

static void results_are_compared_as_the_user_says(void **state)
{
    static const struct hd_linear_op loose = {
        .name = "read", .apply = apply_read, .results = 1, .same = at_least};
    struct linear_history h = {.clock = 2, .count = 1, .call = {call(&loose, 5, 1, 1, 2)}};

    (void)state;
    assert_int_equal(linear_check(&number, &h, HD_LINEARIZABLE), LINEAR_CALLS);
    h.call[0].call.result[0] = -5;
    assert_int_equal(linear_check(&number, &h, HD_LINEARIZABLE), 0);
}

/* Many writes at once, and a read that nothing explains: without memory, 10! orders. */
static uint32_t applied;

static void apply_counted(void *state, struct hd_call *call)
{
    applied++;
    apply_write(state, call);
}

static void nothing_is_looked_at_twice(void **state)
{
    static const struct hd_linear_op counted = {.name = "write", .apply = apply_counted, .args = 1};
    enum { WRITES = 10 };
    struct linear_history h = {.count = WRITES + 1, .clock = 2 * WRITES + 2};

    (void)state;
    for (uint32_t i = 0; i < WRITES; i++)
        h.call[i] = call(&counted, 1, 1 + i % 4, i + 1, WRITES + 2 + i);
    h.call[WRITES] = call(&read_op, 9, 0, WRITES + 1, 2 * WRITES + 2);
    applied = 0;
    assert_false(linear_explained(&number, &h, HD_LINEARIZABLE));
    assert_in_range(applied, WRITES, WRITES << WRITES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_with_every_order),
        cmocka_unit_test(a_late_read_is_not_linearizable),
        cmocka_unit_test(own_order_does_not_bind_the_quiescent),
        cmocka_unit_test(a_call_that_has_not_ended_may_count),
        cmocka_unit_test(the_first_wrong_call_is_named),
        cmocka_unit_test(results_are_compared_as_the_user_says),
        cmocka_unit_test(nothing_is_looked_at_twice),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
