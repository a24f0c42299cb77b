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

#endif /* HEDDLE_API_H */
