/* Two threads enter two things in opposite orders, whoever else lives: cycle FIRST SECOND COMPANY
 * TWIN. */
#include "case.h"
#include <heddle/heddle.h>

typedef void then(void);

static void nothing(void)
{
}

/* Each enters thing i, does `next` inside, and leaves it. */
static void in_mutex(int i, then *next)
{
    static pthread_mutex_t m[2] = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_MUTEX_INITIALIZER};

    pthread_mutex_lock(&m[i]);
    next();
    pthread_mutex_unlock(&m[i]);
}

static void in_hd_mutex(int i, then *next)
{
    static struct hd_mutex m[2];

    hd_mutex_lock(&m[i]);
    next();
    hd_mutex_unlock(&m[i]);
}

static void call(void *next)
{
    (*(then **)next)();
}

static void in_hd_once(int i, then *next)
{
    static struct hd_once o[2];

    hd_once_do(&o[i], call, &next);
}

struct thing {
    const char *name;
    void (*in)(int i, then *next);
};
static const struct thing things[] = {
    {"mutex", in_mutex}, {"hd_mutex", in_hd_mutex}, {"hd_once", in_hd_once}};
static const struct thing *first, *second;

static const struct thing *thing(const char *name)
{
    for (size_t i = 0; i < sizeof things / sizeof *things; i++)
        if (strcmp(things[i].name, name) == 0)
            return &things[i];
    exit(2);
}

static void in_first(void)
{
    first->in(0, nothing);
}

static void in_second(void)
{
    second->in(1, nothing);
}

static void *one(void *arg)
{
    first->in(0, in_second);
    return arg;
}

static void *two(void *arg)
{
    if (wrong)
        second->in(1, in_first);
    else
        first->in(0, in_second);
    return arg;
}

static void go_one(void *arg)
{
    one(arg);
}

static void go_two(void *arg)
{
    two(arg);
}

/* Who waits for the two, and who lives beside them. */
static void company_joined(void)
{
    pthread_t t = start(one, NULL), u = start(two, NULL);

    finish(t);
    finish(u);
}

static void company_detached(void)
{
    start_detached(one, NULL);
    start_detached(two, NULL);
    usleep(50000);
}

static void company_returns(void)
{
    start_detached(one, NULL);
    start_detached(two, NULL);
}

static void company_waitgroup(void)
{
    static struct hd_wg wg;

    if (hd_wg_go(&wg, go_one, NULL) || hd_wg_go(&wg, go_two, NULL))
        exit(2);
    hd_wg_wait(&wg);
}

static const struct variant companies[] = {VARIANT(company, joined), VARIANT(company, detached),
                                           VARIANT(company, returns), VARIANT(company, waitgroup)};

int main(int argc, char **argv)
{
    arguments(argc, argv, 3);
    first = thing(argv[1]);
    second = thing(argv[2]);
    PICK(companies, argv[3])->run();
    return 0;
}
