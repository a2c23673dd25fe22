"""Functions whose lines have shares of the time that are known roughly without measuring."""

import gc
import threading
import time
from contextlib import suppress

BIG = 1 << 40_000


def product(n):
    total = 0
    for i in range(n):
        total += i & 7
        BIG * BIG  #= most
    return total


def callee(n):
    return BIG * BIG * n  #= callee


def calls(n):
    for i in range(n):
        callee(i)  #= total
        i & 7


def recursive(depth):
    if depth == 0:
        return BIG * BIG
    value = recursive(depth - 1)  #= recursion
    return value


def recursion(n):
    for _ in range(n):
        recursive(30)  #= recursion-total


def numbers(n):
    for i in range(n):
        yield BIG * BIG  #= generator


def generator(n):
    for value in numbers(n):
        value & 7


def failing():
    try:
        BIG * BIG  #= failing
        raise ValueError
    except ValueError:
        return 0


def exceptions(n):
    for _ in range(n):
        failing()


async def step():
    return BIG * BIG  #= coroutine


async def coroutine(n):
    for _ in range(n):
        await step()


def waits(n):
    for i in range(n):
        time.sleep(0.02)  #= waiting
        BIG * BIG


def collects(n):
    kept = [[] for _ in range(200_000)]
    for _ in range(n):
        gc.collect()  #= collecting
    return kept


def threads(n):
    def work():
        for _ in range(n):
            BIG * BIG  #= threads

    workers = [threading.Thread(target=work) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()


def quick(n):  #= quick
    total = 0
    for i in (1, 2, 3, 4, 5, 6, 7, 8, 9, 10):
        total += i * n
    return total


def caller(n):
    for _ in range(n):
        quick(3)  #= calls-quick


def pairs(n):
    for i in range(n):
        yield i, quick(i)


def unpacker(n):
    for one, other in pairs(n):
        quick(one)  #= unpacks


def raising(n):
    if n:
        raising(n - 1)
    raise ValueError(n)


def suppresser(n):
    for _ in range(n):
        with suppress(ValueError):
            raising(4)  #= raises
        with suppress(KeyError):
            {}[n]  #= suppresses


known = []


def first_is_dear():
    if not known:
        known.append(True)
        for _ in range(300):
            BIG * BIG  #= first
    for _ in range(10):
        BIG * BIG  #= others


def fails_from(start, path):
    with open(path, "a") as file:
        file.write("x")
    with open(path) as file:
        if len(file.read()) >= start:
            raise RuntimeError("started often enough")


def made(n):
    waiting = [numbers(n), (BIG * n for _ in range(n))]  #= unbegun
    for i in range(n):
        BIG * BIG  #= beside
    return len(waiting)


def small(values):
    for value in values:
        yield value > 3


def resumes(n):
    values = [5, 4, 3, 2, 1]
    for i in range(n):
        sorted(values)  #= resumes-first
        for value in small(values):
            pass
        max(values)  #= resumes-last


def resumes_by_c(n):
    values = [5, 4, 3, 2, 1]
    for i in range(n):
        sorted(values)  #= resumes_by_c-first
        sum(small(values))
        max(values)  #= resumes_by_c-last
