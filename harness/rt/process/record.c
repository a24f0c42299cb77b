/* record.c - what a schedule leaves behind in shared memory: findings, stacks, threads, objects.
 *
 * During exploration next to nothing is written. In a rich replay each event of interest leaves a
 * slice of its stack, which the driver unwinds with the program's call-frame information: the
 * program carries no unwinder of ours.
 */
#include "vehicles/carrier.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>

#include "locks/lockorder.h"
#include "arch/arch.h"
#include "core/proc.h"
#include "core/real.h"

#define SLICE_BYTES 16384u
/* How far below the stack pointer code writes: what a call pushes, and what functions that call no
 * other may use. */
#define BELOW_POINTER 256u

extern void *__libc_stack_end; /* of ld.so: where the stack was when the program began */

static struct hdp_finding scratch;
static bool crash_noted;
static char panic_text[HDP_TEXT]; /* empty: no panic is under way */
static struct hdi_object *panic_object;
static uint64_t panic_site;
static uint32_t panic_stack;

/* ---- stacks ---- */

/* Copy of /proc/self/maps into the region. */
static void take_maps(void)
{
    long bytes = hdi_proc_read("/proc/self/maps", rt.region->maps, HDP_MAPS_BYTES);

    rt.region->maps_bytes = bytes > 0 ? (uint32_t)bytes : 0;
}

/* The readable mapping that holds addr or else is the next above it, by the kernel's list; false:
 * none. The region's copy stays as it is. */
static bool mapping_from(uintptr_t addr, struct hdi_maps_line *m)
{
    long fd = hdi_real.syscall(SYS_openat, AT_FDCWD, "/proc/self/maps", O_RDONLY | O_CLOEXEC), n;
    char text[2048];
    size_t have = 0;
    bool found = false;

    if (fd < 0)
        return false;
    while (!found &&
           (n = hdi_real.syscall(SYS_read, fd, text + have, sizeof text - 1 - have)) > 0) {
        const char *p = text, *line;

        have += (size_t)n;
        text[have] = 0;
        while (!found && (line = strchr(p, '\n'))) { /* whole lines; the rest waits for more */
            found = hdi_maps_line(p, line, m) && m->readable && addr < m->high;
            p = line + 1;
        }
        have -= (size_t)(p - text);
        memmove(text, p, have);
        if (have == sizeof text - 1)
            have = 0; /* no line of the kernel's is so long */
    }
    hdi_real.syscall(SYS_close, fd);
    return found;
}

/* Does addr fall below the stack that this thread runs on, whose pointer is at sp? Its end holds what
 * libc keeps of the thread, main's what the kernel put there. */
static bool is_below_stack(uintptr_t addr, uintptr_t sp, uintptr_t *low)
{
    const uintptr_t anchor[] = {(uintptr_t)pthread_self(), (uintptr_t)__libc_stack_end,
                                hdi_self() ? hdi_self()->stack_high - 1 : 0};
    struct hdi_maps_line m;

    if (addr + BELOW_POINTER < sp || !mapping_from(sp, &m) || addr >= m.low)
        return false;
    for (size_t i = 0; i < sizeof anchor / sizeof anchor[0]; i++)
        if (anchor[i] >= m.low && anchor[i] < m.high) {
            *low = m.low;
            return true;
        }
    return false;
}

/* The last entries are for the ends of threads, and for what ends the schedule. */
static struct hdp_stack *new_stack(uint32_t bytes, uint32_t *index, bool of_an_end)
{
    uint32_t at = (rt.region->stack_used + 15) & ~15u,
             need = (uint32_t)sizeof(struct hdp_stack) + bytes;
    struct hdp_stack *s;

    if (at + need > HDP_STACK_BYTES - (of_an_end ? 0 : HDP_STACK_BYTES / 8))
        return NULL;
    rt.region->stack_used = at + need;
    s = (struct hdp_stack *)(void *)(rt.region->stacks + at);
    *index = at / 16 + 1;
    return s;
}

