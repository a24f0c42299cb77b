/* A wrong one crashes at its start in one run of two, before it has made a thread; a file stands
 * for chance. flaky_start TWIN */
#include "case.h"
#include <fcntl.h>

static void *work(void *arg)
{
    return arg;
}

int main(int argc, char **argv)
{
    arguments(argc, argv, 0);
    if (wrong && access("mark", F_OK) != 0) {
        close(creat("mark", 0600));
        abort();
    }
    unlink("mark");
    finish(start(work, NULL));
    return 0;
}
