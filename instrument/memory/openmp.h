/* openmp.h - the order that an OpenMP runtime makes, see openmp.c. */
#ifndef HEDDLE_OPENMP_H
#define HEDDLE_OPENMP_H

#include <stdbool.h>

/* Is an OpenMP runtime loaded that does not tell what it orders (GCC's libgomp)? */
bool hdi_openmp_hidden(void);

#endif /* HEDDLE_OPENMP_H */
