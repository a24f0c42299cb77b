/* output.c - what is written about a program that is followed. */
#include "watch_observers.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The program may close a descriptor of ours, and use its number for something else. */
struct own {
    int fd;
    dev_t device;
    ino_t inode;
};

static struct own out = {.fd = 2}, log_file = {.fd = -1};
static pthread_mutex_t reporting = PTHREAD_MUTEX_INITIALIZER; /* a leaf, but for the pipe */
static bool driver; /* reads what we write, and finds the words for addresses */

static struct own own(int fd)
{
    struct stat st;
    return fd >= 0 && fstat(fd, &st) == 0 ? (struct own){fd, st.st_dev, st.st_ino}
                                          : (struct own){.fd = -1};
}

static bool is_own(const struct own *o)
{
    struct stat st;
    return o->fd == STDERR_FILENO || (o->fd >= 0 && fstat(o->fd, &st) == 0 &&
                                      st.st_dev == o->device && st.st_ino == o->inode);
}

void observe_report_start(void)
{
    const char *fd = getenv("HEDDLE_WATCH_FD"), *path = getenv("HEDDLE_LOG");
    if (fd) {
        driver = observe_sends = fcntl(atoi(fd), F_SETFD, FD_CLOEXEC) == 0;
        if (driver)
            out = own(atoi(fd));
    }
    if (path)
        log_file = own(open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666));
    unsetenv("HEDDLE_WATCH_FD");
    unsetenv("HEDDLE_LOG");
}

void observe_add(struct observe_text *t, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    int n = vsnprintf(t->text + t->used, sizeof t->text - t->used, format, list);
    va_end(list);
    if (n > 0)
        t->used += (uint32_t)n < sizeof t->text - t->used
                       ? (uint32_t)n
                       : (uint32_t)(sizeof t->text - t->used - 1);
}

static void write_all(const struct own *to, const char *text, uint32_t bytes)
{
    while (bytes && is_own(to)) {
        ssize_t n = write(to->fd, text, bytes);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return;
        text += n;
        bytes -= (uint32_t)n;
    }
}

bool observe_is_asked(void)
{
    static bool alone; /* the driver has ended */
    struct pollfd p = {.fd = out.fd, .events = POLLIN};
    char asked[16];
    if (!driver || alone || !is_own(&out) || poll(&p, 1, 0) <= 0 || !(p.revents & POLLIN))
        return false;
    ssize_t n = read(out.fd, asked, sizeof asked);
    alone = n == 0;
    return n > 0;
}

void observe_write(struct observe_text *t)
{
    int saved = errno;
    write_all(&out, t->text, t->used);
    write_all(&log_file, t->text, t->used);
    t->used = 0;
    errno = saved;
}

static void add_place(struct observe_text *t, uintptr_t addr, bool is_code)
{
    Dl_info info;
    if (driver) {
        observe_add(t, "{%c%lx}", is_code ? 'c' : 'o', (unsigned long)addr);
    } else if (dladdr((void *)addr, &info) && info.dli_fname) {
        const char *slash = strrchr(info.dli_fname, '/');
        const char *module = slash ? slash + 1 : info.dli_fname;
        if (info.dli_sname)
            observe_add(t, "%s ", info.dli_sname);
        observe_add(t, "(%s+0x%lx)", module,
                    (unsigned long)(addr - (uintptr_t)info.dli_fbase - (is_code ? 1 : 0)));
    } else {
        observe_add(t, "0x%lx", (unsigned long)addr);
    }
}

void observe_add_code(struct observe_text *t, uint64_t pc)
{
    add_place(t, (uintptr_t)pc, true);
}

/* The driver may read it when the program has ended: the map comes with the report. */
static void write_map(void)
{
    struct observe_text t = {0};
    int fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
    char part[2048];
    bool fresh = true;
    observe_add(&t, "\1\n");
    for (ssize_t n; fd >= 0 && (n = read(fd, part, sizeof part)) > 0;) {
        for (ssize_t i = 0; i < n; i++) {
            if (fresh)
                t.text[t.used++] = '\1';
            fresh = part[i] == '\n';
            t.text[t.used++] = part[i];
            if (fresh && t.used > sizeof t.text / 2) {
                write_all(&out, t.text, t.used);
                t.used = 0;
            }
        }
    }
    write_all(&out, t.text, t.used);
    if (fd >= 0)
        close(fd);
}

void observe_report_in_child(void)
{
    reporting = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
}

void observe_begin(void)
{
    observe_real.lock(&reporting);
    if (driver)
        write_map();
}

void observe_end(void)
{
    if (driver)
        write_all(&out, "\3\n", 2);
    observe_real.unlock(&reporting);
}

static const char *object_word(enum hd_event kind)
{
    switch (kind) {
    case HD_EV_MUTEX_LOCK:
        return "mutex";
    case HD_EV_COND_WAIT:
    case HD_EV_COND_SIGNAL:
    case HD_EV_COND_BROADCAST:
        return "condition variable";
    case HD_EV_RWLOCK_RDLOCK:
    case HD_EV_RWLOCK_WRLOCK:
        return "rwlock";
    case HD_EV_SPIN_LOCK:
        return "spinlock";
    case HD_EV_SEM_WAIT:
    case HD_EV_SEM_POST:
        return "semaphore";
    case HD_EV_BARRIER_WAIT:
        return "barrier";
    case HD_EV_CHAN_SEND:
    case HD_EV_CHAN_RECV:
        return "channel";
    case HD_EV_HD_WAITGROUP_WAIT:
        return "waitgroup";
    case HD_EV_HD_COND_WAIT:
        return "hd_cond";
    case HD_EV_HD_ONCE:
        return "once";
    case HD_EV_HD_SEMAPHORE:
        return "weighted semaphore";
    case HD_EV_ONCE:
        return "once control";
    case HD_EV_NONE:
        return "lock";
    default:
        return NULL; /* the words for what it does name it */
    }
}

