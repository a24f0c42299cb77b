/* within.c - the programs of stress/bench/exhaustive, explored from within by hd_explore(); under heddle run they are
 * explored from outside. Prints what came of it; exits 0 when it is a proof. */
#define main programs
#include "programs.c"
#undef main

#include <heddle/test.h>

static char **arguments;

static void run_program(void *unused)
{
    (void)unused;
    if (programs(3, arguments) != 0)
        abort();
}

int main(int argc, char **argv)
{
    const struct hd_explore_options options = {.exhaustive = 1};
    static struct hd_explore_result r;
    unsigned long long told;
    int failed;

    if (argc != 3)
        return 2;
    arguments = argv;
    failed = hd_explore(run_program, NULL, &options, &r); /* from outside: once */
    fputs(r.report, stdout);
    if (sscanf(r.report, "all %llu schedules", &told) == 1 && r.schedules != told) {
        printf("%llu schedules were counted\n", (unsigned long long)r.schedules);
        return 1;
    }
    return failed ? 1 : 0;
}
