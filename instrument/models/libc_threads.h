/* libc_threads.h - threads that libc would make for itself, out of our sight: of timers, message
 * queues and asynchronous input and output. Here they are threads of the schedule. */
#ifndef HEDDLE_LIBC_THREADS_H
#define HEDDLE_LIBC_THREADS_H

#include <signal.h>
#include <stdint.h>

struct hdi_thread;

/* Start routine(arg) in a detached thread that lets no signal through, with the attributes that
 * `event` wants for its function. 0 or an errno value; *out is the thread, when out is not NULL. */
int hdi_helper(void *(*routine)(void *), void *arg, const struct sigevent *event, uint64_t site,
               struct hdi_thread **out);
/* Do what event asks for, in a helper: call its function with no signal blocked, or send its signal
 * with `code`. */
void hdi_notify(const struct sigevent *event, int code);

#endif /* HEDDLE_LIBC_THREADS_H */
