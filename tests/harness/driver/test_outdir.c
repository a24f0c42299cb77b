/* test_outdir.c - the output folder: usable or not, and files that are whole or absent. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "reports/outdir.h"

static char folder[] = "/tmp/heddle-outdir-XXXXXX";

static int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) ? chdir(folder) : -1;
}

static int drop_folder(void **state)
{
    (void)state;
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command);
}

static void checks(void **state)
{
    (void)state;
    bool misuse;
    assert_null(outdir_check("new", &misuse));
    assert_null(outdir_check("new/", &misuse));
    assert_null(outdir_check("/tmp", &misuse));
    assert_null(outdir_check(".", &misuse));
    char *why = outdir_check("a/b", &misuse);
    assert_non_null(strstr(why, "there is no folder a"));
    assert_true(misuse);
    free(why);
    fclose(fopen("file", "w"));
    why = outdir_check("file", &misuse);
    assert_non_null(strstr(why, "is a file"));
    assert_true(misuse);
    free(why);
    why = outdir_check("", &misuse);
    assert_true(why && misuse);
    free(why);
}

static void writes_whole_files(void **state)
{
    (void)state;
    struct outdir d = {.path = "out"};
    char *path = NULL, text[16] = "";
    assert_null(outdir_write(&d, "x-1", ".txt", "hello", 5, &path));
    assert_string_equal(path, "out/x-1.txt");
    FILE *in = fopen(path, "r");
    assert_int_equal(fread(text, 1, sizeof text, in), 5);
    fclose(in);
    free(path);
}

/* A disk that is full half way leaves no file behind. */
static void a_failed_write_leaves_nothing(void **state)
{
    (void)state;
    struct outdir d = {.path = "out"};
    char *path = NULL, big[8192];
    struct rlimit old, small;
    memset(big, 'x', sizeof big);
    getrlimit(RLIMIT_FSIZE, &old);
    small = (struct rlimit){.rlim_cur = 4096, .rlim_max = old.rlim_max};
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &small);
    char *why = outdir_write(&d, "full", ".txt", big, sizeof big, &path);
    setrlimit(RLIMIT_FSIZE, &old);
    assert_non_null(why);
    assert_non_null(strstr(why, "out/full.txt cannot be written: "));
    assert_null(path);
    assert_int_not_equal(access("out/full.txt", F_OK), 0);
    assert_int_not_equal(access("out/.full.txt.part", F_OK), 0);
    free(why);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(checks),
                                       cmocka_unit_test(writes_whole_files),
                                       cmocka_unit_test(a_failed_write_leaves_nothing)};
    return cmocka_run_group_tests(tests, make_folder, drop_folder);
}
