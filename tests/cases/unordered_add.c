/* A wait for a group that an add from zero is not ordered with waits for nobody. unordered_add HOW TWIN */
#include "case.h"
#include <heddle/heddle.h>

static struct hd_wg wg, others;
static atomic_bool may_go_on; /* of the program's own: no detector sees it in a plain build */

static void pass_flag(void)
{
    while (!atomic_load(&may_go_on))
        hd_go_yield();
}

static void nothing(void *arg)
{
    (void)arg;
}

static void add_itself(void *arg)
{
    (void)arg;
    if (wrong)
        hd_wg_add(&wg, 1);
    hd_wg_done(&wg);
}

static void in_the_goroutine(void)
{
    if (!wrong)
        hd_wg_add(&wg, 1);
    HD_GO(add_itself, NULL);
    hd_wg_wait(&wg);
}

static void start_one(void *arg)
{
    hd_must(hd_wg_go(&wg, nothing, arg));
    atomic_store(&may_go_on, true);
}

static void in_another_that_starts(void)
{
    hd_must(hd_wg_go(&others, start_one, NULL));
    if (!wrong)
        pass_flag();
    hd_wg_wait(&wg);
    hd_wg_wait(&others);
}

static void second_round(void *arg)
{
    if (!wrong)
        pass_flag();
    hd_must(hd_wg_go(&wg, nothing, arg));
}

static void in_another_round(void)
{
    hd_must(hd_wg_go(&wg, nothing, NULL));
    hd_must(hd_wg_go(&others, second_round, NULL));
    hd_wg_wait(&wg);
    atomic_store(&may_go_on, true);
    hd_wg_wait(&others);
    hd_wg_wait(&wg);
}

static void add_above_zero(void *arg)
{
    if (wrong)
        hd_wg_done(&wg); /* at zero for a moment */
    hd_must(hd_wg_go(&wg, nothing, arg));
    if (!wrong)
        hd_wg_done(&wg);
}

static void in_what_is_waited_for(void)
{
    hd_wg_add(&wg, 1);
    HD_GO(add_above_zero, NULL);
    hd_wg_wait(&wg);
}

static void be_done(void *arg)
{
    (void)arg;
    hd_wg_done(&wg);
}

/* A done too many is a counter below zero, wherever the wait is. */
static void by_too_many(void)
{
    hd_wg_add(&wg, wrong ? 1 : 2);
    HD_GO(be_done, NULL);
    HD_GO(be_done, NULL);
    hd_wg_wait(&wg);
}

static void add_little(void *arg)
{
    (void)arg;
    hd_wg_add(&wg, wrong);
}

/* An add of 0 is nothing. */
static void of_nothing(void)
{
    HD_GO(add_little, NULL);
    hd_wg_wait(&wg);
}

static const struct variant all[] = {VARIANT(in, the_goroutine), VARIANT(in, another_that_starts),
                                     VARIANT(in, another_round), VARIANT(in, what_is_waited_for),
                                     VARIANT(by, too_many),      VARIANT(of, nothing)};

int main(int argc, char **argv)
{
    arguments(argc, argv, 1);
    PICK(all, argv[1])->run();
    return 0;
}