/* Copy registers and the stack from sp upwards into entry `s`, whose room is SLICE_BYTES, or into a
 * new one when NULL. low: where its memory begins, when sp is below that; else 0. */
static uint32_t take_slice(struct hdp_stack *s, const struct hdp_registers *r, uintptr_t low,
                           bool of_an_end)
{
    struct hdi_thread *self = hdi_self();
    struct hdi_maps_line m;
    uintptr_t sp = r->sp, high;
    uint32_t index = 0, bytes, lost;

    if (self && sp >= self->stack_low && sp < self->stack_high) {
        high = self->stack_high;
    } else {
        high = mapping_from(sp, &m) && m.low <= (low ? low : sp) ? m.high : sp;
        if (sp < (uintptr_t)__libc_stack_end && (uintptr_t)__libc_stack_end < high)
            high =
                (uintptr_t)__libc_stack_end; /* main's; above are its arguments and environment */
        if (self) {
            self->stack_low = sp & ~(uintptr_t)0xfffff;
            self->stack_high = high;
        }
    }
    bytes = high - sp < SLICE_BYTES ? (uint32_t)(high - sp) : SLICE_BYTES;
    lost = low <= sp ? 0 : low - sp < bytes ? (uint32_t)(low - sp) : bytes;
    if (!s)
        s = new_stack(bytes, &index, of_an_end);
    if (!s)
        return 0;
    *s = (struct hdp_stack){.form = HDP_STACK_SLICE, .bytes = bytes, .registers = *r};
    memset(s + 1, 0, lost);
    hdi_copy_raw((unsigned char *)(s + 1) + lost, (const void *)(sp + lost), bytes - lost);
    return index;
}

__attribute__((noinline)) uint32_t hdi_stack(void)
{
    struct hdp_registers r;

    if (!(rt.config.flags & HDP_RICH))
        return 0;
    hdi_registers_here(&r);
    return take_slice(NULL, &r, 0, false);
}

/* Where this thread is, in an entry of its own that is written anew at each operation. */
__attribute__((noinline)) void rt_note_place(struct hdi_thread *self)
{
    struct hdp_registers r;

    if (!(rt.config.flags & HDP_RICH))
        return;
    if (!self->end_stack)
        new_stack(SLICE_BYTES, &self->end_stack, true);
    if (!self->end_stack)
        return;
    hdi_registers_here(&r);
    take_slice((struct hdp_stack *)(void *)(rt.region->stacks + (self->end_stack - 1) * 16ul), &r,
               0, true);
}

uint32_t hdi_stack_pcs(const uint64_t *pcs, uint32_t count)
{
    uint32_t index = 0;
    struct hdp_stack *s = new_stack(count * 8, &index, false);

    if (!s)
        return 0;
    *s = (struct hdp_stack){.form = HDP_STACK_PCS, .bytes = count * 8};
    memcpy(s + 1, pcs, count * 8);
    return index;
}

/* ---- findings ---- */

static void copy_text(char out[HDP_TEXT], const char *text)
{
    size_t i = 0;
    for (; i + 1 < HDP_TEXT && text[i]; i++)
        out[i] = text[i];
    out[i] = 0;
}

uint32_t hdi_step(void)
{
    return rt.region->result.steps;
}

/* A thread's own entry is written anew when it goes on: keep what it holds now. */
static uint32_t keep_stack(uint32_t stack)
{
    const struct hdp_stack *from =
        (const struct hdp_stack *)(const void *)(rt.region->stacks + (stack - 1) * 16ul);
    uint32_t index = 0;
    struct hdp_stack *to = new_stack(from->bytes, &index, true);

    if (!to)
        return stack;
    hdi_copy_raw(to, from, sizeof *from + from->bytes);
    return index;
}

