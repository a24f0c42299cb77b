/* linear.h - what hd_linear() (harness/test) says of the program that it runs. */
#ifndef HEDDLE_MODELS_LINEAR_H
#define HEDDLE_MODELS_LINEAR_H

/* The caller begins an operation of a structure: a point. Operations are about `history`. */
void heddle_rt_begins(const void *history);
/* The caller comes behind all operations that have ended; its own has ended. Under a weak memory model that synchronises: a
 * user who knows that one call was over when another began has done so. */
void heddle_rt_comes_behind(const void *history);
void heddle_rt_has_ended(const void *history);
/* Points so far. */
unsigned heddle_rt_steps(void);
/* What the caller does between two of these is no part of the program. */
void heddle_rt_aside(int begins);
/* What the operations did contradicts their specification: a finding that ends the schedule. */
void heddle_rt_contradiction(const char *text);

#endif /* HEDDLE_MODELS_LINEAR_H */
