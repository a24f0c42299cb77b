/* leaks.c - the goroutines that the guides' pitfalls leave behind, and how not to. */
#include "suite/suite.h"

#include <heddle/select.h>

struct source {
    struct hd_context *ctx;
    struct hd_chan *ch;
};

static struct source *source_new(struct hd_context *ctx, size_t capacity)
{
    struct source *s = KEEP(struct source);

    *s = (struct source){ctx, CHAN(int, capacity)};
    return s;
}

static void count_for_ever(void *arg)
{
    struct source *s = arg;

    for (int i = 0;; i++)
        hd_chan_send(s->ch, &i);
}

void leak_endless_sender(void)
{
    struct source *s = source_new(NULL, 0);

    GO(count_for_ever, s);
    for (int i = draw(0, 3); i > 0; i--)
        hd_chan_recv(s->ch, NULL);
}

static void count_until_done(void *arg)
{
    struct source *s = arg;

    for (int i = 0; HD_SELECT(HD_SEND(s->ch, &i), HD_RECV(hd_context_done(s->ctx), NULL)) == 0; i++)
        ;
    hd_chan_close(s->ch);
}

void noleak_endless_sender(void)
{
    struct hd_context *ctx = keep_context(hd_context_with_cancel(hd_context_background()));
    struct source *s = source_new(ctx, 0);

    GO(count_until_done, s);
    for (int i = 0, wanted = draw(0, 3), value; i < wanted; i++)
        assert(hd_chan_recv(s->ch, &value) && value == i);
    hd_context_end(ctx);
    all_gone();
}

static void send_42(void *arg)
{
    struct source *s = arg;
    int value = 42;

    hd_chan_send(s->ch, &value);
}

void leak_never_read(void)
{
    GO(send_42, source_new(NULL, 0));
}

void noleak_buffered(void)
{
    GO(send_42, source_new(NULL, 1));
    all_gone();
}

static void send_42_or_done(void *arg)
{
    struct source *s = arg;
    int value = 42;

    (void)HD_SELECT(HD_SEND(s->ch, &value), HD_RECV(hd_context_done(s->ctx), NULL));
}

void noleak_context(void)
{
    struct hd_context *ctx = keep_context(hd_context_with_cancel(hd_context_background()));
    struct source *s = source_new(ctx, 0);

    GO(send_42_or_done, s);
    if (draw(0, 1))
        hd_chan_recv(s->ch, NULL);
    hd_context_end(ctx);
    all_gone();
}

/* The context that the guide passes is never cancelled by anyone: then it does not help. */
void leak_context_never_cancelled(void)
{
    struct hd_context *ctx = keep_context(hd_context_with_cancel(hd_context_background()));

    GO(send_42_or_done, source_new(ctx, 0));
}
