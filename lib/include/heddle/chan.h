/* chan.h - channels.
 *
 * A channel carries values of one size from goroutine to goroutine. Without a buffer a send and a
 * receive meet; with one, sends run ahead by at most its capacity. Values come out in the order in
 * which they went in, and goroutines that wait are served in the order in which they came.
 *
 *   a channel that is  send               receive                      close
 *   NULL (Go's nil)    blocks for ever    blocks for ever              panics
 *   open               waits for room     waits for a value            closes
 *   closed             panics             what is left, then zeroes    panics
 *
 *   ownership  hd_chan_make() gives one reference; whoever keeps the channel beyond his caller's
 *              takes one of his own. Nobody may wait on a channel whose last reference goes. Values
 *              are copied byte for byte; pointers in them are neither followed nor freed.
 *   threads    any
 *   memory     a send happens before its receive returns; the k-th receive on a channel of capacity
 *              C before the (k+C)-th send returns; a close before a receive that sees it. No more:
 *              detectors are told exactly these edges.
 *   blocks     "chan send", "chan receive"; each operation is one point of a schedule
 * source: Go specification, "Channel types", "Send statements", "Receive operator", "Close"; The Go
 * Memory Model, "Channel communication".
 */
#ifndef HEDDLE_CHAN_H
#define HEDDLE_CHAN_H

#include <stdbool.h>
#include <stddef.h>

#include <heddle/api.h>

HD_BEGIN_DECLS

struct hd_chan;

#define HD_CHAN_MOST_BYTES 65535u /* of one value, as in Go */

/* A channel of `capacity` values of `bytes` each; 0 bytes for signals without a value. Panics if
 * the size is absurd ("makechan: size out of range") and, with hd_out_of_memory, if there is no
 * room. Go: make(chan T, capacity) */
HD_API HD_MUST_USE struct hd_chan *hd_chan_make(size_t bytes, size_t capacity);

/* The same with a name for reports (copied; may be NULL). */
HD_API HD_MUST_USE struct hd_chan *hd_chan_make_named(const char *name, size_t bytes,
                                                      size_t capacity);

/* One more reference, and one less; NULL is allowed. The last one frees the channel and the values
 * still in it, closed or not; it panics if a goroutine waits there. */
HD_API struct hd_chan *hd_chan_ref(struct hd_chan *chan);
HD_API void hd_chan_unref(struct hd_chan *chan);

/* Send the value at `value`.  Go: chan <- value */
HD_API void hd_chan_send(struct hd_chan *chan, const void *value);

/* Receive into `value` (NULL: drop it); whether it was sent: false if the channel is closed and
 * drained, then the value is all zero.  Go: value, ok = <-chan */
HD_API bool hd_chan_recv(struct hd_chan *chan, void *value);

/* The same without waiting; whether it happened. `ok` as above, may be NULL.
 * Go: select with one case and default */
HD_API HD_MUST_USE bool hd_chan_try_send(struct hd_chan *chan, const void *value);
HD_API HD_MUST_USE bool hd_chan_try_recv(struct hd_chan *chan, void *value, bool *ok);

/* Send it if somebody takes it now or there is room, else drop it; whether it was sent, which may be
 * ignored.  Go: select { case chan <- value: default: } */
HD_API bool hd_chan_offer(struct hd_chan *chan, const void *value);

/* No more values will be sent.  Go: close(chan) */
HD_API void hd_chan_close(struct hd_chan *chan);

/* Values in the buffer now, and its capacity; 0 for NULL. The length orders nothing.
 * Go: len(chan), cap(chan) */
HD_API size_t hd_chan_len(const struct hd_chan *chan);
HD_API size_t hd_chan_cap(const struct hd_chan *chan);

/* A case of a select (select.h). All pointers are borrowed for the call; use the macros to make it. */
struct hd_case {
    struct hd_chan *chan; /* NULL: never ready */
    const void *send;     /* value to send; for HD_SEND only */
    void *recv;           /* where a received value goes; NULL: dropped */
    bool *ok;             /* as hd_chan_recv()'s answer; may be NULL */
    bool sends;
};

#define HD_SEND(channel, value)                                                                    \
    ((struct hd_case){.chan = (channel), .send = (value), .sends = true})
#define HD_RECV(channel, value) ((struct hd_case){.chan = (channel), .recv = (value)})
#define HD_RECV_OK(channel, value, was_sent)                                                       \
    ((struct hd_case){.chan = (channel), .recv = (value), .ok = (was_sent)})

/* for each value until the channel is closed and drained.  Go: for value := range chan */
#define HD_RANGE(type, value, chan) for (type value; hd_chan_recv(chan, &value);)

