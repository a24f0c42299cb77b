/* api.h - the few macros that every header of the library uses. */
#ifndef HEDDLE_API_H
#define HEDDLE_API_H

#if defined(__GNUC__)
#define HD_API __attribute__((visibility("default")))
#define HD_MUST_USE __attribute__((warn_unused_result))
#define HD_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#else
#define HD_API
#define HD_MUST_USE
#define HD_PRINTF(fmt, args)
#endif

#ifdef __cplusplus
#define HD_BEGIN_DECLS extern "C" {
#define HD_END_DECLS }
#else
#define HD_BEGIN_DECLS
#define HD_END_DECLS
#endif

/* For the inline functions of the library's headers alone. Bits: 1 the Heddle runtime decides who
 * runs, 2 ThreadSanitizer is in the program, 4 it runs under Valgrind. Set once, before main. */
HD_BEGIN_DECLS
extern HD_API unsigned hdi_watchers;
HD_END_DECLS
#define HDI_UNWATCHED() __builtin_expect(hdi_watchers == 0, 1)

/* A function of one pointer as one of a void *, for macros that keep it to call it later: whether it
 * takes the argument is checked here. On every processor that Heddle knows all pointers are passed
 * alike. */
#define HDI_FN(function, argument)                                                                 \
    (0 ? (void)(function)(argument) : (void)0, (void (*)(void *))(void (*)(void))(function))

#endif /* HEDDLE_API_H */
