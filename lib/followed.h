/* followed.h - the program may want to be followed: see followed.c. */
#ifndef HDI_FOLLOWED_H
#define HDI_FOLLOWED_H

/* When the environment says HEDDLE=..., begin the program anew with libheddle-watch.so loaded, or
 * say why not. For the library's first constructors, when nobody follows or schedules yet. */
void hdi_be_followed(void);

#endif /* HDI_FOLLOWED_H */
