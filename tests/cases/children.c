/* A child writes, a thread reads: children HOW TWIN. In a wrong one somebody waits for a word that the reader
 * does not give. */
#include "case.h"
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/signalfd.h>
#include <sys/wait.h>

static sem_t over;
static int ends[2];

static void give_word(void)
{
    if (!wrong)
        sem_post(&over);
}

static void *reads_lines(void *stream)
{
    char line[8];
    int n = 0;

    while (fgets(line, sizeof line, stream))
        n++;
    assert(n == 2);
    give_word();
    return NULL;
}

static void read_and_wait(void *(*body)(void *), void *arg)
{
    pthread_t t = start(body, arg);

    sem_wait(&over);
    finish(t);
}

static void children_popen(void)
{
    FILE *in = popen("sleep 0.02; echo a; echo b", "r");

    read_and_wait(reads_lines, in);
    assert(pclose(in) == 0);
}

static void *reads_all_of_popen(void *unused)
{
    FILE *in = popen("echo a; echo b", "r");

    reads_lines(in);
    assert(pclose(in) == 0);
    return unused;
}

static void children_popen_in_thread(void)
{
    read_and_wait(reads_all_of_popen, NULL);
}

static void *reads_descriptor(void *unused)
{
    char text[8];
    size_t n = 0;
    ssize_t got;

    while ((got = read(ends[0], text + n, sizeof text - n)) > 0)
        n += (size_t)got;
    assert(n == 2 && text[0] == 'a');
    give_word();
    return unused;
}

static void spawned(const char *name,
                    int (*spawn)(pid_t *, const char *, const posix_spawn_file_actions_t *,
                                 const posix_spawnattr_t *, char *const[], char *const[]),
                    bool says_which)
{
    char *words[] = {(char[]){"sh"}, (char[]){"-c"}, (char[]){"sleep 0.02; echo a"}, NULL};
    posix_spawn_file_actions_t actions;
    pid_t child;
    int status;

    assert(pipe2(ends, O_CLOEXEC) == 0);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
    assert(spawn(says_which ? &child : NULL, name, &actions, NULL, words, environ) == 0);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    read_and_wait(reads_descriptor, NULL);
    assert(waitpid(says_which ? child : -1, &status, 0) > 0 && status == 0);
}

static void children_spawn(void)
{
    spawned("/bin/sh", posix_spawn, true);
}

static void children_spawnp(void)
{
    spawned("sh", posix_spawnp, true);
}

static void children_spawn_unnamed(void)
{
    spawned("/bin/sh", posix_spawn, false);
}

/* What writes is the child of a child, which has ended: the thread waits before it is made. */
static void children_left_by_system(void)
{
    char command[64];
    pthread_t t;

    assert(pipe(ends) == 0);
    t = start(reads_descriptor, NULL);
    snprintf(command, sizeof command, "(sleep 0.02; echo a >&%d) &", ends[1]);
    assert(system(command) == 0);
    close(ends[1]);
    sem_wait(&over);
    finish(t);
}

/* More of them than one would count on, of which the first ends last. */
static void children_many(void)
{
    enum { MANY = 70 };
    FILE *first = popen("sleep 0.2; echo a; echo b", "r"), *other[MANY];

    for (int i = 0; i < MANY; i++)
        assert((other[i] = popen(":", "r")));
    for (int i = 0; i < MANY; i++)
        assert(pclose(other[i]) == 0);
    read_and_wait(reads_lines, first);
    assert(pclose(first) == 0);
}

static void on_end(int sig)
{
    int saved = errno;

    (void)sig;
    if (write(ends[1], "c", 1) < 0)
        abort();
    errno = saved;
}

/* The handler of SIGCHLD writes to a pipe: who reads from it counts the ends. */
static void *counts_ends(void *unused)
{
    char c;

    for (int n = 0; n < 2;) {
        if (read(ends[0], &c, 1) < 0)
            assert(errno == EINTR);
        while (waitpid(-1, NULL, WNOHANG) > 0)
            n++;
    }
    give_word();
    return unused;
}

