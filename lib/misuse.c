/* misuse.c - see misuse.h. */
#include <stdio.h>
#include <stdlib.h>

#include "edge.h"
#include "misuse.h"

_Noreturn void hdi_misuse(const char *message, const void *object, const void *site)
{
    if (hdi_seam)
        hdi_seam->panic(message, object, site);
    fprintf(stderr, "panic: %s\n", message);
    abort();
}
