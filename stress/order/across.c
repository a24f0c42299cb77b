/* Order that goes through a child: one thread tells it, it tells the other, by whatever two processes have in
 * common. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <mqueue.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/file.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "twin.h"

enum way { THERE, BACK }; /* from a thread to the child, from the child to the other thread */

static struct common {
    pthread_barrier_t barrier[2];
    atomic_int flag[2];
    _Alignas(16) __int128 wide[2];
    pthread_mutex_t mutex[2];
    pthread_cond_t cond[2];
    pthread_rwlock_t rwlock[2];
    pthread_spinlock_t spin[2];
    int told[2];
} * common;

int x, sink; /* not static: what nobody reads is not there */
static pid_t child;
static void (*tell)(enum way), (*hear)(enum way);

static void *tells(void *arg)
{
    if (!wrong)
        x = 1;
    tell(THERE);
    if (wrong)
        x = 1;
    return arg;
}

static void *hears(void *arg)
{
    hear(BACK);
    sink = x;
    return arg;
}

static void through(void (*telling)(enum way), void (*hearing)(enum way))
{
    pthread_t a, b;

    tell = telling;
    hear = hearing;
    child = fork();
    if (child == 0) {
        hear(THERE);
        tell(BACK);
        _exit(0);
    }
    pthread_create(&a, NULL, tells, NULL);
    pthread_create(&b, NULL, hears, NULL);
    pthread_join(a, NULL);
    pthread_join(b, NULL);
    waitpid(child, NULL, 0);
}

static void nap(void)
{
    usleep(100);
}

/* ---- objects in memory ---- */