static void *sleeps_often(void *unused)
{
    struct timespec a_while = {0, 1000000};

    for (int i = 0; i < 3; i++)
        nanosleep(&a_while, NULL);
    return unused;
}

static void children_told_by_signal(void)
{
    struct sigaction action = {.sa_handler = on_end, .sa_flags = SA_NOCLDSTOP | SA_RESTART};
    pthread_t counter, sleeper;

    assert(pipe2(ends, O_CLOEXEC) == 0 && sigaction(SIGCHLD, &action, NULL) == 0);
    counter = start(counts_ends, NULL);
    sleeper = start(sleeps_often, NULL);
    for (int i = 0; i < 2; i++)
        if (fork() == 0) {
            execlp("true", "true", (char *)NULL);
            _exit(1);
        }
    sem_wait(&over);
    finish(counter);
    finish(sleeper);
}

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static bool word;

static void *waits_for_word(void *unused)
{
    pthread_mutex_lock(&lock);
    while (!word)
        pthread_cond_wait(&changed, &lock);
    pthread_mutex_unlock(&lock);
    return unused;
}

static pid_t ended_child(void)
{
    pid_t child = fork();

    if (child == 0)
        _exit(0);
    assert(child > 0);
    return child;
}

static void end_before_word(pid_t child)
{
    pthread_t t = start(waits_for_word, NULL);
    siginfo_t info;

    assert(waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT) == 0);
    if (!wrong) {
        pthread_mutex_lock(&lock);
        word = true;
        pthread_cond_signal(&changed);
        pthread_mutex_unlock(&lock);
    }
    finish(t);
    assert(waitpid(child, NULL, 0) == child);
}

static void nothing_to_do(int sig)
{
    (void)sig;
}

static sigset_t handled_and_blocked(void)
{
    sigset_t set;

    assert(signal(SIGCHLD, nothing_to_do) != SIG_ERR);
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    assert(pthread_sigmask(SIG_BLOCK, &set, NULL) == 0);
    return set;
}

/* There is a handler, and the signal goes elsewhere. */
static void children_told_by_sigwait(void)
{
    sigset_t set = handled_and_blocked();
    pid_t child = ended_child();
    int sig;

    assert(sigwait(&set, &sig) == 0 && sig == SIGCHLD);
    end_before_word(child);
}

static void children_told_by_signalfd(void)
{
    sigset_t set = handled_and_blocked();
    int fd = signalfd(-1, &set, SFD_CLOEXEC);
    struct signalfd_siginfo info;
    pid_t child = ended_child();

    assert(fd >= 0 && read(fd, &info, sizeof info) == sizeof info);
    end_before_word(child);
}

/* Nobody lets the signal through, and nobody asks for it. */
static void children_told_to_nobody(void)
{
    handled_and_blocked();
    end_before_word(ended_child());
}

static void children_handled_late(void)
{
    siginfo_t info;
    pid_t child = ended_child();

    assert(waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT) == 0);
    assert(signal(SIGCHLD, nothing_to_do) != SIG_ERR);
    end_before_word(child);
}

static const struct variant all[] = {
    VARIANT(children, popen),
    VARIANT(children, popen_in_thread),
    VARIANT(children, spawn),
    VARIANT(children, spawnp),
    VARIANT(children, spawn_unnamed),
    VARIANT(children, left_by_system),
    VARIANT(children, many),
    VARIANT(children, told_by_signal),
    VARIANT(children, told_by_sigwait),
    VARIANT(children, told_by_signalfd),
    VARIANT(children, told_to_nobody),
    VARIANT(children, handled_late),
};

int main(int argc, char **argv)
{
    arguments(argc, argv, 1);
    sem_init(&over, 0, 0);
    PICK(all, argv[1])->run();
    return 0;
}
