/* identity.h - how the process is called, by itself and to others. */
#ifndef HEDDLE_IDENTITY_H
#define HEDDLE_IDENTITY_H

/* What the program means by this argument of kill or waitpid: a process, or with a minus a group. */
int hdi_process_or_group(int pid);

#endif /* HEDDLE_IDENTITY_H */
