/* The program ends with a code that says failure: exit_code WHEN TWIN. */
#include "case.h"

static atomic_int done;

static void *work(void *arg)
{
    done = 1;
    return arg;
}

static int code_always(void)
{
    finish(start(work, NULL));
    return done ? 7 : 0;
}

int main(int argc, char **argv)
{
    int code;

    arguments(argc, argv, 1);
    code = strcmp(argv[1], "always") == 0 ? code_always() : 2;
    return wrong || code == 2 ? code : 0;
}
