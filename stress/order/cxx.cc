/* What the C++ runtime orders. */
#include <atomic>
#include <barrier>
#include <condition_variable>
#include <coroutine>
#include <exception>
#include <functional>
#include <future>
#include <iostream>
#include <latch>
#include <locale>
#include <memory>
#include <mutex>
#include <semaphore>
#include <shared_mutex>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#ifdef __cpp_lib_jthread
#include <stop_token>
#endif
#if __has_include(<memory_resource>)
#include <memory_resource>
#endif

#include "twin.h"

int x, sink; /* not static: what nobody reads is not there */

/* Both threads may come here. */
static void sink_of(int value)
{
    __atomic_store_n(&sink, value, __ATOMIC_RELAXED);
}

/* What the wrong twin does beside the order. */
static void late()
{
    if (wrong)
        x = 2;
}

struct Config {
    int size;
    Config() : size(42)
    {
        x = 1;
    }
};

static const Config &config()
{
    static Config c;
    return c;
}

static void static_local()
{
    auto use = [](bool writes) {
        if (config().size != 42 || x != 1)
            abort();
        if (wrong && writes)
            x = 1;
    };
    std::thread a(use, true), b(use, false);
    a.join();
    b.join();
}

struct Fussy {
    Fussy(int &tries)
    {
        if (++tries == 1)
            throw std::string("not yet");
        x = 1;
    }
};

static int tries;

/* The first initialiser throws, the next one is another thread's. */
static void static_local_throws()
{
    auto use = [] {
        for (;;)
            try {
                static Fussy f(tries);
                break;
            } catch (std::string &) {
            }
        if (x != 1)
            abort();
        if (wrong)
            x = 1;
    };
    std::thread a(use), b(use);
    a.join();
    b.join();
}

static void call_once()
{
    static std::once_flag flag;
    auto use = [](int n) {
        std::call_once(flag, [] { x = 1; });
        if (x != 1)
            abort();
        if (wrong && n)
            x = 1;
    };
    std::thread a(use, 0), b(use, 1);
    a.join();
    b.join();
}

static void future_promise()
{
    std::promise<int> p;
    auto f = p.get_future();
    std::thread t([&p] {
        x = 1;
        p.set_value(1);
        late();
    });
    sink = f.get() + x;
    t.join();
}

static void future_shared()
{
    std::promise<void> p;
    std::shared_future<void> f = p.get_future().share();
    auto wait = [f] {
        f.wait();
        sink = x;
    };
    std::thread a([f] {
        f.wait();
        int seen = x;
        (void)seen;
    });
    std::thread t([&p] {
        x = 1;
        p.set_value();
        late();
    });
    wait();
    a.join();
    t.join();
}

static void async()
{
    auto f = std::async(std::launch::async, [] { x = 1; });
    if (wrong)
        x = 2;
    f.get();
    sink = x;
}

static void packaged_task()
{
    std::packaged_task<int()> task([] { return x = 1; });
    auto f = task.get_future();
    std::thread t([&task] {
        task();
        late();
    });
    sink = f.get() + x;
    t.join();
}

/* An exception that one thread throws is looked at, and freed, by another. */
struct Error {
    std::string text;
    int *code;
};

static void exception_in_future()
{
    static int code;
    std::promise<int> p;
    auto f = p.get_future();
    std::thread t([&p] {
        try {
            code = 7;
            throw Error{"a text that is longer than what fits in place", &code};
        } catch (...) {
            p.set_exception(std::current_exception());
        }
        if (wrong)
            code = 8;
    });
    try {
        f.get();
    } catch (Error &e) {
        sink = *e.code + (int)e.text.size();
    }
    t.join();
}

static void exception_ptr_dropped_last()
{
    std::exception_ptr p;
    std::mutex m;
    std::thread t([&] {
        try {
            throw Error{"a text that is longer than what fits in place", &x};
        } catch (...) {
            std::lock_guard<std::mutex> guard(m);
            p = std::current_exception();
        }
        late();
    });
    std::exception_ptr mine;
    while (!mine) {
        std::this_thread::yield();
        std::lock_guard<std::mutex> guard(m);
        std::swap(mine, p);
    }
    try {
        std::rethrow_exception(mine);
    } catch (Error &e) {
        sink = *e.code + (int)e.text.size();
    }
    mine = nullptr;
    t.join();
}

