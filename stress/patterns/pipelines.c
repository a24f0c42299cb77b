/* pipelines.c - stages as functions, and the staged struct of guide 004. */
#include "suite/suite.h"

#include <heddle/select.h>
#include <heddle/waitgroup.h>

struct stage {
    struct hd_context *ctx; /* NULL: does not heed one */
    struct hd_chan *in, *out;
    int count;
};

static struct stage *stage_new(struct hd_context *ctx, struct hd_chan *in)
{
    struct stage *s = KEEP(struct stage);

    *s = (struct stage){.ctx = ctx, .in = in, .out = CHAN(int, 0)};
    return s;
}

static bool pass(struct stage *s, int value)
{
    return HD_SELECT(HD_SEND(s->out, &value), HD_RECV(hd_context_done(s->ctx), NULL)) == 0;
}

static bool take(struct stage *s, int *value)
{
    bool ok;

    return HD_SELECT(HD_RECV_OK(s->in, value, &ok), HD_RECV(hd_context_done(s->ctx), NULL)) == 0 &&
           ok;
}

static void generate(void *arg)
{
    struct stage *s = arg;

    for (int n = 1; n <= s->count && pass(s, n); n++)
        ;
    hd_chan_close(s->out);
}

static void square(void *arg)
{
    struct stage *s = arg;

    for (int n; take(s, &n) && pass(s, n * n);)
        ;
    hd_chan_close(s->out);
}

static void filter_even(void *arg)
{
    struct stage *s = arg;

    for (int n; take(s, &n);)
        if (n % 2 == 0 && !pass(s, n))
            break;
    hd_chan_close(s->out);
}

static struct hd_chan *run(void (*stage)(void *), struct hd_context *ctx, struct hd_chan *in,
                           int count)
{
    struct stage *s = stage_new(ctx, in);

    s->count = count;
    GO(stage, s);
    return s->out;
}

void pipeline_context_as_written(void)
{
    struct hd_context *ctx = keep_context(hd_context_with_cancel(hd_context_background()));
    int count = draw(0, 6), expected = 2;
    struct hd_chan *even =
        run(filter_even, ctx, run(square, ctx, run(generate, ctx, NULL, count), 0), 0);

    HD_RANGE(int, result, even)
    {
        assert(result == expected * expected);
        expected += 2;
    }
    assert(expected == count / 2 * 2 + 2);
    hd_context_end(ctx);
    all_gone();
}

void pipeline_context_left_early(void)
{
    struct hd_context *ctx = keep_context(hd_context_with_cancel(hd_context_background()));
    struct hd_chan *even =
        run(filter_even, ctx, run(square, ctx, run(generate, ctx, NULL, 10), 0), 0);

    for (int i = draw(0, 3); i > 0; i--)
        hd_chan_recv(even, NULL);
    hd_context_end(ctx);
    all_gone();
}

static void plain_generate(void *arg)
{
    struct stage *s = arg;

    for (int n = 1; n <= s->count; n++)
        hd_chan_send(s->out, &n);
    hd_chan_close(s->out);
}

static void plain_square(void *arg)
{
    struct stage *s = arg;

    HD_RANGE(int, n, s->in)
    {
        int squared = n * n;
        hd_chan_send(s->out, &squared);
    }
    hd_chan_close(s->out);
}

void pipeline_plain_as_written(void)
{
    struct hd_chan *squared = run(plain_square, NULL, run(plain_generate, NULL, NULL, 5), 0);
    int expected = 1;

    HD_RANGE(int, n, squared)
    {
        assert(n == expected * expected);
        expected++;
    }
    assert(expected == 6);
    all_gone();
}

void pipeline_plain_left_early(void)
{
    hd_chan_recv(run(plain_square, NULL, run(plain_generate, NULL, NULL, 5), 0), NULL);
}

