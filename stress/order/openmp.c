/* What LLVM's OpenMP runtime orders. */
#include <omp.h>

#include "twin.h"

int x, y, sink; /* not static: what nobody reads is not there */
static int made[8];

static void late(void)
{
    if (wrong)
        x = 2;
}

static void fork_and_join(void)
{
    x = 1;
#pragma omp parallel num_threads(3)
    {
        int seen = x;
        if (wrong && omp_get_thread_num() == 1)
            x = seen;
    }
    x = 3;
}

static void barrier(void)
{
#pragma omp parallel num_threads(3)
    {
        if (omp_get_thread_num() == 1)
            x = 1;
#pragma omp barrier
        int seen = x;
        if (omp_get_thread_num() == 2 && wrong)
            x = seen + 1;
    }
}

static void barriers_in_turn(void)
{
#pragma omp parallel num_threads(2)
    for (int i = 0; i < 4; i++) {
        if (omp_get_thread_num() == i % 2 || (wrong && i == 2))
            x++;
#pragma omp barrier
    }
}

static void critical(void)
{
#pragma omp parallel num_threads(3)
    {
#pragma omp critical
        x++;
        late();
    }
}

static void critical_names(void)
{
#pragma omp parallel num_threads(2)
    {
        if (wrong && omp_get_thread_num() == 0) {
#pragma omp critical(one)
            x++;
        } else {
#pragma omp critical(other)
            x++;
        }
    }
}

static void lock(void)
{
    omp_lock_t l;

    omp_init_lock(&l);
#pragma omp parallel num_threads(3)
    {
        omp_set_lock(&l);
        x++;
        omp_unset_lock(&l);
        late();
    }
    omp_destroy_lock(&l);
}

static void lock_tested(void)
{
    omp_lock_t l;

    omp_init_lock(&l);
#pragma omp parallel num_threads(2)
    {
        if (omp_test_lock(&l)) {
            x++;
            omp_unset_lock(&l);
        } else if (wrong) {
            x++;
        }
    }
    omp_destroy_lock(&l);
}

static void lock_nested(void)
{
    omp_nest_lock_t l;

    omp_init_nest_lock(&l);
#pragma omp parallel num_threads(2)
    {
        omp_set_nest_lock(&l);
        omp_set_nest_lock(&l);
        x++;
        omp_unset_nest_lock(&l);
        if (!wrong)
            x++;
        omp_unset_nest_lock(&l);
        if (wrong)
            x++;
    }
    omp_destroy_nest_lock(&l);
}

/* Two orders of one lock: a race in one of them. */
static void lock_order(void)
{
    omp_lock_t l;

    omp_init_lock(&l);
#pragma omp parallel sections num_threads(2)
    {
#pragma omp section
        {
            x = 1;
            omp_set_lock(&l);
            y = 1;
            omp_unset_lock(&l);
        }
#pragma omp section
        {
            int seen;
            omp_set_lock(&l);
            seen = y;
            omp_unset_lock(&l);
            if (seen || wrong)
                x = 2;
        }
    }
    omp_destroy_lock(&l);
}

static void atomic(void)
{
#pragma omp parallel num_threads(3)
    {
#pragma omp atomic
        x++;
        late();
    }
}

static void atomic_release(void)
{
#pragma omp parallel num_threads(2)
    if (omp_get_thread_num() == 0) {
        x = 1;
#pragma omp atomic write release
        y = 1;
        late();
    } else {
        int seen = 0;
        while (!seen) {
#pragma omp atomic read acquire
            seen = y;
        }
        sink = x;
    }
}

static void reduction_of(int threads)
{
    int sum = 0;

#pragma omp parallel reduction(+ : sum) num_threads(threads)
    {
        sum += 1;
        late();
    }
    sink = sum;
}

static void reduction_of_2(void)
{
    reduction_of(2);
}

static void reduction_of_5(void)
{
    reduction_of(5);
}

static void reduction_of_9(void)
{
    reduction_of(9);
}

struct pair {
    double a, b;
};
#pragma omp declare reduction(pairs : struct pair : omp_out.a += omp_in.a, omp_out.b -= omp_in.b)

static void reduction_declared(void)
{
    struct pair p = {0, 0};

#pragma omp parallel for reduction(pairs : p) num_threads(3)
    for (int i = 0; i < 6; i++) {
        p.a += i;
        p.b -= i;
        late();
    }
    sink = (int)(p.a + p.b);
}