struct Shared {
    int value = 0;
    ~Shared()
    {
        sink = value;
    }
};

/* Whoever drops the last reference destroys what both have used. */
static void shared_ptr()
{
    auto p = std::make_shared<Shared>();
    auto *raw = p.get();
    std::mutex m;
    auto use = [&m, raw](std::shared_ptr<Shared> mine) {
        m.lock();
        mine->value++;
        m.unlock();
        mine.reset();
        if (wrong)
            x++;
    };
    std::thread a(use, p), b(use, p);
    p.reset();
    a.join();
    b.join();
}

static void weak_ptr()
{
    auto p = std::make_shared<Shared>();
    std::weak_ptr<Shared> w = p;
    std::thread t([w] {
        if (auto locked = w.lock())
            sink = locked->value;
        late();
    });
    if (wrong)
        x = 1;
    p.reset();
    t.join();
}

static void atomic_wait()
{
    std::atomic<int> ready{0};
    std::thread t([&ready] {
        x = 1;
        ready.store(1, std::memory_order_release);
        ready.notify_one();
        late();
    });
    ready.wait(0, std::memory_order_acquire);
    sink = x;
    t.join();
}

static void atomic_flag_wait()
{
    std::atomic_flag ready;
    std::thread t([&ready] {
        x = 1;
        ready.test_and_set();
        ready.notify_all();
        late();
    });
    ready.wait(false);
    sink = x;
    t.join();
}

static void latch()
{
    std::latch l(2);
    std::thread t([&l] {
        x = 1;
        l.count_down();
        late();
    });
    l.arrive_and_wait();
    sink = x;
    t.join();
}

static void barrier()
{
    int a[2] = {0, 0};
    std::barrier b(2, []() noexcept { x++; });
    auto work = [&](int me) {
        a[me] = 1;
        b.arrive_and_wait();
        int both = a[0] + a[1] + x;
        if (wrong)
            x = both;
        b.arrive_and_wait();
    };
    std::thread s(work, 0), t(work, 1);
    s.join();
    t.join();
}

static void counting_semaphore()
{
    std::counting_semaphore<2> s(0);
    std::thread t([&s] {
        x = 1;
        s.release();
        late();
    });
    s.acquire();
    sink = x;
    t.join();
}

static void binary_semaphore_timed()
{
    std::binary_semaphore s(0);
    std::thread t([&s] {
        x = 1;
        s.release();
        late();
    });
    while (!s.try_acquire_for(std::chrono::milliseconds(1)))
        ;
    sink = x;
    t.join();
}

#ifdef __cpp_lib_jthread
static void jthread()
{
    {
        std::jthread t([](std::stop_token stop) {
            while (!stop.stop_requested())
                std::this_thread::yield();
            sink = x;
        });
        x = 1;
        t.request_stop();
        late();
    }
    sink = x;
}

static void stop_callback()
{
    std::stop_source source;
    std::thread t([&source] { std::stop_callback call(source.get_token(), [] { sink = x; }); });
    x = 1;
    source.request_stop();
    late();
    t.join();
}
#endif

static void condition_variable()
{
    std::mutex m;
    std::condition_variable c;
    bool ready = false;
    std::thread t([&] {
        x = 1;
        {
            std::lock_guard<std::mutex> guard(m);
            ready = true;
        }
        c.notify_one();
        late();
    });
    {
        std::unique_lock<std::mutex> guard(m);
        c.wait(guard, [&] { return ready; });
    }
    sink = x;
    t.join();
}

static void condition_variable_any()
{
    std::shared_mutex m;
    std::condition_variable_any c;
    bool ready = false;
    std::thread t([&] {
        x = 1;
        {
            std::lock_guard<std::shared_mutex> guard(m);
            ready = true;
        }
        c.notify_all();
        late();
    });
    {
        std::shared_lock<std::shared_mutex> guard(m);
        while (!c.wait_for(guard, std::chrono::milliseconds(5), [&] { return ready; }))
            ;
    }
    sink = x;
    t.join();
}

