"""What each line of a body takes in its place: a stopwatch around it, one line at a time.

    PYTHON inplace.py BODY ROUNDS

Prints JSON: `lines`, the share of each, and `sum`, what they add up to as a part of the loop without a
stopwatch: near 1 where reading the clock does not matter.

A line that is repeated finds everything warm and is cheaper than the same line after a long one. This one is
not repeated. But a reading keeps the processor from running lines into each other, which is right where
lines take much longer than that, and says little of those of 10 ns.
"""

import json
import statistics
import sys
import time

import bodies

ITERATIONS = 300
# Interrupts.
LEFT_OUT = 0.05


def compiled(name, watched):
    setup = bodies.BODIES[name].partition("---\n")[0]
    body = []
    for index, line in enumerate(bodies.lines(name)):
        # The first reading warms up the clock, not the line.
        around = ["CLOCK()", "START = CLOCK()", line, "TOOK.append(CLOCK() - START)"]
        body += around if index == watched else [line]
    space = {"CLOCK": time.perf_counter_ns, "TOOK": []}
    inner = "".join(f"        {line}\n" for line in body)
    exec(compile(f"{setup}\ndef kern(_):\n    for _ in range(_):\n{inner}", "<body>", "exec"), space)
    return space["kern"], space["TOOK"]


def empty():
    space = {"CLOCK": time.perf_counter_ns, "TOOK": []}
    loop = "    for _ in range(_):\n        CLOCK()\n        START = CLOCK()\n        TOOK.append(CLOCK() - START)\n"
    exec(compile(f"def kern(_):\n{loop}", "<body>", "exec"), space)
    return space["kern"], space["TOOK"]


def watch(kern, took):
    """The mean reading, ns."""
    took.clear()
    kern(ITERATIONS)
    cut = int(ITERATIONS * LEFT_OUT)
    return statistics.fmean(sorted(took)[cut:-cut])


def main(name, rounds):
    count = len(bodies.lines(name))
    variants = [compiled(name, line) for line in range(count)]
    alone = [compiled(name, None)[0] for _ in range(count)]
    nothing = empty()
    for kern in alone:
        kern(ITERATIONS)
    parts = [[] for _ in range(count)]
    for _ in range(rounds):
        for told, variant, kern in zip(parts, variants, alone):
            start = time.perf_counter_ns()
            kern(ITERATIONS)
            whole = (time.perf_counter_ns() - start) / ITERATIONS
            told.append((watch(*variant) - watch(*nothing)) / whole)
    parts = [max(0.0, statistics.median(told)) for told in parts]
    json.dump({"lines": [part / sum(parts) for part in parts], "sum": sum(parts)}, sys.stdout)


main(sys.argv[1], int(sys.argv[2]))
