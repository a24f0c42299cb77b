/* Recursion without an end, in a thread; with an argument: in main. */
#include <pthread.h>

static int odd(int n);

static int even(int n)
{
    volatile char room[200] = {(char)n};

    return n < 0 ? 0 : odd(n + 1) + room[0];
}

static int odd(int n)
{
    volatile char room[300] = {(char)n};

    return n < 0 ? 0 : even(n + 1) + room[0];
}

static void *worker(void *unused)
{
    even(0);
    return unused;
}

int main(int argc, char **argv)
{
    pthread_t t;

    (void)argv;
    pthread_create(&t, NULL, worker, NULL);
    if (argc > 1)
        even(0);
    return pthread_join(t, NULL);
}
