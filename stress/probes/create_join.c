/* Opposite orders, the second thread made after the first was joined. */
#include "probe.h"

int main(void)
{
    pthread_join(start(a_then_b), NULL);
    pthread_join(start(b_then_a), NULL);
    return 0;
}
