/* openmp.c - what OpenMP programs commonly use, with a result that no schedule may change. */
#include <omp.h>
#include <stdio.h>

int main(void)
{
    long sum = 0, tasks = 0;

    omp_set_num_threads(3);
#pragma omp parallel for reduction(+ : sum) schedule(dynamic)
    for (int i = 0; i < 60; i++)
        sum += (long)i * i;
#pragma omp parallel
    {
#pragma omp critical
        sum++;
#pragma omp barrier
#pragma omp single
        for (int i = 0; i < 5; i++) {
#pragma omp task
            {
#pragma omp atomic
                tasks += i;
            }
        }
    }
    printf("%ld %ld\n", sum, tasks);
    return 0;
}