void observe_add_waits_for(struct observe_text *t, enum hd_event kind, uintptr_t object)
{
    observe_add(t, "%s", observe_doing(kind));
    if (!object || kind == HD_EV_SELECT) /* of its cases one is as good as another */
        return;
    observe_add(t, " ");
    observe_add_object(t, kind, object);
}

void observe_add_object(struct observe_text *t, enum hd_event kind, uintptr_t object)
{
    const char *word = object_word(kind);
    if (kind == HD_EV_THREAD_JOIN) {
        observe_add(t, "T%u", ((const struct follower *)object)->number);
        return;
    }
    if (!object)
        return;
    if (word)
        observe_add(t, "%s ", word);
    add_place(t, object, false);
}

const char *observe_word(enum hd_finding_kind kind)
{
    static const char *const word[] = {
#define FINDING(NAME, word, title, advice, plant) word,
#include "wire/finding_kinds.inc"
    };
    return word[kind];
}

const char *observe_doing(enum hd_event kind)
{
    static const char *const doing[] = {
#define DOING(name, text, what, object) what,
        HD_EVENT_MAP(DOING)
#undef DOING
    };
    return doing[kind];
}

/* A row of the graph: \2 and what the edge is ('e': of the whole; 'g': gone; 'r': of a predicted
 * deadlock; 'z', alone: that was the whole), its two ends (address, kind, mode, place), thread,
 * gates. */
static void send_edge(char what, const struct hdi_lock_edge *e)
{
    struct observe_text t = {0};
    observe_add(&t, "\2%c %lx %llx %u %u %llx %lx %llx %u %u %llx %llu T%u", what,
                (unsigned long)e->held, (unsigned long long)e->held_made, e->held_kind,
                e->held_mode & HDI_LOCK_SHARED, (unsigned long long)e->held_site,
                (unsigned long)e->took, (unsigned long long)e->took_made, e->took_kind,
                e->took_mode & HDI_LOCK_SHARED, (unsigned long long)e->took_site,
                (unsigned long long)e->count, ((const struct follower *)e->thread)->number);
    for (uint32_t i = 0; i < HDI_LOCK_GATES; i++)
        if (e->gate[i])
            observe_add(&t, " %lx %llx", (unsigned long)e->gate[i],
                        (unsigned long long)e->gate_made[i]);
    observe_add(&t, "\n");
    write_all(&out, t.text, t.used);
}

static void send_whole(const struct hdi_lock_edge *e, void *data)
{
    (void)data;
    send_edge('e', e);
}

static void send_gone(const struct hdi_lock_edge *e, void *data)
{
    (void)data;
    send_edge('g', e);
}

static uint64_t forgotten(void)
{
    struct hdi_lock_stats stats = {0};
    if (observe_graph)
        hdi_lockgraph_stats(observe_graph, &stats);
    return stats.forgotten + stats.cut + stats.skipped;
}

void observe_note_forgotten(void)
{
    struct observe_text t = {0};
    uint64_t n = forgotten();
    if (!n)
        return;
    observe_begin();
    observe_add(&t,
                "heddle: note: %llu lock orders were forgotten, as there were so many: not every "
                "deadlock among them is predicted\n",
                (unsigned long long)n);
    observe_write(&t);
    observe_end();
}

void observe_send_graph(void)
{
    struct observe_text t = {0};
    observe_begin(); /* for the memory map; not meanwhile: observe_ring() has the graph's lock first
                     */
    observe_end();
    hdi_lockgraph_each(observe_graph, send_whole, NULL);
    observe_add(&t, "\2f %llu\n", (unsigned long long)forgotten());
    write_all(&out, t.text, t.used);
    write_all(&out, "\2z\n", 3);
}

/* The edges of a lock that is gone. */
void observe_drawing_observes(enum hdi_what what, const struct hdi_happened *e)
{
    int saved = errno;
    (void)what;
    if (observe_on && observe_sends && observe_graph)
        hdi_lockgraph_each_of(observe_graph, e->address, send_gone, NULL);
    errno = saved;
}

void observe_ring(const struct hdi_lock_ring *ring, void *data)
{
    struct observe_text t = {0};
    (void)data;
    observe_begin();
    observe_add(&t, "heddle: %s: %s\n", observe_word(HD_FK_LOCK_ORDER),
                ring->reader_again
                    ? "a thread reads again what it reads already; a writer that comes "
                      "between waits for it and keeps it out"
                    : "locks taken in opposite orders: these threads can come to wait "
                      "for each other");
    for (uint32_t i = 0; i < ring->filled; i++) {
        const struct hdi_lock_edge *e = &ring->edge[i];
        const struct follower *f = e->thread;
        observe_add(&t, "  T%u ", f->number);
        if (!ring->reader_again || i == 0) {
            observe_add(&t, "held ");
            observe_add_object(&t, HD_EV_NONE, (uintptr_t)e->held);
            observe_add(&t, ", taken at ");
            observe_add_code(&t, e->held_site);
            observe_add(&t, "\n    then ");
            if (observe_sends)
                send_edge('r', e);
        }
        observe_add(&t, "took ");
        observe_add_object(&t, HD_EV_NONE, (uintptr_t)e->took);
        observe_add(&t, " at ");
        observe_add_code(&t, e->took_site);
        observe_add(&t, "\n");
    }
    if (ring->edges > ring->filled)
        observe_add(&t, "  and %u more\n", ring->edges - ring->filled);
    observe_write(&t);
    observe_end();
}
