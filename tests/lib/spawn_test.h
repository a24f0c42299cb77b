/* spawn_test.h - start goroutines in tests that cannot go on without them. */
#ifndef SPAWN_TEST_H
#define SPAWN_TEST_H

#include <heddle/go.h>
#include <heddle/waitgroup.h>

#define start(fn, arg) assert_null(hd_go(fn, arg))
#define start_in(wg, fn, arg) assert_null(hd_wg_go(wg, fn, arg))

#endif /* SPAWN_TEST_H */
