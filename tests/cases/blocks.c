/* Threads that come one after another get and give back blocks of all small sizes, so that what libc takes for
 * itself lies where theirs were: blocks TWIN. The wrong one gives one of them back twice. */
#include "case.h"

enum { THREADS = 4, EACH = 12, MOST = 300 };

static void *works(void *arg)
{
    void *volatile again = NULL;

    for (size_t bytes = 8; bytes < MOST; bytes += 8) {
        void *volatile block[EACH];

        for (int i = 0; i < EACH; i++)
            memset(block[i] = malloc(bytes), 1, bytes);
        for (int i = 0; i < EACH; i++)
            free(block[i]);
        again = block[0];
    }
    if (wrong)
        free(again);
    return arg;
}

int main(int argc, char **argv)
{
    arguments(argc, argv, 0);
    for (int i = 0; i < THREADS; i++)
        finish(start(works, NULL));
    return 0;
}
