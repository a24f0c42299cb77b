/* sent_pointers.c - see sent_pointers.h.
 *
 * What goes through pipes, sockets and queues, and the data that epoll, timers and signals carry,
 * is searched for words that could point into the heap; those count as reached for ever.
 */
#include "sent_pointers.h"

#include <string.h>

#include "snapshot.h"
#include "reach.h"

#define WORDS 4096u
#define LONGEST ((size_t)64 << 10)

static uintptr_t sent[WORDS];
static uint32_t count;

static void keep(uintptr_t word)
{
    if (!hdi_blocks_near(word))
        return;
    for (uint32_t i = 0; i < count; i++)
        if (sent[i] == word)
            return;
    if (count == WORDS)
        hdi_reach_off();
    else
        sent[count++] = word;
}

void hdi_reach_sent(const void *bytes, size_t n)
{
    const unsigned char *p = bytes;

    if (!hdi_reach_on || !bytes)
        return;
    if (n > LONGEST) /* what is sent in bulk is data */
        n = LONGEST;
    for (size_t at = 0; at + sizeof(uintptr_t) <= n; at += sizeof(uintptr_t)) {
        uintptr_t word;
        memcpy(&word, p + at, sizeof word);
        keep(word);
    }
}

void hdi_sent_each(void (*f)(uintptr_t word))
{
    for (uint32_t i = 0; i < count; i++)
        f(sent[i]);
}