/* How many findings there may be before one of this kind. */
static uint32_t room_for(enum hd_finding_kind kind)
{
    switch (kind) {
    case HD_FK_DATA_RACE:
        return HDP_RACE_FINDINGS;
    case HD_FK_DEADLOCK:
    case HD_FK_LOST_WAKEUP:
    case HD_FK_SELF_DEADLOCK:
    case HD_FK_CRASH:
    case HD_FK_ASSERTION:
    case HD_FK_PANIC:
    case HD_FK_LIVELOCK:
    case HD_FK_HANG:
        return HDP_FINDINGS;
    default:
        return HDP_OTHER_FINDINGS;
    }
}

struct hdp_finding *hdi_finding_begin(enum hd_finding_kind kind, const char *text)
{
    struct hdp_result *r = &rt.region->result;
    struct hdp_finding *f =
        r->findings < room_for(kind) ? &rt.region->finding[r->findings] : &scratch;

    memset(f, 0, sizeof *f);
    f->kind = kind;
    f->step = r->steps;
    if (text)
        copy_text(f->text, text);
    return f;
}

struct hdp_note *hdi_note(struct hdp_finding *f, enum hd_role role, struct hdi_thread *t,
                          enum hd_event kind, struct hdi_object *object, uint64_t site,
                          uint32_t stack)
{
    static struct hdp_note spare;
    struct hdp_note *n = &spare;

    if (f->notes < HDP_NOTES)
        n = &f->note[f->notes];
    else
        f->dropped++;
    if (stack && t && stack == t->end_stack && n != &spare)
        stack = keep_stack(stack);
    *n = (struct hdp_note){.role = (uint16_t)role,
                           .kind = (uint16_t)kind,
                           .thread = hdi_thread_hash(t),
                           .object = object ? object->id : 0,
                           .stack = stack,
                           .site = site,
                           .link = f->notes};
    if (f->notes < HDP_NOTES)
        f->notes++;
    return n;
}

/* What threads would still do once the program has ended is not its fault; what they can never do
 * again is (docs/decisions/end.md). */
static bool outlives_the_program(uint32_t kind)
{
    return kind == HD_FK_LEAK_BLOCKED || kind == HD_FK_LEAK_UNJOINED || kind == HD_FK_LEAK_OBJECT ||
           kind == HD_FK_DEADLOCK || kind == HD_FK_SELF_DEADLOCK || kind == HD_FK_LOCK_AT_EXIT;
}

void hdi_finding_end(struct hdp_finding *f, bool fatal)
{
    struct hdp_result *r = &rt.region->result;

    f->fatal = fatal;
    if (rt.draining && !outlives_the_program(f->kind))
        return;
    if (!rt.region->maps_bytes || (rt.config.flags & HDP_RICH && !rt.draining))
        take_maps();
    if (f == &scratch)
        r->findings_dropped[f->kind]++;
    else
        r->findings++;
    if (!rt.started)
        rt.prefix_findings = r->findings;
    if (rt.config.flags & HDP_TRAP) {
        rt_export();
        rt_trap();
    }
    if (fatal)
        rt_finish(HDP_STOPPED);
}

void hdi_finding_excluded(const struct hdp_finding *f)
{
    struct hdp_result *r = &rt.region->result;

    if (r->excluded < HDP_EXCLUDED)
        rt.region->excluded[r->excluded++] = *f;
    if (!rt.region->maps_bytes)
        take_maps();
}

struct hdp_finding *hdi_finding_of(enum hd_finding_kind kind, const struct hdi_thread *t,
                                   const struct hdi_object *o)
{
    struct hdp_result *r = &rt.region->result;

    for (uint32_t i = 0; i < r->findings && i < HDP_FINDINGS; i++) {
        struct hdp_finding *f = &rt.region->finding[i];
        for (uint32_t k = 0; f->kind == kind && k < f->notes; k++)
            if (f->note[k].thread == t->hash && f->note[k].object == o->id)
                return f;
    }
    return NULL;
}

