/* Misuse by the wrappers of C++, of which only some have a way to say so. */
#include <condition_variable>
#include <mutex>
#include <shared_mutex>
#include <system_error>
#include <thread>

#include "twin.h"

namespace
{

std::mutex mutex;
std::recursive_mutex recursive;
std::shared_mutex shared;

void start_and_join(void (*body)())
{
    std::thread(body).join();
}

void unlocked_too_often()
{
    start_and_join([] {
        mutex.lock();
        mutex.unlock();
        if (wrong)
            mutex.unlock();
    });
}

void recursive_unlocked_too_often()
{
    start_and_join([] {
        recursive.lock();
        recursive.lock();
        recursive.unlock();
        recursive.unlock();
        if (wrong)
            recursive.unlock();
        std::this_thread::yield();
    });
}

void unlocked_by_another()
{
    start_and_join([] {
        mutex.lock();
        if (wrong)
            start_and_join([] { mutex.unlock(); });
        else
            mutex.unlock();
    });
}

void shared_unlocked_too_often()
{
    start_and_join([] {
        shared.lock_shared();
        shared.unlock_shared();
        if (wrong)
            shared.unlock_shared();
    });
}

/* It is thrown, and so looked at. */
void looked_at_lock_again()
{
    start_and_join([] {
        std::unique_lock lock(shared);
        try {
            shared.lock();
            abort();
        } catch (const std::system_error &e) {
            if (e.code() != std::errc::resource_deadlock_would_occur)
                abort();
        }
        if (wrong)
            shared.unlock();
    });
}

} // namespace

int main(int argc, char **argv)
{
    static const struct variant table[] = {
        VARIANT(unlocked_too_often),   VARIANT(recursive_unlocked_too_often),
        VARIANT(unlocked_by_another),  VARIANT(shared_unlocked_too_often),
        VARIANT(looked_at_lock_again),
    };

    return RUN_VARIANT(table, argc, argv);
}
