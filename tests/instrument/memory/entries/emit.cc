/* emit.cc - what C++ has beside C: the pointer to the virtual functions, and stacks that unwind. */
#include <pthread.h>
#include <stdio.h>

struct shape {
    virtual ~shape() {}
    virtual int sides() const { return 0; }
};
struct square : shape {
    int sides() const override { return 4; }
    ~square() override { last = 4; }
    static int last;
};
int square::last;

__attribute__((noinline)) int ask(const shape *s)
{
    if (s->sides() == 0)
        throw 7;
    return s->sides();
}

__attribute__((noinline)) void end(shape *s)
{
    delete s;
}

static void *shapes(void *unused)
{
    shape none;
    try {
        ask(&none);
    } catch (int) {
        none.sides();
    }
    return unused;
}

int main()
{
    pthread_t thread;
    pthread_create(&thread, nullptr, shapes, nullptr);
    pthread_join(thread, nullptr);
    shape *s = new square;
    int sides = ask(s);
    end(s);
    puts(sides == 4 && square::last == 4 ? "ok" : "wrong");
}
