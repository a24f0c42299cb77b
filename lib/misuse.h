/* misuse.h - a caller broke a rule that Go answers with a panic. */
#ifndef HDI_MISUSE_H
#define HDI_MISUSE_H

/* message: one clause as Go words it ("sync: unlock of unlocked mutex"); object may be NULL. No lot
 * may be locked. Does not return. */
_Noreturn void hdi_misuse(const char *message, const void *object, const void *site);

#endif /* HDI_MISUSE_H */
