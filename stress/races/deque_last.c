/* A work-stealing deque: owner and thief both take the last task when the owner does not compete.
 */
#include "pattern.h"

static atomic_int top, bottom;
static atomic_int tasks[4];
static atomic_int runs[4];

static void run(int task)
{
    assert(atomic_fetch_add(&runs[task], 1) == 0);
}

static void *owner(void *arg)
{
    for (int i = 0; i < 2; i++) {
        int b = atomic_load(&bottom) - 1;
        atomic_store(&bottom, b);
        int t = atomic_load(&top);
        if (b < t) {
            atomic_store(&bottom, t);
            continue;
        }
        int task = atomic_load(&tasks[b]);
        if (b > t) {
            run(task);
            continue;
        }
        int expected = t;
        bool mine = CHOOSE((atomic_store(&top, t + 1), expected == t),
                           atomic_compare_exchange_strong(&top, &expected, t + 1));
        atomic_store(&bottom, t + 1);
        if (mine)
            run(task);
    }
    return arg;
}

static void *thief(void *arg)
{
    int t = atomic_load(&top);
    if (t < atomic_load(&bottom)) {
        int task = atomic_load(&tasks[t]);
        if (atomic_compare_exchange_strong(&top, &t, t + 1))
            run(task);
    }
    return arg;
}

int main(void)
{
    for (int i = 0; i < 2; i++)
        atomic_store(&tasks[i], i);
    atomic_store(&bottom, 2);
    run2(owner, thief, NULL);
    return 0;
}
