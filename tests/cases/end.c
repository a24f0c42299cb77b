/* Main does not wait for its thread before the program ends, and minds if it has run: end HOW TWIN.
 */
#include "case.h"

static atomic_int done;

static void *work(void *arg)
{
    done = 1;
    return arg;
}

static void end_return(void)
{
}

static const struct variant ends[] = {VARIANT(end, return )};

int main(int argc, char **argv)
{
    pthread_attr_t detached;
    pthread_t t;

    arguments(argc, argv, 1);
    pthread_attr_init(&detached);
    if (wrong)
        pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
    if (pthread_create(&t, &detached, work, NULL))
        return 2;
    if (!wrong)
        finish(t);
    else if (done)
        abort();
    PICK(ends, argv[1])->run();
    return 0;
}
