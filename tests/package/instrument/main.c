#include <pthread.h>
#include <stdio.h>

void *work(void *text);

int main(void)
{
    static char text[32];
    pthread_t thread;
    pthread_create(&thread, NULL, work, text);
    work(text);
    pthread_join(thread, NULL);
    puts("ended");
    return 0;
}
