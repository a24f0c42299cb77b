#!/usr/bin/env python3
"""A program that is loaded while others look at it: load.py memcached|redis SOCKET SECONDS, load.py queue SECONDS.

Prints how many requests were answered (values passed on) in that time. Exit code 1: an answer was wrong."""
import queue
import socket
import sys
import threading
import time

ASK = {"memcached": (b"set a 0 0 1\r\n1\r\nget a\r\n", b"STORED\r\nVALUE a 0 1\r\n1\r\nEND\r\n"),
       "redis": (b"SET a 1\r\nGET a\r\n", b"+OK\r\n$1\r\n1\r\n")}
done = [0]


def ask(kind, path, until):
    question, right = ASK[kind]
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(60)
        connection.connect(path)
        while time.monotonic() < until:
            connection.sendall(question)
            answer = b""
            while len(answer) < len(right):
                more = connection.recv(4096)
                if not more:
                    break
                answer += more
            if answer != right:
                print("wrong answer:", answer)
                done[0] = None
                return
            done[0] += 1


def pass_on(values, until):
    while time.monotonic() < until:
        values.put(1)
        values.get()
        done[0] += 1


if sys.argv[1] == "queue":
    end = time.monotonic() + float(sys.argv[2])
    threads = [threading.Thread(target=pass_on, args=(queue.Queue(2), end)) for _ in range(4)]
else:
    end = time.monotonic() + float(sys.argv[3])
    threads = [threading.Thread(target=ask, args=(sys.argv[1], sys.argv[2], end)) for _ in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(done[0])
sys.exit(done[0] is None or done[0] == 0)
