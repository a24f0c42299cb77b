/* panics.h - assert that fn(arg) panics with this message. */
#ifndef PANICS_H
#define PANICS_H

#include <heddle/panic.h>

#define assert_panics(fn, arg, message)                                                            \
    do {                                                                                           \
        hd_err panic_ = hd_recover(fn, arg);                                                       \
        assert_int_equal(hd_err_code(panic_), HD_ERR_PANIC);                                       \
        assert_string_equal(hd_err_message(panic_), message);                                      \
        hd_err_unref(panic_);                                                                      \
    } while (0)

#endif /* PANICS_H */
