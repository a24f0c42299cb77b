/* libc_formats.h - what the printf and scanf families access by way of their formats. */
#ifndef HEDDLE_LIBC_FORMATS_H
#define HEDDLE_LIBC_FORMATS_H

#include <stdarg.h>
#include <stdint.h>

/* The format and the strings that it prints, before; what it counts into is written. */
void hdi_printf_reads(const char *format, va_list ap, uint64_t pc);
/* What the first `done` conversions have stored, afterwards. */
void hdi_scanf_writes(const char *format, int done, va_list ap, uint64_t pc);

#endif /* HEDDLE_LIBC_FORMATS_H */
