/* held_locks.c - see held_locks.h */
#include "held_locks.h"

#include <dlfcn.h>
#include <link.h>
#include <stdint.h>
#include <sys/syscall.h>

#include "core/real.h"
#include "turn/rt.h"

/* Mutexes of the program are given back before the forks and taken again after. */
static void for_mutexes(int (*f)(pthread_mutex_t *))
{
    struct hdi_thread *t = rt.main;

    for (uint32_t i = 0; i < t->locks.count; i++)
        if (t->locks.held[i].object->kind == HD_OB_MUTEX)
            for (uint32_t k = 0; k < t->locks.held[i].count; k++)
                f((pthread_mutex_t *)t->locks.held[i].object->addr);
}

static bool is_recursive(const pthread_mutex_t *m)
{
    return m->__data.__kind == PTHREAD_MUTEX_RECURSIVE_NP;
}

/* The linker's locks are held while a library is loaded and its constructors run, or while
 * dl_iterate_phdr calls this. Where in its data they are differs between versions of glibc: what
 * looks like a lock that this thread holds is one, and they stand side by side. */
static int note_linker_locks(struct dl_phdr_info *unused, size_t size, void *unused_too)
{
    char *data = dlsym(RTLD_DEFAULT, "_rtld_global");
    const ElfW(Sym) * symbol;
    Dl_info info;

    (void)unused, (void)size, (void)unused_too;
    if (!data || !dladdr1(data, &info, (void **)&symbol, RTLD_DL_SYMENT) || !symbol)
        return 1;
    for (size_t at = sizeof(pthread_mutex_t); at + 2 * sizeof(pthread_mutex_t) <= symbol->st_size;
         at += 8) {
        pthread_mutex_t *m = (pthread_mutex_t *)(data + at);
        if (!is_recursive(m) || !m->__data.__count || m->__data.__owner != rt.pid)
            continue;
        for (int i = 0; i < RT_LINKER_LOCKS; i++)
            if (is_recursive(m + i - 1))
                rt.linker_owner[i] = &m[i - 1].__data.__owner;
        return 1;
    }
    return 1;
}

void rt_held_locks_note(void)
{
    dl_iterate_phdr(note_linker_locks, NULL);
    for_mutexes(hdi_real.pthread_mutex_unlock);
}

void rt_held_locks_adopt(void)
{
    const struct hdi_thread_locks *l = &rt.main->locks;
    int tid = (int)hdi_real.syscall(SYS_gettid);

    for (int i = 0; i < RT_LINKER_LOCKS; i++)
        if (rt.linker_owner[i] && *rt.linker_owner[i] == rt.pid)
            *rt.linker_owner[i] = tid;
    for (uint32_t i = 0; i < l->count; i++)
        if (l->held[i].object->kind == HD_OB_RWLOCK && !l->held[i].shared)
            ((pthread_rwlock_t *)l->held[i].object->addr)->__data.__cur_writer = tid;
    for_mutexes(hdi_real.pthread_mutex_lock);
}
