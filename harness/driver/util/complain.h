/* complain.h - what is said to the user when something is wrong. */
#ifndef HEDDLE_DRIVER_COMPLAIN_H
#define HEDDLE_DRIVER_COMPLAIN_H

/* "heddle: " and the sentence, on stderr, on a line of its own. */
void complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif /* HEDDLE_DRIVER_COMPLAIN_H */
