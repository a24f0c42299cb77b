/* test_schedule.c - schedule files: what is written is read again, what is wrong is named. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "schedules/schedule.h"
#include "util/read_file.h"

static const char good[] =
    "heddle schedule 2\n"
    "heddle 0.1.0\n"
    "program /home/me/my bank\n"
    "build-id 5f2c\n"
    "folder /home/me\n"
    "argument ./my bank\n"
    "argument two%0alines, 100%25\n"
    "finding deadlock-1 deadlock 00000000000000ff\n"
    "text deadlock: T1 and T2 wait for each other\n"
    "strategy pct\n"
    "seed 18446744073709551615\n"
    "depth 3\n"
    "option spurious\n"
    "exit-codes 0,63,64,255\n"
    "max-steps 1000\n"
    "patience-ns 100\n"
    "clock-base-ns 5\n"
    "watchdog-ms 50\n"
    "object M1 1f3a90c2\n"
    "thread T1 T0 bank!take+0 1 1\n"
    "static M1 mutex bank table [3].lock 96 bank.c -\n"
    "made M1 once%20control T1 bank!take+0x2a 2 5\n"
    "place bank!take+0x2a take bank.c 31 24 pthread_mutex_lock(&m); // 100%\n"
    "stand T1 mutex_lock M1 bank!take+0x2a 4\n"
    "point bank!take+0x4\n"
    "steps 8\n"
    "run T0 4 thread_create - bank!main+0x5d\n"
    "run T1 1 mutex_lock M1 bank!take+0x2a nth 3\n"
    "choose T2%0a 1 bank+0x31\n"
    "fault T1 calloc 12 bank!take+0x2a\n"
    "run T2.1 1 cond_wait M1 - timeout spurious\n"
    "end\n";

static char *parse(const char *text, struct schedule *s)
{
    return schedule_parse("f", text, strlen(text), s);
}

/* The file with one line replaced, parsed: the sentence must hold `wanted`. */
static void refused(const char *old, const char *new, const char *wanted)
{
    struct schedule s;
    const char *at = strstr(good, old);
    assert_non_null(at);
    char *text;
    assert_true(asprintf(&text, "%.*s%s%s", (int)(at - good), good, new, at + strlen(old)) > 0);
    char *why = parse(text, &s);
    if (!why)
        fail_msg("accepted: %s", new);
    if (!strstr(why, wanted))
        fail_msg("\"%s\" does not say \"%s\"", why, wanted);
    free(why);
    free(text);
    schedule_free(&s);
}

static void reads_all_fields(void **state)
{
    (void)state;
    struct schedule s;
    char *why = parse(good, &s);
    if (why)
        fail_msg("%s", why);
    assert_string_equal(s.program, "/home/me/my bank");
    assert_int_equal(s.arguments, 2);
    assert_string_equal(s.argument[1], "two\nlines, 100%");
    assert_string_equal(s.kind, "deadlock");
    assert_int_equal(s.fingerprint, 255);
    assert_int_equal(s.config.strategy, HDP_PCT);
    assert_true(s.config.seed == UINT64_MAX);
    assert_int_equal(s.config.flags, HDP_SPURIOUS);
    assert_int_equal(s.steps, 8);
    assert_int_equal(s.runs, 5);
    assert_int_equal(s.run[1].object, 0x1f3a90c2);
    assert_int_equal(s.run[1].thread, name_hash("T1"));
    assert_int_equal(s.run[2].flags, HDP_STEP_CHOICE);
    assert_true(schedule_run_is_fault(&s.run[3]) && !schedule_run_is_fault(&s.run[2]));
    assert_int_equal(HDP_STEP_DETAIL(s.run[3].flags), HDP_FAULT_CALLOC);
    assert_int_equal(s.run[3].choice, 12);
    assert_int_equal(s.run[4].flags, HDP_STEP_TIMEOUT | HDP_STEP_SPURIOUS);
    assert_int_equal(s.run[4].site, UINT32_MAX);
    assert_int_equal(s.points, 1);
    assert_int_equal(s.run[0].nth, 1);
    assert_int_equal(s.run[1].nth, 3);
    assert_int_equal(s.identity.threads, 1);
    assert_int_equal(s.identity.thread[0].creator, name_hash("T0"));
    assert_int_equal(s.identity.objects, 2);
    assert_string_equal(s.identity.object[0].variable.name, "table");
    assert_string_equal(s.identity.object[0].variable.member, "[3].lock");
    assert_null(s.identity.object[0].variable.function);
    assert_int_equal(s.identity.object[1].kind, HD_OB_ONCE);
    assert_int_equal(s.identity.object[1].ordinal, 5);
    assert_int_equal(s.identity.places, 1);
    assert_string_equal(s.identity.place[0].place.text, "pthread_mutex_lock(&m); // 100%");
    assert_int_equal(s.identity.stands, 1);
    assert_int_equal(s.identity.stand[0].nth, 4);
    schedule_free(&s);
}

