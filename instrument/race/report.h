/* report.h - findings about memory that are not accesses; see detector.h for those. */
#ifndef HEDDLE_REPORT_H
#define HEDDLE_REPORT_H

#include "blocks.h"

/* The block was freed before; the call at pc frees it again. */
void hdi_report_double_free(const struct hdi_block *b, uint64_t pc);

#endif /* HEDDLE_REPORT_H */