void hdi_finding_withdraw(struct hdp_finding *f)
{
    struct hdp_result *r = &rt.region->result;
    size_t at = (size_t)(f - rt.region->finding);

    if (f == &scratch) {
        r->findings_dropped[f->kind]--;
        return;
    }
    r->findings--;
    memmove(f, f + 1, (r->findings - at) * sizeof *f);
}

void hdi_unmodelled(const char *name, uint64_t site)
{
    struct hdp_result *r = &rt.region->result;

    rt.filtered |= strcmp(name, HDP_FILTER) == 0;
    for (uint32_t i = 0; i < r->unmodelled; i++)
        if (strncmp(rt.region->unmodelled[i].name, name, sizeof rt.region->unmodelled[i].name) == 0)
            return;
    if (r->unmodelled == HDP_UNMODELLED)
        return;
    strncpy(rt.region->unmodelled[r->unmodelled].name, name,
            sizeof rt.region->unmodelled[0].name - 1);
    rt.region->unmodelled[r->unmodelled++].site = site;
    if (!rt.started)
        rt.prefix_unmodelled = r->unmodelled;
}

/* ---- the end of a schedule ---- */

static void export_object(struct hdi_object *o)
{
    struct hdp_object *out;

    if (rt.region->object_count == HDP_OBJECTS)
        return;
    out = &rt.region->object[rt.region->object_count++];
    *out = (struct hdp_object){.id = o->id,
                               .kind = o->label_kind ? o->label_kind : o->kind,
                               .key_kind = o->kind,
                               .ordinal = o->ordinal,
                               .addr = o->addr,
                               .created_site = o->created_site,
                               .creator = hdi_thread_hash(o->creator),
                               .created_stack = o->created_stack};
    memcpy(out->label, o->label, sizeof out->label);
}

void rt_export_thread(const struct hdi_thread *t)
{
    const struct hdi_op *op = t->op ? t->op : &t->last;
    struct hdp_thread *out = &rt.region->thread[t->index];

    if (t->index >= HDP_THREADS)
        return;
    *out = (struct hdp_thread){.hash = t->hash,
                               .creator = t->creator ? t->creator->index : t->index,
                               .created_site = t->created_site,
                               .start = t->start,
                               .created_stack = t->created_stack,
                               .state = t->state,
                               .kind = op->kind,
                               .object = op->object ? op->object->id : 0,
                               .site = op->site,
                               .stack = t->end_stack,
                               .tid = t->tid,
                               .stack_low = t->stack_low,
                               .stack_high = t->stack_high};
    memcpy(out->name, t->name, sizeof out->name);
    memcpy(out->label, t->label, sizeof out->label);
    rt.region->thread_count = rt.all_count < HDP_THREADS ? rt.all_count : HDP_THREADS;
}

void rt_export(void)
{
    struct hdp_region *g = rt.region;

    rt_explore_end(HDP_EXPLORED_ALL);
    g->result.behind_release = 0;
    for (uint32_t i = 0; i < rt.all_count; i++) {
        const struct hdi_thread *t = rt.all[i];
        rt_export_thread(t);
        g->result.behind_release |=
            t->state == HDP_T_ENABLED && (t->op ? t->op : &t->last)->kind == HD_EV_RELEASED;
    }
    hdi_lockorder_export();
    uint64_t forgotten = hdi_lockorder_forgotten();
    g->result.orders_forgotten = forgotten < UINT32_MAX ? (uint32_t)forgotten : UINT32_MAX;
    g->object_count = 0;
    if (g->result.findings || (rt.config.flags & HDP_RICH)) {
        hdi_objects_each(export_object);
        /* a report wants those of its finding: a plugin may be gone when the schedule ends */
        if (!g->result.findings || !g->maps_bytes)
            take_maps();
    }
    g->result.virtual_ns = rt.now_ns - RT_CLOCK_START_NS;
}