/* Stage A of guide 002 is `generate`; its receiver may stop at any time. */
void pipeline_sender_closes(void)
{
    struct hd_context *ctx = keep_context(hd_context_with_cancel(hd_context_background()));
    struct hd_chan *out = run(generate, ctx, NULL, 10);
    int wanted = draw(0, 12), got = 0;

    while (got < wanted && hd_chan_recv(out, NULL))
        got++;
    assert(got == (wanted < 10 ? wanted : 10));
    hd_context_end(ctx);
    all_gone();
}

/* Go does not compile this; an untyped channel does. */
void pipeline_receiver_closes(void)
{
    struct hd_chan *out = run(plain_generate, NULL, NULL, 10);

    hd_chan_recv(out, NULL);
    hd_chan_close(out);
    all_gone();
}

static void transform_ranging(void *arg)
{
    struct stage *s = arg;

    HD_RANGE(int, n, s->in)
    {
        if (!pass(s, n + 100))
            break;
    }
    hd_chan_close(s->out);
}

void pipeline_ranging_as_written(void)
{
    struct hd_context *ctx = keep_context(hd_context_with_cancel(hd_context_background()));
    int count = draw(0, 5), got = 0;
    struct hd_chan *out = run(transform_ranging, ctx, run(plain_generate, NULL, NULL, count), 0);

    HD_RANGE(int, n, out)
    {
        assert(n == 101 + got);
        got++;
    }
    assert(got == count);
    hd_context_end(ctx);
    all_gone();
}

void pipeline_ranging_input_stays_open(void)
{
    struct hd_context *ctx = keep_context(hd_context_with_cancel(hd_context_background()));

    run(transform_ranging, ctx, CHAN(int, 0), 0);
    hd_context_end(ctx);
}

static void transform_selecting(void *arg)
{
    struct stage *s = arg;

    for (int n; take(s, &n) && pass(s, n + 100);)
        ;
    hd_chan_close(s->out);
}

void pipeline_ranging_mended(void)
{
    struct hd_context *ctx = keep_context(hd_context_with_cancel(hd_context_background()));
    struct hd_chan *in = draw(0, 1) ? CHAN(int, 0) : run(generate, ctx, NULL, 5);

    run(transform_selecting, ctx, in, 0);
    hd_context_end(ctx);
    all_gone();
}

static void forward(void *arg)
{
    struct stage *s = arg;

    HD_RANGE(int, n, s->in)
    hd_chan_send(s->out, &n);
    hd_chan_close(s->out);
}

void channel_always_closed(void)
{
    int count = draw(0, 5), got = 0;
    struct hd_chan *out = run(forward, NULL, run(plain_generate, NULL, NULL, count), 0);

    HD_RANGE(int, n, out)
    got++;
    assert(got == count);
    all_gone();
}

void channel_always_closed_left_early(void)
{
    hd_chan_recv(run(forward, NULL, run(plain_generate, NULL, NULL, 5), 0), NULL);
}

/* The staged struct. A value is a number, 0 stands for Go's nil. */
#define STAGES 3

struct staged {
    struct hd_chan *input, *output, *quit;
    struct hd_wg wg;
    int items, each, counted; /* values; of how many the last stage speaks; up to which it spoke */
};

struct staged_worker {
    struct staged *pipeline;
    struct hd_chan *input, *output;
    bool counts;
};

/* Process: a goroutine that takes the stage's input up to its end. */
static void staged_process(void *arg)
{
    struct staged_worker *p = arg;

    HD_RANGE(int, data, p->input)
    hd_chan_send(p->output, &data);
    hd_chan_close(p->output);
}

/* Aggregate, the third stage: says of each so many values that they came. */
static void staged_count(void *arg)
{
    struct staged_worker *p = arg;
    int count = 0;

    HD_RANGE(int, data, p->input)
    {
        if (++count % p->pipeline->each == 0)
            hd_chan_send(p->output, &count);
    }
    hd_chan_close(p->output);
}

