/* Two locks of lib/, whose fast path is inlined, in opposite orders. */
#include <heddle/heddle.h>

static struct hd_mutex a, b;

static void other(void *arg)
{
    (void)arg;
    hd_mutex_lock(&b);
    hd_mutex_lock(&a);
    hd_mutex_unlock(&a);
    hd_mutex_unlock(&b);
}

int main(void)
{
    if (hd_go(other, NULL))
        return 9;
    hd_mutex_lock(&a);
    hd_mutex_lock(&b);
    hd_mutex_unlock(&b);
    hd_mutex_unlock(&a);
    hd_sleep(HD_SECOND);
    return 0;
}
