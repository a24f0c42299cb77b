/* machine.c - a litmus program, executed by the hooks that compiled programs call.
 *
 * The threads are no threads: whose operation is next is drawn at random (in some executions one goes on for
 * long), and so is each choice that the memory models ask for. What the hooks need of the runtime besides is nothing here.
 */
#include <stdlib.h>
#include <string.h>

#include "core/thread.h"
#include "memory/access.h"
#include "memory/race/tape_writer.h"
#include "memory/weak_memory.h"
#include "litmus.h"

struct hdi_watch hdi_watch;
HDI_TLS struct hdi_memory_thread *hdi_watched;
struct hdp_tape *hdi_tape;

static uint64_t *choices;

uint32_t hdi_choose(uint32_t n, uint64_t site)
{
    (void)site;
    return n > 1 ? random_below(choices, n) : 0;
}

void hdi_point(enum hd_event kind, struct hdi_object *object, uint64_t site)
{
    (void)kind, (void)object, (void)site;
}

void hdi_access_point(struct hdi_memory_thread *s, enum hd_event kind, uintptr_t addr, uint64_t pc)
{
    (void)s, (void)kind, (void)addr, (void)pc;
}

void hdi_note_context(struct hdi_memory_thread *s, uint64_t pc)
{
    (void)s, (void)pc;
}

void hdi_loaded(struct hdi_memory_thread *s, uintptr_t addr, uint64_t value, uint64_t pc)
{
    (void)s, (void)addr, (void)value, (void)pc;
}

void hdi_touched_memory(uintptr_t addr, size_t bytes, bool write)
{
    (void)addr, (void)bytes, (void)write;
}

bool hdi_has_forked(void)
{
    return false;
}

bool hdi_may_be_shared(const void *addr)
{
    return addr == NULL;
}

void hdi_to_others(bool shared)
{
    (void)shared;
}

void hdi_from_others(bool shared)
{
    (void)shared;
}

void hdi_got_on(void)
{
}

void hdi_tape_access(struct hdi_memory_thread *s, uintptr_t addr, size_t bytes,
                     enum hdp_tape_kind kind, uint64_t pc, bool point)
{
    (void)s, (void)addr, (void)bytes, (void)kind, (void)pc, (void)point;
}

void hdi_chose(uint32_t what, uint32_t detail)
{
    (void)what, (void)detail;
}

uint32_t hdi_faults;

bool hdi_fault_here(enum hdp_fault_kind kind, uint64_t site)
{
    (void)kind, (void)site;
    return false;
}

void hdi_race_found(struct hdi_racer *t, uintptr_t word, enum hdi_access kind, uint64_t pc,
                    const struct hdi_earlier *earlier)
{
    (void)t, (void)word, (void)kind, (void)pc, (void)earlier;
    abort(); /* atomics do not race with atomics */
}

bool hdi_race_candidate(struct hdi_racer *t, uint64_t pc, const struct hdi_earlier *earlier)
{
    (void)t, (void)pc, (void)earlier;
    return true;
}

void hdi_race_shared(uintptr_t word, uint64_t pc, uint32_t earlier_pc)
{
    (void)word, (void)pc, (void)earlier_pc;
}

static struct hdi_memory_thread thread[THREADS];
static struct hdi_thread none;

static struct {
    _Alignas(64) uint32_t value;
} memory[LOCATIONS];

void machine_start(void)
{
    for (unsigned t = 0; t < THREADS; t++) {
        thread[t].racer = hdi_race_thread();
        thread[t].thread = &none;
    }
    if (!hdi_shadow_init(false, 64u << 20))
        abort();
}

/* All that was done before happens before all that comes. */
static void begin(void)
{
    hdi_race_reset((uintptr_t)memory, sizeof memory);
    memset(memory, 0, sizeof memory);
    for (unsigned t = 0; t < THREADS; t++)
        hdi_race_release(thread[t].racer, 1);
    for (unsigned t = 0; t < THREADS; t++)
        hdi_race_acquire(thread[t].racer, 1, false);
}

uint64_t machine_run(const struct program *p, enum model model, uint64_t *random)
{
    struct result result[THREADS][OPS];
    unsigned done[THREADS] = {0}, running = p->threads;
    uint32_t last[LOCATIONS];

    begin();
    choices = random;
    hdi_watch.config.model = model == MODEL_SC    ? HDP_MEMORY_SC
                             : model == MODEL_TSO ? HDP_MEMORY_TSO
                                                  : HDP_MEMORY_C11;
    unsigned t = 0, stays = random_below(random, 3); /* of eight steps, as many times three */
    while (running) {
        if (done[t] > p->ops[t] || random_below(random, 8) >= 3 * stays)
            t = random_below(random, p->threads);
        if (done[t] > p->ops[t])
            continue;
        hdi_watched = &thread[t];
        if (done[t] < p->ops[t]) {
            const struct op *op = &p->op[t][done[t]];
            result[t][done[t]] = op_execute(op, &memory[op->location].value);
        } else {
            if (model != MODEL_SC)
                hdi_model_synchronised(&thread[t]); /* it ends */
            running--;
        }
        done[t]++;
    }
    for (unsigned i = 0; i < LOCATIONS; i++)
        last[i] = memory[i].value;
    return outcome_of(p, result, last);
}
