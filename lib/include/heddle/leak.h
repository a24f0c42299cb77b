/* leak.h - is anything left of this part of the program?
 *
 *     hd_leak_check_begin("fetches_all");
 *     ... goroutines come and go ...
 *     if (hd_leak_check_end(text, sizeof text) > 0)
 *         fail(text);
 *
 * Whoever begins a check works for it until he ends it, and so does every goroutine that he starts,
 * and theirs: what they make is charged to this check and to no other, whatever runs beside it.
 * Counted are goroutines that have not ended, contexts not cancelled (that have no deadline),
 * tickers not stopped, pools not destroyed, worker pools not closed, owners not ended. A timer's
 * function and a context's hook work for whoever set them. What existed before is nobody's affair.
 *
 * The end waits until nothing is left, at most for a grace period: natively nobody knows who would
 * still move. Under Heddle, where somebody does, the others run until none can go on, and no time
 * passes.
 *
 *   threads  any number of checks side by side; begin and end of one in the same goroutine or
 *            thread; inside a check others may begin and end (what they find is theirs alone)
 *   natively plain threads that the program makes with pthread_create() are not seen, and work for
 *            no check. With a runtime loaded (`heddle run`, `heddle watch`) they are seen, threads
 *            that nobody joins included, and work for the check of whoever made them.
 *
 * For cmocka there are fixtures in heddle/test.h, which also know the lines of the source.
 * source: uber-go/goleak; the inheritance is ours.
 */
#ifndef HEDDLE_LEAK_H
#define HEDDLE_LEAK_H

#include <stddef.h>
#include <stdint.h>

#include <heddle/api.h>

HD_BEGIN_DECLS

/* Begin a check. name: copied, at most 63 bytes are kept; reports call it so, with the place of
 * this call. Panics with hd_out_of_memory. */
#define hd_leak_check_begin(name) hd_leak_check_begin_at((name), __FILE__, __LINE__)

/* The same for a place of the caller's choice; file: borrowed for good; NULL: none. */
HD_API void hd_leak_check_begin_at(const char *name, const char *file, int line);

/* End the caller's innermost check; how many goroutines and objects are left.
 *   text    [out] what they are, if there are any, else ""; bytes: room, 0 with text NULL. A text
 *           that does not fit ends in "..."
 *   blocks  for the grace period at most, natively
 * Panics ("end of a leak check that was not begun here") in a goroutine that began none. */
HD_API size_t hd_leak_check_end(char *text, size_t bytes);

/* How long an end may wait natively, from now on; 1 second at first. Not negative. */
HD_API void hd_leak_grace(int64_t ns);

/* Where a return address is, for the texts: written to `text`, the number of bytes written. NULL:
 * its module and offset, which addr2line(1) takes. */
HD_API void hd_leak_places(size_t (*place)(const void *address, char *text, size_t bytes));

HD_END_DECLS

#endif /* HEDDLE_LEAK_H */
