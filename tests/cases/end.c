/* Main does not wait for its thread before the program ends: end MINDS HOW TWIN. When that is, is a decision
 * like any other: the thread may have run before, or may never. A right one joins it. */
#include "case.h"

static const struct variant *minds;
static atomic_int done;
static int unseen; /* the same, where no call tells */
static pthread_mutex_t lock;

static void work_ran(void)
{
    done = 1;
}

static void work_result(void)
{
    done = 1;
}

static void work_plain(void)
{
    unseen = 1;
}

static void work_puts(void)
{
    puts("done");
}

static void work_write(void)
{
    assert(write(STDOUT_FILENO, "done\n", 5) == 5);
}

static void work_destroyed(void)
{
    pthread_mutex_lock(&lock);
    pthread_mutex_unlock(&lock);
}

static const struct variant works[] = {VARIANT(work, ran),   VARIANT(work, result),
                                       VARIANT(work, plain), VARIANT(work, puts),
                                       VARIANT(work, write), VARIANT(work, destroyed)};

static void *thread(void *arg)
{
    minds->run();
    return arg;
}

static void destroy(void)
{
    pthread_mutex_destroy(&lock);
}

static int code;

static void end_return(void)
{
}

static void end_exit(void)
{
    exit(code);
}

static void end_quick_exit(void)
{
    quick_exit(code);
}

static void end_underscore(void)
{
    fflush(stdout);
    _exit(code);
}

static void *ends(void *arg)
{
    exit(code);
    return arg;
}

/* Another thread ends the program, while main waits. */
static void end_other(void)
{
    finish(start(ends, NULL));
}

static const struct variant hows[] = {VARIANT(end, return ), VARIANT(end, exit),
                                      VARIANT(end, quick_exit), VARIANT(end, underscore),
                                      VARIANT(end, other)};

int main(int argc, char **argv)
{
    const struct variant *how;
    pthread_attr_t attr;
    bool joinable;
    pthread_t t;

    arguments(argc, argv, 3);
    minds = PICK(works, argv[1]);
    joinable = strcmp(argv[2], "joinable") == 0;
    if (!joinable && strcmp(argv[2], "detached") != 0)
        return 2;
    how = PICK(hows, argv[3]);
    pthread_mutex_init(&lock, NULL);
    if (minds->run == work_destroyed)
        atexit(destroy);
    pthread_attr_init(&attr);
    if (wrong && !joinable)
        pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    if (pthread_create(&t, &attr, thread, NULL))
        return 2;
    if (!wrong)
        finish(t);
    if (minds->run == work_ran && wrong && done)
        abort();
    if (minds->run == work_result)
        code = done ? 0 : 1;
    if (minds->run == work_plain)
        code = unseen ? 0 : 1;
    how->run();
    return code;
}
