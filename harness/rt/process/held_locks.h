/* held_locks.h - locks that main holds as it makes the first thread.
 *
 * They name their owner by its kernel tid, and main has another one in each schedule.
 */
#ifndef HEDDLE_HELD_LOCKS_H
#define HEDDLE_HELD_LOCKS_H

/* In the server, before the first schedule. */
void rt_held_locks_note(void);
/* In the process of a schedule: they are main's. */
void rt_held_locks_adopt(void);

#endif /* HEDDLE_HELD_LOCKS_H */
