/* libc_calls.c - what the C library reads and writes for the program: one table.
 *
 * A row is a function of libc, and which bytes it accesses before and after it has done its work: of
 * calls from modules that have hooks, while memory is watched. Otherwise a row is two loads and a
 * jump. What has a model of its own says so there (hdi_call_reads, hdi_call_writes).
 *
 *   threads  the one that has the turn
 */
#undef _FORTIFY_SOURCE
#define __NO_INLINE__ 1 /* of the C library's headers */
#include <arpa/inet.h>
#include <limits.h>
#include <dirent.h>
#include <math.h>
#include <netdb.h>
#include <pwd.h>
#include <grp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>
#include <wchar.h>

#include "core/handler_calls.h"
#include "core/real.h"
#include "libc_formats.h"
#include "access.h"

/* ---- how long what they access is ---- */

static size_t size(const char *s) /* with its end */
{
    size_t n = 0;

    while (s[n])
        n++;
    return n + 1;
}

static size_t within(const char *s, size_t most)
{
    size_t n = 0;

    while (n < most && s[n])
        n++;
    return n < most ? n + 1 : most;
}

static size_t wide(const wchar_t *s)
{
    size_t n = 0;

    while (s[n])
        n++;
    return (n + 1) * sizeof *s;
}

static bool is_in(char c, const char *set)
{
    while (*set && *set != c)
        set++;
    return *set != 0;
}

static size_t span(const char *s, const char *set, bool in)
{
    size_t n = 0;

    while (s[n] && is_in(s[n], set) == in)
        n++;
    return n;
}

static char folded(char c)
{
    return (char)(c >= 'A' && c <= 'Z' ? c + 32 : c);
}

/* Up to the first difference, the end, or `most`. */
static size_t common(const char *a, const char *b, size_t most, bool fold)
{
    size_t n = 0;

    while (n < most && a[n] && (a[n] == b[n] || (fold && folded(a[n]) == folded(b[n]))))
        n++;
    return n < most ? n + 1 : most;
}

/* ---- the table ---- */

#define R(p, bytes) hdi_call_reads(p, bytes, pc);
#define W(p, bytes) hdi_call_writes(p, bytes, pc);
#define RS(s) R(s, size(s)) /* a string */
#define UP_TO(s, found)                                                                            \
    R(s, (found) ? (size_t)((const char *)(found) - (const char *)(s)) + 1 : size(s))
