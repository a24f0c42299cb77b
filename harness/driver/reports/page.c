/* page.c - see page.h */
#include "page.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* Of a pipe or file, and the bounds of a terminal's. */
#define WIDTH 100
#define NARROWEST 60
#define WIDEST 160

int page_terminal(FILE *of)
{
    struct winsize size = {0};
    int fd = fileno(of);

    if (fd < 0 || !isatty(fd))
        return 0;
    return ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col ? size.ws_col : 80;
}

void page_begin(struct page *p, FILE *to, bool colour)
{
    int columns = page_terminal(to);

    *p = (struct page){.real = to, .colour = colour, .folds = columns != 0};
    p->width = !columns              ? WIDTH
               : columns < NARROWEST ? NARROWEST
               : columns > WIDEST    ? WIDEST
                                     : columns;
    p->to = open_memstream(&p->text, &p->bytes);
    if (!p->to)
        p->to = to;
}

/* Bytes of one of our sequences that stands at `text`; 0: none does. */
static size_t sequence_at(const char *text)
{
    static const char *const ours[] = {PAGE_BOLD, PAGE_DIM, PAGE_RED, PAGE_PLAIN};

    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
        if (strncmp(text, ours[i], strlen(ours[i])) == 0)
            return strlen(ours[i]);
    return 0;
}

/* A control character of ASCII, or the first byte of one of the second half of Latin-1 in UTF-8. */
static bool is_control(const char *text)
{
    unsigned char c = (unsigned char)*text, next = c ? (unsigned char)text[1] : 0;

    return (c < 0x20 && c != '\n' && c != '\t') || c == 0x7f ||
           (c == 0xc2 && next >= 0x80 && next < 0xa0);
}

/* Bytes of what stands at `text` and comes through as it is; of what does not, `bad` is set. */
static size_t piece_at(const struct page *p, const char *text, bool *bad)
{
    size_t ours = p->colour ? sequence_at(text) : 0;

    *bad = !ours && is_control(text);
    return ours ? ours : *bad && (unsigned char)*text == 0xc2 ? 2 : 1;
}

/* How much of a line, which ends at `end`, stands on one of the page's: up to the last blank that fits. */
static const char *fold_at(const struct page *p, const char *line, const char *end, int room)
{
    const char *blank = NULL;
    int column = 0;
    bool bad;

    for (const char *at = line; at < end; at += piece_at(p, at, &bad)) {
        if (p->colour && sequence_at(at))
            continue;
        column += ((unsigned char)*at & 0xc0) != 0x80;
        if (column > room)
            return blank ? blank : end;
        if (*at == ' ' && at > line)
            blank = at;
    }
    return end;
}

static void put(const struct page *p, const char *from, const char *end)
{
    bool bad;

    for (size_t n; from < end; from += n) {
        n = piece_at(p, from, &bad);
        if (bad)
            fputc('?', p->real);
        else
            fwrite(from, 1, n, p->real);
    }
}

/* A line without its end, broken where the terminal would break it in the middle of a word. */
static void put_line(const struct page *p, const char *line, const char *end)
{
    int indent = (int)strspn(line, " ") + 2, room = p->width;

    for (;;) {
        const char *fold = p->folds ? fold_at(p, line, end, room) : end;
        put(p, line, fold);
        if (fold == end)
            return;
        fprintf(p->real, "\n%*s", indent, "");
        line = fold + strspn(fold, " ");
        room = p->width - indent;
    }
}

void page_end(struct page *p)
{
    if (p->to == p->real)
        return;
    fclose(p->to);
    const char *at = p->text, *end = p->text + p->bytes;
    while (at < end) {
        const char *line_end = memchr(at, '\n', (size_t)(end - at));
        put_line(p, at, line_end ? line_end : end);
        if (line_end)
            fputc('\n', p->real);
        at = line_end ? line_end + 1 : end;
    }
    free(p->text);
    *p = (struct page){0};
}

const char *page_style(const struct page *p, const char *sequence)
{
    return p->colour ? sequence : "";
}

void page_clean(char *text)
{
    for (; text && *text; text++)
        if (is_control(text) || *text == '\n')
            *text = '?';
}
