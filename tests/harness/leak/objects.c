/* Objects that are not ended when the program is: `objects CASE`. All but the cases that begin with
 * leaks_ owe nothing by then (docs/decisions/leaks.md). */
#include <stdlib.h>
#include <string.h>

#include <heddle/chan.h>
#include <heddle/context.h>
#include <heddle/go.h>
#include <heddle/pool.h>
#include <heddle/time.h>
#include <heddle/waitgroup.h>

#define must(condition) ((condition) ? (void)0 : abort())

static struct hd_context *root(void)
{
    return hd_context_background();
}

static void *nothing(void *arg)
{
    return arg;
}

static void drop_nothing(void *object, void *arg)
{
    (void)object, (void)arg;
}

static void a_deadline_to_come(void)
{
    (void)!hd_context_with_timeout(root(), HD_SECOND);
}

static void a_deadline_in_years(void)
{
    struct hd_context *late = hd_context_with_timeout(root(), 100000 * HD_HOUR);

    (void)!hd_context_with_cancel(late);
}

static void parent_cancelled(void)
{
    struct hd_context *parent = hd_context_with_cancel(root());

    (void)!hd_context_with_cancel(hd_context_with_cancel(parent));
    hd_context_end(parent);
}

static void given_up(void)
{
    hd_context_unref(hd_context_with_cancel(root()));
}

static void exit_in_the_middle(void)
{
    (void)!hd_context_with_cancel(root());
    exit(0);
}

static void a_pool_of_the_program(void)
{
    static struct hd_pool pool;

    must(!hd_pool_init(&pool, nothing, drop_nothing, NULL));
}

static void a_timer_that_is_armed(void)
{
    (void)!hd_timer_make(1000 * HD_HOUR);
}

static void leaks_a_context(void)
{
    (void)!hd_context_with_cancel(root());
}

static void make_one(void *arg)
{
    (void)arg;
    (void)!hd_context_with_cancel(root());
}

static void leaks_one_whose_maker_is_gone(void)
{
    struct hd_wg wg = {0};

    must(!hd_wg_go(&wg, make_one, NULL));
    hd_wg_wait(&wg);
}

static void leaks_a_ticker(void)
{
    hd_ticker_stop(hd_ticker_make(HD_SECOND));
    (void)!hd_ticker_make(HD_SECOND);
}

static const struct {
    const char *name;
    void (*run)(void);
} cases[] = {
#define CASE(name)                                                                                 \
    {                                                                                              \
#name, name                                                                                \
    }
    CASE(a_deadline_to_come),
    CASE(a_deadline_in_years),
    CASE(parent_cancelled),
    CASE(given_up),
    CASE(exit_in_the_middle),
    CASE(a_pool_of_the_program),
    CASE(a_timer_that_is_armed),
    CASE(leaks_a_context),
    CASE(leaks_one_whose_maker_is_gone),
    CASE(leaks_a_ticker),
};

static void done(void *wg)
{
    hd_wg_done(wg);
}

int main(int argc, char **argv)
{
    struct hd_wg wg = {0};

    hd_wg_add(&wg, 1); /* a first thread, without which there is nothing to schedule */
    must(!hd_go(done, &wg));
    hd_wg_wait(&wg);
    for (size_t i = 0; argc > 1 && i < sizeof cases / sizeof *cases; i++)
        if (strcmp(cases[i].name, argv[1]) == 0) {
            cases[i].run();
            return 0;
        }
    return 2;
}