static __attribute__((noinline)) char *written(const struct schedule *s)
{
    char *text;
    size_t bytes;
    FILE *out = open_memstream(&text, &bytes);
    schedule_write(out, s, NULL);
    fclose(out);
    return text;
}

static void what_is_written_is_read_again(void **state)
{
    (void)state;
    struct schedule s, t;
    assert_null(parse(good, &s));
    char *first = written(&s);
    char *why = parse(first, &t);
    if (why)
        fail_msg("%s", why);
    char *second = written(&t);
    assert_string_equal(first, second);
    free(first);
    free(second);
    schedule_free(&s);
    schedule_free(&t);
}

static void every_truncation_is_refused(void **state)
{
    (void)state;
    struct schedule s;
    assert_null(parse(good, &s));
    char *text = written(&s);
    schedule_free(&s);
    for (size_t n = 0; n + 1 < strlen(text); n++) { /* without the last line end it is whole */
        char *why = schedule_parse("f", text, n, &s);
        /* "end" without its checksum is what an editor may leave */
        if (!why && n < (size_t)(strstr(text, "\nend") - text) + 4)
            fail_msg("%zu of %zu bytes were accepted", n, strlen(text));
        free(why);
        schedule_free(&s);
    }
    free(text);
}

static void every_changed_byte_is_noticed(void **state)
{
    (void)state;
    struct schedule s;
    assert_null(parse(good, &s));
    char *text = written(&s);
    schedule_free(&s);
    size_t body = (size_t)(strstr(text, "\nend") - text);
    for (size_t i = 0; i < body; i++) {
        char was = text[i];
        text[i] = was == 'x' ? 'y' : 'x';
        char *why = schedule_parse("f", text, strlen(text), &s);
        if (!why)
            fail_msg("a change of byte %zu (%c) was accepted", i, was);
        free(why);
        schedule_free(&s);
        text[i] = was;
    }
    free(text);
}

static void an_edited_file_with_a_bare_end_is_accepted(void **state)
{
    (void)state;
    struct schedule s;
    char *text;
    const char *at = strstr(good, "run T1 1");
    assert_true(asprintf(&text, "%.*s# by hand\n\n%s", (int)(at - good), good, at) > 0);
    char *why = parse(text, &s);
    if (why)
        fail_msg("%s", why);
    schedule_free(&s);
    free(text);
}

