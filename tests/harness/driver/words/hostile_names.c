/* Names that would be commands to a terminal: an escape sequence, a bell, one of the second half of Latin-1; and a
 * line of source with one. */
#include <heddle/heddle.h>

static struct hd_chan *answers;

static void server(void *unused)
{
    (void)unused;
    hd_chan_recv(answers, NULL); /* [2J */
}

int main(void)
{
    answers = hd_chan_make_named("\033[2Jgone\a\xc2\x9b", 0, 0);
    if (hd_go_named("\033]0;owned\a", server, NULL))
        return 9;
    hd_sleep(HD_SECOND);
    return 0;
}
