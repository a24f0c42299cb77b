/* Pipeline and fan: everything comes through once, ends close in order, errors and contexts stop
 * all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <heddle/atomic.h>
#include <heddle/fan.h>
#include <heddle/panic.h>
#include <heddle/pipeline.h>
#include <heddle/select.h>
#include <heddle/waitgroup.h>

#include "rounds.h"

#define COUNT (rounds(300) < 12 ? 12 : 300)

struct source {
    struct hd_chan *out;
    struct hd_context *ctx;
    struct hd_wg wg;
};

static void generate(void *arg)
{
    struct source *source = arg;

    for (intptr_t i = 1; i <= COUNT; i++) {
        void *value = (void *)i;
        if (HD_SELECT(HD_SEND(source->out, &value), HD_RECV(hd_context_done(source->ctx), NULL)))
            break;
    }
    hd_chan_close(source->out);
}

static hd_err square(struct hd_context *ctx, void *in, void **out, void *arg)
{
    (void)ctx, (void)arg;
    *out = (void *)((intptr_t)in * (intptr_t)in);
    return NULL;
}

static hd_err keep_even(struct hd_context *ctx, void *in, void **out, void *arg)
{
    (void)ctx, (void)arg;
    *out = (intptr_t)in % 2 ? NULL : in;
    return NULL;
}

static hd_err fail_at(struct hd_context *ctx, void *in, void **out, void *arg)
{
    (void)ctx;
    *out = in;
    if ((intptr_t)in == *(intptr_t *)arg)
        return hd_errorf(HD_ERR_USER, "bad value %d", (int)*(intptr_t *)arg);
    return NULL;
}

static hd_err panic_at_5(struct hd_context *ctx, void *in, void **out, void *arg)
{
    (void)ctx, (void)arg;
    *out = in;
    if ((intptr_t)in == 5)
        hd_panic("stage died");
    return NULL;
}

static void all_stages(void **state)
{
    const struct hd_stage stages[] = {{"square", 3, 0, square, NULL},
                                      {"even", 2, 8, keep_even, NULL}};
    struct source source = {.out = hd_chan_make(sizeof(void *), 0)};
    struct hd_pipeline *pipeline;
    intptr_t sum = 0, expected = 0;

    (void)state;
    for (intptr_t i = 2; i <= COUNT; i += 2)
        expected += i * i;
    assert_null(hd_pipeline_start(&pipeline, hd_context_background(), source.out, stages, 2, NULL));
    source.ctx = hd_pipeline_context(pipeline);
    assert_null(hd_wg_go(&source.wg, generate, &source));
    HD_RANGE(void *, value, hd_pipeline_output(pipeline))
    sum += (intptr_t)value;
    hd_wg_wait(&source.wg);
    assert_null(hd_pipeline_wait(pipeline));
    assert_int_equal(sum, expected);
    hd_chan_unref(source.out);
}

static void run_to_error(const struct hd_stage *stages, size_t count, const char *message)
{
    struct source source = {.out = hd_chan_make(sizeof(void *), 0)};
    struct hd_context *ctx = hd_context_with_cancel(hd_context_background());
    struct hd_pipeline *pipeline;
    hd_err err;

    assert_null(hd_pipeline_start(&pipeline, ctx, source.out, stages, count, NULL));
    source.ctx = hd_context_ref(hd_pipeline_context(pipeline));
    assert_null(hd_wg_go(&source.wg, generate, &source));
    while (hd_chan_recv(hd_pipeline_output(pipeline), NULL))
        ;
    err = hd_pipeline_wait(pipeline);
    hd_wg_wait(&source.wg);
    assert_string_equal(hd_err_message(err), message);
    hd_err_unref(err);
    hd_context_unref(source.ctx);
    hd_context_end(ctx);
    hd_chan_unref(source.out);
}

static void the_first_error_stops_all(void **state)
{
    intptr_t bad = 9;
    const struct hd_stage failing[] = {{"pass", 2, 1, keep_even, NULL},
                                       {"one", 1, 0, square, NULL}};
    const struct hd_stage stages[] = {{"fail", 1, 4, fail_at, &bad},
                                      {"even", 2, 0, keep_even, NULL}};
    const struct hd_stage panicking[] = {{"panic", 2, 0, panic_at_5, NULL}};

    (void)state, (void)failing;
    run_to_error(stages, 2, "bad value 9");
    run_to_error(panicking, 1, "stage died");
}

static struct hd_atomic_int32 dropped;

static void count_drop(void *value)
{
    (void)value;
    hd_int32_add(&dropped, 1);
}

static void an_ended_context_drops_what_is_under_way(void **state)
{
    const struct hd_stage stages[] = {{"buffered", 1, 3, square, NULL}};
    struct source source = {.out = hd_chan_make(sizeof(void *), 0)};
    struct hd_context *ctx = hd_context_with_cancel(hd_context_background());
    struct hd_pipeline *pipeline;

    (void)state;
    assert_null(hd_pipeline_start(&pipeline, ctx, source.out, stages, 1, count_drop));
    for (intptr_t i = 1; i <= 4; i++) { /* three in the buffer, one in the worker's hand */
        void *value = (void *)i;
        hd_chan_send(source.out, &value);
    }
    hd_context_cancel(ctx);
    assert_ptr_equal(hd_pipeline_wait(pipeline), hd_cancelled);
    assert_in_range(hd_int32_load(&dropped), 3, 4);
    hd_context_unref(ctx);
    hd_chan_unref(source.out);
}

