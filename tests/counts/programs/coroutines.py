"""Coroutines: await, async for, async with, async generators and comprehensions, tasks."""

import asyncio


async def pause(times):
    for _ in range(times):
        await asyncio.sleep(0)
    return times


async def ticker(n):
    try:
        for i in range(n):
            await pause(i % 2)
            yield i
    finally:
        await pause(1)


class Door:
    def __init__(self, swallow=False):
        self.swallow = swallow

    async def __aenter__(self):
        await pause(1)
        return self

    async def __aexit__(self, kind, error, trace):
        await pause(1)
        return self.swallow


class Countdown:
    def __init__(self, n):
        self.n = n

    def __aiter__(self):
        return self

    async def __anext__(self):
        if not self.n:
            raise StopAsyncIteration
        self.n -= 1
        return self.n


class Ready:
    def __init__(self, value):
        self.value = value

    def __await__(self):
        yield from ()
        return self.value


async def loops(n):
    total = 0
    async for i in ticker(n):
        if i == 1:
            continue
        if i == n - 2:
            break
        total += i
    else:
        total = -1
    async for i in Countdown(n):
        total += i
    else:
        total += 100
    return total


async def doors():
    opened = 0
    async with Door() as door, Door(True):
        opened += door.swallow
        raise ValueError
    async with Door(True):
        opened += 1
        return opened


async def door_fails():
    try:
        async with Door():
            raise KeyError
    except KeyError:
        return await Ready(3)


async def comprehensions(n):
    a = [i async for i in ticker(n) if i]
    b = {i: await pause(i) for i in range(3)}
    c = {i async for i in Countdown(n)}
    d = [[j async for j in Countdown(i)] for i in range(3)]
    e = [i async for i in (j async for j in ticker(2))]
    return len(a) + len(b) + len(c) + len(d) + len(e)


async def closing():
    source = ticker(5)
    seen = [await anext(source), await anext(source)]
    await source.aclose()
    try:
        await anext(source)
    except StopAsyncIteration:
        seen.append(None)
    return seen


async def talking():
    async def echo():
        got = None
        while True:
            try:
                got = yield got
            except KeyError:
                got = "key"

    talker = echo()
    await talker.asend(None)
    said = [await talker.asend("a"), await talker.athrow(KeyError), await talker.asend("b")]
    await talker.aclose()
    return said


async def worker(name, queue, out):
    while True:
        item = await queue.get()
        if item is None:
            return name
        out.append((name, item))
        await pause(item % 2)


async def workers():
    queue, out = asyncio.Queue(), []
    for i in range(6):
        queue.put_nowait(i)
    for _ in range(2):
        queue.put_nowait(None)
    names = await asyncio.gather(worker("a", queue, out), worker("b", queue, out))
    return names, len(out)


async def fails(after):
    await pause(after)
    raise OSError(after)


async def groups():
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(pause(i)) for i in range(3)]
    total = sum(task.result() for task in tasks)
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(fails(1))
            group.create_task(pause(50))
    except* OSError as errors:
        total += len(errors.exceptions)
    results = await asyncio.gather(fails(0), pause(2), return_exceptions=True)
    return total + len(results)


async def cancelled():
    task = asyncio.ensure_future(pause(100))
    await asyncio.sleep(0)
    task.cancel()
    try:
        await task
    except asyncio.CancelledError:
        return True


async def never_finished():
    half = pause(3)
    half.send(None)
    half.close()


async def main():
    await loops(5)
    await loops(1)
    await doors()
    await door_fails()
    await comprehensions(4)
    await closing()
    await talking()
    await workers()
    await groups()
    await cancelled()
    await never_finished()


def run():
    asyncio.run(main())