#ifdef __cpp_lib_jthread
static void condition_variable_any_stop()
{
    std::mutex m;
    std::condition_variable_any c;
    std::jthread t([&](std::stop_token stop) {
        std::unique_lock<std::mutex> guard(m);
        c.wait(guard, stop, [] { return false; });
        sink = x;
    });
    x = 1;
    t.request_stop();
    late();
}
#endif

static void shared_mutex()
{
    std::shared_mutex m;
    std::thread t([&m] {
        std::shared_lock<std::shared_mutex> guard(m);
        sink = x;
    });
    {
        if (!wrong)
            m.lock();
        x = 1;
        if (!wrong)
            m.unlock();
    }
    t.join();
}

static void timed_mutex()
{
    std::timed_mutex m;
    auto add = [&m] {
        while (!m.try_lock_for(std::chrono::milliseconds(1)))
            ;
        x++;
        m.unlock();
        late();
    };
    std::thread a(add), b(add);
    a.join();
    b.join();
}

static void recursive_mutex()
{
    std::recursive_mutex m;
    auto add = [&m] {
        std::lock_guard<std::recursive_mutex> outer(m);
        {
            std::lock_guard<std::recursive_mutex> inner(m);
            x++;
        }
        x++;
    };
    std::thread a(add), b(add);
    late();
    a.join();
    b.join();
}

static void scoped_lock()
{
    std::mutex m, n;
    auto add = [](std::mutex &first, std::mutex &second) {
        std::scoped_lock both(first, second);
        x++;
    };
    std::thread a(add, std::ref(m), std::ref(n)), b(add, std::ref(n), std::ref(m));
    late();
    a.join();
    b.join();
}

struct Local {
    int value = 0;
    ~Local()
    {
        x = value;
        if (wrong)
            sink = 3;
    }
};

/* Run at the end of the thread, before who joins it goes on. */
static void thread_local_destroyed()
{
    std::thread t([] {
        static thread_local Local local;
        local.value = 1;
    });
    if (wrong)
        sink = 4;
    t.join();
    sink = x;
}

struct Task {
    struct promise_type {
        int value = 0;
        Task get_return_object()
        {
            return {std::coroutine_handle<promise_type>::from_promise(*this)};
        }
        std::suspend_always initial_suspend()
        {
            return {};
        }
        std::suspend_always final_suspend() noexcept
        {
            return {};
        }
        void return_value(int v)
        {
            value = v;
        }
        void unhandled_exception()
        {
        }
    };
    std::coroutine_handle<promise_type> handle;
};

static Task adds(int n)
{
    for (int i = 0; i < n; i++) {
        x++;
        co_await std::suspend_always{};
    }
    co_return n;
}

/* A frame that goes from one thread to the next. */
static void coroutine()
{
    Task task = adds(2);
    std::thread a([&] { task.handle.resume(); });
    if (!wrong)
        a.join();
    std::thread b([&] {
        if (wrong)
            x++;
        else
            task.handle.resume();
    });
    b.join();
    if (wrong)
        a.join();
    sink = x;
    task.handle.destroy();
}

#ifdef __cpp_lib_atomic_shared_ptr
static void atomic_shared_ptr()
{
    std::atomic<std::shared_ptr<Shared>> p;
    std::thread t([&p] {
        auto made = std::make_shared<Shared>();
        made->value = 1;
        p.store(made);
        if (wrong)
            made->value = 2;
    });
    std::shared_ptr<Shared> seen;
    while (!(seen = p.load()))
        std::this_thread::yield();
    sink = seen->value;
    seen.reset();
    t.join();
}
#endif

/* Made by one thread, destroyed by another. */
static void deleted_elsewhere()
{
    std::atomic<std::vector<int> *> p{nullptr};
    std::thread t([&p] {
        auto *v = new std::vector<int>(10);
        p.store(v, wrong ? std::memory_order_relaxed : std::memory_order_release);
    });
    std::vector<int> *v;
    while (!(v = p.load(std::memory_order_acquire)))
        std::this_thread::yield();
    sink = (*v)[3];
    delete v;
    t.join();
}

static void vector_handed_over()
{
    std::mutex m;
    std::vector<int> s;
    std::thread t([&] {
        std::lock_guard<std::mutex> guard(m);
        s.push_back(1);
    });
    {
        std::unique_lock<std::mutex> guard(m, std::defer_lock);
        if (!wrong)
            guard.lock();
        sink = s.empty() ? 0 : s[0];
    }
    t.join();
}

