/* Linked to a library whose constructor does something before Heddle's runtime has begun: early WHAT
 * TWIN. A wrong one fails after that. */
#include "case.h"

extern long early_result;
extern pthread_t early_thread;

static void *work(void *arg)
{
    return arg;
}

static void early_syscall(void)
{
    finish(start(work, NULL));
}

static void early_calls(void)
{
    finish(start(work, NULL));
}

static void early_thread_made(void)
{
    finish(early_thread);
}

static const struct variant earlies[] = {
    VARIANT(early, syscall), VARIANT(early, calls), {"thread", early_thread_made}};

int main(int argc, char **argv)
{
    arguments(argc, argv, 1);
    assert(early_result != -1);
    PICK(earlies, argv[1])->run();
    if (wrong)
        abort();
    return 0;
}
