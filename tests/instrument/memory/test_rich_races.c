/* test_rich_races.c - a schedule that keeps calling contexts finds the races that it finds without:
 * random programs, each run in two processes. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "memory/race/detector.h"
#include "temporary.h"

#define THREADS 4
#define EVENTS 400
#define PROGRAMS 300

static FILE *out;

void hdi_race_found(struct hdi_racer *t, uintptr_t word, enum hdi_access kind, uint64_t pc,
                    const struct hdi_earlier *earlier)
{
    fprintf(out, "%u %lx %d %lx: %u %u %d %x\n", t->tid, (unsigned long)word, (int)kind,
            (unsigned long)pc, earlier->tid, earlier->pc, (int)earlier->kind, earlier->mask);
}

bool hdi_race_candidate(struct hdi_racer *t, uint64_t pc, const struct hdi_earlier *earlier)
{
    (void)t, (void)pc, (void)earlier;
    return false;
}

void hdi_race_shared(uintptr_t word, uint64_t pc, uint32_t earlier_pc)
{
    (void)word, (void)pc, (void)earlier_pc;
}

void hdi_race_forgot(uintptr_t word)
{
    (void)word;
}

static void run_program(struct hdi_racer *const *t, unsigned seed)
{
    static const enum hdi_access kinds[] = {HDI_READ, HDI_READ, HDI_WRITE, HDI_ATOMIC_READ,
                                            HDI_ATOMIC_WRITE};
    uintptr_t base = 0x7f0000000000 + seed * 4096ul;

    srand(seed);
    for (int i = 0; i < EVENTS; i++) {
        struct hdi_racer *who = t[rand() % THREADS];
        uintptr_t at = base + (unsigned)(rand() % 24);
        size_t bytes = 1u << rand() % 4;
        enum hdi_access kind = kinds[rand() % 5];
        uint64_t pc = 0x1000u + (unsigned)(rand() % 6);
        who->context = 1 + (uint32_t)(rand() % 3);
        if (rand() % 12 == 0)
            hdi_race_release(who, 7);
        else if (rand() % 12 == 0)
            hdi_race_acquire(who, 7, false);
        else
            hdi_race_access(who, at, bytes, kind, pc);
    }
}

/* What the programs of this process told, in a file of its own. */
static char *told(bool rich, size_t *bytes)
{
    char *path = temporary("heddle-races-XXXXXX"), *text;
    int fd = mkstemp(path), status;
    FILE *in;

    assert_true(fd >= 0);
    if (fork() == 0) {
        struct hdi_racer *t[THREADS];
        out = fdopen(fd, "w");
        for (int i = 0; i < THREADS; i++)
            t[i] = hdi_race_thread();
        if (!out || !hdi_shadow_init(rich, 64u << 20))
            _exit(1);
        for (unsigned seed = 0; seed < PROGRAMS && !hdi_race_exhausted; seed++)
            run_program(t, seed);
        fclose(out);
        _exit(0);
    }
    assert_true(wait(&status) > 0);
    assert_int_equal(status, 0);
    close(fd);
    in = fopen(path, "r");
    assert_non_null(in);
    unlink(path);
    free(path);
    text = malloc(1 << 24);
    assert_non_null(text);
    *bytes = fread(text, 1, 1 << 24, in);
    fclose(in);
    return text;
}

static void contexts_change_nothing(void **state)
{
    size_t plain_bytes, rich_bytes;
    char *plain = told(false, &plain_bytes), *rich = told(true, &rich_bytes);

    (void)state;
    assert_true(plain_bytes > 1000);
    assert_int_equal(plain_bytes, rich_bytes);
    assert_memory_equal(plain, rich, plain_bytes);
    free(plain);
    free(rich);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(contexts_change_nothing)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
