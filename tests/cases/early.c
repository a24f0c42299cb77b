/* Linked to a library whose constructor calls libc before Heddle's runtime has begun: early CALL
 * TWIN. */
#include "case.h"

extern long early_result;

static void *work(void *arg)
{
    return arg;
}

int main(int argc, char **argv)
{
    arguments(argc, argv, 1);
    finish(start(work, NULL));
    assert(early_result != -1);
    if (wrong)
        abort();
    return 0;
}
