/* heddle.h - the whole library: Go's concurrency primitives for C. */
#ifndef HEDDLE_HEDDLE_H
#define HEDDLE_HEDDLE_H

#include <heddle/atomic.h>
#include <heddle/chan.h>
#include <heddle/cond.h>
#include <heddle/context.h>
#include <heddle/errors.h>
#include <heddle/go.h>
#include <heddle/map.h>
#include <heddle/mutex.h>
#include <heddle/once.h>
#include <heddle/panic.h>
#include <heddle/pool.h>
#include <heddle/rwmutex.h>
#include <heddle/scope.h>
#include <heddle/select.h>
#include <heddle/time.h>
#include <heddle/waitgroup.h>

#endif /* HEDDLE_HEDDLE_H */
