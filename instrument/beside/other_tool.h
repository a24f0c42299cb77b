/* other_tool.h - living beside another tool in the same process: ThreadSanitizer, Helgrind or DRD.
 *
 * They watch the program while we schedule it. What they must not see (our own memory, the hand-off
 * of the turn) is hidden from them; what they cannot see because a model stood in for the real call
 * (condition variables, barriers, once, the seam of lib/) is told to them.
 *
 * How each of them meets the runtime library:
 *   TSan      its interceptors, in the executable (clang) or in libtsan (gcc), call us as "the real
 *             function". Edges of pthread objects are made by the interceptors.
 *   Valgrind  the program calls us; the real functions that we call are wrapped by the tool. The
 *             wrappers call library functions themselves (sched_yield, mutexes, condition
 * variables): inside a real call, and in a thread before its first turn, everything passes through.
 *
 *   threads   every function may run in any thread; hdi_tool_start() once, before any other
 *   cost      a test of one variable when no tool is there
 */
#ifndef HEDDLE_OTHER_TOOL_H
#define HEDDLE_OTHER_TOOL_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

enum hdi_tool { HDI_TOOL_NONE, HDI_TOOL_TSAN, HDI_TOOL_VALGRIND };

/* Find out who is here, and hide the runtime library's own variables. */
void hdi_tool_start(void);
enum hdi_tool hdi_tool(void);

/* Memory that is the scheduler's: accesses to it are nobody's race. */
void hdi_tool_hide(const void *addr, size_t bytes);

/* Before the process is forked again and again: give back its anonymous pages that hold nothing but
 * zeroes. TSan's runtime touches ten megabytes of them at start, and each fork would copy their
 * page tables. One thread only. */
void hdi_tool_slim(void);

/* True for the pthread_create that starts TSan's own background thread (it flushes shadow memory
 * when asked to by options that we do not use). It must be neither controlled nor created: every
 * schedule's process would start one more. TSan's interceptor always passes attributes for the
 * program's threads and never for its own. */
bool hdi_tool_own_thread(const pthread_attr_t *attr);

/* TSan hands pthread_create a start routine of its own, which first exchanges semaphores with the
 * creator and then calls the program's. A thread that waited for its turn before that exchange
 * would hang its creator. Returns the two words {routine, argument} which that start routine will
 * call, so that the wait can be put there; NULL when `arg` is the program's. */
void **hdi_tool_start_words(void *arg);

#endif /* HEDDLE_OTHER_TOOL_H */
