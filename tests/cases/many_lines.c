/* One thing is missing, and each of many lines races for it: one block of the report. many_lines TWIN. Built with
 * heddle-cc. */
#include "case.h"

static int v[24];
static pthread_barrier_t all_here;

static void *fill(void *arg)
{
    v[0] = 1;
    v[1] = 1;
    v[2] = 1;
    v[3] = 1;
    v[4] = 1;
    v[5] = 1;
    v[6] = 1;
    v[7] = 1;
    v[8] = 1;
    v[9] = 1;
    v[10] = 1;
    v[11] = 1;
    v[12] = 1;
    v[13] = 1;
    v[14] = 1;
    v[15] = 1;
    v[16] = 1;
    v[17] = 1;
    v[18] = 1;
    v[19] = 1;
    v[20] = 1;
    v[21] = 1;
    v[22] = 1;
    v[23] = 1;
    if (!wrong)
        pthread_barrier_wait(&all_here);
    return arg;
}

static void *sum(void *arg)
{
    static int s;

    if (!wrong)
        pthread_barrier_wait(&all_here);
    s += v[0];
    s += v[1];
    s += v[2];
    s += v[3];
    s += v[4];
    s += v[5];
    s += v[6];
    s += v[7];
    s += v[8];
    s += v[9];
    s += v[10];
    s += v[11];
    s += v[12];
    s += v[13];
    s += v[14];
    s += v[15];
    s += v[16];
    s += v[17];
    s += v[18];
    s += v[19];
    s += v[20];
    s += v[21];
    s += v[22];
    s += v[23];
    return arg;
}

int main(int argc, char **argv)
{
    pthread_t t, u;

    arguments(argc, argv, 0);
    pthread_barrier_init(&all_here, NULL, 2);
    t = start(fill, NULL);
    u = start(sum, NULL);
    finish(t);
    finish(u);
    return 0;
}
