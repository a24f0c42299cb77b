/* errors.c - counted error values. errors.h states the API.
 *
 * A heap error is one block: the public part, the count, the causes, the text. Its text is put
 * together when it is made, so that reading it needs neither memory nor a lock.
 */
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <heddle/errors.h>

#include "happens_before.h"

#define DEFINE_SENTINEL(name, sentinel, text)                                                      \
    const struct hd_error hd_##sentinel[1] = {HD_ERROR(HD_ERR_##name, text)};
HD_ERROR_MAP(DEFINE_SENTINEL)
#undef DEFINE_SENTINEL

struct heap_error {
    struct hd_error shown; /* shown.heap points back here */
    _Atomic size_t refs;
    size_t cause_count;
    bool joined;               /* causes stand side by side; otherwise there is at most one */
    struct heap_error *doomed; /* next to free, while an unref is at work */
    hd_err causes[];           /* owned; the text follows them */
};

static struct heap_error *heap_of(hd_err err)
{
    return err ? (struct heap_error *)(uintptr_t)err->heap : NULL;
}

static void drop_all(const hd_err *errs, size_t count)
{
    for (size_t i = 0; i < count; i++)
        hd_err_unref(errs[i]);
}

/* A block with room for the causes and a text of text_bytes, NUL included; NULL without memory. */
static struct heap_error *allocate(int code, size_t cause_count, size_t text_bytes, char **text)
{
    size_t fixed;
    struct heap_error *heap;

    if (__builtin_mul_overflow(cause_count, sizeof(hd_err), &fixed) ||
        __builtin_add_overflow(fixed, sizeof *heap, &fixed) || text_bytes > PTRDIFF_MAX - fixed ||
        fixed > PTRDIFF_MAX)
        return NULL;
    heap = malloc(fixed + text_bytes);
    if (!heap)
        return NULL;
    *text = (char *)heap + fixed;
    heap->shown = (struct hd_error){.code = code, .message = *text, .heap = heap};
    atomic_init(&heap->refs, 1);
    heap->cause_count = cause_count;
    heap->joined = false;
    heap->doomed = NULL;
    hdi_hide(heap, fixed); /* the library looks into it on behalf of whoever */
    return heap;
}

static hd_err make(int code, hd_err cause, const char *format, va_list args)
{
    va_list again;
    const char *tail = cause ? hd_err_message(cause) : NULL;
    size_t tail_bytes = tail ? strlen(tail) + 2 : 0;
    struct heap_error *heap;
    char *text;
    int length;

    va_copy(again, args);
    length = vsnprintf(NULL, 0, format, again);
    va_end(again);
    if (length < 0) { /* a conversion that cannot be done: the format says more than nothing */
        hd_err_unref(cause);
        return hd_invalid;
    }
    heap = allocate(code, cause != NULL, (size_t)length + tail_bytes + 1, &text);
    if (!heap) {
        hd_err_unref(cause);
        return hd_out_of_memory;
    }
    vsnprintf(text, (size_t)length + 1, format, args);
    if (cause) {
        text += length;
        memcpy(text, ": ", 2);
        memcpy(text + 2, tail, tail_bytes - 1);
        heap->causes[0] = cause;
    }
    return &heap->shown;
}

hd_err hd_errorv(int code, const char *format, va_list args)
{
    return make(code, NULL, format, args);
}

hd_err hd_errorf(int code, const char *format, ...)
{
    va_list args;
    hd_err err;

    va_start(args, format);
    err = make(code, NULL, format, args);
    va_end(args);
    return err;
}

hd_err hd_wrapf(hd_err cause, const char *format, ...)
{
    va_list args;
    hd_err err;

    if (!cause)
        return NULL;
    va_start(args, format);
    err = make(cause->code, cause, format, args);
    va_end(args);
    return err;
}

hd_err hd_err_join(const hd_err *errs, size_t count)
{
    size_t real = 0, bytes = 0;
    hd_err only = NULL;
    struct heap_error *heap;
    char *text;

    for (size_t i = 0; i < count; i++) {
        if (!errs[i])
            continue;
        if (real++ == 0)
            only = errs[i];
        bytes += strlen(errs[i]->message) + 1;
    }
    if (real <= 1)
        return only;
    heap = allocate(only->code, real, bytes, &text);
    if (!heap) {
        drop_all(errs, count);
        return hd_out_of_memory;
    }
    heap->joined = true;
    real = 0;
    for (size_t i = 0; i < count; i++) {
        if (!errs[i])
            continue;
        size_t length = strlen(errs[i]->message);
        memcpy(text, errs[i]->message, length);
        text[length] = '\n';
        text += length + 1;
        heap->causes[real++] = errs[i];
    }
    text[-1] = '\0';
    return &heap->shown;
}

hd_err hd_err_ref(hd_err err)
{
    struct heap_error *heap = heap_of(err);

    if (heap)
        atomic_fetch_add_explicit(&heap->refs, 1, memory_order_relaxed);
    return err;
}

/* Whether this was the last reference. The edge orders every reader before the free. */
static bool last(struct heap_error *heap)
{
    hdi_release(heap);
    if (atomic_fetch_sub_explicit(&heap->refs, 1, memory_order_acq_rel) != 1)
        return false;
    hdi_acquire(heap);
    return true;
}

void hd_err_unref(hd_err err)
{
    struct heap_error *todo = heap_of(err);

    if (!todo || !last(todo))
        return;
    /* A list, not recursion: a chain of causes may be as long as a loop cared to make it. */
    while (todo) {
        struct heap_error *dead = todo;
        todo = dead->doomed;
        for (size_t i = 0; i < dead->cause_count; i++) {
            struct heap_error *cause = heap_of(dead->causes[i]);
            if (cause && last(cause)) {
                cause->doomed = todo;
                todo = cause;
            }
        }
        free(dead);
    }
}

int hd_err_code(hd_err err)
{
    return err ? err->code : HD_ERR_NONE;
}

const char *hd_err_message(hd_err err)
{
    return err && err->message ? err->message : "";
}

hd_err hd_err_cause(hd_err err)
{
    const struct heap_error *heap = heap_of(err);

    return heap && heap->cause_count && !heap->joined ? heap->causes[0] : NULL;
}

bool hd_err_is(hd_err err, hd_err target)
{
    while (err != target) {
        const struct heap_error *heap = heap_of(err);
        if (!heap || !target || heap->cause_count == 0)
            return false;
        for (size_t i = 1; i < heap->cause_count; i++)
            if (hd_err_is(heap->causes[i], target))
                return true;
        err = heap->causes[0]; /* the deep side of a join made in a loop: no recursion */
    }
    return true;
}

hd_err hd_err_find(hd_err err, int code)
{
    const struct heap_error *heap = heap_of(err);
    bool made_here = !heap || heap->cause_count == 0;

    if (!err)
        return NULL;
    if (made_here)
        return err->code == code ? err : NULL;
    for (size_t i = 0; i < heap->cause_count; i++) {
        hd_err found = hd_err_find(heap->causes[i], code);
        if (found)
            return found;
    }
    return NULL;
}
