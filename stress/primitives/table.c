/* table.c - laws of the primitives: the suite's table and main(). */
#include "suite/table.h"