static void each_wrong_line_is_named(void **state)
{
    char same[32];

    (void)state;
    refused("heddle schedule 2", "heddle schedule 3", "f:1: the file has format 3, from a newer");
    refused("static M1 mutex", "static M1 mutes", "unknown kind of object \"mutes\"");
    refused("static M1 mutex", "static M2 mutex", "object \"M2\" is not declared above");
    refused("thread T1 T0 bank!take+0 1 1", "thread T1 T0", "\"thread\" wants a name");
    refused("place bank!take+0x2a", "place -", "a place has a site");
    refused("stand T1 mutex_lock", "stand T1 mutex_look", "unknown event \"mutex_look\"");
    refused("nth 3", "nth", "a number is missing");
    refused("heddle schedule 2", "heddle schedule 0", "there is no format 0");
    refused("heddle schedule 2", "#!/bin/sh", "f:1: this is no schedule file");
    refused("strategy pct", "strategy best", "f:10: unknown strategy \"best\"");
    refused("seed 18446744073709551615", "seed 18446744073709551616", "wants a number");
    refused("seed 18446744073709551615", "seed -1", "wants a number");
    refused("depth 3", "depth three", "wants a number, not \"three\"");
    refused("depth 3", "colour red", "f:12: \"colour\" is not understood here");
    refused("option spurious", "option warp", "unknown option \"warp\"");
    refused("0,63,64,255", "0,256", "\"exit-codes\" wants numbers up to 255");
    refused("0,63,64,255", "77,", "\"exit-codes\" wants numbers up to 255");
    refused("object M1 1f3a90c2", "object M1", "f:19: \"object\" wants a name and an id");
    refused("object M1 1f3a90c2", "object M1 1f3a90c2\nobject M1 2", "a second time");
    refused("object M1 1f3a90c2\n", "", "object \"M1\" is not declared above");
    refused("steps 8", "steps 9", "announces 9 steps but has 8");
    refused("steps 8", "steps 6", "more than the 6 steps");
    refused("steps 8\n", "", "comes before \"steps\"");
    refused("run T0 4 ", "run T0 0 ", "\"0\" is no count of steps");
    refused("run T0 4 ", "run T0 99999999999 ", "is no count of steps");
    refused("run T0 4 thread_create", "run T0 4 dance", "f:27: unknown event \"dance\"");
    refused("run T0 4 thread_create -", "run T0 4", "\"run\" wants a thread");
    refused("bank!main+0x5d", "main", "a site is written");
    refused("timeout spurious", "timeout bored", "\"bored\" is no end of a wait");
    refused("choose T2%0a 1 ", "choose T2 one ", "\"choose\" wants");
    refused("fault T1 calloc 12 ", "fault T1 calloc 0 ", "\"fault\" wants a thread");
    refused("fault T1 calloc 12 ", "fault T1 calloc ", "\"fault\" wants a thread");
    refused("fault T1 calloc 12 ", "fault T1 luck 12 ", "unknown fault \"luck\"");
    refused("fault T1 calloc 12 bank!take+0x2a\n",
            "fault T1 calloc 1 -\nfault T1 calloc 2 -\nfault T1 calloc 3 -\n",
            "more than 2 faults");
    /* the same number by a name and as it is */
    snprintf(same, sizeof same, "choose ?%08x 1 ", name_hash("T0"));
    refused("choose T2%0a 1 ", same, "cannot be told from T0");
    refused("program /home/me/my bank\n", "", "no \"program\" line");
    refused("program /home/me/my bank", "program", "\"program\" has no value");
    refused("folder /home/me", "folder /home/me\nfolder /", "f:6: \"folder\" stands here a second");
    refused("end\n", "end 12345678\n", "the file was changed since it was written");
    refused("end\n", "", "there is no \"end\" line");
    refused("end\n", "end\nrun T0 1 yield - -\n", "nothing may come after \"end\"");
}

static void binary_data_is_no_schedule(void **state)
{
    (void)state;
    struct schedule s;
    char *why = schedule_parse("f", "\177ELF\2\0\0\0", 8, &s);
    assert_non_null(strstr(why, "binary data"));
    free(why);
    schedule_free(&s);
    why = schedule_parse("f", "", 0, &s);
    assert_non_null(strstr(why, "the file is empty"));
    free(why);
    schedule_free(&s);
}

/* What failed is told to the runtime, and is no decision that it follows. */
static void faults_are_to_happen_again(void **state)
{
    (void)state;
    static struct hdp_region r;
    struct symbols *symbols = symbols_new();
    struct schedule s;
    assert_null(parse(good, &s));
    r.config.faults = 1u << HDP_FAULT_CANCEL;
    schedule_expand(&s, symbols, &r);
    assert_int_equal(r.config.replay_steps, 7);
    for (uint32_t i = 0; i < r.config.replay_steps; i++)
        assert_false(hdp_step_is_fault(&r.replay[i]));
    assert_int_equal(r.config.faults, 1u << HDP_FAULT_CALLOC);
    assert_int_equal(r.config.fault[0].thread, name_hash("T1"));
    assert_int_equal(r.config.fault[0].nth, 12);
    assert_int_equal(r.config.fault[1].nth, 0);
    schedule_free(&s);
    symbols_free(symbols);
}

