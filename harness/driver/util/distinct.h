/* distinct.h - how many different numbers were seen, in bounded memory.
 *
 * Exact up to DISTINCT_EXACT, an estimate after that (HyperLogLog, Flajolet et al. 2007, standard
 * error 0.8 %). The numbers must be hashes: their bits evenly spread.
 */
#ifndef HEDDLE_DRIVER_DISTINCT_H
#define HEDDLE_DRIVER_DISTINCT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#define DISTINCT_EXACT 65536u
#define DISTINCT_REGISTERS 16384u /* 2^14 */

struct distinct {
    uint64_t *slot; /* open addressing, 2 * DISTINCT_EXACT entries; 0 = empty */
    uint32_t exact;
    bool full; /* more than DISTINCT_EXACT were seen */
    unsigned char reg[DISTINCT_REGISTERS];
};

void distinct_add(struct distinct *d, uint64_t hash);
uint64_t distinct_count(const struct distinct *d);
void distinct_free(struct distinct *d);
/* As data, and back. False: it is none. */
json_t *distinct_json(const struct distinct *d);
bool distinct_read(struct distinct *d, const json_t *from);

#endif /* HEDDLE_DRIVER_DISTINCT_H */