static void reduction_array(void)
{
    int sums[4] = {0};

#pragma omp parallel for reduction(+ : sums[:4]) num_threads(5)
    for (int i = 0; i < 10; i++) {
        sums[i % 4] += i;
        late();
    }
    sink = sums[0] + sums[3];
}

static void reduction_nowait(void)
{
    int sum = 0;

#pragma omp parallel num_threads(3)
    {
#pragma omp for reduction(+ : sum) nowait
        for (int i = 0; i < 6; i++)
            sum += i;
        if (!wrong) {
#pragma omp barrier
        }
        int seen = sum;
#pragma omp atomic
        sink += seen;
    }
}

static void loop_nowait(void)
{
    int a[6] = {0};

#pragma omp parallel num_threads(3)
    {
#pragma omp for nowait schedule(static, 1)
        for (int i = 0; i < 6; i++)
            a[i] = i;
        if (!wrong) {
#pragma omp barrier
        }
#pragma omp for schedule(static, 1)
        for (int i = 0; i < 6; i++) {
            int seen = a[5 - i];
#pragma omp atomic
            sink += seen;
        }
    }
}

static void loop_dynamic(void)
{
    int a[6] = {0};

#pragma omp parallel for num_threads(3) schedule(dynamic, 1)
    for (int i = 0; i < 6; i++)
        a[wrong ? i / 2 : i] += i;
    sink = a[1];
}

static void single(void)
{
#pragma omp parallel num_threads(3)
    {
        if (wrong) {
#pragma omp single nowait
            x = 1;
        } else {
#pragma omp single
            x = 1;
        }
        int seen = x;
#pragma omp atomic
        sink += seen;
    }
}

static void single_copyprivate(void)
{
#pragma omp parallel num_threads(3)
    {
        int mine;
#pragma omp single copyprivate(mine)
        mine = ++x;
#pragma omp atomic
        sink += mine;
        late();
    }
}

static void master(void)
{
#pragma omp parallel num_threads(3)
    {
#pragma omp master
        x = 1;
        if (!wrong) {
#pragma omp barrier
        }
        int seen = x;
#pragma omp atomic
        sink += seen;
    }
}

static void ordered(void)
{
#pragma omp parallel for ordered num_threads(3) schedule(static, 1)
    for (int i = 0; i < 6; i++) {
        if (wrong)
            y++;
#pragma omp ordered
        x += i;
    }
}

static void task_after_creation(void)
{
#pragma omp parallel num_threads(2)
#pragma omp single
    {
        x = 1;
#pragma omp task
        sink = x;
        late();
    }
}

static void taskwait(void)
{
#pragma omp parallel num_threads(2)
#pragma omp single
    {
#pragma omp task
        x = 1;
        if (!wrong) {
#pragma omp taskwait
        }
        sink = x;
    }
}

/* It waits for children, not for theirs. */
static void taskwait_grandchild(void)
{
#pragma omp parallel num_threads(3)
#pragma omp single
    {
#pragma omp task
        {
#pragma omp task
            x = 1;
            if (!wrong) {
#pragma omp taskwait
            }
        }
#pragma omp taskwait
        sink = x;
    }
}

static void taskgroup(void)
{
#pragma omp parallel num_threads(3)
#pragma omp single
    {
#pragma omp taskgroup
        {
#pragma omp task
            {
#pragma omp task
                x = 1;
            }
        }
        sink = x;
        if (wrong) {
#pragma omp task
            x = 2;
            x = 3;
        }
    }
}

static void tasks_beside(void)
{
#pragma omp parallel num_threads(3)
#pragma omp single
    for (int i = 0; i < 4; i++) {
#pragma omp task firstprivate(i)
        made[wrong ? i / 2 : i] = i;
    }
    sink = made[1];
}

static void task_depend(void)
{
#pragma omp parallel num_threads(3)
#pragma omp single
    {
#pragma omp task depend(out : x)
        x = 1;
        if (wrong) {
#pragma omp task depend(in : y)
            sink = x;
        } else {
#pragma omp task depend(in : x)
            sink = x;
        }
    }
}

