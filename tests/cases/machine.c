/* How many CPUs a program is told of, in each thread: machine WHAT TWIN. There are as many as CPUS
 * in the environment says, from outside. A wrong one expects one more. */
#include "case.h"
#include <sys/sysinfo.h>

static long cpus_online(void)
{
    return sysconf(_SC_NPROCESSORS_ONLN);
}

static long cpus_affinity(void)
{
    cpu_set_t set;

    assert(sched_getaffinity(0, sizeof set, &set) == 0);
    return CPU_COUNT(&set);
}

static long cpus_thread_affinity(void)
{
    cpu_set_t set;

    assert(pthread_getaffinity_np(pthread_self(), sizeof set, &set) == 0);
    return CPU_COUNT(&set);
}

static const struct {
    const char *name;
    long (*get)(void);
} values[] = {{"online", cpus_online},
              {"affinity", cpus_affinity},
              {"thread_affinity", cpus_thread_affinity}};
static long (*get)(void);

static void *inside(void *expected)
{
    assert(get() == *(long *)expected);
    return expected;
}

int main(int argc, char **argv)
{
    const char *cpus = getenv("CPUS");
    long expected;

    arguments(argc, argv, 1);
    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        if (strcmp(values[i].name, argv[1]) == 0)
            get = values[i].get;
    assert(get && cpus);
    expected = strtol(cpus, NULL, 10) + (wrong ? 1 : 0);
    finish(start(inside, &expected));
    assert(get() == expected);
    return 0;
}
