/* cpus.c - see cpus.h */
#include "cpus.h"

#include <sched.h>
#include <unistd.h>

unsigned cpus_usable(unsigned most)
{
    cpu_set_t set;
    /* a machine with more than a cpu_set_t has bits refuses */
    long n = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set)
                                                         : sysconf(_SC_NPROCESSORS_ONLN);
    return n < 1 ? 1 : (unsigned long)n > most ? most : (unsigned)n;
}