/* State that libc keeps for all threads, and the place of what its functions answer with. */
#define STATE(name)                                                                                \
    static long state_of_##name;                                                                   \
    W(&state_of_##name, sizeof state_of_##name)
#define WS(s) W(s, (s) ? size(s) : 0)
#define WO(p) W(p, sizeof *(p)) /* an object */
#define RO(p) R(p, sizeof *(p))

#define CALL(type, name, params, args, before, after)                                              \
    CALL_SEEN(type, name, params, args, args, before, after)
/* `seen`: with which arguments it is called while it is watched. */
#define CALL_SEEN(type, name, params, args, seen, before, after)                                   \
    CALL_FIRST(, type, name, params, args, seen, before, after)
/* That a handler may not call. */
#define UNSAFE(type, name, params, args, before, after)                                            \
    CALL_FIRST(hdi_library_call(#name, pc), type, name, params, args, args, before, after)
#define CALL_FIRST(first, type, name, params, args, seen, before, after)                           \
    HDI_EXPORT type name params                                                                    \
    {                                                                                              \
        uint64_t pc = HDI_SITE();                                                                  \
        first;                                                                                     \
        HDI_REAL_OF(type, #name, params, pc)                                                       \
        if (__builtin_expect(!hdi_watched_caller(pc), 1))                                          \
            return real args;                                                                      \
        before;                                                                                    \
        type answer = real seen;                                                                   \
        after;                                                                                     \
        return answer;                                                                             \
    }
#define PROCEDURE(name, params, args, before, after)                                               \
    HDI_EXPORT void name params                                                                    \
    {                                                                                              \
        uint64_t pc = HDI_SITE();                                                                  \
        HDI_REAL_OF(void, #name, params, pc)                                                       \
        before;                                                                                    \
        real args;                                                                                 \
        after;                                                                                     \
    }

/* Strings */
CALL(char *, strncpy, (char *to, const char *from, size_t n), (to, from, n),
     R(from, within(from, n)) W(to, n), )
CALL(char *, stpncpy, (char *to, const char *from, size_t n), (to, from, n),
     R(from, within(from, n)) W(to, n), )
CALL(char *, stpcpy, (char *to, const char *from), (to, from), RS(from) W(to, size(from)), )
CALL(char *, strcat, (char *to, const char *from), (to, from),
     RS(from) RS(to) W(to + size(to) - 1, size(from)), )
CALL(char *, strncat, (char *to, const char *from, size_t n), (to, from, n),
     R(from, within(from, n)) RS(to) W(to + size(to) - 1, within(from, n)), )
CALL(int, strncmp, (const char *a, const char *b, size_t n), (a, b, n),
     R(a, common(a, b, n, false)) R(b, common(a, b, n, false)), )
CALL(int, strcasecmp, (const char *a, const char *b), (a, b),
     R(a, common(a, b, SIZE_MAX, true)) R(b, common(a, b, SIZE_MAX, true)), )
CALL(int, strncasecmp, (const char *a, const char *b, size_t n), (a, b, n),
     R(a, common(a, b, n, true)) R(b, common(a, b, n, true)), )
CALL(int, strcoll, (const char *a, const char *b), (a, b), RS(a) RS(b), )
CALL(size_t, strxfrm, (char *to, const char *from, size_t n), (to, from, n), RS(from),
     W(to, answer < n ? answer + 1 : 0))
CALL(char *, strchr, (const char *s, int c), (s, c), , UP_TO(s, answer))
CALL(char *, strchrnul, (const char *s, int c), (s, c), , UP_TO(s, answer))
CALL(char *, strrchr, (const char *s, int c), (s, c), RS(s), )
CALL(char *, strstr, (const char *s, const char *t), (s, t), RS(t),
     R(s, answer ? (size_t)(answer - s) + size(t) - 1 : size(s)))
CALL(char *, strcasestr, (const char *s, const char *t), (s, t), RS(t),
     R(s, answer ? (size_t)(answer - s) + size(t) - 1 : size(s)))
CALL(char *, strpbrk, (const char *s, const char *set), (s, set), RS(set), UP_TO(s, answer))
CALL(size_t, strspn, (const char *s, const char *set), (s, set), RS(set), R(s, answer + 1))
CALL(size_t, strcspn, (const char *s, const char *set), (s, set), RS(set), R(s, answer + 1))
CALL(size_t, strnlen, (const char *s, size_t n), (s, n), , R(s, answer < n ? answer + 1 : n))
UNSAFE(char *, strdup, (const char *s), (s), RS(s), WS(answer))
CALL(char *, __strdup, (const char *s), (s), RS(s), WS(answer))
CALL(char *, strndup, (const char *s, size_t n), (s, n), R(s, within(s, n)), WS(answer))
/* Its end is overwritten, but where the string ends. */
static void field(char *s, const char *set, uint64_t pc)
{
    size_t to = span(s, set, false);

    R(s, to + 1)
    W(s + to, s[to] != 0)
}

static void token(char *s, const char *set, uint64_t pc)
{
    size_t from = span(s, set, true);

    R(s, from + 1)
    field(s + from, set, pc);
}
CALL(char *, strtok, (char *s, const char *set), (s, set),
     STATE(strtok) RS(set) if (s) token(s, set, pc);
     , )
CALL(char *, strtok_r, (char *restrict s, const char *restrict set, char **restrict rest),
     (s, set, rest), RS(set) if (!s) RO(rest) token(s ? s : *rest, set, pc);
     , WO(rest))
CALL(char *, __strtok_r, (char *restrict s, const char *restrict set, char **restrict rest),
     (s, set, rest), RS(set) if (!s) RO(rest) token(s ? s : *rest, set, pc);
     , WO(rest))
CALL(char *, strsep, (char **restrict s, const char *restrict set), (s, set),
     RS(set) RO(s) if (*s) field(*s, set, pc);
     , WO(s))

/* Memory */
CALL(void *, memchr, (const void *p, int c, size_t n), (p, c, n), ,
     R(p, answer ? (size_t)((char *)answer - (const char *)p) + 1 : n))
CALL(void *, memrchr, (const void *p, int c, size_t n), (p, c, n), ,
     R(answer ? answer : p, answer ? n - (size_t)((char *)answer - (const char *)p) : n))
CALL(void *, memmem, (const void *p, size_t n, const void *what, size_t bytes), (p, n, what, bytes),
     R(what, bytes), R(p, answer ? (size_t)((char *)answer - (const char *)p) + bytes : n))
CALL(void *, mempcpy, (void *restrict to, const void *restrict from, size_t n), (to, from, n),
     R(from, n) W(to, n), )
CALL(void *, __mempcpy, (void *restrict to, const void *restrict from, size_t n), (to, from, n),
     R(from, n) W(to, n), )
CALL(void *, memccpy, (void *restrict to, const void *restrict from, int c, size_t n),
     (to, from, c, n), ,
     R(from, answer ? (size_t)((char *)answer - (char *)to) : n)
         W(to, answer ? (size_t)((char *)answer - (char *)to) : n))
CALL(int, bcmp, (const void *a, const void *b, size_t n), (a, b, n), R(a, n) R(b, n), )
PROCEDURE(bcopy, (const void *from, void *to, size_t n), (from, to, n), R(from, n) W(to, n), )
PROCEDURE(bzero, (void *p, size_t n), (p, n), W(p, n), )
PROCEDURE(explicit_bzero, (void *p, size_t n), (p, n), W(p, n), )
PROCEDURE(qsort, (void *base, size_t n, size_t bytes, int (*compare)(const void *, const void *)),
          (base, n, bytes, compare), W(base, n > 1 ? n * bytes : 0), )
PROCEDURE(qsort_r,
          (void *base, size_t n, size_t bytes, int (*compare)(const void *, const void *, void *),
           void *arg),
          (base, n, bytes, compare, arg), W(base, n > 1 ? n * bytes : 0), )
CALL(size_t, wcslen, (const wchar_t *s), (s), R(s, wide(s)), )
CALL(wchar_t *, wcscpy, (wchar_t *restrict to, const wchar_t *restrict from), (to, from),
     R(from, wide(from)) W(to, wide(from)), )
CALL(int, wcscmp, (const wchar_t *a, const wchar_t *b), (a, b), R(a, sizeof *a) R(b, sizeof *b), )
CALL(wchar_t *, wmemcpy, (wchar_t *restrict to, const wchar_t *restrict from, size_t n),
     (to, from, n), R(from, n * sizeof *from) W(to, n * sizeof *to), )
CALL(wchar_t *, wmemset, (wchar_t * to, wchar_t c, size_t n), (to, c, n), W(to, n * sizeof *to), )
CALL(size_t, mbstowcs, (wchar_t *restrict to, const char *restrict from, size_t n), (to, from, n), ,
     /* at least: how long characters are is the locale's */
     R(from, answer == (size_t)-1 ? 0
             : !to || answer < n  ? size(from)
                                  : n) W(to, answer < n    ? (answer + 1) * sizeof *to
                                            : answer == n ? n * sizeof *to
                                                          : 0))
CALL(size_t, wcstombs, (char *restrict to, const wchar_t *restrict from, size_t n), (to, from, n), ,
     R(from, answer == (size_t)-1 ? 0
             : !to || answer < n  ? wide(from)
                                  : n / MB_LEN_MAX * sizeof *from) W(to, answer < n    ? answer + 1
                                                                        : answer == n ? n
                                                                                      : 0))

/* Numbers */
#define NUMBER(type, name, params, args, seen)                                                     \
    CALL_SEEN(type, name, params, args, seen, char *at; char **last = end ? end : &at;             \
              , UP_TO(s, *last) if (end) WO(end))
#define REAL_NUMBER(type, name)                                                                    \
    NUMBER(type, name, (const char *restrict s, char **restrict end), (s, end), (s, last))
#define WHOLE_NUMBER(type, name)                                                                   \
    NUMBER(type, name, (const char *restrict s, char **restrict end, int radix), (s, end, radix),  \
           (s, last, radix))
WHOLE_NUMBER(long, strtol)
WHOLE_NUMBER(unsigned long, strtoul)
WHOLE_NUMBER(long long, strtoll)
WHOLE_NUMBER(unsigned long long, strtoull)
REAL_NUMBER(double, strtod)
REAL_NUMBER(float, strtof)
REAL_NUMBER(long double, strtold)
static size_t digits(const char *s)
{
    size_t n = span(s, " \t\n\v\f\r", true);

    n += s[n] == '-' || s[n] == '+';
    return n + span(s + n, "0123456789", true) + 1;
}
CALL(int, atoi, (const char *s), (s), R(s, digits(s)), )
CALL(long, atol, (const char *s), (s), R(s, digits(s)), )
CALL(long long, atoll, (const char *s), (s), R(s, digits(s)), )
CALL(double, atof, (const char *s), (s), R(s, digits(s)), ) /* at least */
/* Random numbers: each depends on how many were drawn before. */
#define DRAWS(type, name) CALL(type, name, (unsigned short x[3]), (x), W(x, 3 * sizeof *x), )
#define DRAWS_HIDDEN(type, name) CALL(type, name, (void), (), DRAWN(), )
#define DRAWN() hdi_touched_memory((uintptr_t)&numbers_drawn, sizeof numbers_drawn, true);
static long numbers_drawn;
CALL(int, rand_r, (unsigned *seed), (seed), WO(seed), )
DRAWS(double, erand48)
DRAWS(long, nrand48)
DRAWS(long, jrand48)
DRAWS_HIDDEN(double, drand48)
DRAWS_HIDDEN(long, lrand48)
DRAWS_HIDDEN(long, mrand48)
DRAWS_HIDDEN(long, random)
DRAWS_HIDDEN(int, rand)
CALL(double, frexp, (double x, int *exponent), (x, exponent), , WO(exponent))
CALL(double, modf, (double x, double *whole), (x, whole), , WO(whole))

/* Time */
UNSAFE(struct tm *, localtime_r, (const time_t *restrict t, struct tm *restrict to), (t, to), RO(t),
       if (answer) WO(to))
CALL(struct tm *, gmtime_r, (const time_t *restrict t, struct tm *restrict to), (t, to), RO(t),
     if (answer) WO(to))
UNSAFE(struct tm *, localtime, (const time_t *t), (t), RO(t), if (answer) WO(answer))
CALL(struct tm *, gmtime, (const time_t *t), (t), RO(t), if (answer) WO(answer))
CALL(char *, ctime, (const time_t *t), (t), RO(t), WS(answer))
CALL(char *, ctime_r, (const time_t *restrict t, char *restrict to), (t, to), RO(t), WS(answer))
CALL(char *, asctime, (const struct tm *t), (t), RO(t), WS(answer))
CALL(char *, asctime_r, (const struct tm *restrict t, char *restrict to), (t, to), RO(t),
     WS(answer))
CALL(time_t, mktime, (struct tm * t), (t), WO(t), )
CALL(time_t, timegm, (struct tm * t), (t), WO(t), )
UNSAFE(size_t, strftime,
       (char *restrict to, size_t n, const char *restrict format, const struct tm *restrict t),
       (to, n, format, t), RS(format) RO(t), W(to, answer ? answer + 1 : 0))
CALL(char *, strptime, (const char *restrict s, const char *restrict format, struct tm *restrict t),
     (s, format, t), RS(format), UP_TO(s, answer) WO(t))

/* The environment: who changes it takes a lock, who reads it does not. */
static long environment;
static void environment_changes(uint64_t pc)
{
    hdi_note_context(hdi_watched, pc);
    hdi_race_access(hdi_watched->racer, (uintptr_t)&environment, sizeof environment,
                    HDI_ATOMIC_WRITE, pc);
}
CALL(char *, getenv, (const char *name), (name), RS(name) RO(&environment), )
CALL(char *, secure_getenv, (const char *name), (name), RS(name) RO(&environment), )
UNSAFE(int, setenv, (const char *name, const char *value, int over), (name, value, over),
       RS(name) RS(value) environment_changes(pc);
       , )
UNSAFE(int, unsetenv, (const char *name), (name), RS(name) environment_changes(pc);, )
UNSAFE(int, putenv, (char *text), (text), RS(text) environment_changes(pc);, )
CALL(int, clearenv, (void), (), environment_changes(pc);, )

/* Formats */
#define PRINTS(name, params, args, format, ap, after)                                              \
    UNSAFE(int, name, params, args, va_list seen; va_copy(seen, ap);                               \
           hdi_printf_reads(format, seen, pc); va_end(seen);, after)
#define PRINTED(room) (answer < 0 ? 0 : (size_t)answer < (room) ? (size_t)answer + 1 : (room))
PRINTS(vsnprintf, (char *restrict to, size_t n, const char *restrict format, va_list ap),
       (to, n, format, ap), format, ap, W(to, PRINTED(n)))
PRINTS(vsprintf, (char *restrict to, const char *restrict format, va_list ap), (to, format, ap),
       format, ap, W(to, PRINTED(SIZE_MAX)))
PRINTS(vprintf, (const char *restrict format, va_list ap), (format, ap), format, ap, )
PRINTS(vasprintf, (char **restrict to, const char *restrict format, va_list ap), (to, format, ap),
       format, ap, WO(to) if (answer >= 0) WS(*to))
PRINTS(__vsnprintf_chk,
       (char *restrict to, size_t n, int how, size_t room, const char *restrict format, va_list ap),
       (to, n, how, room, format, ap), format, ap, W(to, PRINTED(n)))
PRINTS(__vsprintf_chk,
       (char *restrict to, int how, size_t room, const char *restrict format, va_list ap),
       (to, how, room, format, ap), format, ap, W(to, PRINTED(SIZE_MAX)))
PRINTS(__vprintf_chk, (int how, const char *restrict format, va_list ap), (how, format, ap), format,
       ap, )

#define VARIADIC(name, params, last, before, v_type, v_call, after)                                \
    HDI_EXPORT int name params                                                                     \
    {                                                                                              \
        uint64_t pc = HDI_SITE();                                                                  \
        hdi_library_call(#name, pc);                                                               \
        va_list ap, seen;                                                                          \
        HDI_REAL_OF(int, before, v_type, pc)                                                       \
        va_start(ap, last);                                                                        \
        va_copy(seen, ap);                                                                         \
        if (hdi_watched_caller(pc))                                                                \
            hdi_printf_reads(last, seen, pc);                                                      \
        va_end(seen);                                                                              \
        int answer = real v_call;                                                                  \
        va_end(ap);                                                                                \
        after;                                                                                     \
        return answer;                                                                             \
    }
VARIADIC(snprintf, (char *restrict to, size_t n, const char *restrict format, ...), format,
         "vsnprintf", (char *, size_t, const char *, va_list), (to, n, format, ap),
         W(to, PRINTED(n)))
VARIADIC(sprintf, (char *restrict to, const char *restrict format, ...), format, "vsprintf",
         (char *, const char *, va_list), (to, format, ap), W(to, PRINTED(SIZE_MAX)))
VARIADIC(printf, (const char *restrict format, ...), format, "vprintf", (const char *, va_list),
         (format, ap), )
VARIADIC(
    asprintf, (char **restrict to, const char *restrict format, ...), format, "vasprintf",
    (char **, const char *, va_list), (to, format, ap), if (hdi_watched_caller(pc)) {
        WO(to) if (answer >= 0) WS(*to)
    })
VARIADIC(__snprintf_chk,
         (char *restrict to, size_t n, int how, size_t room, const char *restrict format, ...),
         format, "__vsnprintf_chk", (char *, size_t, int, size_t, const char *, va_list),
         (to, n, how, room, format, ap), W(to, PRINTED(n)))
VARIADIC(__sprintf_chk, (char *restrict to, int how, size_t room, const char *restrict format, ...),
         format, "__vsprintf_chk", (char *, int, size_t, const char *, va_list),
         (to, how, room, format, ap), W(to, PRINTED(SIZE_MAX)))
VARIADIC(__printf_chk, (int how, const char *restrict format, ...), format, "__vprintf_chk",
         (int, const char *, va_list), (how, format, ap), )
UNSAFE(int, puts, (const char *s), (s), RS(s), )

#define SCANS(name, v_name)                                                                        \
    HDI_EXPORT int hdi_##v_name(const char *restrict s, const char *restrict format,               \
                                va_list ap) __asm__(#v_name);                                      \
    HDI_EXPORT int hdi_##name(const char *restrict s, const char *restrict format,                 \
                              ...) __asm__(#name);                                                 \
    static int scans_##name(const char *s, const char *format, va_list ap, uint64_t pc)            \
    {                                                                                              \
        va_list seen;                                                                              \
        int answer;                                                                                \
        HDI_REAL_OF(int, #v_name, (const char *, const char *, va_list), pc)                       \
        va_copy(seen, ap);                                                                         \
        answer = real(s, format, ap);                                                              \
        if (hdi_watched_caller(pc)) {                                                              \
            RS(s)                                                                                  \
            hdi_scanf_writes(format, answer, seen, pc);                                            \
        }                                                                                          \
        va_end(seen);                                                                              \
        return answer;                                                                             \
    }                                                                                              \
    int hdi_##v_name(const char *restrict s, const char *restrict format, va_list ap)              \
    {                                                                                              \
        return scans_##name(s, format, ap, HDI_SITE());                                            \
    }                                                                                              \
    int hdi_##name(const char *restrict s, const char *restrict format, ...)                       \
    {                                                                                              \
        va_list ap;                                                                                \
        int answer;                                                                                \
        va_start(ap, format);                                                                      \
        answer = scans_##name(s, format, ap, HDI_SITE());                                          \
        va_end(ap);                                                                                \
        return answer;                                                                             \
    }
SCANS(sscanf, vsscanf)
SCANS(__isoc99_sscanf, __isoc99_vsscanf)
#if __GLIBC_PREREQ(2, 38)
SCANS(__isoc23_sscanf, __isoc23_vsscanf)
#endif

/* Files, and what the system says of itself */
CALL(ssize_t, pread, (int fd, void *to, size_t n, off_t at), (fd, to, n, at), hdi_from_others(true),
     W(to, answer > 0 ? (size_t)answer : 0))
CALL(ssize_t, pread64, (int fd, void *to, size_t n, off64_t at), (fd, to, n, at),
     hdi_from_others(true), W(to, answer > 0 ? (size_t)answer : 0))
CALL(ssize_t, pwrite, (int fd, const void *from, size_t n, off_t at), (fd, from, n, at),
     hdi_to_others(true);
     R(from, n), )
CALL(ssize_t, pwrite64, (int fd, const void *from, size_t n, off64_t at), (fd, from, n, at),
     hdi_to_others(true);
     R(from, n), )
CALL(int, fstat, (int fd, struct stat *to), (fd, to), hdi_from_others(true),
     if (answer == 0) WO(to))
CALL(struct dirent *, readdir, (DIR * d), (d), , if (answer) W(answer, answer->d_reclen))
CALL(char *, realpath, (const char *restrict path, char *restrict to), (path, to), RS(path),
     WS(answer))
CALL(int, gethostname, (char *to, size_t n), (to, n), , W(to, answer == 0 ? within(to, n) : 0))
CALL(int, uname, (struct utsname * to), (to), , if (answer == 0) WO(to))
CALL(struct passwd *, getpwnam, (const char *name), (name), RS(name), if (answer) WO(answer))
CALL(struct passwd *, getpwuid, (uid_t id), (id), , if (answer) WO(answer))
CALL(struct group *, getgrnam, (const char *name), (name), RS(name), if (answer) WO(answer))
CALL(struct group *, getgrgid, (gid_t id), (id), , if (answer) WO(answer))
CALL(char *, strerror_r, (int error, char *to, size_t n), (error, to, n), ,
     W(to, answer == to ? within(to, n) : 0))

/* Sockets */
CALL(const char *, inet_ntop,
     (int family, const void *restrict from, char *restrict to, socklen_t n), (family, from, to, n),
     R(from, family == AF_INET ? 4 : 16), WS(answer))
CALL(int, inet_pton, (int family, const char *restrict from, void *restrict to), (family, from, to),
     RS(from),
     W(to, answer != 1         ? 0
           : family == AF_INET ? 4
                               : 16))
CALL(int, inet_aton, (const char *from, struct in_addr *to), (from, to), RS(from),
     if (answer) WO(to))
CALL(char *, inet_ntoa, (struct in_addr from), (from), , WS(answer))
CALL(int, getaddrinfo,
     (const char *restrict name, const char *restrict service,
      const struct addrinfo *restrict hints, struct addrinfo **restrict to),
     (name, service, hints, to),
     R(name, name ? size(name) : 0) R(service, service ? size(service) : 0) if (hints) RO(hints),
     if (answer == 0) WO(to))
