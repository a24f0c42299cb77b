/* What a thread makes first is a lock in one schedule, and a group in another. */
#include <heddle/heddle.h>
#include <stdlib.h>

static struct hd_atomic_int64 flag;

static void run(void *arg)
{
    struct hd_mutex *m = calloc(1, sizeof *m);
    struct hd_wg *w = calloc(1, sizeof *w);
    (void)arg;
    if (hd_int64_load(&flag)) {
        hd_mutex_lock(m);
        hd_mutex_lock(m);
    } else {
        hd_wg_add(w, 1);
        hd_wg_wait(w);
    }
}

int main(void)
{
    struct hd_wg all = HD_WG_INIT;
    if (hd_wg_go(&all, run, NULL))
        return 9;
    hd_int64_store(&flag, 1);
    hd_wg_wait(&all);
    return 0;
}
