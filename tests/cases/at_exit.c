/* The program ends while a thread of it runs on: at_exit HOW TWIN. A wrong one takes away what the
 * thread uses, once the end has begun; a right one has a thread that would fail only long after. */
#include "case.h"

static int value, *shared = &value;

static void take_away(void)
{
    if (wrong)
        shared = NULL;
}

static void *user(void *arg)
{
    if (!wrong)
        sleep(1);
    *shared += wrong ? 1 : 0;
    if (!wrong)
        abort(); /* the program has ended a second ago */
    return arg;
}

static void at_exit_return(void)
{
    atexit(take_away);
}

static void at_exit_exit(void)
{
    atexit(take_away);
    exit(0);
}

static void at_exit_quick_exit(void)
{
    at_quick_exit(take_away);
    quick_exit(0);
}

static void at_exit__exit(void)
{
    take_away();
    _exit(0);
}

static void *ends(void *arg)
{
    take_away();
    exit(0);
    return arg;
}

/* Main itself has ended before; the thread that ends the program is another. */
static void at_exit_pthread_exit(void)
{
    start_detached(ends, NULL);
    pthread_exit(NULL);
}

static const struct variant ways[] = {VARIANT(at_exit, return ), VARIANT(at_exit, exit),
                                      VARIANT(at_exit, quick_exit), VARIANT(at_exit, _exit),
                                      VARIANT(at_exit, pthread_exit)};

int main(int argc, char **argv)
{
    arguments(argc, argv, 1);
    start_detached(user, NULL);
    PICK(ways, argv[1])->run();
    return 0;
}
