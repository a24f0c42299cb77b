/* watch_restart.h - the program may want to be followed: see watch_restart.c. */
#ifndef HDI_WATCH_RESTART_H
#define HDI_WATCH_RESTART_H

/* When the environment says HEDDLE=..., begin the program anew with libheddle-watch.so loaded, or
 * say why not. For the library's first constructors, when nobody follows or schedules yet. */
void hdi_be_followed(void);

#endif /* HDI_WATCH_RESTART_H */
