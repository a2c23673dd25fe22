"""Threads that each do a fixed amount of work of their own."""

import concurrent.futures
import sys
import threading


def work(n):
    total = 0
    for i in range(n):
        if i % 3:
            total += i
        else:
            total -= shared(i)
    return total


def shared(i):
    try:
        if i % 2:
            raise ValueError
        return i
    except ValueError:
        return -i


def produce(n):
    for i in range(n):
        yield work(i)


def in_thread(n, out):
    out.append(sum(produce(n)))


class Worker(threading.Thread):
    def __init__(self, n):
        super().__init__()
        self.n = n
        self.result = None

    def run(self):
        self.result = [work(i) for i in range(self.n)]


def crowded(i, start):
    """First started by many at once, left in every way."""
    start.wait()
    total = 0
    for k in range(200):
        try:
            if k % 3 == 0:
                raise ValueError
            total += i
        except ValueError:
            total -= 1
        finally:
            total += k
    return total


def crowd(n):
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    start = threading.Barrier(n)
    threads = [threading.Thread(target=crowded, args=(i, start)) for i in range(n)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    sys.setswitchinterval(interval)


def run():
    crowd(8)
    out = []
    threads = [threading.Thread(target=in_thread, args=(20 + i, out)) for i in range(3)]
    threads += [Worker(15), Worker(16)]
    for thread in threads:
        thread.start()
    work(50)
    for thread in threads:
        thread.join()
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        list(pool.map(work, [10, 20, 30]))