/* HD_CHAN(jobs, struct job) makes channels of one type of value, passed by value:
 *     jobs      both directions  jobs_make(capacity) jobs_send(c, v) jobs_recv(c, &v) jobs_close(c)
 *                                jobs_try_send(c, v) jobs_offer(c, v)
 *                                jobs_try_recv(c, &v, &ok) jobs_len(c)
 *                                jobs_cap(c) jobs_ref(c) jobs_unref(c)
 *     jobs_tx   to send to       jobs_to_tx(c)  jobs_tx_send(tx, v)  jobs_tx_close(tx)
 *     jobs_rx   to receive from  jobs_to_rx(c)  jobs_rx_recv(rx, &v)
 * A receiver cannot send or close: that does not compile. Cases of a select: jobs_on_send(c, &v),
 * jobs_on_recv(c, &v), jobs_on_recv_ok(c, &v, &ok), and the same for jobs_tx and jobs_rx.
 * Go: chan T, chan<- T, <-chan T */
#define HD_CHAN(name, type)                                                                        \
    typedef struct {                                                                               \
        struct hd_chan *untyped;                                                                   \
    } name;                                                                                        \
    typedef struct {                                                                               \
        struct hd_chan *untyped;                                                                   \
    } name##_tx;                                                                                   \
    typedef struct {                                                                               \
        struct hd_chan *untyped;                                                                   \
    } name##_rx;                                                                                   \
    HDI_CHAN_FN name name##_make(size_t capacity)                                                  \
    {                                                                                              \
        return (name){hd_chan_make_named(#name, sizeof(type), capacity)};                          \
    }                                                                                              \
    HDI_CHAN_FN name##_tx name##_to_tx(name chan)                                                  \
    {                                                                                              \
        return (name##_tx){chan.untyped};                                                          \
    }                                                                                              \
    HDI_CHAN_FN name##_rx name##_to_rx(name chan)                                                  \
    {                                                                                              \
        return (name##_rx){chan.untyped};                                                          \
    }                                                                                              \
    HDI_CHAN_SENDER(name, type, name)                                                              \
    HDI_CHAN_SENDER(name##_tx, type, name##_tx)                                                    \
    HDI_CHAN_RECEIVER(name, type, name)                                                            \
    HDI_CHAN_RECEIVER(name##_rx, type, name##_rx)                                                  \
    HDI_CHAN_EITHER(name)                                                                          \
    HDI_CHAN_EITHER(name##_tx)                                                                     \
    HDI_CHAN_EITHER(name##_rx)

/* Always inlined: reports name the caller's line. */
#define HDI_CHAN_FN __attribute__((always_inline, unused)) static inline

#define HDI_CHAN_SENDER(view, type, prefix)                                                        \
    HDI_CHAN_FN void prefix##_send(view chan, type value)                                          \
    {                                                                                              \
        hd_chan_send(chan.untyped, &value);                                                        \
    }                                                                                              \
    HD_MUST_USE HDI_CHAN_FN bool prefix##_try_send(view chan, type value)                          \
    {                                                                                              \
        return hd_chan_try_send(chan.untyped, &value);                                             \
    }                                                                                              \
    HDI_CHAN_FN bool prefix##_offer(view chan, type value)                                         \
    {                                                                                              \
        return hd_chan_offer(chan.untyped, &value);                                                \
    }                                                                                              \
    HDI_CHAN_FN void prefix##_close(view chan)                                                     \
    {                                                                                              \
        hd_chan_close(chan.untyped);                                                               \
    }                                                                                              \
    HDI_CHAN_FN struct hd_case prefix##_on_send(view chan, const type *value)                      \
    {                                                                                              \
        return HD_SEND(chan.untyped, value);                                                       \
    }

#define HDI_CHAN_RECEIVER(view, type, prefix)                                                      \
    HDI_CHAN_FN bool prefix##_recv(view chan, type *value)                                         \
    {                                                                                              \
        return hd_chan_recv(chan.untyped, value);                                                  \
    }                                                                                              \
    HD_MUST_USE HDI_CHAN_FN bool prefix##_try_recv(view chan, type *value, bool *ok)               \
    {                                                                                              \
        return hd_chan_try_recv(chan.untyped, value, ok);                                          \
    }                                                                                              \
    HDI_CHAN_FN struct hd_case prefix##_on_recv(view chan, type *value)                            \
    {                                                                                              \
        return HD_RECV(chan.untyped, value);                                                       \
    }                                                                                              \
    HDI_CHAN_FN struct hd_case prefix##_on_recv_ok(view chan, type *value, bool *ok)               \
    {                                                                                              \
        return HD_RECV_OK(chan.untyped, value, ok);                                                \
    }

#define HDI_CHAN_EITHER(view)                                                                      \
    HDI_CHAN_FN size_t view##_len(view chan)                                                       \
    {                                                                                              \
        return hd_chan_len(chan.untyped);                                                          \
    }                                                                                              \
    HDI_CHAN_FN size_t view##_cap(view chan)                                                       \
    {                                                                                              \
        return hd_chan_cap(chan.untyped);                                                          \
    }                                                                                              \
    HDI_CHAN_FN view view##_ref(view chan)                                                         \
    {                                                                                              \
        return (view){hd_chan_ref(chan.untyped)};                                                  \
    }                                                                                              \
    HDI_CHAN_FN void view##_unref(view chan)                                                       \
    {                                                                                              \
        hd_chan_unref(chan.untyped);                                                               \
    }

HD_END_DECLS

#endif /* HEDDLE_CHAN_H */
