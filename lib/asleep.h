/* asleep.h - natively: do all goroutines wait for each other? Known only when no thread of the
 * program is anywhere but in a wait of this library without an end, no timer is pending, and no
 * handler of a signal could come. Then the program is ended, as Go does. */
#ifndef HDI_ASLEEP_H
#define HDI_ASLEEP_H

#include <stdbool.h>
#include <stddef.h>

/* The calling thread begins, and ends, a sleep without an end; whether it should look now and then. */
bool hdi_asleep_begin(void);
void hdi_asleep_end(bool looks);

/* It has slept for a second: the program ends here if nobody can wake anybody. */
void hdi_asleep_look(void);

/* Threads of the library that wait for work, and count as asleep. */
size_t hdi_go_idle(void);
size_t hdi_fibre_idle(void); /* 0 if any runs */

#endif /* HDI_ASLEEP_H */
