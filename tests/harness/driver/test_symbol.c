/* test_symbol.c - our own addresses in words: stacks unwound from a slice, variables, sites. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "arch/arch.h"
#include "symbols/again.h"
#include "symbols/symbol.h"

#define SLICE 8192

struct account {
    long balance;
    pthread_mutex_t lock;
    struct {
        int day, month;
    } opened;
};

static struct account accounts[4];
static int grid[3][5];
pthread_mutex_t the_lock = PTHREAD_MUTEX_INITIALIZER;

static struct symbols *symbols;
static struct {
    struct hdp_stack head;
    unsigned char data[SLICE];
} slice;

static int setup(void **state)
{
    (void)state;
    char *maps = NULL;
    size_t room = 0;
    FILE *in = fopen("/proc/self/maps", "r");
    if (!in || getdelim(&maps, &room, '\0', in) < 0)
        return -1;
    fclose(in);
    symbols = symbols_new();
    symbols_map(symbols, maps);
    free(maps);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    symbols_free(symbols);
    return 0;
}

/* As the runtime does it: registers, then raw stack. */
static __attribute__((noinline)) void take_slice(void)
{
    slice.head = (struct hdp_stack){.form = HDP_STACK_SLICE, .bytes = SLICE};
    hdi_registers_here(&slice.head.registers);
    memcpy(slice.data, (const void *)(uintptr_t)slice.head.registers.sp, SLICE);
}

static volatile int after;

static inline __attribute__((always_inline)) void inlined_caller(void)
{
    take_slice();
    after++;
}

static __attribute__((noinline)) void outer_caller(void)
{
    volatile char room[SLICE]; /* the slice may not leave the stack */
    room[0] = room[SLICE - 1] = 0;
    inlined_caller();
    after++;
    (void)room[0];
}

static void a_slice_is_unwound(void **state)
{
    (void)state;
    struct stack s = {0};
    outer_caller();
    symbols_unwind(symbols, &slice.head, sizeof slice, 0, &s);
    assert_true(s.count >= 4);
    assert_string_equal(s.frame[0].function, "hdi_registers_here");
    assert_string_equal(s.frame[1].function, "take_slice");
    assert_string_equal(s.frame[2].function, "inlined_caller");
    assert_true(s.frame[2].inlined);
    assert_string_equal(s.frame[3].function, "outer_caller");
    assert_false(s.frame[3].inlined);
    assert_non_null(strstr(s.frame[3].file, "test_symbol.c"));
    assert_true(s.frame[2].line > 0 && s.frame[3].line > s.frame[2].line);
    assert_string_equal(s.frame[1].module, MODULE);
    stack_clear(&s);
}

static void broken_slices_are_harmless(void **state)
{
    (void)state;
    outer_caller();
    for (size_t n = 0; n < sizeof slice; n += 97) {
        struct stack s = {0};
        symbols_unwind(symbols, &slice.head, n, 0, &s);
        stack_clear(&s);
    }
    srand(3);
    for (int i = 0; i < 300; i++) {
        struct stack s = {0};
        outer_caller();
        for (int k = 0; k < 50; k++)
            slice.data[rand() % SLICE] = (unsigned char)rand();
        slice.head.registers.pc ^= (uint64_t)rand() % 64;
        symbols_unwind(symbols, &slice.head, sizeof slice, 0, &s);
        stack_clear(&s);
    }
}

static void is_named(const void *addr, const char *name)
{
    char *text = symbols_variable(symbols, (uint64_t)(uintptr_t)addr);
    if (!text)
        fail_msg("%s has no name", name);
    assert_string_equal(text, name);
    free(text);
}

