/* test_outdir.c - the output folder: usable or not, and files that are whole or absent. */
#include <dirent.h>
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
#include "temporary.h"

static char *folder;

static int make_folder(void **state)
{
    (void)state;
    folder = temporary("heddle-outdir-XXXXXX");
    return mkdtemp(folder) ? chdir(folder) : -1;
}

static int drop_folder(void **state)
{
    (void)state;
    return temporary_remove(folder);
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
    struct outdir d = {.wanted = "out"};
    char *path = NULL, text[16] = "";
    assert_null(outdir_write(&d, "about", "x-1", ".txt", "hello", 5, &path));
    assert_string_equal(path, "out/x-1.txt");
    FILE *in = fopen(path, "r");
    assert_int_equal(fread(text, 1, sizeof text, in), 5);
    fclose(in);
    free(path);
    outdir_close(&d);
}

/* Write a name into the file of that name; the path that it got, free() it. */
static char *write_name(struct outdir *d, const char *name)
{
    char *path = NULL, *why = outdir_write(d, "about", name, ".txt", name, strlen(name), &path);
    if (why)
        print_message("%s\n", why);
    free(why);
    return path;
}

static void expect_path(struct outdir *d, const char *name, const char *path)
{
    char *got = write_name(d, name);
    assert_non_null(got);
    assert_string_equal(got, path);
    free(got);
}

/* Campaigns at the same time, and one that comes later: none sees a file of another's. */
static void a_folder_is_one_campaigns(void **state)
{
    (void)state;
    struct outdir first = {.wanted = "shared"}, second = {.wanted = "shared"},
                  later = {.wanted = "shared"};
    expect_path(&first, "deadlock-1", "shared/deadlock-1.txt");
    expect_path(&second, "deadlock-1", "shared/2/deadlock-1.txt");
    expect_path(&first, "deadlock-2", "shared/deadlock-2.txt");
    outdir_close(&first);
    outdir_close(&second);
    expect_path(&later, "deadlock-1", "shared/3/deadlock-1.txt");
    outdir_close(&later);
}

/* One that found nothing has its say where others were before it, and none of its own before. */
static void nothing_found_is_the_last_word(void **state)
{
    (void)state;
    struct outdir first = {.wanted = "judged"}, d = {.wanted = "judged"}, again = d, later = d;
    char *last, *path = NULL;
    assert_false(outdir_is_used("judged"));
    assert_null(outdir_write(&first, "about\n", "report", ".json", "1", 1, &path));
    free(path);
    assert_true(outdir_is_used("judged"));
    last = outdir_last("judged");
    assert_string_equal(last, "judged");
    free(last);
    mkdir("judged/7", 0777); /* no campaign's */

    assert_null(outdir_found_nothing(&d, "about\n", "2", 1));
    assert_string_equal(d.path, "judged/2");
    assert_null(outdir_found_nothing(&again, "about\n", "3", 1));
    assert_string_equal(again.path, "judged/2");
    last = outdir_last("judged");
    assert_string_equal(last, "judged/2");
    free(last);
    char text[8] = "";
    FILE *in = fopen("judged/2/report.json", "r");
    assert_int_equal(fread(text, 1, sizeof text, in), 1);
    assert_string_equal(text, "3");
    fclose(in);

    assert_null(outdir_write(&later, "about\n", "report", ".json", "4", 1, &path));
    free(path);
    last = outdir_last("judged");
    assert_string_equal(last, "judged/3");
    free(last);
    outdir_close(&first);
    outdir_close(&d);
    outdir_close(&again);
    outdir_close(&later);
}

/* The last is that of the greatest number, also when one between was removed. */
static void numbers_only_grow(void **state)
{
    (void)state;
    struct outdir one = {.wanted = "grows"}, two = one, three = one, four = one;
    expect_path(&one, "x", "grows/x.txt");
    expect_path(&two, "x", "grows/2/x.txt");
    expect_path(&three, "x", "grows/3/x.txt");
    assert_int_equal(system("rm -r grows/2"), 0);
    expect_path(&four, "x", "grows/4/x.txt");
    outdir_close(&one);
    outdir_close(&two);
    outdir_close(&three);
    outdir_close(&four);
}

static void a_folder_of_an_older_campaign_stays(void **state)
{
    (void)state;
    struct outdir d = {.wanted = "old"};
    mkdir("old", 0777);
    fclose(fopen("old/deadlock-1.schedule", "w"));
    expect_path(&d, "x", "old/2/x.txt");
    outdir_close(&d);
}

static void a_folder_with_other_files_is_used(void **state)
{
    (void)state;
    struct outdir d = {.wanted = "mixed"};
    mkdir("mixed", 0777);
    fclose(fopen("mixed/notes", "w"));
    expect_path(&d, "x", "mixed/x.txt");
    outdir_close(&d);
}

/* Somebody else's link must not make us write elsewhere, nor a file of theirs be overwritten. */
static void nothing_is_followed_or_overwritten(void **state)
{
    (void)state;
    struct outdir d = {.wanted = "planted"};
    mkdir("planted", 0777);
    assert_int_equal(symlink("../target", "planted/x.txt"), 0);
    fclose(fopen("planted/y.txt", "w"));
    assert_null(write_name(&d, "x"));
    assert_null(write_name(&d, "y"));
    assert_int_not_equal(access("target", F_OK), 0);
    struct stat st;
    assert_int_equal(stat("planted/y.txt", &st), 0);
    assert_int_equal(st.st_size, 0);
    expect_path(&d, "z", "planted/z.txt");
    outdir_close(&d);
}

/* A disk that is full half way leaves no file behind. */
static void a_failed_write_leaves_nothing(void **state)
{
    (void)state;
    struct outdir d = {.wanted = "fullout"};
    char *path = NULL, big[8192];
    struct rlimit old, small;
    memset(big, 'x', sizeof big);
    getrlimit(RLIMIT_FSIZE, &old);
    small = (struct rlimit){.rlim_cur = 4096, .rlim_max = old.rlim_max};
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &small);
    char *why = outdir_write(&d, "about", "full", ".txt", big, sizeof big, &path);
    setrlimit(RLIMIT_FSIZE, &old);
    assert_non_null(why);
    assert_non_null(strstr(why, "fullout/full.txt cannot be written: "));
    assert_null(path);
    free(why);
    outdir_close(&d);
    DIR *dir = opendir("fullout");
    for (struct dirent *e; (e = readdir(dir));)
        assert_true(strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0 ||
                    strcmp(e->d_name, "campaign") == 0);
    closedir(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(checks),
                                       cmocka_unit_test(writes_whole_files),
                                       cmocka_unit_test(a_folder_is_one_campaigns),
                                       cmocka_unit_test(nothing_found_is_the_last_word),
                                       cmocka_unit_test(numbers_only_grow),
                                       cmocka_unit_test(a_folder_of_an_older_campaign_stays),
                                       cmocka_unit_test(a_folder_with_other_files_is_used),
                                       cmocka_unit_test(nothing_is_followed_or_overwritten),
                                       cmocka_unit_test(a_failed_write_leaves_nothing)};
    return cmocka_run_group_tests(tests, make_folder, drop_folder);
}
