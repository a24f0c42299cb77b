#include <cstdio>
#include <thread>

extern "C" void *work(void *text);

int main()
{
    static char text[32];
    std::thread thread(work, text);
    work(text);
    thread.join();
    std::puts("ended");
}
