# Workers, a bounded queue, a lock and a pool; prints the same in every schedule.
import concurrent.futures
import queue
import threading

jobs = queue.Queue(3)
done = []
lock = threading.Lock()


def work():
    while (n := jobs.get()) is not None:
        with lock:
            done.append(n * n)


workers = [threading.Thread(target=work) for _ in range(3)]
for w in workers:
    w.start()
for n in range(20):
    jobs.put(n)
for _ in workers:
    jobs.put(None)
for w in workers:
    w.join()
with concurrent.futures.ThreadPoolExecutor(2) as pool:
    print(sum(done), sum(pool.map(abs, range(-10, 0))))
