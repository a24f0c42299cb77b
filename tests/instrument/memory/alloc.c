/* alloc.c - hdi_alloc for the tests of pure data structures. */
#include <stdlib.h>
#include <sys/mman.h>

#include "core/control.h"

void *hdi_alloc_lasting(size_t bytes)
{
    return calloc(1, bytes);
}

void *hdi_map(size_t bytes)
{
    void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
                   -1, 0);

    return p == MAP_FAILED ? NULL : p;
}
