/* libc_threads.c - see libc_threads.h. */
#include "libc_threads.h"

#include <string.h>

#include "core/real.h"
#include "signals.h"
#include "core/thread.h"

int hdi_helper(void *(*routine)(void *), void *arg, const struct sigevent *event, uint64_t site,
               struct hdi_thread **out)
{
    bool calls = event->sigev_notify == SIGEV_THREAD;
    pthread_attr_t attr;
    pthread_t handle;
    const void *name;
    uint64_t old;
    int rc;

    if (calls && event->sigev_notify_attributes)
        attr = *event->sigev_notify_attributes;
    else
        pthread_attr_init(&attr);
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    if (calls)
        memcpy(&name, &event->sigev_notify_function, sizeof name);
    else
        memcpy(&name, &routine, sizeof name);
    old = hdi_mask_all(true); /* it is inherited */
    rc = hdi_spawn(&handle, &attr, routine, arg, name, site);
    hdi_mask_back(old);
    if (out)
        *out = rc == 0 ? hdi_thread_of(handle) : NULL;
    if (!calls || !event->sigev_notify_attributes)
        pthread_attr_destroy(&attr);
    return rc;
}

void hdi_notify(const struct sigevent *event, int code)
{
    if (event->sigev_notify == SIGEV_THREAD) {
        hdi_mask_all(false);
        event->sigev_notify_function(event->sigev_value);
    } else if (event->sigev_notify == SIGEV_SIGNAL) {
        siginfo_t info = hdi_siginfo(event->sigev_signo, code, event->sigev_value);
        hdi_signal_process(&info);
    }
}
