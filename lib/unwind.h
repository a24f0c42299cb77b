/* unwind.h - the library's side of panic.h: boundaries that also stop a goexit. */
#ifndef HDI_UNWIND_H
#define HDI_UNWIND_H

#include <heddle/errors.h>
#include <heddle/seam.h>

enum hdi_ending { HDI_RETURNED, HDI_PANICKED, HDI_EXITED };

/* Run fn(arg); how it ended. On HDI_PANICKED *err is the panic's error, owned by the caller. */
enum hdi_ending hdi_catch(void (*fn)(void *arg), void *arg, hd_err *err);

/* Run a goroutine's function: a goexit ends here, an unhandled panic passes through. */
void hdi_catch_exit(void (*fn)(void *arg), void *arg);

/* Carry on with an ending that was only looked at: does not return unless it is HDI_RETURNED. */
void hdi_carry_on(enum hdi_ending ending, hd_err err);

/* Leave the goroutine: run what is deferred, up to the outermost boundary. */
_Noreturn void hdi_leave(void);

/* Tell the seam of this file's thread-local variables. */
void hdi_panic_locals(const struct hd_seam *seam);

#endif /* HDI_UNWIND_H */
