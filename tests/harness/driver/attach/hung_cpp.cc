// hung_cpp.cc - C++ programs that hang, one of each kind: hung_cpp KIND
#include <atomic>
#include <condition_variable>
#include <cstring>
#include <future>
#include <latch>
#include <mutex>
#include <semaphore>
#include <shared_mutex>
#include <string>
#include <thread>

#include <sys/prctl.h>
#include <csignal>
#include <unistd.h>

struct Account {
    std::mutex lock;
    int amount = 0;
};

static Account giro, savings;
static std::shared_mutex table;
static std::recursive_mutex again;
static std::condition_variable changed;
static std::once_flag flag;
static std::latch gate(2);
static std::promise<int> answer;

static void meet()
{
    static std::latch both(2);
    both.arrive_and_wait();
}

static void transfer(Account &from, Account &to)
{
    std::lock_guard first(from.lock);
    meet();
    std::lock_guard second(to.lock);
    to.amount += from.amount;
}

static std::atomic<bool> initialises;

static int initial()
{
    initialises = true;
    std::lock_guard held(giro.lock);
    return giro.amount;
}

static int local_static()
{
    static int amount = initial();
    return amount;
}

static void wait_until_it_initialises()
{
    while (!initialises)
        usleep(10000);
}

int main(int argc, char **argv)
{
    std::string kind = argc > 1 ? argv[1] : "";
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    alarm(300);
    if (kind == "mutex") {
        std::thread other([] { transfer(giro, savings); });
        transfer(savings, giro);
    } else if (kind == "shared") {
        std::thread other([] {
            std::unique_lock first(table);
            meet();
            std::lock_guard second(giro.lock);
        });
        std::lock_guard first(giro.lock);
        meet();
        std::shared_lock second(table);
    } else if (kind == "recursive") {
        std::thread other([] {
            std::lock_guard first(again), twice(again);
            meet();
            std::lock_guard second(giro.lock);
        });
        std::lock_guard first(giro.lock);
        meet();
        std::lock_guard second(again);
    } else if (kind == "condition") {
        std::unique_lock held(giro.lock);
        changed.wait(held, [] { return giro.amount > 0; });
    } else if (kind == "future") {
        answer.get_future().get();
    } else if (kind == "async") {
        std::lock_guard held(giro.lock);
        std::async(std::launch::async, initial).get();
    } else if (kind == "latch") {
        gate.wait();
    } else if (kind == "semaphore") {
        std::counting_semaphore<4> none(0);
        none.acquire();
    } else if (kind == "once") {
        giro.lock.lock();
        std::thread other([] { std::call_once(flag, initial); });
        wait_until_it_initialises();
        std::call_once(flag, [] {});
    } else if (kind == "static") {
        giro.lock.lock();
        std::thread other([] { local_static(); });
        wait_until_it_initialises();
        local_static();
    } else if (kind == "join") {
        std::lock_guard held(giro.lock);
        std::jthread other([] { initial(); });
        other.join();
    }
    return 99;
}