static void invalid_stages(void **state)
{
    const struct hd_stage none[] = {{"none", 0, 0, square, NULL}};
    struct hd_chan *in = hd_chan_make(sizeof(void *), 0);
    struct hd_pipeline *pipeline;

    (void)state;
    assert_ptr_equal(hd_pipeline_start(&pipeline, hd_context_background(), in, none, 1, NULL),
                     hd_invalid);
    assert_ptr_equal(hd_pipeline_start(&pipeline, hd_context_background(), in, none, 0, NULL),
                     hd_invalid);
    hd_chan_unref(in);
}

static bool twice(struct hd_context *ctx, const void *in, void *out, void *arg)
{
    (void)ctx, (void)arg;
    *(int64_t *)out = 2 * *(const int32_t *)in;
    return *(const int32_t *)in % 3 != 0;
}

static void send_numbers(void *arg)
{
    for (int32_t i = 1; i <= COUNT; i++)
        hd_chan_send(arg, &i);
    hd_chan_close(arg);
}

static void out_and_in_again(void **state)
{
    struct hd_chan *in = hd_chan_make(sizeof(int32_t), 4), *outputs[5], *merged;
    struct hd_context *ctx = hd_context_with_cancel(hd_context_background());
    struct hd_wg wg = HD_WG_INIT;
    int64_t sum = 0, expected = 0;
    int seen = 0;

    (void)state;
    for (int i = 1; i <= COUNT; i++)
        expected += i % 3 ? 2 * i : 0;
    assert_null(hd_fan_out(ctx, in, sizeof(int32_t), sizeof(int64_t), 5, twice, NULL, outputs));
    assert_null(hd_fan_in(ctx, outputs, 5, sizeof(int64_t), &merged));
    assert_null(hd_wg_go(&wg, send_numbers, in));
    HD_RANGE(int64_t, value, merged)
    {
        sum += value;
        seen++;
    }
    hd_wg_wait(&wg);
    assert_int_equal(sum, expected);
    assert_int_equal(seen, COUNT - COUNT / 3);
    for (int i = 0; i < 5; i++)
        hd_chan_unref(outputs[i]);
    hd_chan_unref(merged);
    hd_chan_unref(in);
    hd_context_end(ctx);
}

static void a_fan_ends_with_its_context(void **state)
{
    struct hd_chan *in = hd_chan_make(sizeof(int32_t), 0), *outputs[2], *merged;
    struct hd_context *ctx = hd_context_with_cancel(hd_context_background());

    (void)state;
    assert_null(hd_fan_out(ctx, in, sizeof(int32_t), sizeof(int64_t), 2, twice, NULL, outputs));
    assert_null(hd_fan_in(ctx, outputs, 2, sizeof(int64_t), &merged));
    hd_context_cancel(ctx);
    assert_false(hd_chan_recv(merged, NULL)); /* closed, though the input never was */
    for (int i = 0; i < 2; i++) {
        assert_false(hd_chan_recv(outputs[i], NULL));
        hd_chan_unref(outputs[i]);
    }
    hd_chan_unref(merged);
    assert_null(hd_fan_in(hd_context_background(), NULL, 0, 8, &merged));
    assert_false(hd_chan_recv(merged, NULL)); /* of none: closed at once */
    hd_chan_unref(merged);
    hd_chan_unref(in);
    hd_context_unref(ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_stages),
        cmocka_unit_test(the_first_error_stops_all),
        cmocka_unit_test(an_ended_context_drops_what_is_under_way),
        cmocka_unit_test(invalid_stages),
        cmocka_unit_test(out_and_in_again),
        cmocka_unit_test(a_fan_ends_with_its_context),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
