/* A channel that main closes while another still sends: typed_close wrong|right. */
#include <string.h>

#include <heddle/heddle.h>

static void produce(void *words)
{
    hd_sleep(HD_MILLISECOND);
    hd_chan_send(words, &(int){1});
}

int main(int argc, char **argv)
{
    struct hd_chan *words = hd_chan_make_named("words", sizeof(int), 1);

    if (hd_go(produce, words) || argc < 2)
        return 9;
    if (strcmp(argv[1], "wrong") == 0)
        hd_chan_close(words);
    hd_sleep(HD_SECOND);
    return 0;
}
