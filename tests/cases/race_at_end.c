/* Two threads add to one counter after main has returned: race_at_end TWIN. Built with heddle-cc.
 */
#include "case.h"

static int x;
static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;

static void *up(void *arg)
{
    for (int i = 0; i < 100; i++) {
        if (!wrong)
            pthread_mutex_lock(&m);
        x++;
        if (!wrong)
            pthread_mutex_unlock(&m);
    }
    return arg;
}

int main(int argc, char **argv)
{
    arguments(argc, argv, 0);
    start_detached(up, NULL);
    start_detached(up, NULL);
    return 0;
}