/* Symbols of nobody: sites stay open, everything else must come through. */
static void a_trace_is_recorded_and_expanded(void **state)
{
    (void)state;
    static struct hdp_region r, again;
    struct symbols *symbols = symbols_new();
    struct names objects = {0};
    struct schedule s = {0};
    uint32_t threads[3] = {name_hash("T0"), name_hash("T1"), name_hash("T1.1")};
    const char *names[3] = {"T0", "T1", "T1.1"};
    srand(7);
    r.thread_count = 3;
    for (int i = 0; i < 3; i++) {
        r.thread[i].hash = threads[i];
        strcpy(r.thread[i].name, names[i]);
    }
    r.result.steps = 5000;
    for (uint32_t i = 0; i < r.result.steps; i++) {
        struct hdp_step *at = &r.trace[i];
        at->thread = i && rand() % 3 ? r.trace[i - 1].thread : threads[rand() % 3];
        at->kind = (uint16_t)(HD_EV_THREAD_START + rand() % 20);
        at->object = rand() % 2 ? (uint32_t)(1 + rand() % 9) : 0;
        if (rand() % 17 == 0) {
            at->flags = HDP_STEP_CHOICE;
            at->kind = HD_EV_NONE;
            at->object = 0;
            at->choice = (uint32_t)rand() % 4;
        } else if (rand() % 17 == 0) {
            at->flags = HDP_STEP_TIMEOUT;
        }
    }
    schedule_record(&s, &r, symbols, &objects);
    assert_int_equal(s.steps, 5000);
    assert_true(s.runs < 4500);
    schedule_expand(&s, symbols, &again);
    assert_int_equal(again.config.replay_steps, 5000);
    for (uint32_t i = 0; i < 5000; i++) {
        const struct hdp_step *a = &r.trace[i], *b = &again.replay[i];
        assert_int_equal(a->thread, b->thread);
        assert_int_equal(a->flags, b->flags);
        assert_int_equal(a->choice, b->choice);
        bool last = i + 1 == 5000 || r.trace[i + 1].thread != a->thread ||
                    r.trace[i + 1].flags & HDP_STEP_CHOICE || a->flags;
        if (last || b->kind) {
            assert_int_equal(a->kind, b->kind);
            assert_int_equal(a->object, b->object);
        }
        assert_true(!last || a->flags & HDP_STEP_CHOICE || b->kind);
    }
    schedule_free(&s);
    names_free(&objects);
    symbols_free(symbols);
}

/* A place that is a point within some steps alone is one within the same steps again. */
static void points_keep_their_steps(void **state)
{
    (void)state;
    static struct hdp_region r, again;
    struct symbols *symbols = symbols_new();
    struct names objects = {0};
    struct schedule s = {0};
    char *maps = read_maps(getpid());
    symbols_map(symbols, maps);
    r.thread_count = 1;
    r.thread[0].hash = name_hash("T0");
    strcpy(r.thread[0].name, "T0");
    r.result.steps = 1;
    r.trace[0].thread = r.thread[0].hash;
    r.reached.sites = 1;
    r.reached.site[0] = (uintptr_t)points_keep_their_steps + 4;
    r.reached.from[0] = 3;
    r.reached.until[0] = 41;
    schedule_record(&s, &r, symbols, &objects);
    schedule_expand(&s, symbols, &again);
    assert_int_equal(again.config.replay_steps, 1);
    assert_int_equal(again.config.replay_points, 1);
    assert_int_equal(again.replay[1].site, r.reached.site[0]);
    assert_int_equal(again.replay[1].choice, 3); /* as hdi_replayed_site() takes it */
    assert_int_equal(again.replay[1].object, 41);
    schedule_free(&s);
    names_free(&objects);
    symbols_free(symbols);
    free(maps);
}

