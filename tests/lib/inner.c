/* Two steps of one operation: that another sees what lies between them, only --inner-points shows. */
#include <stdlib.h>

#include <heddle/heddle.h>

#include "park.h"

static struct hdi_lock lock;
static int steps;

static void operation(void *arg)
{
    for (int i = 0; i < 2; i++) {
        hdi_lock(&lock);
        steps++;
        hdi_unlock(&lock);
    }
    hd_wg_done(arg);
}

int main(void)
{
    struct hd_wg wg = HD_WG_INIT;
    int seen;

    hd_wg_add(&wg, 1);
    hd_must(hd_go(operation, &wg));
    hdi_lock(&lock);
    seen = steps;
    hdi_unlock(&lock);
    hd_wg_wait(&wg);
    if (seen == 1)
        abort();
    return 0;
}
