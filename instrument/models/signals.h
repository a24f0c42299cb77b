/* signals.h - signals of the program, as the models and the scheduler see them.
 *
 * A signal that one thread sends to another which waits for its turn is kept with that thread and
 * really sent by it to itself when it has the turn: so a handler runs in its thread, at a moment
 * that the schedule chose, and may do whatever the program does elsewhere.
 */
#ifndef HEDDLE_SIGNALS_H
#define HEDDLE_SIGNALS_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct hdi_op;
struct hdi_thread;

/* Pre-empts a thread that computes. The program may use it as well: hdi_handle is what its handler,
 * if it has one, is called through. */
#define HDI_PREEMPT_SIGNAL 62
void hdi_handle(int number, siginfo_t *info, void *context);

/* What a signal does that arrives unblocked. */
enum hdi_disposition { HDI_SIG_IGNORED, HDI_SIG_ENDS, HDI_SIG_HANDLED };
enum hdi_disposition hdi_disposition(int number);

/* Signals wait in t, or were put off while it waited: it may be given the turn for them. */
bool hdi_signalled(const struct hdi_thread *t);
/* Run the handlers of what waits in the calling thread, which has the turn; they come into `into`, NULL: not known. */
enum hdi_handled { HDI_NONE_RAN, HDI_ALL_RESTART, HDI_ONE_STOPS };
enum hdi_handled hdi_deliver(struct hdi_thread *self, const struct hdi_op *into);

/* Send to a thread, or to the process: then to main if it lets the signal through, else to the
 * caller, else to the first thread that does, as Linux does. info carries number, code, value.
 * 0 or an errno value. Caller has the turn (hdi_signal_process: or the scheduler's lock). */
int hdi_signal_thread(struct hdi_thread *t, const siginfo_t *info);
int hdi_signal_process(const siginfo_t *info);
/* The caller sees to it that signal `number` is sent, now or later; the caller takes it. */
void hdi_signal_sent(int number);
void hdi_signal_taken(int number);
/* There is a timer or queue of the kernel that may send any signal. */
void hdi_others_send(void);
/* What kill and tgkill do. */
int hdi_kill(int pid, int number, uint64_t site);
int hdi_tgkill(int process, int tid, int number, uint64_t site);
/* siginfo of a signal that this process sends to itself. */
siginfo_t hdi_siginfo(int number, int code, union sigval value);

/* The calling thread ends: it blocks all. */
void hdi_signals_leave(struct hdi_thread *self);

/* A signal of this number is pending for the process, or kept for one of its threads. */
bool hdi_signal_pends(int number);

/* What the calling thread blocks, which begins to wait; and, before the first child is made, whose signals may
 * come from its first moment on, what all others do that wait. */
void hdi_mask_note(struct hdi_thread *self);
void hdi_masks_note(void);
/* A waiting thread is about to run a handler, or in it, which nobody was told of yet. Reads /proc for each. */
bool hdi_signal_on_its_way(void);

/* Some thread does not block it. */
bool hdi_signal_gets_through(int number);

/* Nobody but the program itself sends those of `mask`. */
bool hdi_signals_are_own(uint64_t mask);
/* One of mask is pending for t, or for the process. */
bool hdi_signal_pends_for(struct hdi_thread *t, uint64_t mask);
/* Wait until one of mask is pending for the calling thread, for a read of a signalfd. False, with
 * errno: a handler ran. */
bool hdi_await_signal(uint64_t mask, uint64_t site);

/* Replace the calling thread's mask while it waits (sigsuspend, ppoll, pselect), as the kernel has
 * it. True: a handler ran at once. */
bool hdi_mask_replace(const sigset_t *mask, uint64_t *old);
void hdi_mask_restore(uint64_t old);
/* Block every signal, or none, for the runtime's own sake; what was blocked before, which is given back. A
 * handler of what came meanwhile runs at the next operation. */
uint64_t hdi_mask_all(bool block);
void hdi_mask_back(uint64_t old);

/* ---- signalfd.c ---- */

/* The signals that fd is told of, as the kernel's bits; 0: it is no signalfd. */
uint64_t hdi_signalfd_mask(int fd);
/* n bytes were read from fd. */
void hdi_signalfd_taken(int fd, void *buffer, ssize_t n);

/* ---- timers of the program, in virtual time (timer.c, timerfd.c) ---- */

bool hdi_timerfd_is_virtual(int fd);
bool hdi_timerfd_is_armed(int fd);

/* Deadline of the one that expires first, 0: none is armed. */
int64_t hdi_timer_next(void);
/* Its signal has a handler, or there is a timerfd: somebody may go on after it. */
bool hdi_timer_helps(void);
/* A timer was armed, or there are children whose signals have handlers: a thread that computes and makes no
 * modelled call is interrupted for what is due. */
void hdi_watch_over(void);
/* Send what is due, and make timerfds ready; the scheduler's lock is held. */
void hdi_timer_expire(int64_t now);

#endif /* HEDDLE_SIGNALS_H */
