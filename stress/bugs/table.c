/* table.c - the bug corpus: the suite's table and main(). */
#include "suite/table.h"
