/* watch_client.h - who follows this process natively (heddle/watch.h). */
#ifndef HDI_WATCH_CLIENT_H
#define HDI_WATCH_CLIENT_H

#include <heddle/watch.h>

/* Set by the library's first constructors, never changed; NULL: nobody. */
extern const struct hd_watch *hdi_watch;

#endif /* HDI_WATCH_CLIENT_H */
