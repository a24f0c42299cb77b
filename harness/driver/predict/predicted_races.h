/* predicted_races.h - races that one schedule predicts, and how they are brought about.
 *
 * Schedules 1, 2, 4, 8 … 4096 keep a tape. From it come the races of all sync-preserving
 * reorderings (sync_preserving.h), each with the schedule that shows it, which is then run; and
 * guesses, pairs that only locks keep in order, for which two threads are made to meet. What is
 * shown is found like any other race; a prediction that no try could show is reported as doubtful,
 * a guess never.
 */
#ifndef HEDDLE_DRIVER_PREDICTED_RACES_H
#define HEDDLE_DRIVER_PREDICTED_RACES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "symbols/symbol.h"
#include "wire/protocol.h"

/* Two places that race. */
struct predicted_race {
    uint64_t site[2];
    bool extra[2]; /* the recorded schedule had no point there */
    uint64_t addr;
    unsigned tried; /* in all campaigns together */
    bool shown;     /* since */
};

/* Pairs of places that are done with: a schedule showed the race, or it was tried. Zeroed is empty;
 * release with predict_forget(). */
struct known_races {
    struct places *places;
    unsigned guesses;            /* of those, how many were guessed */
    struct predicted_race *open; /* sure and not brought about, here or in earlier campaigns */
    size_t opens;
};

/* Schedule `number` is about to run: does it keep a tape? Then its config says so. */
void predict_plan(uint64_t number, struct hdp_region *r);
/* Races that the schedule showed that ended in r need no prediction. `symbols` as of r. */
void predict_note(struct known_races *known, struct symbols *symbols, const struct hdp_region *r);
void predict_forget(struct known_races *known);
/* race->tried more tries did not show it. Returns those of all campaigns. */
unsigned predict_leave_open(struct known_races *known, const struct predicted_race *race);
/* Make config, that of any schedule, bring the two places together: try number `attempt`, from 1. */
void predicted_race_prepare(const struct predicted_race *race, unsigned attempt,
                            struct hdp_config *config);
/* Did the schedule that ended in r show it? */
bool predicted_race_is_shown(const struct predicted_race *race, const struct hdp_region *r);

/* Read the tape of the schedule that ended in r, before anything else runs there. `known` and
 * `symbols` are borrowed for as long as the prediction lives. NULL: it kept none, or nothing is
 * predicted. *cut grows by the searches that did not look at all of it. prediction_free() it. */
struct prediction *predict_read(struct known_races *known, struct symbols *symbols,
                                struct hdp_region *r, uint64_t *cut);
void prediction_free(struct prediction *p);
/* How many pairs of accesses are predicted or guessed. */
size_t prediction_pairs(const struct prediction *p);
/* Pair i is about to be tried. False: by now it is one of the known. */
bool prediction_begin(struct prediction *p, size_t i);
struct predicted_race prediction_race(const struct prediction *p, size_t i);
/* Predicted beyond doubt, and not guessed? */
bool prediction_is_sure(const struct prediction *p, size_t i);
/* Make r ready for try `attempt`, from 0, to bring pair i about. */
void prediction_prepare(const struct prediction *p, size_t i, unsigned attempt,
                        struct hdp_region *r);
/* The finding to be made of pair i of schedule `number` when no try showed it. */
void prediction_unshown(const struct prediction *p, size_t i, uint64_t number, unsigned tries,
                        struct hdp_finding *raw);

#endif /* HEDDLE_DRIVER_PREDICTED_RACES_H */
