/* fan.c - see fan.h. Both are lanes: goroutines that carry values from one channel to another. */
#include <heddle/fan.h>

#include <stdlib.h>

#include <heddle/atomic.h>
#include <heddle/go.h>
#include <heddle/select.h>

#include "context_inside.h"
#include "operation.h"

/* What all that one call started has in common; the last to leave ends the context. */
struct fan {
    struct hd_context *ctx;
    struct hd_atomic_int64 users;
};

/* What the lanes into one output share; the last of them closes it. */
struct sink {
    struct fan *fan;
    struct hd_chan *out;
    struct hd_atomic_int64 lanes;
};

struct lane {
    struct sink *sink;
    struct hd_chan *in;
    hd_fan_fn fn; /* NULL: as it is */
    void *arg;
    size_t in_bytes;
    _Alignas(max_align_t) unsigned char values[]; /* in, then out, aligned */
};

static size_t aligned(size_t bytes)
{
    size_t step = _Alignof(max_align_t);

    return (bytes + step - 1) / step * step;
}

static struct fan *open_fan(struct hd_context *parent, const void *site)
{
    struct fan *fan = calloc(1, sizeof *fan);

    if (fan) {
        fan->ctx = hdi_context_within(parent, site);
        hd_int64_store(&fan->users, 1);
    }
    return fan;
}

static void leave_fan(struct fan *fan)
{
    if (hd_int64_add(&fan->users, -1) != 0)
        return;
    hd_context_end(fan->ctx);
    free(fan);
}

/* With one lane, the opener's, so that it does not close while others are added. */
static struct sink *open_sink(struct fan *fan, struct hd_chan *out)
{
    struct sink *sink = calloc(1, sizeof *sink);

    if (sink) {
        sink->fan = fan;
        sink->out = hd_chan_ref(out);
        hd_int64_store(&sink->lanes, 1);
        hd_int64_add(&fan->users, 1);
    }
    return sink;
}

static void leave(struct sink *sink)
{
    if (hd_int64_add(&sink->lanes, -1) != 0)
        return;
    hd_chan_close(sink->out);
    hd_chan_unref(sink->out);
    leave_fan(sink->fan);
    free(sink);
}

static void carry(void *arg)
{
    struct lane *lane = arg;
    struct sink *sink = lane->sink;
    struct hd_chan *done = hd_context_done(sink->fan->ctx);
    void *in = lane->values, *out = lane->fn ? lane->values + aligned(lane->in_bytes) : in;
    bool ok = true;

    while (HD_SELECT(HD_RECV_OK(lane->in, in, &ok), HD_RECV(done, NULL)) == 0 && ok) {
        if (lane->fn && !lane->fn(sink->fan->ctx, in, out, lane->arg))
            continue;
        if (HD_SELECT(HD_SEND(sink->out, out), HD_RECV(done, NULL)) == 1)
            break;
    }
    hd_chan_unref(lane->in);
    free(lane);
    leave(sink);
}

/* One more lane into the sink. */
static hd_err add(struct sink *sink, struct hd_chan *in, size_t in_bytes, size_t out_bytes,
                  hd_fan_fn fn, void *arg)
{
    struct lane *lane;
    hd_err err;

    if (in_bytes > HD_CHAN_MOST_BYTES || out_bytes > HD_CHAN_MOST_BYTES)
        return hd_invalid;
    lane = malloc(sizeof *lane + aligned(in_bytes) + aligned(out_bytes));
    if (!lane)
        return hd_out_of_memory;
    *lane = (struct lane){sink, hd_chan_ref(in), fn, arg, in_bytes};
    hd_int64_add(&sink->lanes, 1);
    err = hd_go(carry, lane);
    if (err) {
        hd_int64_add(&sink->lanes, -1);
        hd_chan_unref(in);
        free(lane);
    }
    return err;
}

/* One output with a lane from each input; *output is set even then if it was opened before an
 * error. */
static hd_err add_output(struct fan *fan, struct hd_chan *const *inputs, size_t count,
                         size_t in_bytes, size_t out_bytes, hd_fan_fn fn, void *arg,
                         struct hd_chan **output)
{
    struct hd_chan *out = hd_chan_make(out_bytes, 0);
    struct sink *sink = open_sink(fan, out);
    hd_err err = NULL;

    if (!sink) {
        hd_chan_unref(out);
        return hd_out_of_memory;
    }
    for (size_t i = 0; i < count && !err; i++)
        err = add(sink, inputs[i], in_bytes, fn ? out_bytes : 0, fn, arg);
    leave(sink);
    *output = out;
    return err;
}

/* After an error: those that run end, and are waited for, before the caller hears of it. */
static void give_up(struct fan *fan, struct hd_chan **outputs, size_t count)
{
    hd_context_cancel(fan->ctx);
    for (size_t i = 0; i < count && outputs[i]; i++) {
        while (hd_chan_recv(outputs[i], NULL))
            ;
        hd_chan_unref(outputs[i]);
        outputs[i] = NULL;
    }
}

hd_err hd_fan_out(struct hd_context *ctx, struct hd_chan *in, size_t in_bytes, size_t out_bytes,
                  int workers, hd_fan_fn fn, void *arg, struct hd_chan **outputs)
{
    struct fan *fan;
    hd_err err = NULL;

    if (workers < 1 || !fn)
        return hd_invalid;
    fan = open_fan(ctx, HDI_SITE());
    if (!fan)
        return hd_out_of_memory;
    for (int i = 0; i < workers; i++)
        outputs[i] = NULL;
    for (int i = 0; i < workers && !err; i++)
        err = add_output(fan, &in, 1, in_bytes, out_bytes, fn, arg, &outputs[i]);
    if (err)
        give_up(fan, outputs, (size_t)workers);
    leave_fan(fan);
    return err;
}

hd_err hd_fan_in(struct hd_context *ctx, struct hd_chan *const *inputs, size_t count, size_t bytes,
                 struct hd_chan **output)
{
    struct fan *fan = open_fan(ctx, HDI_SITE());
    struct hd_chan *out = NULL;
    hd_err err;

    if (!fan)
        return hd_out_of_memory;
    err = add_output(fan, inputs, count, bytes, bytes, NULL, NULL, &out);
    if (err)
        give_up(fan, &out, 1);
    else
        *output = out;
    leave_fan(fan);
    return err;
}