static void variables(void **state)
{
    (void)state;
    is_named(&the_lock, "the_lock");
    is_named(&accounts[0], "accounts[0].balance");
    is_named(&accounts[2].lock, "accounts[2].lock");
    is_named(&accounts[3].opened.month, "accounts[3].opened.month");
    is_named(&grid[0][0], "grid[0][0]");
    is_named(&grid[2][3], "grid[2][3]");
    int local;
    uint64_t number = symbols_variable_number(symbols, (uint64_t)(uintptr_t)&accounts[0]);
    assert_true(number &&
                number == symbols_variable_number(symbols, (uint64_t)(uintptr_t)&accounts[2].lock));
    assert_true(number != symbols_variable_number(symbols, (uint64_t)(uintptr_t)&the_lock));
    assert_true(!symbols_variable_number(symbols, (uint64_t)(uintptr_t)&local));
    char *text = symbols_variable(symbols, (uint64_t)(uintptr_t)&local);
    assert_null(text);
    assert_null(symbols_variable(symbols, 0));
}

static void sites_go_and_come_back(void **state)
{
    (void)state;
    uint64_t addr = (uint64_t)(uintptr_t)&outer_caller + 5;
    char *site = symbols_site(symbols, addr);
    assert_string_equal(site, MODULE "!outer_caller+0x5");
    assert_true(symbols_address(symbols, site) == addr);
    assert_true(symbols_address(symbols, MODULE "!outer_caller+0x6") == addr + 1);
    free(site);
    assert_null(symbols_site(symbols, 0));
    assert_null(symbols_site(symbols, 16));
    assert_true(symbols_address(symbols, MODULE "!absent+0x5") == 0);
    assert_true(symbols_address(symbols, "absent!main+0x5") == 0);
    assert_true(symbols_address(symbols, "nonsense") == 0);
    assert_true(symbols_stable(symbols, addr) != symbols_stable(symbols, addr + 1));
}

static int *count_here(void)
{
    static int counted;
    return &counted;
}

static void is_found_again(const void *addr, const char *name, const char *member,
                           const char *function)
{
    struct static_variable v;
    assert_true(symbols_static(symbols, (uint64_t)(uintptr_t)addr, &v));
    assert_string_equal(v.name, name);
    assert_non_null(v.file);
    assert_string_equal(v.file, "test_symbol.c");
    assert_non_null(v.member);
    assert_string_equal(v.member, member);
    assert_true(function ? v.function && strcmp(v.function, function) == 0 : !v.function);
    v.offset = 0; /* the member counts, wherever it lies now */
    assert_true(symbols_find_static(symbols, &v) == (uint64_t)(uintptr_t)addr);
    static_free(&v);
}

static void static_variables_are_found_again(void **state)
{
    (void)state;
    is_found_again(&the_lock, "the_lock", "", NULL);
    is_found_again(&accounts[2].lock, "accounts", "[2].lock", NULL);
    is_found_again(count_here(), "counted", "", "count_here");
}

static void places_are_found_again(void **state)
{
    (void)state;
    struct code_place place;
    uint64_t entry = (uint64_t)(uintptr_t)&outer_caller;
    assert_true(symbols_place(symbols, entry, false, &place));
    assert_string_equal(place.function, "outer_caller");
    assert_string_equal(place.file, "test_symbol.c");
    assert_true(place.first > 0 && place.line >= place.first);
    assert_true(symbols_find_function(symbols, MODULE "!outer_caller+0x0", &place) == entry);
    place.line += 100; /* the text is known, and where the function begins */
    place.first += 100;
    struct code_range *found;
    size_t n = symbols_find_place(symbols, MODULE "!outer_caller+0x0", &place, false, &found);
    bool inside = false;
    for (size_t i = 0; i < n; i++)
        inside |= found[i].low <= entry && entry < found[i].high;
    assert_true(inside);
    free(found);
    place_free(&place);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_slice_is_unwound),
        cmocka_unit_test(broken_slices_are_harmless),
        cmocka_unit_test(variables),
        cmocka_unit_test(sites_go_and_come_back),
        cmocka_unit_test(static_variables_are_found_again),
        cmocka_unit_test(places_are_found_again),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
