/* A node is looked up in one critical section and put in front in another: twice, and its next is
 * itself. The walk over the list never ends, and calls nothing. */
#include "classic.h"

struct node {
    struct node *next;
    bool listed;
};
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct node *head, only;

static void *add(void *arg)
{
    pthread_mutex_lock(&lock);
    bool there = only.listed;
#if !RIGHT
    pthread_mutex_unlock(&lock);
    pthread_mutex_lock(&lock);
#endif
    if (!there) {
        only.next = head;
        only.listed = true;
        head = &only;
    }
    pthread_mutex_unlock(&lock);
    return arg;
}

int main(void)
{
    volatile int length = 0;

    both(add, add);
    for (struct node *n = head; n; n = n->next)
        length = 1 - length;
    return 0;
}
