/* history.h - what hd_linear() (harness/test) says of the program that it runs. */
#ifndef HEDDLE_HISTORY_H
#define HEDDLE_HISTORY_H

/* The caller is about to begin an operation of a structure: a point. Operations are about `history`. */
void heddle_rt_operation(const void *history);
/* What the caller does between two of these is no part of the program. */
void heddle_rt_aside(int begins);
/* What the operations did contradicts their specification: a finding that ends the schedule. */
void heddle_rt_contradiction(const char *text);

#endif /* HEDDLE_HISTORY_H */
