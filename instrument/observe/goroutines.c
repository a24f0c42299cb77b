/* goroutines.c - the goroutines of lib/, which the program's library tells us of
 * (heddle/watch.h). */
#include "watch_observers.h"

#include <heddle/watch.h>

#include "wire/label.h"

#define EXPORT __attribute__((visibility("default")))

const struct hd_watch_library *observe_library;

static void attach(const struct hd_watch_library *library)
{
    observe_library = library;
}

static void goroutine_begins(const char *name, unsigned long number, const void *made)
{
    struct follower *f = observe_self();
    if (!f)
        return;
    f->goroutine = number;
    f->goroutine_site = (uint64_t)(uintptr_t)made;
    label_copy(f->label, sizeof f->label, name);
    f->serves = number == 0;
    f->idle = false;
}

static void goroutine_ends(void)
{
    struct follower *f = observe_self_;
    if (!f)
        return;
    f->idle = true;
    f->goroutine = 0;
    f->label[0] = '\0';
}

static void waits(enum hd_event kind, const void *object, const void *site, int timed)
{
    struct follower *f = observe_self();
    if (f && !f->idle && kind != HD_EV_NONE)
        observe_tell(WAITS, .follower = f, .address = object, .event = kind,
                     .mode = timed ? 0 : HDI_COULD_WAIT, .site = (uint64_t)(uintptr_t)site);
}

static void goes_on(void)
{
    if (observe_self_)
        observe_tell(WOKE, .follower = observe_self_);
}

static struct hd_watch_state state(const void *thread)
{
    const struct follower *f = thread;
    return (struct hd_watch_state){.ended = !f->alive,
                                   .event = (enum hd_event)f->kind,
                                   .site = (const void *)(uintptr_t)f->site,
                                   .since_ns = f->since_ns};
}

EXPORT const struct hd_watch *heddle_watch_table(uint32_t version);
EXPORT const struct hd_watch *heddle_watch_table(uint32_t version)
{
    static const struct hd_watch table = {HD_WATCH_VERSION, sizeof table, attach,  goroutine_begins,
                                          goroutine_ends,   waits,        goes_on, state};
    return version == HD_WATCH_VERSION && (observe_on || observe_wanted()) ? &table : NULL;
}
