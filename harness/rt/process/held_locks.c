/* held_locks.c - see held_locks.h */
#include "held_locks.h"

#include <dlfcn.h>
#include <link.h>
#include <stdint.h>
#include <sys/syscall.h>

#include "core/real.h"
#include "turn/rt.h"

/* Owners of the dynamic linker's locks, which are held while a library is loaded, its constructors
 * run, or dl_iterate_phdr calls the program. */
#define OWNERS 8
static int *owner[OWNERS];
static uint32_t owners;

/* Mutexes of the program are given back before the forks and taken again after. */
static void for_mutexes(int (*f)(pthread_mutex_t *))
{
    struct hdi_thread *t = rt.main;

    for (uint32_t i = 0; i < t->locks.count; i++)
        if (t->locks.held[i].object->kind == HD_OB_MUTEX)
            for (uint32_t k = 0; k < t->locks.held[i].count; k++)
                f((pthread_mutex_t *)t->locks.held[i].object->addr);
}

static bool is_held_lock(const pthread_mutex_t *m)
{
    return m->__data.__kind == PTHREAD_MUTEX_RECURSIVE_NP && m->__data.__lock != 0 &&
           m->__data.__count != 0 && m->__data.__owner == rt.pid;
}

/* Where in its data the linker has its locks differs between versions of glibc: whatever looks like
 * a lock that this thread holds is one. */
static void note_linker_locks(void)
{
    char *data = dlsym(RTLD_DEFAULT, "_rtld_global");
    const ElfW(Sym) * symbol;
    Dl_info info;

    if (!data || !dladdr1(data, &info, (void **)&symbol, RTLD_DL_SYMENT) || !symbol)
        return;
    for (size_t at = 0; at + sizeof(pthread_mutex_t) <= symbol->st_size && owners < OWNERS; at += 8)
        if (is_held_lock((pthread_mutex_t *)(data + at)))
            owner[owners++] = &((pthread_mutex_t *)(data + at))->__data.__owner;
}

void rt_held_locks_note(void)
{
    note_linker_locks();
    for_mutexes(hdi_real.pthread_mutex_unlock);
}

void rt_held_locks_adopt(void)
{
    for (uint32_t i = 0; i < owners; i++)
        *owner[i] = (int)hdi_real.syscall(SYS_gettid);
    for_mutexes(hdi_real.pthread_mutex_lock);
}
