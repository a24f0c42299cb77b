/* kernel_objects.h - pipes, sockets, eventfds, timerfds, signalfds and epoll sets of a
 * program: their state noted, and others made in the same state.
 */
#ifndef HEDDLE_KERNEL_OBJECTS_H
#define HEDDLE_KERNEL_OBJECTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/time.h>
#include <time.h>

/* An open descriptor of the program. */
struct rt_descriptor {
    struct rt_descriptor *next;       /* of the same object, in order of their numbers */
    const struct rt_descriptor *same; /* an earlier number of the same open file description */
    int fd, flags;                    /* as F_GETFL gives them */
    int owner, signal;                /* for O_ASYNC */
    bool close_on_exec;
    bool opened_again; /* a further open file description of that end */
    uint8_t end;       /* of a pipe: 1 writes; of a pair: either */
};

struct rt_message {
    struct rt_message *next;
    size_t bytes;
    char data[];
};

struct rt_registration { /* of a descriptor in an epoll set */
    struct rt_registration *next;
    int fd;
    uint32_t events;
    uint64_t data;
    bool told; /* edge-triggered, and the program has been told */
};

#define RT_SOCKET_OPTIONS 9

struct rt_object {
    struct rt_object *next;
    const struct rt_object_kind *kind;
    uint64_t ino[2]; /* of a pair: of both ends */
    struct rt_descriptor *first;
    union {
        struct {
            int capacity;
            bool packets;
        } pipe;
        struct {
            int type;
            struct {
                int sends, takes;           /* bytes that its buffers take */
                struct timeval patience[2]; /* SO_RCVTIMEO, SO_SNDTIMEO */
                int credentials;            /* SO_PASSCRED */
                bool closed;                /* nobody has it open */
                bool ended;                 /* no more will come to it */
            } end[2];
        } pair;
        struct {
            int family, type, protocol;
            int option[RT_SOCKET_OPTIONS];
            struct timeval patience[2]; /* SO_RCVTIMEO, SO_SNDTIMEO */
        } socket;
        struct {
            uint64_t count;
            bool semaphore;
        } event;
        struct {
            clockid_t clock;
            struct itimerspec left;
            uint64_t expired;
        } timer;
        uint64_t signals;
        struct rt_registration *registered;
    };
    struct rt_message *waiting[2]; /* to be read at each end */
};

struct rt_object_kind {
    const char *name; /* for people */
    /* Note the state of o; info: what /proc/self/fdinfo says of its first number. False: it cannot
     * be made anew. */
    bool (*note)(struct rt_object *o, char *info);
    /* Another one in the same state, its ends in fd[]. False: that failed. */
    bool (*make)(const struct rt_object *o, int fd[2]);
    /* Once all objects are in their places; or NULL. */
    bool (*finish)(const struct rt_object *o);
};

/* rt_socket: one that is neither bound nor connected. */
extern const struct rt_object_kind rt_pipe, rt_pair, rt_socket, rt_eventfd, rt_timerfd, rt_signalfd,
    rt_epoll;

#endif /* HEDDLE_KERNEL_OBJECTS_H */
