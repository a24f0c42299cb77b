/* alloc.c - hdi_alloc for the tests of pure data structures. */
#include <stdlib.h>

#include "core/control.h"

void *hdi_alloc_lasting(size_t bytes)
{
    return calloc(1, bytes);
}
