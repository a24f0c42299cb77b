/* reach.h - threads that nobody can wake any more, found while the program still runs.
 *
 * A thread that waits for an object can go on only if somebody reaches the object. What can be
 * reached is found as a garbage collector does it, conservatively: from the variables of all
 * modules, from the stacks and registers of threads that may still run, and on through the blocks
 * of the heap. A waiting thread whose object was reached may run again, so its stack counts, too;
 * and so on until nothing new is found. Whoever is left then is leaked. docs/internals/reach.md
 *
 * In doubt nobody is: an unknown allocator, memory or stack means that nothing is said.
 *
 *   threads  the one that has the turn, but for those marked `any`
 * source: Saioc et al., Dynamic partial deadlock detection and recovery via garbage collection,
 *         ASPLOS 2025; leaked memory in the same way: LeakSanitizer
 */
#ifndef HEDDLE_REACH_H
#define HEDDLE_REACH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct hdi_thread;

/* Blocks of the heap are noted. Set from the start, so that none is missed, until the driver is
 * known not to want it. */
extern bool hdi_reach_on;

/* The program is not looked at, from now on. */
void hdi_reach_off(void);
/* The program is about to create its first thread. True: it can be looked at. */
bool hdi_reach_start(void);

/* heap.c: the C library's allocator gave out p (not NULL); it gets p back.   threads any */
void hdi_reach_born(void *p);
void hdi_reach_gone(void *p);
/* Is `a` in a block that is given out, or may it be? False of what lies beside the heap.   any */
bool hdi_block_is_live(uintptr_t a);
/* Is this code of the runtime library? */
bool hdi_reach_is_own(void *(*function)(size_t));
/* The allocator that is used: `ours` when all calls of the program come by here. */
void hdi_reach_allocator(bool ours, size_t (*usable)(void *));
/* Memory was mapped, by the program or by the code at `pc`.   threads any */
void hdi_reach_mapped(void *p, size_t bytes, uint64_t pc);

/* Words in [memory, memory + bytes) keep nothing alive: lib/'s lists of waiters, by address. */
void hdi_reach_weak(const void *memory, size_t bytes);

/* How it went. */
enum hdi_reach {
    HDI_REACH_NOBODY, /* nobody waits for what could be out of reach: nothing was looked at */
    HDI_REACH_LOOKED,
    HDI_REACH_UNSURE, /* something here is not understood */
};

/* Look, and report who is out of reach and was not yet: each a finding, none fatal. Only those who
 * wait since `since` steps or earlier. Nobody else may run meanwhile. */
enum hdi_reach hdi_reach_look(uint32_t since);

/* How many steps of a schedule cost ten times what a look costs. */
uint32_t hdi_reach_price(void);

/* t, which was reported, goes on: somebody had its object in a way that cannot be seen. Takes the
 * finding back and looks no more. */
void hdi_reach_mistaken(struct hdi_thread *t);

/* All that decides what the program does next, time, descriptors and other processes apart. Equal twice, with
 * `calls` of the second what the first expects: with one thread that can go on it repeats itself. */
struct hdi_program_state {
    uint64_t hash;
    uint64_t calls;      /* reads and writes before it was taken, */
    uint64_t next_calls; /* and before the next one is, if the program makes none */
};
/* Between two operations, nobody else runs. False: it cannot be known. */
bool hdi_program_state(struct hdi_program_state *s);

#endif /* HEDDLE_REACH_H */
