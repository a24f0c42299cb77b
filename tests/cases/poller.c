/* A thread looks again and again whether it is over, beside one that lets time pass before it says
 * so: poller LOOK SLEEP TWIN. Natively the end is always reached; a wrong one fails there. */
#include "case.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static bool stop; /* under the lock */

static void look_mutex(void)
{
    bool over = false;

    while (!over) {
        pthread_mutex_lock(&lock);
        over = stop;
        pthread_mutex_unlock(&lock);
    }
}

static void stop_mutex(void)
{
    pthread_mutex_lock(&lock);
    stop = true;
    pthread_mutex_unlock(&lock);
}

static const struct variant looks[] = {VARIANT(look, mutex)}, stops[] = {VARIANT(stop, mutex)};

static void sleep_usleep(void)
{
    usleep(1000);
}

static const struct variant sleeps[] = {VARIANT(sleep, usleep)};

int main(int argc, char **argv)
{
    pthread_t t;

    arguments(argc, argv, 2);
    t = start(run, PICK(looks, argv[1]));
    PICK(sleeps, argv[2])->run();
    PICK(stops, argv[1])->run();
    finish(t);
    if (wrong)
        abort();
    return 0;
}
