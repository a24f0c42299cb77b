/* spawn.h - starting a goroutine on behalf of a caller, whose place in the program it names. */
#ifndef HDI_SPAWN_H
#define HDI_SPAWN_H

#include <heddle/errors.h>

hd_err hdi_go(const char *name, void (*fn)(void *arg), void *arg, const void *site);

#endif /* HDI_SPAWN_H */
