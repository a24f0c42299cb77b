/* handler_calls.c - see handler_calls.h */
#include "handler_calls.h"

#include <elf.h>
#include <errno.h>
#include <link.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>

#include "real.h"

#define STACK_OF_HANDLER ((uintptr_t)256 << 10) /* deeper it was left by a jump */
#define TOLD 32u
#define PLACES 256u
#define POINTS 64u        /* in a schedule, that handlers may come to calls of the C library */
#define POINTS_OF_PLACE 2 /* of these */

/* Operations that are a call which is not async-signal-safe. */
static const char *const unsafe[HD_EV_COUNT] = {
    [HD_EV_THREAD_CREATE] = "pthread_create",
    [HD_EV_THREAD_JOIN] = "pthread_join",
    [HD_EV_THREAD_DETACH] = "pthread_detach",
    [HD_EV_THREAD_CANCEL] = "pthread_cancel",
    [HD_EV_MUTEX_INIT] = "pthread_mutex_init",
    [HD_EV_MUTEX_DESTROY] = "pthread_mutex_destroy",
    [HD_EV_MUTEX_LOCK] = "pthread_mutex_lock",
    [HD_EV_MUTEX_TRYLOCK] = "pthread_mutex_trylock",
    [HD_EV_MUTEX_UNLOCK] = "pthread_mutex_unlock",
    [HD_EV_COND_WAIT] = "pthread_cond_wait",
    [HD_EV_COND_RELOCK] = "pthread_cond_wait",
    [HD_EV_COND_SIGNAL] = "pthread_cond_signal",
    [HD_EV_COND_BROADCAST] = "pthread_cond_broadcast",
    [HD_EV_COND_DESTROY] = "pthread_cond_destroy",
    [HD_EV_RWLOCK_RDLOCK] = "pthread_rwlock_rdlock",
    [HD_EV_RWLOCK_WRLOCK] = "pthread_rwlock_wrlock",
    [HD_EV_RWLOCK_TRYLOCK] = "pthread_rwlock_trywrlock",
    [HD_EV_RWLOCK_UNLOCK] = "pthread_rwlock_unlock",
    [HD_EV_RWLOCK_DESTROY] = "pthread_rwlock_destroy",
    [HD_EV_SPIN_LOCK] = "pthread_spin_lock",
    [HD_EV_SPIN_TRYLOCK] = "pthread_spin_trylock",
    [HD_EV_SPIN_UNLOCK] = "pthread_spin_unlock",
    [HD_EV_SPIN_DESTROY] = "pthread_spin_destroy",
    [HD_EV_BARRIER_WAIT] = "pthread_barrier_wait",
    [HD_EV_BARRIER_DESTROY] = "pthread_barrier_destroy",
    [HD_EV_ONCE] = "pthread_once",
    [HD_EV_SEM_WAIT] = "sem_wait",
    [HD_EV_SEM_TRYWAIT] = "sem_trywait",
    [HD_EV_SEM_DESTROY] = "sem_destroy",
};

/* Of these, what only waits: nothing that it keeps is half changed while it does. */
static const bool only_waits[HD_EV_COUNT] = {
    [HD_EV_THREAD_JOIN] = true,
    [HD_EV_COND_WAIT] = true,
    [HD_EV_BARRIER_WAIT] = true,
    [HD_EV_SEM_WAIT] = true,
};

bool hdi_handlers;

static uintptr_t program_low, program_high; /* its code, not that of its libraries */
static uint64_t told[TOLD];
static uint64_t place[PLACES];
static uint8_t times[PLACES];
static uint32_t points;

void hdi_handlers_exist(void)
{
    const ElfW(Phdr) *header = (const ElfW(Phdr) *)getauxval(AT_PHDR);
    size_t n = getauxval(AT_PHNUM);
    uintptr_t base = 0;

    if (hdi_handlers)
        return;
    for (size_t i = 0; i < n; i++)
        if (header[i].p_type == PT_PHDR)
            base = (uintptr_t)header - header[i].p_vaddr;
    program_low = UINTPTR_MAX;
    for (size_t i = 0; i < n; i++)
        if (header[i].p_type == PT_LOAD && header[i].p_flags & PF_X) {
            uintptr_t low = base + header[i].p_vaddr, high = low + header[i].p_memsz;
            program_low = low < program_low ? low : program_low;
            program_high = high > program_high ? high : program_high;
        }
    hdi_handlers = true;
}

