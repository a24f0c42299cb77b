#include <stdio.h>

#include <heddle/atomic.h>
#include <heddle/waitgroup.h>

static void count(void *arg)
{
    hd_int32_add(arg, 1);
}

int main(void)
{
    struct hd_atomic_int32 total = {0};
    struct hd_wg wg = HD_WG_INIT;

    for (int i = 0; i < 10; i++) {
        hd_err err = hd_wg_go(&wg, count, &total);
        if (err) {
            fprintf(stderr, "%s\n", hd_err_message(err));
            return 1;
        }
    }
    hd_wg_wait(&wg);
    printf("%d\n", hd_int32_load(&total));
    return hd_int32_load(&total) == 10 ? 0 : 1;
}