void rt_finish(enum hdp_outcome outcome)
{
    rt.region->result.outcome = outcome;
    if (rt.in_process) {
        rt_export();
        rt_carrier_leave();
    }
    rt_export();
    if (!rt.started)
        rt_state(HDP_ENDED);
    if (rt_vehicle->ended)
        rt_vehicle->ended(outcome == HDP_RAN ? 0 : 125);
    hdi_real.syscall(SYS_exit_group, outcome == HDP_RAN ? 0 : 125);
    __builtin_unreachable();
}

/* ---- crashes ---- */

static void on_crash(int number, siginfo_t *info, void *context)
{
    static const struct {
        int number;
        const char *text;
    } text[] = {{SIGSEGV, "SIGSEGV: invalid memory access"},
                {SIGBUS, "SIGBUS: invalid memory access"},
                {SIGFPE, "SIGFPE: arithmetic error"},
                {SIGILL, "SIGILL: illegal instruction"},
                {SIGABRT, "SIGABRT: aborted"}};
    const struct hdp_registers r = hdi_registers_in(context);

    if (rt.draining) /* the program had ended: this one would never have been seen */
        rt_finish(HDP_RAN);
    if (!crash_noted) {
        struct hdi_thread *self = hdi_self();
        const char *what = "";
        struct hdp_finding *f;
        crash_noted = true;
        for (size_t i = 0; i < sizeof text / sizeof text[0]; i++)
            if (text[i].number == number)
                what = text[i].text;
        if (number == SIGABRT && panic_text[0]) {
            f = hdi_finding_begin(HD_FK_PANIC, panic_text);
            hdi_note(f, HD_ROLE_HERE, self, self ? self->last.kind : HD_EV_NONE, panic_object,
                     panic_site, panic_stack);
            if (panic_object && panic_object->dead)
                hdi_note(f, HD_ROLE_FREED, panic_object->destroyer, HD_EV_FREE, NULL,
                         panic_object->destroyed_site, panic_object->destroyed_stack);
        } else {
            uintptr_t addr = (uintptr_t)info->si_addr, low = 0;
            bool fault =
                number == SIGSEGV && (info->si_code == SEGV_MAPERR || info->si_code == SEGV_ACCERR);
            bool overflow = fault && is_below_stack(addr, r.sp, &low);
            if (overflow)
                what = "SIGSEGV: stack overflow";
            f = hdi_finding_begin(HD_FK_CRASH, what);
            struct hdp_note *n =
                hdi_note(f, HD_ROLE_HERE, self, self ? self->last.kind : HD_EV_NONE, NULL, r.pc,
                         rt.config.flags & HDP_RICH ? take_slice(NULL, &r, low, true) : 0);
            if (fault && !overflow) {
                n->addr = addr;
                n->extra = HD_ACCESS_FAULT | (hdi_fault_writes(context) ? HD_ACCESS_WRITE : 0) |
                           (info->si_code == SEGV_ACCERR ? HD_ACCESS_FORBIDDEN : 0);
            }
        }
        hdi_finding_end(f, false);
    }
    rt_export(); /* also after an assertion: its report names threads */
    /* The instruction faults again, and abort() raises again: with the default action now. */
    signal(number, SIG_DFL);
}

void rt_crash_forgotten(void)
{
    crash_noted = false;
    panic_text[0] = 0;
}

void hdi_crash_expected(void)
{
    crash_noted = true;
}

void hdi_panicking(const char *text, struct hdi_object *object, uint64_t site)
{
    copy_text(panic_text, text);
    panic_object = object;
    panic_site = site;
    panic_stack = hdi_stack();
}

void rt_crash_handlers(void)
{
    static const int number[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
    struct sigaction old, mine = {.sa_flags = SA_SIGINFO | SA_NODEFER | SA_ONSTACK};

    mine.sa_sigaction = on_crash;
    sigemptyset(&mine.sa_mask);
    for (size_t i = 0; i < sizeof number / sizeof number[0]; i++)
        if (hdi_real.sigaction(number[i], NULL, &old) == 0 && !(old.sa_flags & SA_SIGINFO) &&
            old.sa_handler == SIG_DFL)
            hdi_real.sigaction(number[i], &mine, NULL);
}
