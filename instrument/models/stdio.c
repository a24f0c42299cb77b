/* stdio.c - streams on pipes and sockets. The C library reads and writes for them beside us: here
 * the reader waits in the model, and comes after who wrote. Streams on files are passed through.
 *
 * The headers of an optimised or fortified build call other names for the same: those that look at the room
 * (_chk), those of a standard (__isoc99_), and __getdelim, __uflow and __overflow. */
#ifndef __NO_INLINE__
#define __NO_INLINE__ 1 /* of the C library's headers: its getline is inline, and this is another */
#endif
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdio_ext.h>
#include <string.h>

#include "core/handler_calls.h"
#include "core/real.h"
#include "core/thread.h"
#include "memory/access.h"
#include "memory/descriptor_race.h"
#include "memory/libc_formats.h"
#include "io.h"

/* About to write, or to hand on what was written before. */
static void writes(FILE *f, uint64_t site)
{
    if (hdi_enter() && fileno(f) >= 0)
        hdi_touch(fileno(f), POLLOUT, site);
}

/* About to read: nothing is left of what came last time. */
static void reads(FILE *f, uint64_t site)
{
    if (f->_IO_read_ptr >= f->_IO_read_end && hdi_enter())
        hdi_await_stream(fileno(f), site);
}

/* Behind the arguments: what is read of the caller's memory. */
#define WRITES(type, name, params, args, ...)                                                      \
    HDI_EXPORT type name params                                                                    \
    {                                                                                              \
        uint64_t site = HDI_SITE();                                                                \
        hdi_library_call(#name, site);                                                             \
        __VA_ARGS__;                                                                               \
        writes(f, site);                                                                           \
        return hdi_real.name args;                                                                 \
    }

/* Behind the arguments: what came into the caller's memory. */
#define READS(type, name, params, args, ...)                                                       \
    HDI_EXPORT type name params                                                                    \
    {                                                                                              \
        uint64_t site = HDI_SITE();                                                                \
        hdi_library_call(#name, site);                                                             \
        reads(f, site);                                                                            \
        type got = hdi_real.name args;                                                             \
        __VA_ARGS__;                                                                               \
        return got;                                                                                \
    }

/* What a call that prints and one that reads lines access of the caller's memory. */
static void prints(const char *format, va_list ap, uint64_t site)
{
    va_list seen;

    if (!hdi_watched)
        return;
    va_copy(seen, ap);
    hdi_printf_reads(format, seen, site);
    va_end(seen);
}

static void printed(const char *text, uint64_t site)
{
    if (hdi_watched)
        hdi_call_reads(text, strlen(text) + 1, site);
}

static void block_printed(const void *from, size_t n, size_t bytes, uint64_t site)
{
    hdi_call_reads(from, n * bytes, site);
}

static void block_came(const void *to, size_t n, size_t bytes, uint64_t site)
{
    hdi_call_writes(to, n * bytes, site);
}

static void text_came(const char *text, uint64_t site)
{
    if (hdi_watched && text)
        hdi_call_writes(text, strlen(text) + 1, site);
}

static void line_came(char *const *line, size_t *room, ssize_t bytes, uint64_t site)
{
    hdi_call_writes(line, sizeof *line, site);
    hdi_call_writes(room, sizeof *room, site);
    if (bytes >= 0)
        hdi_call_writes(*line, (size_t)bytes + 1, site);
}

HDI_EXPORT int fflush(FILE *f)
{
    hdi_library_call("fflush", HDI_SITE());
    if (f)
        writes(f, HDI_SITE());
    return hdi_real.fflush(f);
}

HDI_EXPORT int fclose(FILE *f)
{
    hdi_library_call("fclose", HDI_SITE());
    writes(f, HDI_SITE());
    if (hdi_enter())
        hdi_descriptor_closes(fileno(f), HDI_SITE());
    return hdi_real.fclose(f);
}

WRITES(int, fputs, (const char *restrict text, FILE *restrict f), (text, f), printed(text, site))
WRITES(int, fputs_unlocked, (const char *restrict text, FILE *restrict f), (text, f),
       printed(text, site))
WRITES(int, fputc, (int c, FILE *f), (c, f))
WRITES(int, fputc_unlocked, (int c, FILE *f), (c, f))
WRITES(int, putc, (int c, FILE *f), (c, f))
WRITES(int, putc_unlocked, (int c, FILE *f), (c, f))
WRITES(int, __overflow, (FILE * f, int c), (f, c))
WRITES(size_t, fwrite, (const void *restrict from, size_t bytes, size_t n, FILE *restrict f),
       (from, bytes, n, f), block_printed(from, n, bytes, site))
WRITES(size_t, fwrite_unlocked,
       (const void *restrict from, size_t bytes, size_t n, FILE *restrict f), (from, bytes, n, f),
       block_printed(from, n, bytes, site))
WRITES(int, vfprintf, (FILE *restrict f, const char *restrict format, va_list ap), (f, format, ap),
       prints(format, ap, site))
WRITES(int, __vfprintf_chk, (FILE *restrict f, int how, const char *restrict format, va_list ap),
       (f, how, format, ap), prints(format, ap, site))

HDI_EXPORT int fprintf(FILE *restrict f, const char *restrict format, ...)
{
    va_list ap;
    int rc;

    hdi_library_call("fprintf", HDI_SITE());
    writes(f, HDI_SITE());
    va_start(ap, format);
    prints(format, ap, HDI_SITE());
    rc = hdi_real.vfprintf(f, format, ap);
    va_end(ap);
    return rc;
}

HDI_EXPORT int __fprintf_chk(FILE *restrict f, int how, const char *restrict format, ...)
{
    va_list ap;
    int rc;

    hdi_library_call("fprintf", HDI_SITE());
    writes(f, HDI_SITE());
    va_start(ap, format);
    prints(format, ap, HDI_SITE());
    rc = hdi_real.__vfprintf_chk(f, how, format, ap);
    va_end(ap);
    return rc;
}

/* The same for those that write to a descriptor. */
static bool writes_to(int fd, uint64_t site)
{
    return !hdi_enter() || hdi_await(fd, POLLOUT, site);
}

HDI_EXPORT int vdprintf(int fd, const char *restrict format, va_list ap)
{
    prints(format, ap, HDI_SITE());
    return writes_to(fd, HDI_SITE()) ? hdi_real.vdprintf(fd, format, ap) : -1;
}

HDI_EXPORT int __vdprintf_chk(int fd, int how, const char *restrict format, va_list ap)
{
    prints(format, ap, HDI_SITE());
    return writes_to(fd, HDI_SITE()) ? hdi_real.__vdprintf_chk(fd, how, format, ap) : -1;
}

HDI_EXPORT int dprintf(int fd, const char *restrict format, ...)
{
    va_list ap;
    int rc;

    va_start(ap, format);
    prints(format, ap, HDI_SITE());
    rc = writes_to(fd, HDI_SITE()) ? hdi_real.vdprintf(fd, format, ap) : -1;
    va_end(ap);
    return rc;
}

HDI_EXPORT int __dprintf_chk(int fd, int how, const char *restrict format, ...)
{
    va_list ap;
    int rc;

    va_start(ap, format);
    prints(format, ap, HDI_SITE());
    rc = writes_to(fd, HDI_SITE()) ? hdi_real.__vdprintf_chk(fd, how, format, ap) : -1;
    va_end(ap);
    return rc;
}

READS(char *, fgets, (char *restrict to, int bytes, FILE *restrict f), (to, bytes, f),
      text_came(got, site))
READS(char *, fgets_unlocked, (char *restrict to, int bytes, FILE *restrict f), (to, bytes, f),
      text_came(got, site))
READS(char *, __fgets_chk, (char *restrict to, size_t room, int bytes, FILE *restrict f),
      (to, room, bytes, f), text_came(got, site))
READS(char *, __fgets_unlocked_chk, (char *restrict to, size_t room, int bytes, FILE *restrict f),
      (to, room, bytes, f), text_came(got, site))
READS(int, fgetc, (FILE * f), (f))
READS(int, getc, (FILE * f), (f))
READS(int, fgetc_unlocked, (FILE * f), (f))
READS(int, getc_unlocked, (FILE * f), (f))
READS(int, __uflow, (FILE * f), (f))
READS(size_t, fread, (void *restrict to, size_t bytes, size_t n, FILE *restrict f),
      (to, bytes, n, f), block_came(to, got, bytes, site))
READS(size_t, fread_unlocked, (void *restrict to, size_t bytes, size_t n, FILE *restrict f),
      (to, bytes, n, f), block_came(to, got, bytes, site))
READS(size_t, __fread_chk,
      (void *restrict to, size_t room, size_t bytes, size_t n, FILE *restrict f),
      (to, room, bytes, n, f), block_came(to, got, bytes, site))
READS(size_t, __fread_unlocked_chk,
      (void *restrict to, size_t room, size_t bytes, size_t n, FILE *restrict f),
      (to, room, bytes, n, f), block_came(to, got, bytes, site))
READS(ssize_t, getdelim, (char **restrict to, size_t *restrict room, int end, FILE *restrict f),
      (to, room, end, f), line_came(to, room, got, site))
READS(ssize_t, __getdelim, (char **restrict to, size_t *restrict room, int end, FILE *restrict f),
      (to, room, end, f), line_came(to, room, got, site))
READS(ssize_t, getline, (char **restrict to, size_t *restrict room, FILE *restrict f),
      (to, room, f), line_came(to, room, got, site))

HDI_EXPORT int getchar(void)
{
    reads(stdin, HDI_SITE());
    return hdi_real.getc(stdin);
}

HDI_EXPORT int getchar_unlocked(void)
{
    reads(stdin, HDI_SITE());
    return hdi_real.getc_unlocked(stdin);
}

/* What fscanf is called depends on the standard: the headers give it another name. */
#define NAMED(name) __asm__(#name)

#define SCANS(prefix)                                                                              \
    HDI_EXPORT int hdi_##prefix##vfscanf(FILE *restrict, const char *restrict, va_list)            \
        NAMED(prefix##vfscanf);                                                                    \
    HDI_EXPORT int hdi_##prefix##fscanf(FILE *restrict, const char *restrict, ...)                 \
        NAMED(prefix##fscanf);                                                                     \
    HDI_EXPORT int hdi_##prefix##vscanf(const char *restrict, va_list) NAMED(prefix##vscanf);      \
    HDI_EXPORT int hdi_##prefix##scanf(const char *restrict, ...) NAMED(prefix##scanf);            \
                                                                                                   \
    static int scans_##prefix(FILE *f, const char *format, va_list ap, uint64_t site)              \
    {                                                                                              \
        va_list seen;                                                                              \
        int done;                                                                                  \
        reads(f, site);                                                                            \
        va_copy(seen, ap);                                                                         \
        done = hdi_real.prefix##vfscanf(f, format, ap);                                            \
        if (hdi_watched)                                                                           \
            hdi_scanf_writes(format, done, seen, site);                                            \
        va_end(seen);                                                                              \
        return done;                                                                               \
    }                                                                                              \
                                                                                                   \
    int hdi_##prefix##vfscanf(FILE *restrict f, const char *restrict format, va_list ap)           \
    {                                                                                              \
        return scans_##prefix(f, format, ap, HDI_SITE());                                          \
    }                                                                                              \
                                                                                                   \
    int hdi_##prefix##fscanf(FILE *restrict f, const char *restrict format, ...)                   \
    {                                                                                              \
        va_list ap;                                                                                \
        int rc;                                                                                    \
        va_start(ap, format);                                                                      \
        rc = scans_##prefix(f, format, ap, HDI_SITE());                                            \
        va_end(ap);                                                                                \
        return rc;                                                                                 \
    }                                                                                              \
                                                                                                   \
    int hdi_##prefix##vscanf(const char *restrict format, va_list ap)                              \
    {                                                                                              \
        return scans_##prefix(stdin, format, ap, HDI_SITE());                                      \
    }                                                                                              \
                                                                                                   \
    int hdi_##prefix##scanf(const char *restrict format, ...)                                      \
    {                                                                                              \
        va_list ap;                                                                                \
        int rc;                                                                                    \
        va_start(ap, format);                                                                      \
        rc = scans_##prefix(stdin, format, ap, HDI_SITE());                                        \
        va_end(ap);                                                                                \
        return rc;                                                                                 \
    }

SCANS()
SCANS(__isoc99_)
#if __GLIBC_PREREQ(2, 38)
SCANS(__isoc23_)
#endif
