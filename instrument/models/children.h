/* children.h - the processes that the program made. */
#ifndef HEDDLE_CHILDREN_H
#define HEDDLE_CHILDREN_H

#include <stdbool.h>

void hdi_child_made(int pid); /* <= 0: that failed */
/* Another is made and waited for in one call; what it leaves running is not known. */
void hdi_child_passes(void);
/* One has not ended, or its end was not told and counts. */
bool hdi_child_left(bool (*end_counts)(void));
/* SIGCHLD was taken, by a handler or who waited for it, or no handler will run for what ended so far. */
void hdi_child_end_told(void);
/* kill() of every process reaches these, and not what else is on the machine. */
int hdi_kill_children(int number);
/* In a child: it has none. */
void hdi_children_forget(void);

#endif /* HEDDLE_CHILDREN_H */