static void task_depend_readers(void)
{
#pragma omp parallel num_threads(3)
#pragma omp single
    {
#pragma omp task depend(out : x)
        x = 1;
#pragma omp task depend(in : x)
        {
            int seen = x;
            if (wrong)
                y = seen;
        }
#pragma omp task depend(in : x)
        {
            int seen = x;
            if (wrong)
                y = seen;
        }
#pragma omp task depend(inout : x)
        x = 2;
    }
}

static void task_mutexinoutset(void)
{
#pragma omp parallel num_threads(3)
#pragma omp single
    for (int i = 0; i < 2; i++) {
        if (wrong) {
#pragma omp task depend(in : x)
            x++;
        } else {
#pragma omp task depend(mutexinoutset : x)
            x++;
        }
    }
}

static void taskloop(void)
{
    int a[4] = {0};

#pragma omp parallel num_threads(3)
#pragma omp single
    {
#pragma omp taskloop grainsize(1)
        for (int i = 0; i < 4; i++)
            a[wrong ? 0 : i] += i;
        sink = a[3];
    }
}

static void task_at_barrier(void)
{
#pragma omp parallel num_threads(3)
    {
#pragma omp master
        {
#pragma omp task
            x = 1;
        }
        if (!wrong) {
#pragma omp barrier
        }
        int seen = x;
#pragma omp atomic
        sink += seen;
    }
}

static void task_detached(void)
{
#pragma omp parallel num_threads(2)
#pragma omp single
    {
        omp_event_handle_t event;
#pragma omp task detach(event)
        y = 1;
#pragma omp task firstprivate(event)
        {
            x = 1;
            omp_fulfill_event(event);
        }
        if (!wrong) {
#pragma omp taskwait
        }
        sink = x + y;
    }
}

static void doacross(void)
{
    int a[6] = {1};

#pragma omp parallel for ordered(1) num_threads(3) schedule(static, 1)
    for (int i = 1; i < 6; i++) {
        if (!wrong) {
#pragma omp ordered depend(sink : i - 1)
        }
        a[i] = a[i - 1] + 1;
#pragma omp ordered depend(source)
    }
    sink = a[5];
}

static void nested(void)
{
    int a[2] = {0};

    omp_set_max_active_levels(2);
#pragma omp parallel num_threads(2)
    {
        int me = omp_get_thread_num();
#pragma omp parallel num_threads(2)
        {
            if (omp_get_thread_num() == 1)
                a[wrong ? 0 : me]++;
        }
        int seen = a[wrong ? 0 : me];
#pragma omp atomic
        sink += seen;
    }
}

static void sections(void)
{
#pragma omp parallel sections num_threads(2)
    {
#pragma omp section
        x = 1;
#pragma omp section
        if (wrong)
            x = 2;
    }
    sink = x;
}

static void regions_one_after_another(void)
{
    for (int i = 0; i < 3; i++) {
#pragma omp parallel num_threads(3)
        {
            if (omp_get_thread_num() == i || (wrong && omp_get_thread_num() == 0))
                x++;
        }
    }
}

int main(int argc, char **argv)
{
    static const struct variant table[] = {
        VARIANT(fork_and_join),
        VARIANT(barrier),
        VARIANT(barriers_in_turn),
        VARIANT(critical),
        VARIANT(critical_names),
        VARIANT(lock),
        VARIANT(lock_tested),
        VARIANT(lock_nested),
        VARIANT(lock_order),
        VARIANT(atomic),
        VARIANT(atomic_release),
        VARIANT(reduction_of_2),
        VARIANT(reduction_of_5),
        VARIANT(reduction_of_9),
        VARIANT(reduction_declared),
        VARIANT(reduction_array),
        VARIANT(reduction_nowait),
        VARIANT(loop_nowait),
        VARIANT(loop_dynamic),
        VARIANT(single),
        VARIANT(single_copyprivate),
        VARIANT(master),
        VARIANT(ordered),
        VARIANT(task_after_creation),
        VARIANT(taskwait),
        VARIANT(taskwait_grandchild),
        VARIANT(taskgroup),
        VARIANT(tasks_beside),
        VARIANT(task_depend),
        VARIANT(task_depend_readers),
        VARIANT(task_mutexinoutset),
        VARIANT(taskloop),
        VARIANT(task_at_barrier),
        VARIANT(task_detached),
        VARIANT(doacross),
        VARIANT(nested),
        VARIANT(sections),
        VARIANT(regions_one_after_another),
    };

    omp_set_dynamic(0);
    return RUN_VARIANT(table, argc, argv);
}
