/* The compiler gives a part of the loop, made of several lines, none of them. */
#include <heddle/heddle.h>

int sink;

static void reads(void *arg)
{
    __atomic_store_n(&sink, *(int *)arg, __ATOMIC_RELAXED);
}

int main(void)
{
    struct hd_wg wg = HD_WG_INIT;
    int i;

    for (i = 0; i < 3; i++)
        if (hd_wg_go(&wg, reads, &i))
            return 1;
    hd_wg_wait(&wg);
    return 0;
}
