#include <string.h>

int count;
char line[64];

void *work(void *text)
{
    count++;
    memcpy(line, text, 32);
    return text;
}
