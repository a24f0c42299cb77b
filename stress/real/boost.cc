/* Boost's headers in threads: a pool with a strand, queues and a stack without locks, counted pointers, signals.
 * By hand, with libboost-dev:
 *   heddle-c++ -std=c++17 -g -O1 stress/real/boost.cc -o boost -pthread -latomic
 *   heddle run -n 100 -- ./boost */
#include <boost/asio/post.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/lockfree/queue.hpp>
#include <boost/lockfree/spsc_queue.hpp>
#include <boost/lockfree/stack.hpp>
#include <boost/make_shared.hpp>
#include <boost/signals2.hpp>
#include <cstdio>
#include <thread>

struct Item {
    int n;
};

static boost::lockfree::queue<Item *> queue(16);
static boost::lockfree::spsc_queue<Item *> ring(16);
static boost::lockfree::stack<Item *> stack(16);
static int total;

template <class Container> static void put(Container &to, int n)
{
    auto *item = new Item{n};

    while (!to.push(item))
        std::this_thread::yield();
}

template <class Container> static int take(Container &from)
{
    Item *item;

    if (!from.pop(item))
        return 0;
    item->n++;
    delete item;
    return 1;
}

int main()
{
    enum { EACH = 3 };
    boost::asio::thread_pool pool(2);
    auto strand = boost::asio::make_strand(pool);
    boost::signals2::signal<void(int)> signal;
    auto shared = boost::make_shared<Item>(Item{4});

    signal.connect([](int) {});
    for (int i = 0; i < EACH; i++)
        boost::asio::post(strand, [i, shared] { total += i + shared->n; });
    std::thread puts([] {
        for (int i = 0; i < EACH; i++) {
            put(queue, i);
            put(ring, i);
            put(stack, i);
        }
    });
    std::thread takes([] {
        for (int taken = 0; taken < 3 * EACH; std::this_thread::yield())
            taken += take(queue) + take(ring) + take(stack);
    });
    signal(1);
    puts.join();
    takes.join();
    pool.join();
    std::printf("%d\n", total);
    return 0;
}
