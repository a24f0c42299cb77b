/* heddle.h - the whole library: Go's concurrency primitives for C. */
#ifndef HEDDLE_HEDDLE_H
#define HEDDLE_HEDDLE_H

#include <heddle/atomic.h>
#include <heddle/breaker.h>
#include <heddle/chan.h>
#include <heddle/cond.h>
#include <heddle/context.h>
#include <heddle/errgroup.h>
#include <heddle/errors.h>
#include <heddle/fan.h>
#include <heddle/go.h>
#include <heddle/io.h>
#include <heddle/leak.h>
#include <heddle/limiter.h>
#include <heddle/map.h>
#include <heddle/mutex.h>
#include <heddle/once.h>
#include <heddle/owner.h>
#include <heddle/panic.h>
#include <heddle/pipeline.h>
#include <heddle/pool.h>
#include <heddle/rwmutex.h>
#include <heddle/scope.h>
#include <heddle/select.h>
#include <heddle/semaphore.h>
#include <heddle/shutdown.h>
#include <heddle/singleflight.h>
#include <heddle/ticking.h>
#include <heddle/time.h>
#include <heddle/waitgroup.h>
#include <heddle/workerpool.h>

#endif /* HEDDLE_HEDDLE_H */
