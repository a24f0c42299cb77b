/* aim.h - a deadlock that was seen elsewhere, as by heddle attach, is what a campaign aims at:
 * --aim=deadlock:cache.lock,db.lock.
 */
#ifndef HEDDLE_DRIVER_AIM_H
#define HEDDLE_DRIVER_AIM_H

#include "symbols/symbol.h"
#include "wire/protocol.h"

struct aim {
    char *name[HDP_DEADLOCK_EDGES]; /* of a global variable, or a place as schedule files name it */
    uint32_t names;
};

/* NULL, or why the text is none: one sentence, free() it. */
char *aim_parse(const char *text, struct aim *aim);
void aim_free(struct aim *aim);
/* Make config steer at it; the map of the program is known to `symbols`. NULL, or what it does not
 * have; free() it. */
char *aim_at(const struct aim *aim, struct symbols *symbols, struct hdp_config *config);

#endif /* HEDDLE_DRIVER_AIM_H */
