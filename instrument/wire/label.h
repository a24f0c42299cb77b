/* label.h - names that the program gave to threads and objects, as reports print them.
 */
#ifndef HEDDLE_LABEL_H
#define HEDDLE_LABEL_H

#include <stddef.h>

/* At most room - 1 bytes, terminated; control characters become '?': a report has lines.
 * Not by strncpy: in a program with ThreadSanitizer that is its own, and would see two threads write
 * what our lock guards. */
static inline void label_copy(char *to, size_t room, const char *from)
{
    size_t i = 0;

    for (; i + 1 < room && from[i]; i++) {
        unsigned char c = (unsigned char)from[i];
        ((volatile char *)to)[i] = c < ' ' || c == 0x7f ? '?' : from[i];
    }
    ((volatile char *)to)[i] = '\0';
}

#endif /* HEDDLE_LABEL_H */
