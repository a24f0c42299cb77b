/* A list and its elements lock each other, in both directions; all of them were allocated. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

struct node {
    pthread_mutex_t lock;
    int value;
    struct node *next;
};

static struct node *list, *element;

static struct node *new_node(int value)
{
    struct node *n = calloc(1, sizeof *n);
    pthread_mutex_init(&n->lock, NULL);
    n->value = value;
    return n;
}

static void *append(void *arg)
{
    pthread_mutex_lock(&list->lock);
    pthread_mutex_lock(&element->lock);
    list->next = element;
    pthread_mutex_unlock(&element->lock);
    pthread_mutex_unlock(&list->lock);
    return arg;
}

static void *detach(void *arg)
{
#ifdef FIXED
    pthread_mutex_lock(&list->lock);
    pthread_mutex_lock(&element->lock);
#else
    pthread_mutex_lock(&element->lock);
    pthread_mutex_lock(&list->lock);
#endif
    list->next = NULL;
    pthread_mutex_unlock(&list->lock);
    pthread_mutex_unlock(&element->lock);
    return arg;
}

int main(void)
{
    pthread_t one, two;
    list = new_node(0);
    element = new_node(1);
    pthread_create(&one, NULL, append, NULL);
    pthread_create(&two, NULL, detach, NULL);
    pthread_join(one, NULL);
    pthread_join(two, NULL);
    printf("%d\n", list->value + element->value);
    return 0;
}
