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
    """The loop with a stopwatch around one line."""
    inside = []
    for index, line in enumerate(bodies.lines(name)):
        inside += around(line) if index == watched else [line]
    return made(name, inside)


def around(*lines):
    # The first reading warms up the clock, not the line.
    return ["CLOCK()", "START = CLOCK()", *lines, "TOOK.append(CLOCK() - START)"]


def made(name, inside):
    space = {"CLOCK": time.perf_counter_ns, "TOOK": []}
    exec(compile(bodies.looped(name, inside), "<body>", "exec"), space)
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
    alone, _ = made(name, bodies.lines(name))
    nothing = made(name, around())
    alone(ITERATIONS)
    parts = [[] for _ in range(count)]
    for _ in range(rounds):
        for told, variant in zip(parts, variants):
            start = time.perf_counter_ns()
            alone(ITERATIONS)
            whole = (time.perf_counter_ns() - start) / ITERATIONS
            told.append((watch(*variant) - watch(*nothing)) / whole)
    parts = [max(0.0, statistics.median(told)) for told in parts]
    json.dump({"lines": [part / sum(parts) for part in parts], "sum": sum(parts)}, sys.stdout)


main(sys.argv[1], int(sys.argv[2]))
