/* check.h - what Go's documentation says of its concurrency, one sentence a check, asked of lib/.
 *
 *     CHECK(a_send_to_a_closed_channel_panics) { ... expect(...); }
 *
 * `checks` runs all, `checks FILE` those of one file, `checks FILE NAME` one; natively, under
 * ThreadSanitizer and AddressSanitizer, and under heddle run. A check leaves nothing behind but
 * goroutines that are blocked for ever on purpose.
 */
#ifndef CHECK_H
#define CHECK_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <heddle/annotate.h>
#include <heddle/heddle.h>

#define MS HD_MILLISECOND

struct check {
    const char *file, *name;
    void (*run)(void);
    struct check *next;
};
void check_add(struct check *check);

#define CHECK(check_name)                                                                          \
    static void check_name(void);                                                                  \
    __attribute__((constructor)) static void add_##check_name(void)                                \
    {                                                                                              \
        static struct check self = {.file = __FILE__, .name = #check_name, .run = check_name};     \
        check_add(&self);                                                                          \
    }                                                                                              \
    static void check_name(void)

#define expect(condition)                                                                          \
    ((condition) ? (void)0 : check_failed(__FILE__, __LINE__, __func__, #condition))
_Noreturn void check_failed(const char *file, int line, const char *check, const char *condition);

/* fn(arg) panics with this message. */
bool panics(void (*fn)(void *arg), void *arg, const char *message);

/* fn(arg), in a goroutine, does not return as long as one cares to look. It is left there. */
bool blocks(void (*fn)(void *arg), void *arg);

/* As often natively, less often where each time costs more. */
int times(int natively);

#define GO_IN(wg, fn, arg) hd_must(hd_wg_go(wg, fn, arg))

#endif /* CHECK_H */
