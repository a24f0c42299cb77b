/* fails.h - bodies of tests: two goroutines take two locks in opposite orders, which fails in some schedules, and in
 * the same. */
#ifndef EXPLORE_FAILS_H
#define EXPLORE_FAILS_H

#include <heddle/test.h>

HD_BEGIN_DECLS
void opposite(void *arg);
void same(void *arg);
HD_END_DECLS

#endif