/* Whoever throws, whoever comes next: the function runs until it has come to its end once. */
static void call_once_throws()
{
    static std::once_flag flag;
    static int tries;
    auto use = [] {
        for (bool made = false; !made;)
            try {
                std::call_once(flag, [] {
                    if (++tries == 1)
                        throw 1;
                    x = 1;
                });
                made = true;
            } catch (int) {
            }
        if (x != 1)
            abort();
        if (wrong)
            sink++;
    };
    std::thread a(use), b(use);
    a.join();
    b.join();
}

/* Told when the thread has ended, its thread-local objects destroyed. */
static void at_thread_exit()
{
    std::promise<int> p;
    auto f = p.get_future();
    std::thread t([&p] {
        static thread_local Local local;
        local.value = 1;
        p.set_value_at_thread_exit(1);
        if (wrong)
            x = 1;
    });
    if (wrong)
        x = 2;
    sink = f.get();
    sink = x;
    t.join();
}

static void notified_at_thread_exit()
{
    static auto &m = *new std::mutex; /* the signal may come when the program ends */
    static auto &c = *new std::condition_variable;
    static bool ready;
    std::thread t([] {
        std::unique_lock<std::mutex> guard(m);
        ready = true;
        x = 1;
        std::notify_all_at_thread_exit(c, std::move(guard));
    });
    t.detach();
    {
        std::unique_lock<std::mutex> guard(m);
        c.wait(guard, [] { return ready; });
    }
    if (wrong) {
        std::thread u([] { x = 2; });
        sink = x;
        u.join();
    }
    sink = x;
}

/* Wider than what the processor does at once: libatomic has locks for it. */
struct Wide {
    long a, b, c;
};

static void atomic_wide()
{
    static std::atomic<Wide> wide{Wide{0, 0, 0}};
    std::thread t([] {
        x = 1;
        wide.store(Wide{1, 2, 3});
        late();
    });
    while (wide.load().c != 3)
        std::this_thread::yield();
    sink = x;
    t.join();
}

struct alignas(16) Pair {
    long a, b;
};

static void atomic_pair()
{
    static std::atomic<Pair> pair{Pair{0, 0}};
    std::thread t([] {
        Pair old = pair.load();
        x = 1;
        while (!pair.compare_exchange_weak(old, Pair{1, 2}))
            ;
        late();
    });
    while (pair.load().b != 2)
        std::this_thread::yield();
    sink = x;
    t.join();
}

static void atomic_ref()
{
    static int plain;
    plain = 0;
#ifdef __cpp_lib_atomic_ref
    std::thread t([] {
        x = 1;
        std::atomic_ref<int>(plain).store(1, std::memory_order_release);
        late();
    });
    while (std::atomic_ref<int>(plain).load(std::memory_order_acquire) != 1)
        std::this_thread::yield();
#else
    std::thread t([] {
        x = 1;
        __atomic_store_n(&plain, 1, __ATOMIC_RELEASE);
        late();
    });
    while (__atomic_load_n(&plain, __ATOMIC_ACQUIRE) != 1)
        std::this_thread::yield();
#endif
    sink = x;
    t.join();
}

/* The free functions, which keep a table of locks. */
static void shared_ptr_functions()
{
    static std::shared_ptr<Shared> p;
    std::thread t([] {
        auto made = std::make_shared<Shared>();
        made->value = 1;
        std::atomic_store(&p, made);
        if (wrong)
            made->value = 2;
    });
    std::shared_ptr<Shared> seen;
    while (!(seen = std::atomic_load(&p)))
        std::this_thread::yield();
    sink = seen->value;
    t.join();
    p.reset();
}

/* Streams and what they share: locales and their facets are made once, and counted. */
static void streams()
{
    auto print = [](int n) {
        std::ostringstream out;
        out.imbue(std::locale::classic());
        out << n << ' ' << 1.5 * n << std::endl;
        std::istringstream in(out.str());
        int back;
        in >> back;
        if (back != n)
            abort();
        late();
    };
    std::thread a(print, 1), b(print, 2);
    a.join();
    b.join();
}

