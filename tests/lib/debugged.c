/* Goroutines for a debugger to list: three that wait, one that runs. */
#include <stdio.h>
#include <unistd.h>

#include <heddle/heddle.h>

static struct hd_chan *never, *gate;
static struct hd_atomic_int32 ready;

static __attribute__((noinline)) void deep_in_it(struct hd_chan *chan)
{
    hd_int32_add(&ready, 1);
    hd_chan_recv(chan, NULL);
    hd_int32_add(&ready, 1);
}

static void waits_at_the_gate(void *arg)
{
    (void)arg;
    deep_in_it(gate);
}

static void selects(void *arg)
{
    (void)arg;
    hd_int32_add(&ready, 1);
    HD_SELECT(HD_RECV(gate, NULL), HD_RECV(never, NULL));
    hd_int32_add(&ready, 1);
}

__attribute__((noinline)) void look_now(void)
{
    __asm__ volatile("" ::: "memory");
}

static void runs(void *arg)
{
    while (hd_int32_load(&ready) < 3)
        hd_go_yield();
    hd_sleep(50 * HD_MILLISECOND); /* the others wait by now */
    look_now();
    hd_chan_close(arg);
}

int main(void)
{
    struct hd_wg wg = HD_WG_INIT;

    never = hd_chan_make(0, 0);
    gate = hd_chan_make(0, 0);
    hd_must(hd_go_named("first", waits_at_the_gate, NULL));
    hd_must(hd_go_named("second", waits_at_the_gate, NULL));
    hd_must(hd_go(selects, NULL));
    hd_must(hd_wg_go(&wg, runs, gate));
    hd_wg_wait(&wg);
    while (hd_int32_load(&ready) < 6)
        usleep(1000);
    puts("all went on");
    return 0;
}
