/* leak_check.h - leak checks of a part of the program (heddle/leak.h), as the seam offers them. */
#ifndef HEDDLE_LEAK_CHECK_H
#define HEDDLE_LEAK_CHECK_H

#include <heddle/seam.h>

#include "control.h"

/* seam.h says what they do. */
void *hdi_check_swap(void *check);
void hdi_check_begin(const char *name, const char *file, int line, const void *site);
int hdi_check_end(struct hd_seam_check *of,
                  void (*tell)(const struct hd_seam_left *left, void *arg), void *arg,
                  const void *site);

#endif /* HEDDLE_LEAK_CHECK_H */
