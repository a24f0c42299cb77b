/* process_state.c - see process_state.h */
#include "process_state.h"

#include <string.h>
#include <sys/mman.h>

#include "core/control.h"
#include "core/real.h"
#include "core/thread.h"
#include "memory/access.h"

static char state[HDI_PROCESS_STATES];

void hdi_process_state(enum hdi_process_state which, bool changes, uint64_t site)
{
    struct hdi_object *o =
        hdi_object_get(&state[which], HD_OB_NONE, sizeof(struct hdi_object), site);

    hdi_point(HD_EV_OPERATION, o, site);
    if (changes)
        hdi_touched(o);
}

HDI_EXPORT int chdir(const char *path)
{
    if (hdi_enter())
        hdi_process_state(HDI_WORKING_DIRECTORY, true, HDI_SITE());
    return hdi_real.chdir(path);
}

HDI_EXPORT int fchdir(int fd)
{
    if (hdi_enter())
        hdi_process_state(HDI_WORKING_DIRECTORY, true, HDI_SITE());
    return hdi_real.fchdir(fd);
}

HDI_EXPORT char *getcwd(char *to, size_t n)
{
    char *answer;

    if (hdi_enter())
        hdi_process_state(HDI_WORKING_DIRECTORY, false, HDI_SITE());
    answer = hdi_real.getcwd(to, n);
    if (answer)
        hdi_call_writes(answer, strlen(answer) + 1, HDI_SITE());
    return answer;
}

HDI_EXPORT int pthread_getname_np(pthread_t handle, char *name, size_t n)
{
    if (hdi_enter()) {
        if (hdi_thread_is_gone(handle))
            return hdi_thread_missing(handle, HDI_ASKED_OF_GONE, HD_EV_NONE, HDI_SITE());
        hdi_process_state(HDI_THREAD_NAMES, false, HDI_SITE());
    }
    return hdi_real.pthread_getname_np(handle, name, n);
}

HDI_EXPORT int madvise(void *addr, size_t bytes, int advice)
{
    bool empties = advice == MADV_DONTNEED || advice == MADV_FREE || advice == MADV_REMOVE;

    if (empties && hdi_enter()) {
        hdi_process_state(HDI_MEMORY_MAPS, true, HDI_SITE());
        hdi_touched_block((uintptr_t)addr, bytes);
    }
    return hdi_real.madvise(addr, bytes, advice);
}
