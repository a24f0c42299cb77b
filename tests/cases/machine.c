/* How many CPUs a program is told of, in each thread: machine WHAT TWIN. There are as many as CPUS in the
 * environment says, from outside. A wrong one expects one more. */
#include "case.h"
#include <sys/sysinfo.h>

static long cpus_online(void)
{
    return sysconf(_SC_NPROCESSORS_ONLN);
}

static long cpus_get_nprocs(void)
{
    return get_nprocs();
}

static long cpus_affinity(void)
{
    cpu_set_t set;

    assert(sched_getaffinity(0, sizeof set, &set) == 0);
    return CPU_COUNT(&set);
}

static long cpus_pid_affinity(void)
{
    cpu_set_t set;

    assert(sched_getaffinity(getpid(), sizeof set, &set) == 0);
    return CPU_COUNT(&set);
}

static long cpus_thread_affinity(void)
{
    cpu_set_t set;

    assert(pthread_getaffinity_np(pthread_self(), sizeof set, &set) == 0);
    return CPU_COUNT(&set);
}

static long cpus_status(void)
{
    FILE *f = fopen("/proc/self/status", "r");
    char line[4096];
    long n = 0;

    while (f && fgets(line, sizeof line, f))
        if (strncmp(line, "Cpus_allowed:", 13) == 0)
            for (const char *c = line + 13; *c; c++)
                n += *c == ',' ? 0 : __builtin_popcountl(strtoul((char[]){*c, 0}, NULL, 16));
    if (f)
        fclose(f);
    return n;
}

/* As a script or another program started by this one sees it. */
static long cpus_nproc(void)
{
    FILE *f = popen("nproc", "r");
    long n = 0;

    assert(f && fscanf(f, "%ld", &n) == 1);
    pclose(f);
    return n;
}

/* What the program asks for itself, it gets. */
static long cpus_narrowed(void)
{
    cpu_set_t all, one;
    long before = cpus_affinity();

    assert(sched_getaffinity(0, sizeof all, &all) == 0);
    CPU_ZERO(&one);
    for (size_t i = 0; i < CPU_SETSIZE; i++)
        if (CPU_ISSET(i, &all) && CPU_COUNT(&one) == 0)
            CPU_SET(i, &one);
    assert(pthread_setaffinity_np(pthread_self(), sizeof one, &one) == 0);
    assert(cpus_affinity() == 1);
    assert(pthread_setaffinity_np(pthread_self(), sizeof all, &all) == 0);
    return before;
}

static const struct {
    const char *name;
    long (*get)(void);
} values[] = {{"online", cpus_online},
              {"get_nprocs", cpus_get_nprocs},
              {"affinity", cpus_affinity},
              {"pid_affinity", cpus_pid_affinity},
              {"thread_affinity", cpus_thread_affinity},
              {"status", cpus_status},
              {"nproc", cpus_nproc},
              {"narrowed", cpus_narrowed}};
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
