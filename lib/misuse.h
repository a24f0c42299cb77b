/* misuse.h - a caller broke a rule that Go answers with a panic. */
#ifndef HDI_MISUSE_H
#define HDI_MISUSE_H

/* message: one clause as Go words it ("sync: unlock of unlocked mutex"); object may be NULL. No lot
 * may be locked. Does not return. */
_Noreturn void hdi_misuse(const char *message, const void *object, const void *site);

/* The same of an object that is gone: natively `gone`, where it went, is printed too. Under the
 * seam its report knows. */
_Noreturn void hdi_misuse_late(const char *message, const void *object, const void *site,
                               const void *gone);

#endif /* HDI_MISUSE_H */
