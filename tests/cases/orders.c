/* Three threads on one lock, and each order in which they can have it: the wrong one does not expect this one. orders
 * ORDER TWIN: ORDER is 012, or another of the same figures. */
#include "case.h"

static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static char order[4], unexpected[4];
static int came;

static void *takes(void *figure)
{
    pthread_mutex_lock(&m);
    order[came++] = *(char *)figure;
    assert(!wrong || strcmp(order, unexpected) != 0);
    pthread_mutex_unlock(&m);
    return figure;
}

int main(int argc, char **argv)
{
    static const char figures[] = "012";
    pthread_t t[3];

    arguments(argc, argv, 1);
    if (strlen(argv[1]) != 3 || strspn(argv[1], figures) != 3)
        return 2;
    strcpy(unexpected, argv[1]);
    for (int i = 0; i < 3; i++)
        t[i] = start(takes, figures + i);
    for (int i = 0; i < 3; i++)
        finish(t[i]);
    return 0;
}
