"""An asynchronous pipeline: readings are parsed, enriched by lookups, and summed up in windows."""

import asyncio
from collections import defaultdict

STATIONS = {"N": "north", "S": "south", "E": "east"}


class Malformed(Exception):
    """A line that is no reading."""


class Lookup:
    """Something remote: the first answer for a key takes a turn of the loop, later ones none."""

    def __init__(self):
        self.known = {}
        self.misses = 0

    async def station(self, key):
        try:
            return self.known[key]
        except KeyError:
            self.misses += 1
            await asyncio.sleep(0)
            name = self.known[key] = STATIONS.get(key)
            return name


def lines(count):
    """Text lines as a device would send them; one in nineteen is damaged."""
    for i in range(count):
        key = "NSEX"[i * 7 % 4]
        value = i % 40 if i % 3 else i % 40 + 0.5
        yield f"{key};{value};{i}" if i % 19 else f"{key}{value}"


async def readings(count):
    """The lines, a few at a time, giving others a turn in between."""
    for i, line in enumerate(lines(count)):
        if i % 8 == 0:
            await asyncio.sleep(0)
        yield line


def parse(line):
    try:
        key, value, moment = line.split(";")
    except ValueError:
        raise Malformed(line) from None
    return key, float(value) if "." in value else int(value), int(moment)


async def produce(count, queue, rejected):
    async for line in readings(count):
        try:
            await queue.put(parse(line))
        except Malformed:
            rejected.append(line)


async def enrich(source, target, lookup):
    """Put the station's name in place of its key; unknown stations are dropped."""
    while (reading := await source.get()) is not None:
        key, value, moment = reading
        name = await lookup.station(key)
        if name is not None:
            await target.put((name, value * 9 / 5 + 32, moment))


async def windows(queue, length):
    """Lists of readings whose moments fall into the same window."""
    window, end = [], length
    while (reading := await queue.get()) is not None:
        if reading[-1] >= end:
            yield window
            window, end = [], end + length
        window.append(reading)
    if window:
        yield window


async def summarize(queue, length):
    totals = defaultdict(float)
    highest = []
    async for window in windows(queue, length):
        for name, value, _ in window:
            totals[name] += value
        highest.append(max(window, key=lambda reading: reading[1])[1])
    return dict(totals), highest


# bytecost: pipeline(2400)
async def pipeline(count, workers=2):
    """Run all stages over `count` lines; totals by station, maxima by window, rejected lines."""
    raw, named = asyncio.Queue(16), asyncio.Queue(16)
    lookup, rejected = Lookup(), []
    summary = asyncio.create_task(summarize(named, 50))
    async with asyncio.TaskGroup() as group:
        stage = [group.create_task(enrich(raw, named, lookup)) for _ in range(workers)]
        await produce(count, raw, rejected)
        for _ in stage:
            await raw.put(None)
    await named.put(None)
    totals, highest = await summary
    return totals, highest, len(rejected)


def main():
    totals, highest, rejected = asyncio.run(pipeline(2400))
    for name, total in sorted(totals.items()):
        print(f"{name:6} {total:10.1f}")
    print(f"{len(highest)} windows, warmest {max(highest):.1f}, {rejected} lines rejected")


if __name__ == "__main__":
    main()
