/* test_stamp.c - schedule files that this user wrote are told from others. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "schedules/schedule.h"
#include "temporary.h"
#include "util/alloc.h"

static char *home;
static const char plain[] = "heddle schedule 1\nprogram /bin/true\nargument true\nsteps 0\n";

static int make_home(void **state)
{
    (void)state;
    home = temporary("heddle-stamp-XXXXXX");
    return mkdtemp(home) && chdir(home) == 0 && setenv("XDG_STATE_HOME", home, 1) == 0 ? 0 : -1;
}

static int drop_home(void **state)
{
    (void)state;
    return temporary_remove(home);
}

/* The value that the paper gives for its test vector. */
static void is_siphash(void **state)
{
    (void)state;
    const uint64_t key[2] = {0x0706050403020100, 0x0f0e0d0c0b0a0908};
    unsigned char text[15];
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (unsigned char)i;
    assert_true(siphash(key, text, sizeof text) == 0xa129ca6149be45e5);
}

static void a_key_is_made_once_and_kept(void **state)
{
    (void)state;
    struct stat st;
    assert_false(stamp_key(false).known);
    struct stamp_key made = stamp_key(true), again = stamp_key(true), read = stamp_key(false);
    assert_true(made.known && again.known && read.known);
    assert_memory_equal(made.half, again.half, sizeof made.half);
    assert_memory_equal(made.half, read.half, sizeof made.half);
    assert_int_equal(stat("heddle/key", &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    chmod("heddle/key", 0644); /* others may know it: it proves nothing */
    assert_false(stamp_key(false).known);
    chmod("heddle/key", 0600);
}

/* What schedule_write() makes of the plain text: its last line, free() it. */
static char *end_line(const struct stamp_key *key)
{
    struct schedule s;
    char *written = NULL, *text = mem_format("%send\n", plain);
    size_t bytes;
    assert_null(schedule_parse("plain", text, strlen(text), &s));
    FILE *out = open_memstream(&written, &bytes);
    s.config = (struct hdp_config){0};
    schedule_write(out, &s, key);
    fclose(out);
    schedule_free(&s);
    free(text);
    return written;
}

static bool is_ours(const char *text, const struct stamp_key *key)
{
    struct schedule s;
    bool ours;
    FILE *out = fopen("file", "w");
    fputs(text, out);
    fclose(out);
    char *why = schedule_read("file", key, &s, &ours);
    if (why)
        print_message("%s\n", why);
    assert_null(why);
    schedule_free(&s);
    return ours;
}

static void a_file_is_told_by_its_stamp(void **state)
{
    (void)state;
    struct stamp_key key = stamp_key(true), other = {{1, 2}, true}, none = {{0, 0}, false};
    char *written = end_line(&key);
    assert_true(is_ours(written, &key));
    assert_false(is_ours(written, &other));
    assert_false(is_ours(written, &none));
    char *stamp = strrchr(written, ' ');
    strcpy(stamp, "\n"); /* without its stamp */
    assert_false(is_ours(written, &key));
    char *sum = strrchr(written, ' ');
    strcpy(sum, "\n"); /* edited on purpose */
    assert_false(is_ours(written, &key));
    free(written);
    written = end_line(&none);
    assert_false(is_ours(written, &key));
    free(written);
}

static void remarks_do_not_count(void **state)
{
    (void)state;
    struct stamp_key key = stamp_key(true);
    char *written = end_line(&key), *steps = strstr(written, "\nsteps ") + 1;
    char *more = mem_format("%.*s# a remark\n%s", (int)(steps - written), written, steps);
    assert_true(is_ours(more, &key));
    steps[-2]++; /* another value in the line before */
    char *end = strstr(written, "\nend ") + 1;
    char *changed =
        mem_format("%.*send 00000000%s", (int)(end - written), written, strrchr(written, ' '));
    struct schedule s;
    bool ours;
    FILE *out = fopen("file", "w");
    fputs(changed, out);
    fclose(out);
    char *why = schedule_read("file", &key, &s, &ours);
    unsigned sum;
    assert_int_equal(sscanf(strstr(why, "checksum is "), "checksum is %x", &sum), 1);
    free(why);
    schedule_free(&s);
    free(changed);
    changed =
        mem_format("%.*send %08x%s", (int)(end - written), written, sum, strrchr(written, ' '));
    assert_false(is_ours(changed, &key)); /* with a checksum that fits, and an old stamp */
    free(changed);
    free(more);
    free(written);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_siphash), cmocka_unit_test(a_key_is_made_once_and_kept),
        cmocka_unit_test(a_file_is_told_by_its_stamp), cmocka_unit_test(remarks_do_not_count)};
    return cmocka_run_group_tests(tests, make_home, drop_home);
}