/* ---- handlers ---- */

struct hdi_interrupted hdi_handler_begins(int number, const struct hdi_op *into)
{
    struct hdi_thread *self = hdi_self();
    struct hdi_interrupted *now = &self->signals.interrupted, before = *now;
    const char *function = into && !only_waits[into->kind] ? unsafe[into->kind] : NULL;

    if (into && into->kind == HD_EV_LIBRARY)
        function = self->signals.library_call;
    if (function)
        *now = (struct hdi_interrupted){.function = function,
                                        .kind = into->kind,
                                        .object = into->object,
                                        .site = into->site,
                                        .frame = (uintptr_t)__builtin_frame_address(0)};
    if (now->function)
        now->number = number;
    return before;
}

void hdi_handler_ends(const struct hdi_interrupted *before)
{
    hdi_self()->signals.interrupted = *before;
}

static bool was_told(uint64_t site)
{
    for (unsigned i = 0; i < TOLD; i++)
        if (told[i] == site || !told[i]) {
            bool was = told[i] == site;
            told[i] = site;
            return was;
        }
    return true;
}

/* It ended by a jump: what comes then comes from the program's own frames, above those of the handler. */
static bool was_left(const struct hdi_interrupted *in)
{
    return in->frame - (uintptr_t)__builtin_frame_address(0) > STACK_OF_HANDLER;
}

/* As the program has it, not as fortified headers call it. */
static int plain_name(const char **function)
{
    const char *name = *function + (strncmp(*function, "__", 2) == 0 ? 2 : 0);
    size_t n = strlen(name);

    *function = name;
    return (int)(n > 4 && strcmp(name + n - 4, "_chk") == 0 ? n - 4 : n);
}

static void tell(struct hdi_thread *self, const char *function, enum hd_event kind,
                 struct hdi_object *object, uint64_t site)
{
    struct hdi_interrupted *in = &self->signals.interrupted;
    const char *name = sigabbrev_np(in->number);
    int saved = errno;
    struct hdp_finding *f;
    const char *into = in->function;
    char text[HDP_TEXT];
    int n, m;

    if (was_left(in)) {
        in->function = NULL;
        return;
    }
    if (hdi_draining() || was_told(site))
        return;
    n = plain_name(&function);
    m = plain_name(&into);
    snprintf(text, sizeof text, "%.*s() at %s%s, which came into %.*s()", n, function,
             name ? "SIG" : "", name ? name : "a real-time signal", m, into);
    f = hdi_finding_begin(HD_FK_HANDLER_CALL, text);
    hdi_note(f, HD_ROLE_HERE, self, kind, object, site, hdi_stack());
    hdi_note(f, HD_ROLE_INTERRUPTED, self, in->kind, in->object, in->site, 0);
    hdi_finding_end(f, false);
    errno = saved;
}

void hdi_handler_does(struct hdi_thread *self, const struct hdi_op *op)
{
    if (unsafe[op->kind])
        tell(self, unsafe[op->kind], op->kind, op->object, op->site);
}

/* ---- the C library ---- */

/* May a handler come here? So that it is not asked of every one of a million allocations. */
static bool is_point(uint64_t site)
{
    uint32_t i = (uint32_t)(site ^ site >> 12) % PLACES, looked = 0;

    while (place[i] && place[i] != site && looked++ < PLACES)
        i = (i + 1) % PLACES;
    if (points == POINTS || (place[i] && place[i] != site) || times[i] == POINTS_OF_PLACE)
        return false;
    place[i] = site;
    times[i]++;
    points++;
    return true;
}

void hdi_library_called(const char *function, bool ends, uint64_t site)
{
    struct hdi_thread *self = hdi_self();

    if (!self || site < program_low || site >= program_high || !hdi_enter())
        return;
    if (hdi_in_doubtful_handler(self)) {
        tell(self, function, HD_EV_LIBRARY, NULL, site);
    } else if (!ends && is_point(site)) {
        const char *before = self->signals.library_call;
        self->signals.library_call = function;
        hdi_point(HD_EV_LIBRARY, NULL, site);
        self->signals.library_call = before;
    }
}
