/* unseen.h - of kinds of things that are drawn by chance: how much of them was not drawn yet.
 *
 * The share of further draws that would show a new kind is about that of the draws whose kind came
 * once (Good and Turing). How many kinds there are at the least is estimated from those that came
 * once and twice (Chao). Both say nothing of what draws like these hardly ever come to.
 *
 *   memory  bounded: from so many kinds on only a part of them is looked at, chosen by their hashes,
 *           and counts are of that part, times its reciprocal
 *   order   of no matter: who draws side by side comes to the same
 * source: Good, "The population frequencies of species and the estimation of population parameters",
 *         Biometrika 1953; Chao, "Nonparametric estimation of the number of classes in a population",
 *         Scandinavian Journal of Statistics 1984.
 */
#ifndef HEDDLE_DRIVER_UNSEEN_H
#define HEDDLE_DRIVER_UNSEEN_H

#include <stdint.h>

#define UNSEEN_KEPT 32768u /* kinds that are looked at, at most */

struct unseen_kind;

struct unseen {
    struct unseen_kind *slot; /* open addressing, 2 * UNSEEN_KEPT entries */
    uint32_t kept;
    unsigned part;        /* one of 2^part kinds is looked at */
    uint64_t draws;       /* so far */
    uint64_t first, last; /* numbers of the first and last of them */
};

struct unseen_estimate {
    uint64_t draws, once, twice; /* kinds that came once, and twice */
    uint64_t lately, new_lately; /* the last tenth of all numbers; kinds that came first there */
    double share;                /* of further draws that would show a new kind */
    double kinds;                /* that there are, at least */
};

/* Draw `number`, from 1, each once and in any order, was of this kind: a hash. */
void unseen_add(struct unseen *u, uint64_t kind, uint64_t number);
/* `known`: how many kinds came so far. */
struct unseen_estimate unseen_estimate(const struct unseen *u, uint64_t known);
/* Its share alone; 1 before the first draw. */
double unseen_share(const struct unseen *u);
void unseen_free(struct unseen *u);

#endif /* HEDDLE_DRIVER_UNSEEN_H */
