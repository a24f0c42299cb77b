/* fake_runtime.c - a stand-in for libheddle-rt.so that speaks the protocol and controls nothing.
 *
 * The driver's tests use it, so that a failure there is the driver's. Each schedule is a fork at
 * the first pthread_create; the program's threads run as they like. Schedules whose seed is 0
 * modulo $FAKE_FINDING report a deadlock of two threads, and do so again in a replay of their
 * steps. Batches pass, all of them; with $FAKE_BATCH it writes that so many were asked for and ran,
 * or hangs in it ("hangs"), in a program that is slow to start.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <heddle/event.h>
#include "wire/protocol.h"

static struct hdp_bell *bell;
static struct hdp_region *region;
static int served;

static void set_state(enum hdp_state s)
{
    atomic_store((_Atomic uint32_t *)&region->state, s);
    atomic_fetch_add((_Atomic uint32_t *)&bell->bell, 1);
    syscall(SYS_futex, &bell->bell, FUTEX_WAKE, 1, NULL, NULL, 0);
}

static int batch_hangs(void)
{
    const char *text = getenv("FAKE_BATCH");
    return text && strcmp(text, "hangs") == 0;
}

__attribute__((constructor)) static void attach(void)
{
    int fd;
    unsigned worker;
    const char *text = getenv(HDP_ENV);
    if (!text || sscanf(text, "%d,%u", &fd, &worker) != 2)
        return;
    bell = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (bell == MAP_FAILED || bell->magic != HDP_MAGIC)
        return;
    region = mmap(NULL, bell->region_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
                  (off_t)(4096 + worker * bell->region_bytes));
    close(fd);
    unsetenv(HDP_ENV);
    unsetenv("LD_PRELOAD");
    region->server = getpid();
    if (batch_hangs())
        usleep(300000);
}

__attribute__((destructor)) static void leave(void)
{
    if (region && !served)
        set_state(HDP_ENDED);
}

static void add_step(const char *thread, enum hd_event kind, uint32_t object, void *site)
{
    uint32_t h = 2166136261u;
    for (const char *p = thread; *p; p++)
        h = (h ^ (unsigned char)*p) * 16777619u;
    struct hdp_thread *t = &region->thread[region->thread_count++];
    *t = (struct hdp_thread){.hash = h};
    strcpy(t->name, thread);
    region->trace[region->result.steps++] = (struct hdp_step){
        .thread = h, .kind = (uint16_t)kind, .object = object, .site = (uint64_t)(uintptr_t)site};
}

static void run_schedule(void *site)
{
    const char *every = getenv("FAKE_FINDING");
    region->result = (struct hdp_result){0};
    region->thread_count = region->object_count = 0;
    region->result.interleaving = region->config.seed;
    add_step("T0", HD_EV_THREAD_CREATE, 0, site);
    add_step("T1", HD_EV_MUTEX_LOCK, 0xa, site);
    add_step("T2", HD_EV_MUTEX_LOCK, 0xb, site);
    if (!every || region->config.seed % strtoull(every, NULL, 10))
        return;
    struct hdp_finding *f = &region->finding[region->result.findings++];
    *f = (struct hdp_finding){.kind = HD_FK_DEADLOCK, .notes = 4, .fatal = 1};
    for (uint32_t i = 0; i < 2; i++) {
        f->note[2 * i] = (struct hdp_note){.role = HD_ROLE_WAITS,
                                           .kind = HD_EV_MUTEX_LOCK,
                                           .thread = region->thread[1 + i].hash,
                                           .object = i ? 0xa : 0xb,
                                           .site = (uint64_t)(uintptr_t)site,
                                           .link = 2 * i};
        f->note[2 * i + 1] = (struct hdp_note){.role = HD_ROLE_HOLDS,
                                               .kind = HD_EV_MUTEX_LOCK,
                                               .thread = region->thread[1 + i].hash,
                                               .object = i ? 0xb : 0xa,
                                               .site = (uint64_t)(uintptr_t)site,
                                               .link = 2 * i};
    }
    region->result.outcome = HDP_STOPPED;
    _exit(125);
}

static void run_batch(void)
{
    const char *text = getenv("FAKE_BATCH");
    struct hdp_batch *b = &region->batch;

    while (batch_hangs())
        pause();
    memset(b->ran, 0, sizeof b->ran);
    for (uint32_t i = 0; i < b->count; i++)
        b->ran[i].result.interleaving = b->ordered[i].seed;
    if (text)
        b->count = (uint32_t)atoi(text);
    b->at = b->done = b->count;
    b->end = HDP_BATCH_RAN;
    set_state(HDP_DONE);
}

static void serve(void *site)
{
    served = 1;
    set_state(HDP_READY);
    for (;;) {
        uint32_t command;
        while ((command = atomic_load((_Atomic uint32_t *)&region->command)) == HDP_CMD_NONE)
            syscall(SYS_futex, &region->command, FUTEX_WAIT, HDP_CMD_NONE, NULL, NULL, 0);
        if (command == HDP_CMD_QUIT)
            _exit(0);
        atomic_store((_Atomic uint32_t *)&region->command, HDP_CMD_NONE);
        if (region->batch.count) {
            run_batch();
            continue;
        }
        pid_t pid = fork();
        if (pid == 0) {
            setpgid(0, 0);
            lseek(0, 0, SEEK_SET);
            run_schedule(site);
            return;
        }
        region->child = pid;
        int status = 0;
        waitpid(pid, &status, 0);
        region->child = 0;
        region->result.wait_status = status;
        set_state(HDP_DONE);
    }
}

int pthread_create(pthread_t *t, const pthread_attr_t *a, void *(*start)(void *), void *arg)
{
    static int (*real)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
    if (!real)
        *(void **)&real = dlsym(RTLD_NEXT, "pthread_create");
    if (region && !served)
        serve(__builtin_return_address(0));
    return real(t, a, start, arg);
}
