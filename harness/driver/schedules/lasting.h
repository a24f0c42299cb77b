/* lasting.h - what a schedule knows of its threads, objects and places that holds in the next build
 * of the program, too.
 *
 *     thread T2 T0 bank!audit+0 1 2
 *     static M1 mutex bank accounts [3].lock 96 - -
 *     made M2 mutex T1 bank!work+0x20 1 4
 *     place bank!work+0x20 work - 31 24 pthread_mutex_lock(&a->lock);
 *     stand T2 mutex_lock M2 bank!work+0x20 1
 *
 * A thread: who made it, its function, as which of its maker's with that function, and as which of
 * all. A static object: its kind, file, variable, member, offset, and source file and function of
 * the variable. Any other object: who made it where, as which of its kind there, and as which of
 * all of its kind that the thread made. A place: its function, file and line, the function's first
 * line, and the text of the line. A stand: what a thread was about to do when the schedule ended, and
 * for the how-manieth time.
 */
#ifndef HEDDLE_DRIVER_LASTING_H
#define HEDDLE_DRIVER_LASTING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "symbols/again.h"
#include "wire/protocol.h"

struct known_thread {
    uint32_t hash, creator;
    uint32_t start; /* index of a site, or UINT32_MAX */
    uint32_t rank, child;
};

struct known_object {
    uint32_t id, kind;
    struct static_variable variable; /* name NULL: it is not static */
    uint32_t creator, site, rank, ordinal;
};

struct known_place {
    uint32_t site;
    struct code_place place;
};

struct known_stand { /* a thread that had not ended: what it was about to do */
    uint32_t thread, kind, object, site, nth;
};

struct identity {
    struct known_thread *thread;
    struct known_object *object;
    struct known_place *place;
    struct known_stand *stand;
    size_t threads, objects, places, stands;
};

struct schedule;

void identity_free(struct identity *id);
/* Of a schedule whose runs were just recorded. */
void identity_record(struct schedule *s, const struct hdp_region *r, struct symbols *symbols);
/* Does the schedule know any of it? Old ones do not. */
bool identity_known(const struct schedule *s);
/* Find it all again: into r->known, with the runs and points of the schedule in r->replay, and the
 * places of r->config.fault[], of which so many have these sites. */
void identity_expand(const struct schedule *s, struct symbols *symbols, struct hdp_region *r,
                     const uint32_t *fault_site, uint32_t faults);

#endif /* HEDDLE_DRIVER_LASTING_H */
