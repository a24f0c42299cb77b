/* table.c - the patterns of the guides: the suite's table and main(). */
#include "suite/table.h"
