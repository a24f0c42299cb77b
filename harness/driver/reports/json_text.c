/* json_text.c - see json_text.h */
#include "json_text.h"

#include <stdlib.h>

#include "util/alloc.h"

json_t *json_text(const char *value)
{
    if (!value)
        return json_null();
    json_t *whole = json_string(value);
    if (whole)
        return whole;
    char *plain = mem_copy(value);
    for (char *p = plain; *p; p++)
        if ((unsigned char)*p >= 0x80)
            *p = '?';
    whole = json_string(plain);
    free(plain);
    return whole ? whole : json_null();
}

json_t *json_frames(const struct stack *s)
{
    json_t *list = json_array();
    for (size_t i = 0; i < s->count; i++) {
        const struct frame *f = &s->frame[i];
        json_t *o = json_object();
        json_object_set_new(o, "function", json_text(f->function));
        json_object_set_new(o, "file", json_text(f->file));
        json_object_set_new(o, "line", f->line ? json_integer(f->line) : json_null());
        json_object_set_new(o, "column", f->column ? json_integer(f->column) : json_null());
        json_object_set_new(o, "module", json_text(f->module));
        json_object_set_new(o, "offset", json_integer((json_int_t)f->offset));
        json_object_set_new(o, "inlined", json_boolean(f->inlined));
        json_array_append_new(list, o);
    }
    return list;
}

void json_print(FILE *to, const json_t *document)
{
    json_dumpf(document, to, JSON_INDENT(2) | JSON_ENSURE_ASCII);
    fputc('\n', to);
}