static void staged_worker(void *arg)
{
    struct staged_worker *w = arg;

    for (;;) {
        int data = 0;
        if (HD_SELECT(HD_RECV(w->input, &data), HD_RECV(w->pipeline->quit, NULL)) == 1 ||
            data == 0) {
            hd_chan_close(w->output);
            break;
        }
        struct staged_worker *process = KEEP(struct staged_worker);
        *process = (struct staged_worker){w->pipeline, w->input, CHAN(int, 0), false};
        if (w->counts)
            GO(staged_count, process);
        else
            GO(staged_process, process);
        HD_RANGE(int, result, process->output)
        hd_chan_send(w->output, &result);
    }
    hd_wg_done(&w->pipeline->wg);
}

static void staged_feed(void *arg)
{
    struct staged *p = arg;

    for (int i = 1; i <= p->items; i++)
        hd_chan_send(p->input, &i);
    hd_chan_close(p->input);
}

static void staged_collect(void *arg)
{
    struct staged *p = arg;

    HD_RANGE(int, result, p->output)
    __atomic_store_n(&p->counted, result, __ATOMIC_RELAXED);
}

static void staged_usage(const int workers[STAGES], int items)
{
    struct staged *p = KEEP(struct staged);
    struct hd_chan *current;

    p->input = CHAN(int, 100);
    p->quit = CHAN(bool, 0);
    p->items = items;
    p->each = 1; /* 10 in the guide, of 100 */
    hd_wg_add(&p->wg, STAGES);
    current = p->input;
    for (int i = 0; i < STAGES; i++) {
        struct hd_chan *output = CHAN(int, 100);
        for (int j = 0; j < workers[i]; j++) {
            struct staged_worker *w = KEEP(struct staged_worker);
            *w = (struct staged_worker){p, current, output, i == STAGES - 1};
            GO(staged_worker, w);
        }
        p->output = current = output;
    }
    GO(staged_feed, p);
    GO(staged_collect, p);
    hd_sleep(span(5 * HD_SECOND));
    hd_chan_close(p->quit);
    hd_wg_wait(&p->wg);
    assert(__atomic_load_n(&p->counted, __ATOMIC_RELAXED) == items && "an item was lost");
}

void pipeline_staged_as_written(void)
{
    staged_usage((const int[STAGES]){2, 3, 1}, draw(3, 6));
}

void pipeline_staged_one_worker(void)
{
    staged_usage((const int[STAGES]){1, 1, 1}, draw(3, 6));
}

/* Mended: each worker handles single values; the last one of a stage closes its output. */
struct mended_stage {
    struct hd_context *ctx;
    struct hd_chan *in, *out;
    struct hd_wg wg;
};

static void mended_worker(void *arg)
{
    struct mended_stage *s = arg;

    for (;;) {
        int data;
        bool ok;
        if (HD_SELECT(HD_RECV_OK(s->in, &data, &ok), HD_RECV(hd_context_done(s->ctx), NULL)) == 1 ||
            !ok || HD_SELECT(HD_SEND(s->out, &data), HD_RECV(hd_context_done(s->ctx), NULL)) == 1)
            break;
    }
    hd_wg_done(&s->wg);
}

static void mended_closer(void *arg)
{
    struct mended_stage *s = arg;

    hd_wg_wait(&s->wg);
    hd_chan_close(s->out);
}

void pipeline_staged_mended(void)
{
    struct hd_context *ctx = keep_context(hd_context_with_cancel(hd_context_background()));
    int items = draw(0, 6), got = 0, wanted = draw(0, 1) ? items : items / 2;
    struct hd_chan *current = run(generate, ctx, NULL, items);
    struct tally done = {0};

    for (int i = 0; i < STAGES; i++) {
        struct mended_stage *s = KEEP(struct mended_stage);
        int workers = draw(1, 3);
        s->ctx = ctx;
        s->in = current;
        s->out = CHAN(int, (size_t)draw(0, 2));
        hd_wg_add(&s->wg, workers);
        for (int j = 0; j < workers; j++)
            GO(mended_worker, s);
        GO(mended_closer, s);
        current = s->out;
    }
    for (int result; got < wanted && hd_chan_recv(current, &result); got++)
        tally(&done, result);
    assert(tally_count(&done) == wanted);
    hd_context_end(ctx);
    all_gone();
}
