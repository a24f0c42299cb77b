/* folder.h - temporary folders: flat, our own, gone when we are. */
#ifndef HEDDLE_DRIVER_FOLDER_H
#define HEDDLE_DRIVER_FOLDER_H

/* Make "heddle-NAME-XXXXXX" in $TMPDIR or /tmp. NULL: errno says why; free() the path. *lock is a
 * descriptor that marks the folder as in use while somebody has it open. Folders of that name that
 * are not, whose owners were killed, are removed. */
char *folder_make(const char *name, int *lock);
/* With the files in it. */
void folder_remove(const char *path);

#endif /* HEDDLE_DRIVER_FOLDER_H */