static void share(void)
{
    pthread_barrierattr_t barrier;
    pthread_mutexattr_t mutex;
    pthread_condattr_t cond;
    pthread_rwlockattr_t rwlock;

    common = mmap(NULL, sizeof *common, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pthread_barrierattr_init(&barrier);
    pthread_barrierattr_setpshared(&barrier, PTHREAD_PROCESS_SHARED);
    pthread_mutexattr_init(&mutex);
    pthread_mutexattr_setpshared(&mutex, PTHREAD_PROCESS_SHARED);
    pthread_mutexattr_setrobust(&mutex, PTHREAD_MUTEX_ROBUST);
    pthread_condattr_init(&cond);
    pthread_condattr_setpshared(&cond, PTHREAD_PROCESS_SHARED);
    pthread_rwlockattr_init(&rwlock);
    pthread_rwlockattr_setpshared(&rwlock, PTHREAD_PROCESS_SHARED);
    for (int i = THERE; i <= BACK; i++) {
        pthread_barrier_init(&common->barrier[i], &barrier, 2);
        pthread_mutex_init(&common->mutex[i], &mutex);
        pthread_cond_init(&common->cond[i], &cond);
        pthread_rwlock_init(&common->rwlock[i], &rwlock);
        pthread_spin_init(&common->spin[i], PTHREAD_PROCESS_SHARED);
    }
}

static void meet(enum way i)
{
    pthread_barrier_wait(&common->barrier[i]);
}

static void barrier(void)
{
    share();
    through(meet, meet);
}

static void set_flag(enum way i)
{
    atomic_store(&common->flag[i], 1);
}

static void await_flag(enum way i)
{
    while (!atomic_load(&common->flag[i]))
        nap();
}

static void atomic_flag_of_both(void)
{
    share();
    through(set_flag, await_flag);
}

static void exchange_flag(enum way i)
{
    int none = 0;

    atomic_compare_exchange_strong(&common->flag[i], &none, 1);
}

static void atomic_exchange_of_both(void)
{
    share();
    through(exchange_flag, await_flag);
}

static void set_behind_fence(enum way i)
{
    atomic_thread_fence(memory_order_release);
    atomic_store_explicit(&common->flag[i], 1, memory_order_relaxed);
}

static void await_before_fence(enum way i)
{
    while (!atomic_load_explicit(&common->flag[i], memory_order_relaxed))
        nap();
    atomic_thread_fence(memory_order_acquire);
}

static void fences(void)
{
    share();
    through(set_behind_fence, await_before_fence);
}

static void set_wide(enum way i)
{
    __atomic_store_n(&common->wide[i], 1, __ATOMIC_SEQ_CST);
}

static void await_wide(enum way i)
{
    while (!__atomic_load_n(&common->wide[i], __ATOMIC_SEQ_CST))
        nap();
}

static void wide_atomic(void)
{
    share();
    through(set_wide, await_wide);
}

static void set_and_wake(enum way i)
{
    atomic_store(&common->flag[i], 1);
    syscall(SYS_futex, &common->flag[i], FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}

static void await_futex(enum way i)
{
    while (!atomic_load(&common->flag[i]))
        syscall(SYS_futex, &common->flag[i], FUTEX_WAIT, 0, NULL, NULL, 0);
}

static void futex(void)
{
    share();
    through(set_and_wake, await_futex);
}

static void name_temporary(char path[256])
{
    const char *where = getenv("TMPDIR");

    snprintf(path, 256, "%s/across.XXXXXX", where && *where ? where : "/tmp");
}

/* Memory of a file that both have mapped, at an address where other memory was before. */
static void mapped_file(void)
{
    char name[256];
    void *before = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int file;

    name_temporary(name);
    file = mkstemp(name);
    unlink(name);
    if (ftruncate(file, 4096) != 0)
        abort();
    atomic_store((atomic_int *)before, 1);
    common = mmap(before, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, file, 0);
    through(set_flag, await_flag);
}

static void lock(enum way i)
{
    if (pthread_mutex_lock(&common->mutex[i]) == EOWNERDEAD)
        pthread_mutex_consistent(&common->mutex[i]);
}

static void signal_condition(enum way i)
{
    lock(i);
    common->told[i] = 1;
    pthread_mutex_unlock(&common->mutex[i]);
    pthread_cond_broadcast(&common->cond[i]);
}

static void await_condition(enum way i)
{
    lock(i);
    while (!common->told[i])
        pthread_cond_wait(&common->cond[i], &common->mutex[i]);
    pthread_mutex_unlock(&common->mutex[i]);
}

static void condition(void)
{
    share();
    through(signal_condition, await_condition);
}

/* The child ends with the mutex. */
static void die_with_lock(enum way i)
{
    lock(i);
    common->told[i] = 1;
    if (i == THERE)
        pthread_mutex_unlock(&common->mutex[i]);
}

static void await_dead(enum way i)
{
    for (int told = 0; !told; nap()) {
        lock(i);
        told = common->told[i];
        pthread_mutex_unlock(&common->mutex[i]);
    }
}

static void robust_mutex(void)
{
    share();
    through(die_with_lock, await_dead);
}

static void write_locked(enum way i)
{
    pthread_rwlock_wrlock(&common->rwlock[i]);
    common->told[i] = 1;
    pthread_rwlock_unlock(&common->rwlock[i]);
}

static void read_locked(enum way i)
{
    for (int told = 0; !told; nap()) {
        pthread_rwlock_rdlock(&common->rwlock[i]);
        told = common->told[i];
        pthread_rwlock_unlock(&common->rwlock[i]);
    }
}

static void rwlock(void)
{
    share();
    through(write_locked, read_locked);
}

static void spin_and_tell(enum way i)
{
    pthread_spin_lock(&common->spin[i]);
    common->told[i] = 1;
    pthread_spin_unlock(&common->spin[i]);
}

static void spin_and_look(enum way i)
{
    for (int told = 0; !told; nap()) {
        pthread_spin_lock(&common->spin[i]);
        told = common->told[i];
        pthread_spin_unlock(&common->spin[i]);
    }
}

static void spin_lock(void)
{
    share();
    through(spin_and_tell, spin_and_look);
}

/* ---- objects of the kernel ---- */

static int sems;

static void post_sem(enum way i)
{
    struct sembuf post = {(unsigned short)i, 1, 0};

    semop(sems, &post, 1);
}

static void wait_sem(enum way i)
{
    struct sembuf wait = {(unsigned short)i, -1, 0};

    semop(sems, &wait, 1);
}

static void system_v_semaphore(void)
{
    sems = semget(IPC_PRIVATE, 2, 0600);
    through(post_sem, wait_sem);
    semctl(sems, 0, IPC_RMID);
}

static int messages;

static void send_message(enum way i)
{
    struct {
        long type;
        char text[1];
    } message = {i + 1, "x"};

    msgsnd(messages, &message, 1, 0);
}

static void receive_message(enum way i)
{
    struct {
        long type;
        char text[1];
    } message;

    msgrcv(messages, &message, 1, i + 1, 0);
}

static void system_v_message(void)
{
    messages = msgget(IPC_PRIVATE, 0600);
    through(send_message, receive_message);
    msgctl(messages, IPC_RMID, NULL);
}

static mqd_t queue[2];

static void put_in_queue(enum way i)
{
    mq_send(queue[i], "x", 1, 0);
}

static void take_of_queue(enum way i)
{
    char text[16];

    mq_receive(queue[i], text, sizeof text, NULL);
}

static void message_queue(void)
{
    struct mq_attr attr = {.mq_maxmsg = 1, .mq_msgsize = 16};
    char name[32];

    for (int i = THERE; i <= BACK; i++) {
        snprintf(name, sizeof name, "/across.%d.%d", (int)getpid(), i);
        queue[i] = mq_open(name, O_CREAT | O_RDWR, 0600, &attr);
        mq_unlink(name);
    }
    through(put_in_queue, take_of_queue);
}

static atomic_int caught;

static void catches(int number)
{
    atomic_store(&caught, number);
}

static void send_signal(enum way i)
{
    kill(i == THERE ? child : getppid(), SIGUSR1);
}

static void await_handler(enum way i)
{
    (void)i;
    while (!atomic_load(&caught))
        nap();
}

static void signal_handled(void)
{
    signal(SIGUSR1, catches);
    through(send_signal, await_handler);
}

static void await_signal(enum way i)
{
    sigset_t set;
    int number;

    (void)i;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigwait(&set, &number);
}

static void signal_awaited(void)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigprocmask(SIG_BLOCK, &set, NULL);
    through(send_signal, await_signal);
}

/* ---- files ---- */

static char folder[256], name[2][272];

static void name_files(void)
{
    name_temporary(folder);
    if (!mkdtemp(folder))
        abort();
    for (int i = THERE; i <= BACK; i++)
        snprintf(name[i], sizeof name[i], "%s/%d", folder, i);
}

static void remove_files(void)
{
    unlink(name[THERE]);
    unlink(name[BACK]);
    rmdir(folder);
}

static void create_file(enum way i)
{
    close(open(name[i], O_CREAT | O_WRONLY, 0600));
}

static void await_file(enum way i)
{
    while (access(name[i], F_OK) != 0)
        nap();
}

static void file_created(void)
{
    name_files();
    through(create_file, await_file);
    remove_files();
}

static void rename_file(enum way i)
{
    char other[280];

    snprintf(other, sizeof other, "%s.new", name[i]);
    close(open(other, O_CREAT | O_WRONLY, 0600));
    rename(other, name[i]);
}

static void await_opened(enum way i)
{
    int file;

    while ((file = open(name[i], O_RDONLY)) < 0)
        nap();
    close(file);
}

static void file_renamed(void)
{
    name_files();
    through(rename_file, await_opened);
    remove_files();
}

static int file[2];

static void open_files(void)
{
    name_files();
    for (int i = THERE; i <= BACK; i++)
        file[i] = open(name[i], O_CREAT | O_RDWR, 0600);
    remove_files();
}

static void write_file(enum way i)
{
    if (pwrite(file[i], "x", 1, 0) != 1)
        abort();
}

static void await_bytes(enum way i)
{
    char c;

    while (pread(file[i], &c, 1, 0) != 1)
        nap();
}

static void file_written(void)
{
    open_files();
    through(write_file, await_bytes);
}

static void append(enum way i)
{
    if (write(file[i], "x", 1) != 1)
        abort();
}

static void await_size(enum way i)
{
    struct stat st = {.st_size = 0};

    while (fstat(file[i], &st) == 0 && st.st_size == 0)
        nap();
}

static void file_grown(void)
{
    open_files();
    through(append, await_size);
}

static void lock_and_write(enum way i)
{
    int own = open(name[i], O_RDWR);

    flock(own, LOCK_EX);
    common->told[i] = 1;
    flock(own, LOCK_UN);
    close(own);
}

static void lock_and_look(enum way i)
{
    for (int told = 0; !told; nap()) {
        int own = open(name[i], O_RDWR);
        flock(own, LOCK_EX);
        told = common->told[i];
        flock(own, LOCK_UN);
        close(own);
    }
}

static void file_locked(void)
{
    share();
    name_files();
    for (int i = THERE; i <= BACK; i++)
        create_file(i);
    through(lock_and_write, lock_and_look);
    remove_files();
}

int main(int argc, char **argv)
{
    static const struct variant table[] = {
        VARIANT(barrier),          VARIANT(atomic_flag_of_both), VARIANT(atomic_exchange_of_both),
        VARIANT(fences),           VARIANT(wide_atomic),         VARIANT(futex),
        VARIANT(mapped_file),      VARIANT(condition),           VARIANT(robust_mutex),
        VARIANT(rwlock),           VARIANT(spin_lock),           VARIANT(system_v_semaphore),
        VARIANT(system_v_message), VARIANT(message_queue),       VARIANT(signal_handled),
        VARIANT(signal_awaited),   VARIANT(file_created),        VARIANT(file_renamed),
        VARIANT(file_written),     VARIANT(file_grown),          VARIANT(file_locked),
    };

    return RUN_VARIANT(table, argc, argv);
}
