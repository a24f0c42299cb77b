/* litmus.h - small concurrent programs, what models allow them, and what the memory models show.
 *
 * A program is a few atomic operations of a few threads on a few locations, all zero at first. An outcome is
 * what each operation read and what memory holds at the end, packed in a word.
 */
#ifndef HEDDLE_LITMUS_H
#define HEDDLE_LITMUS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define THREADS 4u
#define LOCATIONS 4u
#define OPS 6 /* of a thread */

enum kind { LOAD, STORE, ADD, EXCHANGE, COMPARE, COMPARE_WEAK, FENCE };

struct op {
    enum kind kind;
    uint8_t location;
    uint8_t order, failure; /* enum hdi_order */
    uint8_t value;          /* stored or added */
    uint8_t expected;       /* by a compare-exchange */
};

struct program {
    unsigned threads, locations;
    unsigned ops[THREADS];
    struct op op[THREADS][OPS];
};

/* MODEL_C11 is RC11; MODEL_C11_STRICT what C++20 and C11 ask of seq_cst operations as well. */
enum model { MODEL_SC, MODEL_TSO, MODEL_C11, MODEL_C11_STRICT };

/* A set of outcomes. */
struct outcomes {
    uint64_t *key; /* owned; open addressing, 0: empty */
    uint32_t count, room;
};
/* False: it was in it. */
bool outcomes_add(struct outcomes *set, uint64_t key);
bool outcomes_have(const struct outcomes *set, uint64_t key);
void outcomes_free(struct outcomes *set);

struct result {
    uint32_t value; /* what was read */
    bool succeeded; /* a compare-exchange */
};
/* On the location at `a`. */
struct result op_execute(const struct op *op, uint32_t *a);

/* An outcome: what the ops that read have read, in the order of threads and ops, and whether a
 * compare-exchange succeeded; then memory. */
struct outcome {
    uint64_t key;
    unsigned shift;
};
void outcome_read(struct outcome *o, unsigned value, bool succeeded);
uint64_t outcome_key(struct outcome *o, unsigned locations, const uint32_t *memory);
uint64_t outcome_of(const struct program *p, struct result result[][OPS], const uint32_t *memory);
void outcome_print(const struct program *p, uint64_t key, FILE *out);

/* A random number in [0, n). */
uint32_t random_below(uint64_t *state, uint32_t n);

bool reads(enum kind kind);
bool writes(enum kind kind);
void program_print(const struct program *p, FILE *out);
/* Accesses in a ring of threads that conflict, each thread a write or two accesses: false when there is no
 * ring of this number. `decoration` says what orders, fences and updates it has. */
#define SHAPES 775
#define DECORATIONS 24
#define SHAPES_OF_TWO 25
#define DECORATIONS_OF_TWO                                                                         \
    (6 * 6 * 6 * 6 * 3 * 3) /* all that there are for two threads, behind those */
bool program_shape(struct program *p, unsigned shape, unsigned decoration);
void program_random(struct program *p, uint64_t seed);

/* All outcomes that the axioms allow. */
void axioms_allow(const struct program *p, enum model model, struct outcomes *allowed);

/* One execution, by the hooks that a program calls; its choices come from `random`. */
uint64_t machine_run(const struct program *p, enum model model, uint64_t *random);
void machine_start(void);

#endif /* HEDDLE_LITMUS_H */
