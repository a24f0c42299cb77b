/* A value is sent through a typed channel that was closed. */
#include <heddle/heddle.h>
HD_CHAN(ints, int)

static void finish(void *arg)
{
    ints *ch = arg;
    ints_close(*ch);
}

int main(void)
{
    ints ch = ints_make(1);
    if (hd_go(finish, &ch))
        return 9;
    hd_sleep(HD_SECOND);
    ints_send(ch, 1);
    return 0;
}
