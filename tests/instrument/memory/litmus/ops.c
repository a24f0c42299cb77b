/* ops.c - an operation of a litmus program, by the hook that compilers call for it. */
#include "litmus.h"

uint32_t __tsan_atomic32_load(const volatile uint32_t *a, int order);
void __tsan_atomic32_store(volatile uint32_t *a, uint32_t v, int order);
uint32_t __tsan_atomic32_fetch_add(volatile uint32_t *a, uint32_t v, int order);
uint32_t __tsan_atomic32_exchange(volatile uint32_t *a, uint32_t v, int order);
int __tsan_atomic32_compare_exchange_strong(volatile uint32_t *a, uint32_t *expected, uint32_t v,
                                            int order, int failure);
int __tsan_atomic32_compare_exchange_weak(volatile uint32_t *a, uint32_t *expected, uint32_t v,
                                          int order, int failure);
void __tsan_atomic_thread_fence(int order);

struct result op_execute(const struct op *op, uint32_t *a)
{
    struct result r = {op->expected, false};

    switch (op->kind) {
    case LOAD:
        r.value = __tsan_atomic32_load(a, op->order);
        break;
    case STORE:
        __tsan_atomic32_store(a, op->value, op->order);
        break;
    case ADD:
        r.value = __tsan_atomic32_fetch_add(a, op->value, op->order);
        break;
    case EXCHANGE:
        r.value = __tsan_atomic32_exchange(a, op->value, op->order);
        break;
    case COMPARE:
        r.succeeded =
            __tsan_atomic32_compare_exchange_strong(a, &r.value, op->value, op->order, op->failure);
        break;
    case COMPARE_WEAK:
        r.succeeded =
            __tsan_atomic32_compare_exchange_weak(a, &r.value, op->value, op->order, op->failure);
        break;
    case FENCE:
        __tsan_atomic_thread_fence(op->order);
        break;
    }
    return r;
}
