/* world.h - what a program finds outside its memory, for each schedule as its first thread found
 * it.
 *
 * A fork shares with its parent what the kernel keeps for an open descriptor: contents, offsets,
 * registrations. So the server notes before the first schedule what there is. Kernel objects are
 * made anew in each schedule's process; files and shared memory are set back in the server before
 * each. What can be neither is named in the report.
 *
 *   threads  one: main, before the program has a second one
 *   memory   hdi_alloc() before the first schedule, none after
 */
#ifndef HEDDLE_WORLD_H
#define HEDDLE_WORLD_H

#include <stdbool.h>

/* At start-up: descriptors that are open now belong to others, too, and are left alone. */
void rt_world_inherit(void);
/* In the server, before the first schedule. */
void rt_world_note(void);
/* In the server, before each schedule. */
void rt_world_set_back(void);
/* In the process of a schedule, before it starts; and interval timers when it has. */
void rt_world_make(void);
void rt_world_start_timers(void);
bool rt_world_has_timers(void);

/* descriptors.c: what has a descriptor and is no file */
struct stat;
bool rt_was_open(int fd, const struct stat *st); /* when the program was started */
bool rt_share_description(int a, int b);
void rt_descriptors_inherit(void);
void rt_descriptors_note(void);
void rt_descriptors_set_back(void);
void rt_descriptors_make(void);

/* files.c: files and directories that are open */
void rt_files_note(void);
void rt_files_set_back(void);
void rt_files_make(void);

/* shared_mappings.c: mappings whose contents a fork shares */
void rt_shared_memory_note(void);
void rt_shared_memory_set_back(void);
bool rt_shared_memory_any(void);

#endif /* HEDDLE_WORLD_H */