#ifndef _LIBCPP_VERSION /* whose own streams race on their fill character */
static void standard_streams()
{
    auto print = [](int n) {
        std::clog << "";
        std::cout << (n ? "" : std::string()) << std::flush;
        late();
    };
    std::thread a(print, 1), b(print, 2);
    a.join();
    b.join();
}
#endif

static void global_locale()
{
    std::thread t([] {
        std::locale mine;
        sink = std::isalpha('x', mine);
        late();
    });
    std::locale::global(std::locale::classic());
    if (wrong)
        x = 3;
    t.join();
}

#ifdef __cpp_lib_memory_resource
static void pool_resource()
{
    std::pmr::synchronized_pool_resource pool;
    std::vector<void *> blocks;
    std::mutex m;
    auto use = [&] {
        for (int i = 0; i < 3; i++) {
            auto *p = (int *)pool.allocate(32);
            p[0] = i;
            p[4] = i;
            pool.deallocate(p, 32);
        }
        late();
    };
    std::thread a(use), b(use);
    a.join();
    b.join();
}
#endif

/* Copies of a string, of a function and of an error in both threads. */
static void copies()
{
    std::string text(64, 'a');
    std::function<int()> call = [text] { return (int)text.size(); };
    std::exception_ptr error;
    try {
        throw std::runtime_error(text);
    } catch (...) {
        error = std::current_exception();
    }
    auto use = [=]() mutable {
        try {
            std::rethrow_exception(error);
        } catch (std::runtime_error &e) {
            std::runtime_error copy = e;
            sink_of(copy.what()[0] + call());
        }
        text += "b";
        late();
    };
    std::thread a(use), b(use);
    error = nullptr;
    a.join();
    b.join();
}

/* The lambda's captures are the thread's own, and go with it. */
static void captures()
{
    std::vector<std::thread> threads;
    for (int i = 0; i < 2; i++)
        threads.emplace_back([i, v = std::vector<int>(3, i)]() mutable {
            v.push_back(i);
            late();
        });
    for (auto &t : threads)
        t.join();
}

static void threads_moved()
{
    std::thread a([] { x = 1; });
    std::thread b(std::move(a));
    if (!wrong)
        b.join();
    std::thread c([] { x = 2; });
    c.join();
    if (wrong)
        b.join();
}

int main(int argc, char **argv)
{
    static const struct variant table[] = {
        VARIANT(static_local),
        VARIANT(static_local_throws),
        VARIANT(call_once),
        VARIANT(future_promise),
        VARIANT(future_shared),
        VARIANT(async),
        VARIANT(packaged_task),
        VARIANT(exception_in_future),
        VARIANT(exception_ptr_dropped_last),
        VARIANT(shared_ptr),
        VARIANT(weak_ptr),
        VARIANT(atomic_wait),
        VARIANT(atomic_flag_wait),
        VARIANT(latch),
        VARIANT(barrier),
        VARIANT(counting_semaphore),
        VARIANT(binary_semaphore_timed),
        VARIANT(condition_variable),
        VARIANT(condition_variable_any),
        VARIANT(shared_mutex),
        VARIANT(timed_mutex),
        VARIANT(recursive_mutex),
        VARIANT(scoped_lock),
        VARIANT(thread_local_destroyed),
        VARIANT(coroutine),
        VARIANT(deleted_elsewhere),
        VARIANT(vector_handed_over),
        VARIANT(call_once_throws),
        VARIANT(at_thread_exit),
        VARIANT(notified_at_thread_exit),
        VARIANT(atomic_wide),
        VARIANT(atomic_pair),
        VARIANT(atomic_ref),
        VARIANT(shared_ptr_functions),
        VARIANT(streams),
        VARIANT(global_locale),
        VARIANT(copies),
        VARIANT(captures),
        VARIANT(threads_moved),
#ifndef _LIBCPP_VERSION
        VARIANT(standard_streams),
#endif
#ifdef __cpp_lib_memory_resource
        VARIANT(pool_resource),
#endif
#ifdef __cpp_lib_jthread
        VARIANT(jthread),
        VARIANT(stop_callback),
        VARIANT(condition_variable_any_stop),
#endif
#ifdef __cpp_lib_atomic_shared_ptr
        VARIANT(atomic_shared_ptr),
#endif
    };

    return RUN_VARIANT(table, argc, argv);
}
