/* snapshot.h - a process as it was at one moment: its threads, their registers and stacks, its map.
 *
 * Taken of a process that lives (look.c), which is stopped for it and then goes on, or of a core
 * file (core.c). Whoever reads it need not know which.
 *
 *   ownership  snapshot_free() releases all
 *   threads    one at a time
 */
#ifndef HEDDLE_DRIVER_SNAPSHOT_H
#define HEDDLE_DRIVER_SNAPSHOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/user.h>

#define NO_CALL (-1)
#define FIBRE_TABLES_MOST 4u

struct seen_thread {
    pid_t tid, inner_tid; /* in our namespace of processes, and in its own; 0: a fibre */
    char name[32];        /* "" unknown */
    char state;           /* as /proc has it: R S D T Z; 0 unknown */
    bool stopped;         /* all registers are known; else sp, pc and the call */
    uint64_t reg[17];     /* as DWARF numbers them */
    uint64_t fs_base;
    int64_t call; /* number of the system call that it is in, or NO_CALL */
    uint64_t arg[6];
    uint64_t began;      /* to order threads by */
    uint64_t used_ticks; /* processor time */
    int64_t idle_ns;     /* has not run for so long; -1 unknown */
    uint64_t fibre;      /* of a goroutine that no thread carries; 0 = a thread */
    uint64_t goroutine;  /* that it carries; 0 = none is known */
    bool has_end;        /* a fibre's wait, by time */
    bool is_monitor;     /* of the library's workers: does nothing of itself */
};

/* A stretch of its memory. */
struct piece {
    uint64_t addr;
    size_t bytes;
    unsigned char *data;
};

struct snapshot {
    pid_t pid;     /* 0: a core */
    pid_t through; /* a thread that lives: the first may have ended, and then shows nothing */
    char *program; /* path, or NULL */
    char *maps;    /* as /proc/PID/maps */
    char *root;    /* folder that the map's names are below, or NULL */
    struct seen_thread *thread;
    size_t threads;
    struct piece *piece; /* by address once snapshot_ready() was called */
    size_t pieces;
    void *core; /* the file, mapped: pieces lie in it; NULL: each is its own */
    size_t core_bytes;
    uint64_t fibre_table[FIBRE_TABLES_MOST]; /* struct hd_fibres of the library's */
    size_t fibre_tables;
    struct seen_thread *fibre; /* until snapshot_ready() counts them among the threads */
    size_t fibres;
    bool lacks_fibres;  /* there may be more */
    int64_t stopped_ns; /* for so long it stood still */
    bool may_be_called; /* a signal handler or timer of the program's own may wake a thread */
    char **missing;     /* sentences: what could not be read */
    size_t missings;
};

struct snapshot *snapshot_new(pid_t pid);
void snapshot_free(struct snapshot *s);
/* Its memory is needed no more: threads and map stay. */
void snapshot_forget(struct snapshot *s);
/* The pieces and threads, or now the fibres too, are complete. */
void snapshot_ready(struct snapshot *s);
/* Takes `data` over. */
void snapshot_keep(struct snapshot *s, uint64_t addr, unsigned char *data, size_t bytes);
void snapshot_lacks(struct snapshot *s, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void snapshot_registers(struct seen_thread *t, const struct user_regs_struct *r);

/* Memory as it was then. False: it was not kept. */
bool snapshot_kept(const struct snapshot *s, uint64_t addr, void *to, size_t bytes);
/* The same, or as it is now. */
bool snapshot_read(const struct snapshot *s, uint64_t addr, void *to, size_t bytes);

/* The mapping that holds an address. */
bool snapshot_mapping(const char *maps, uint64_t addr, uint64_t *low, uint64_t *high);
/* May other processes change what is there? True if that is not known. */
bool snapshot_is_shared(const struct snapshot *s, uint64_t addr);

#endif /* HEDDLE_DRIVER_SNAPSHOT_H */
