/* A list is walked without a lock while another thread prepends. */
#include "pattern.h"

struct node {
    struct node *next;
    int value;
};

static struct node first = {NULL, 1}, second = {NULL, 2};
static struct node *head = &first;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void *prepend(void *arg)
{
    pthread_mutex_lock(&lock);
    second.next = head;
    head = &second;
    pthread_mutex_unlock(&lock);
    return arg;
}

static void *walk(void *arg)
{
    int sum = 0;

    GUARD(pthread_mutex_lock(&lock));
    for (struct node *n = head; n; n = n->next)
        sum += n->value;
    GUARD(pthread_mutex_unlock(&lock));
    return sum == 9 ? NULL : arg;
}

int main(void)
{
    run2(prepend, walk, NULL);
    return 0;
}