/* What a schedule with these steps is, once it is written and read again. */
static struct schedule written_and_read(const struct hdp_region *r)
{
    struct symbols *symbols = symbols_new();
    struct names objects = {0};
    struct schedule s = {.program = strdup("p"), .build_id = strdup("0")}, read;
    char *text = NULL;
    size_t bytes;
    s.argument = malloc(sizeof *s.argument);
    s.argument[s.arguments++] = strdup("p");
    schedule_record(&s, r, symbols, &objects);
    identity_record(&s, r, symbols);
    FILE *out = open_memstream(&text, &bytes);
    schedule_write(out, &s, NULL);
    fclose(out);
    char *why = schedule_parse("f", text, bytes, &read);
    if (why)
        fail_msg("%s in:\n%s", why, text);
    free(text);
    schedule_free(&s);
    names_free(&objects);
    symbols_free(symbols);
    return read;
}

/* The last kind of fault that there is, and what a program wrote over a trace. */
static void a_fault_of_no_kind_is_none(void **state)
{
    (void)state;
    static struct hdp_region r, again;
    static const uint32_t kinds[] = {HDP_FAULT_KINDS - 1, HDP_FAULT_KINDS, 255};
    struct symbols *symbols = symbols_new();
    r.thread_count = 1;
    r.thread[0].hash = name_hash("T0");
    strcpy(r.thread[0].name, "T0");
    r.result.steps = 3;
    for (uint32_t i = 0; i < 3; i++)
        r.trace[i] = (struct hdp_step){
            .thread = r.thread[0].hash,
            .flags = (uint16_t)(HDP_STEP_CHOICE | HDP_STEP_CHOSE(HDP_CHOSE_FAULT, kinds[i])),
            .choice = 1};
    struct schedule s = written_and_read(&r);
    assert_int_equal(s.runs, 3);
    assert_true(schedule_run_is_fault(&s.run[0]));
    assert_false(schedule_run_is_fault(&s.run[1]) || schedule_run_is_fault(&s.run[2]));
    schedule_expand(&s, symbols, &again);
    assert_int_equal(again.config.faults, 1u << (HDP_FAULT_KINDS - 1));
    assert_int_equal(again.config.replay_steps, 2);
    schedule_free(&s);
    symbols_free(symbols);
}

/* A name without an end takes nothing from what stands behind it. */
static void names_of_threads_have_an_end(void **state)
{
    (void)state;
    static struct hdp_region r;
    r.thread_count = 3;
    r.thread[0].hash = name_hash("T0");
    strcpy(r.thread[0].name, "T0");
    r.thread[1].hash = name_hash("T1");
    strcpy(r.thread[1].name, "T1");
    r.thread[2].hash = 7;
    memset(r.thread[2].name, '1', sizeof r.thread[2].name);
    memset(r.thread[2].label, '1', sizeof r.thread[2].label - 1);
    memcpy(r.thread[2].name, "T1.", 3);
    r.result.steps = 1;
    r.trace[0].thread = r.thread[0].hash;
    struct schedule s = written_and_read(&r);
    assert_int_equal(s.identity.threads, 2);
    assert_int_equal(strlen(names_text(&s.threads, s.identity.thread[0].hash)), 2);
    assert_int_equal(strlen(names_text(&s.threads, s.identity.thread[1].hash)), 31);
    schedule_free(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_all_fields),
        cmocka_unit_test(what_is_written_is_read_again),
        cmocka_unit_test(every_truncation_is_refused),
        cmocka_unit_test(every_changed_byte_is_noticed),
        cmocka_unit_test(an_edited_file_with_a_bare_end_is_accepted),
        cmocka_unit_test(each_wrong_line_is_named),
        cmocka_unit_test(binary_data_is_no_schedule),
        cmocka_unit_test(faults_are_to_happen_again),
        cmocka_unit_test(a_trace_is_recorded_and_expanded),
        cmocka_unit_test(points_keep_their_steps),
        cmocka_unit_test(a_fault_of_no_kind_is_none),
        cmocka_unit_test(names_of_threads_have_an_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
