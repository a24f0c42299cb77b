/* race_report.h - findings about memory that are not accesses; see detector.h for those. */
#ifndef HEDDLE_RACE_REPORT_H
#define HEDDLE_RACE_REPORT_H

#include "core/thread.h"
#include "detector.h"
#include "heap_blocks.h"

/* The block was freed before; the call at pc frees it again. */
void hdi_report_double_free(const struct hdi_block *b, uint64_t pc);

/* The earlier side of a race. */
struct hdi_side hdi_race_side(const struct hdi_earlier *earlier);

#endif /* HEDDLE_RACE_REPORT_H */
