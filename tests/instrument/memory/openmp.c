/* OpenMP built with hooks: what its runtime orders is no race. RACE: one count is left unguarded.
 */
#include <assert.h>
#include <omp.h>

static int critical_count, racy_count, single_count, locked_count, made[8];

int main(void)
{
    long sum = 0;
    omp_lock_t lock;

    omp_init_lock(&lock);
#pragma omp parallel for reduction(+ : sum) num_threads(3)
    for (int i = 0; i < 30; i++)
        sum += i;
    assert(sum == 435);
    for (int round = 0; round < 2; round++) {
#pragma omp parallel num_threads(3)
        {
#pragma omp critical
            critical_count++;
            omp_set_lock(&lock);
            locked_count++;
            omp_unset_lock(&lock);
#ifdef RACE
            racy_count++;
#endif
#pragma omp barrier
#pragma omp single
            {
                single_count += critical_count + locked_count + racy_count;
                for (int i = 0; i < 8; i++)
#pragma omp task firstprivate(i)
                    made[i] = i + round;
#pragma omp taskwait
                for (int i = 0; i < 8; i++)
                    assert(made[i] == i + round);
            }
        }
        assert(critical_count == 3 * (round + 1) && locked_count == critical_count);
    }
    omp_destroy_lock(&lock);
    return single_count > 100;
}
