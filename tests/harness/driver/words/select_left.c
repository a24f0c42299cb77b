/* A server that has left by its other case, and a client that waits for its answer:
 * select_left wrong|right. right: the client gives up with the server. */
#include <string.h>

#include <heddle/heddle.h>

static struct hd_chan *work, *quit, *answer;

static void server(void *unused)
{
    (void)unused;
    if (HD_SELECT(HD_RECV(work, NULL), HD_RECV(quit, NULL)) == 0)
        hd_chan_send(answer, NULL);
}

static void quitter(void *unused)
{
    (void)unused;
    hd_chan_close(quit);
}

static void client(void *right)
{
    hd_chan_send(work, NULL);
    if (right)
        HD_SELECT(HD_RECV(answer, NULL), HD_RECV(quit, NULL));
    else
        hd_chan_recv(answer, NULL);
}

int main(int argc, char **argv)
{
    void *right = argc > 1 && strcmp(argv[1], "right") == 0 ? &work : NULL;

    work = hd_chan_make_named("work", 0, 1);
    quit = hd_chan_make_named("quit", 0, 0);
    answer = hd_chan_make_named("answer", 0, 1);
    if (hd_go(server, NULL) || hd_go(quitter, NULL) || hd_go(client, right))
        return 9;
    hd_sleep(HD_SECOND);
    return 0;
}
