/* stdio.c - streams on pipes and sockets. The C library reads and writes for them beside us: here
 * the reader waits in the model, and comes after who wrote. Streams on files are passed through. */
#ifndef __NO_INLINE__
#define __NO_INLINE__ 1 /* of the C library's headers: its getline is inline, and this is another */
#endif
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdio_ext.h>

#include "core/real.h"
#include "core/thread.h"
#include "io.h"

/* About to write, or to hand on what was written before. */
static void writes(FILE *f, uint64_t site)
{
    if (hdi_enter())
        hdi_touch(fileno(f), POLLOUT, site);
}

/* About to read: nothing is left of what came last time. */
static void reads(FILE *f, uint64_t site)
{
    if (f->_IO_read_ptr >= f->_IO_read_end && hdi_enter())
        hdi_await(fileno(f), POLLIN, site);
}

HDI_EXPORT int fflush(FILE *f)
{
    if (f)
        writes(f, HDI_SITE());
    return hdi_real.fflush(f);
}

HDI_EXPORT int fclose(FILE *f)
{
    writes(f, HDI_SITE());
    return hdi_real.fclose(f);
}

HDI_EXPORT int fputs(const char *restrict text, FILE *restrict f)
{
    writes(f, HDI_SITE());
    return hdi_real.fputs(text, f);
}

HDI_EXPORT int fputc(int c, FILE *f)
{
    writes(f, HDI_SITE());
    return hdi_real.fputc(c, f);
}

HDI_EXPORT size_t fwrite(const void *restrict from, size_t bytes, size_t n, FILE *restrict f)
{
    writes(f, HDI_SITE());
    return hdi_real.fwrite(from, bytes, n, f);
}

HDI_EXPORT int vfprintf(FILE *restrict f, const char *restrict format, va_list ap)
{
    writes(f, HDI_SITE());
    return hdi_real.vfprintf(f, format, ap);
}

HDI_EXPORT int fprintf(FILE *restrict f, const char *restrict format, ...)
{
    va_list ap;
    int rc;

    writes(f, HDI_SITE());
    va_start(ap, format);
    rc = hdi_real.vfprintf(f, format, ap);
    va_end(ap);
    return rc;
}

/* The same for those that write to a descriptor. */
static int writes_to(int fd, const char *format, va_list ap, uint64_t site)
{
    if (hdi_enter() && !hdi_await(fd, POLLOUT, site))
        return -1;
    return hdi_real.vdprintf(fd, format, ap);
}

HDI_EXPORT int vdprintf(int fd, const char *restrict format, va_list ap)
{
    return writes_to(fd, format, ap, HDI_SITE());
}

HDI_EXPORT int dprintf(int fd, const char *restrict format, ...)
{
    va_list ap;
    int rc;

    va_start(ap, format);
    rc = writes_to(fd, format, ap, HDI_SITE());
    va_end(ap);
    return rc;
}

HDI_EXPORT char *fgets(char *restrict to, int bytes, FILE *restrict f)
{
    reads(f, HDI_SITE());
    return hdi_real.fgets(to, bytes, f);
}

HDI_EXPORT int fgetc(FILE *f)
{
    reads(f, HDI_SITE());
    return hdi_real.fgetc(f);
}

HDI_EXPORT int getc(FILE *f)
{
    reads(f, HDI_SITE());
    return hdi_real.fgetc(f);
}

HDI_EXPORT size_t fread(void *restrict to, size_t bytes, size_t n, FILE *restrict f)
{
    reads(f, HDI_SITE());
    return hdi_real.fread(to, bytes, n, f);
}

HDI_EXPORT ssize_t getdelim(char **restrict to, size_t *restrict room, int end, FILE *restrict f)
{
    reads(f, HDI_SITE());
    return hdi_real.getdelim(to, room, end, f);
}

HDI_EXPORT ssize_t getline(char **restrict to, size_t *restrict room, FILE *restrict f)
{
    reads(f, HDI_SITE());
    return hdi_real.getdelim(to, room, '\n', f);
}
