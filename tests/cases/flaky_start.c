/* A wrong one does not get to its first thread in one run of two; a file stands for chance. What it does then
 * is told, and the schedules are tried all the same: flaky_start WHAT TWIN; in the file `coin` stands 0. */
#include "case.h"
#include <fcntl.h>
#include <signal.h>

static int n;
static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;

static void *adds(void *arg)
{
    int seen;

    pthread_mutex_lock(&m);
    seen = n;
    pthread_mutex_unlock(&m);
    pthread_mutex_lock(&m);
    n = seen + 1;
    pthread_mutex_unlock(&m);
    return arg;
}

static void start_abort(void)
{
    abort();
}

static void start_segv(void)
{
    raise(SIGSEGV);
}

static const struct variant starts[] = {VARIANT(start, abort), VARIANT(start, segv)};

static bool turns_over(void)
{
    int fd = open("coin", O_RDWR | O_CLOEXEC);
    char side = '0';

    assert(fd >= 0);
    pread(fd, &side, 1, 0);
    side ^= 1;
    pwrite(fd, &side, 1, 0);
    close(fd);
    return side == '1';
}

int main(int argc, char **argv)
{
    pthread_t t, u;

    arguments(argc, argv, 1);
    if (wrong && turns_over())
        PICK(starts, argv[1])->run();
    t = start(adds, NULL);
    if (!wrong)
        finish(t);
    u = start(adds, NULL);
    if (wrong)
        finish(t);
    finish(u);
    assert(n == 2);
    return 0;
}
