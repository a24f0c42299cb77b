/* ipc_names.c - semaphores, memory and message queues that have a name in the system.
 *
 * Schedules that run one after another or side by side would find what others made and left. What
 * the program makes is therefore called by another name, which belongs to this fork server, and is
 * removed with the schedule. What was there before is used as it is.
 */
#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <semaphore.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "core/real.h"
#include "core/thread.h"

#define NAME_BYTES 128
#define NAMES 64

enum family { SEM, SHM, MQ };

/* What schedules made, for the server to remove: memory that they share with it. */
struct made {
    uint32_t count;
    struct {
        uint32_t family;
        char name[NAME_BYTES];
    } entry[NAMES];
};

static struct made *made;
static char suffix[24]; /* empty: names are left alone */

static int remove_name(enum family family, const char *name)
{
    return family == SEM   ? hdi_real.sem_unlink(name)
           : family == SHM ? hdi_real.shm_unlink(name)
                           : hdi_real.mq_unlink(name);
}

void *hdi_ipc_names_start(int server)
{
    made = mmap(NULL, sizeof *made, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (made == MAP_FAILED) {
        made = NULL;
        return NULL;
    }
    snprintf(suffix, sizeof suffix, ".heddle%d", server);
    return made;
}

void hdi_ipc_names_remove(void)
{
    for (uint32_t i = 0; made && i < made->count && i < NAMES; i++)
        remove_name((enum family)made->entry[i].family, made->entry[i].name);
    if (made)
        made->count = 0;
}

static bool is_there(const char *name, enum family family)
{
    char path[NAME_BYTES + 32];
    const char *bare = name + strspn(name, "/");
    int saved = errno, fd;
    bool there;

    if (family == MQ) {
        fd = hdi_real.mq_open(name, O_RDONLY | O_CLOEXEC);
        there = fd >= 0 || errno == EACCES;
        if (fd >= 0)
            mq_close(fd);
    } else {
        snprintf(path, sizeof path, "/dev/shm/%s%s", family == SEM ? "sem." : "", bare);
        there = hdi_real.syscall(SYS_access, path, F_OK) == 0;
    }
    errno = saved;
    return there;
}

/* The name to use for `name`: in `own`, or itself. */
static const char *name_for(const char *name, enum family family, bool make, char own[NAME_BYTES])
{
    const char *bare = name + strspn(name, "/");

    if (make && hdi_enter())
        hdi_first_thread();
    if (!suffix[0] || !*bare || strchr(bare, '/') || strlen(name) + sizeof suffix >= NAME_BYTES)
        return name;
    snprintf(own, NAME_BYTES, "%s%s", name, suffix);
    if (is_there(own, family))
        return own;
    if (!make || is_there(name, family))
        return name;
    if (made->count < NAMES) {
        made->entry[made->count].family = family;
        strcpy(made->entry[made->count++].name, own);
    }
    return own;
}

HDI_EXPORT sem_t *sem_open(const char *name, int flags, ...)
{
    char own[NAME_BYTES];
    const char *use;
    mode_t mode;
    unsigned value;
    va_list ap;

    use = name_for(name, SEM, flags & O_CREAT, own);
    if (!(flags & O_CREAT))
        return hdi_real.sem_open(use, flags);
    va_start(ap, flags);
    mode = va_arg(ap, mode_t);
    value = va_arg(ap, unsigned);
    va_end(ap);
    return hdi_real.sem_open(use, flags, mode, value);
}

HDI_EXPORT int shm_open(const char *name, int flags, mode_t mode)
{
    char own[NAME_BYTES];

    return hdi_real.shm_open(name_for(name, SHM, flags & O_CREAT, own), flags, mode);
}

HDI_EXPORT mqd_t mq_open(const char *name, int flags, ...)
{
    char own[NAME_BYTES];
    const char *use;
    mode_t mode;
    struct mq_attr *attr;
    va_list ap;

    use = name_for(name, MQ, flags & O_CREAT, own);
    if (!(flags & O_CREAT))
        return hdi_real.mq_open(use, flags);
    va_start(ap, flags);
    mode = va_arg(ap, mode_t);
    attr = va_arg(ap, struct mq_attr *);
    va_end(ap);
    return hdi_real.mq_open(use, flags, mode, attr);
}

#define UNLINKS(name, family)                                                                      \
    HDI_EXPORT int name(const char *object)                                                        \
    {                                                                                              \
        char own[NAME_BYTES];                                                                      \
        return remove_name(family, name_for(object, family, false, own));                          \
    }

UNLINKS(sem_unlink, SEM)
UNLINKS(shm_unlink, SHM)
UNLINKS(mq_unlink, MQ)

/* By key: what schedules make for themselves is to be made in each. */
#define BY_KEY(name, params, args)                                                                 \
    HDI_EXPORT int name params                                                                     \
    {                                                                                              \
        if (hdi_enter())                                                                           \
            hdi_first_thread();                                                                    \
        return hdi_real.name args;                                                                 \
    }

BY_KEY(msgget, (key_t key, int flags), (key, flags))
BY_KEY(semget, (key_t key, int count, int flags), (key, count, flags))
BY_KEY(shmget, (key_t key, size_t bytes, int flags), (key, bytes, flags))
