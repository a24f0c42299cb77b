/* phrase.h - what a thread waits for, does or did, in words.
 *
 *   object   as a report names it ("mutex M1 (lock)"), or NULL: none, or not known
 *   returns  a new string, free() it
 */
#ifndef HEDDLE_DRIVER_PHRASE_H
#define HEDDLE_DRIVER_PHRASE_H

/* kind: enum hd_event. "waits to receive from channel CH1" */
char *phrase_wait(unsigned kind, const char *object);
/* "received from channel CH1" */
char *phrase_did(unsigned kind, const char *object);
/* "signal it": what would end the wait that the event of a HD_ROLE_WOULD_WAKE note ends. */
const char *phrase_would(unsigned kind);
/* "a value from channel CH1": one of the things that a select waits for. */
char *phrase_case(unsigned kind, const char *object);

#endif /* HEDDLE_DRIVER_PHRASE_H */
