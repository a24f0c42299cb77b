/* gdb.h - a replay under gdb: the program stops where the finding is made. */
#ifndef HEDDLE_DRIVER_GDB_H
#define HEDDLE_DRIVER_GDB_H

#include "campaign/campaign_state.h"

/* Give the terminal to gdb, which runs the program in place, following what its region was prepared to
 * replay, and shows the frame of this function where it stops (NULL: the innermost). Returns an exit code when gdb has ended. The crew must have no server any more. */
int gdb_replay(struct campaign *c, const char *function);

#endif /* HEDDLE_DRIVER_GDB_H */
