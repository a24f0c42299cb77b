/* fibre.h - goroutines as user-space stacks over a few kernel threads (M:N), natively.
 *
 * Workers, one a processor, run what is runnable: each has a queue and takes from the others' when
 * its own is empty. What a goroutine wakes runs next on the same worker. A goroutine that parks
 * leaves its worker to others; one that sits in a system call or computes for more than 10 ms keeps
 * its worker, and a monitor starts another.
 *
 * Chosen by HEDDLE_LIB=fibres. Without it, where somebody watches (the seam, sanitizers, Valgrind,
 * heddle watch, leak checks), and for hd_go_pinned(), each goroutine is carried by a thread.
 */
#ifndef HDI_FIBRE_H
#define HDI_FIBRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct hdi_fibre;
struct hdi_parker;

/* May the next goroutine be a fibre? */
bool hdi_fibres_wanted(void);

/* The fibre that runs here; NULL in a thread that is no worker. */
struct hdi_fibre *hdi_fibre_self(void);

/* A new fibre with such a stack and room for so many bytes on it, or NULL if there is no memory or no thread for
 * it; then it runs fn(room). The room is gone when fn returns. */
struct hdi_fibre *hdi_fibre_new(size_t stack_bytes, size_t bytes, void **room);
void hdi_fibre_start(struct hdi_fibre *fibre, void (*fn)(void *room));

/* Its stack, for who handles signals. */
struct hdi_stack hdi_fibre_stack(void);

/* hdi_park() of the calling fibre; and what hdi_unpark() does for one that is asleep. */
bool hdi_fibre_park(struct hdi_parker *parker, int64_t until_ns);
void hdi_fibre_ready(struct hdi_fibre *fibre);

/* Behind the others that are runnable. */
void hdi_fibre_yield(void);

/* fn(arg) may take long: meanwhile another worker runs the others. */
void hdi_fibre_blocking(void (*fn)(void *arg), void *arg);

/* What belongs to a goroutine and not to the thread that carries it. A fibre's is put here while it
 * runs. */
struct hdi_locals {
    struct goroutine *current;    /* go.c */
    const void *gone_at;          /* panic.c: of what the panic is about; NULL: it is not gone */
    struct flight *flying;        /* panic.c */
    struct hd_deferred *deferred; /* panic.c: the last one */
    struct boundary *innermost;   /* panic.c */
    struct hdi_working *working;  /* leak_ledger.c: it, if it works for a check; natively */
    struct hdi_check *check;      /* leak_ledger.c: which */
};
extern const uint32_t hdi_goroutine_number; /* where in a goroutine that lies */

/* A variable of the thread, read anew after each switch: its address is not kept. */
#define HDI_IN_THREAD _Thread_local __attribute__((tls_model("initial-exec")))

extern HDI_IN_THREAD struct hdi_locals hdi_mine;

#endif /* HDI_FIBRE_H */
