/* in_place.h - schedule after schedule in one process, whose memory is put back after each.
 *
 * The process was forked for it by the fork server and runs what is ordered in region->batch. All
 * threads of the program are carried by its one kernel thread; what a schedule does in the kernel is
 * caught, call by call. docs/internals/engine.md is the design.
 */
#ifndef HEDDLE_RT_IN_PLACE_H
#define HEDDLE_RT_IN_PLACE_H

/* No schedule of this program can run in place: tell the driver why ("it has ..."), and end. */
_Noreturn void rt_in_place_refuse(const char *what);
/* Returns once for each schedule of the batch, in it, when begin() has prepared it; never after the
 * last. */
void rt_in_place_run(void (*begin)(void));

#endif /* HEDDLE_RT_IN_PLACE_H */
