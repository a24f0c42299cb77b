/* watched.h - who follows this process natively (heddle/watch.h). */
#ifndef HDI_WATCHED_H
#define HDI_WATCHED_H

#include <heddle/watch.h>

/* Set by the library's first constructors, never changed; NULL: nobody. */
extern const struct hd_watch *hdi_watch;

#endif /* HDI_WATCHED_H */
