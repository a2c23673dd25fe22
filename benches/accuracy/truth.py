"""What each line of a body costs, without a profiler: it is repeated, and the loop gets longer.

    PYTHON truth.py BODY ROUNDS

Prints a JSON list: for each number of repeats, ns of each line.
"""

import json
import sys
import time

import bodies

REPEATS = (-1, 2, 4, 6, 8)
CALLED_REPEATS = REPEATS[1:]  # taken away from a loop of four it would stand before each
ITERATION_NS = 300_000  # how long one timed call is to be


def compiled(name, repeated=None, times=0):
    space = {}
    exec(compile(bodies.source(name, repeated, times), "<body>", "exec"), space)
    return space["kern"]


def timed(function, n, clock=time.perf_counter_ns):
    start = clock()
    function(n)
    return clock() - start


def main(name, rounds):
    count = len(bodies.lines(name))
    repeats = CALLED_REPEATS if name.endswith(bodies.CALLED) else REPEATS
    # What stands before the loop may cost in it, too: a longer table of handlers on 3.11.
    variants = [(None, 0), (None, -1), *((line, times) for times in repeats for line in range(count))]
    functions = [compiled(name, line, times) for line, times in variants]
    for function in functions:
        for _ in range(3):
            function(100)
    n = max(10, ITERATION_NS * 100 // timed(functions[0], 100))
    best = [float("inf")] * len(functions)
    for _ in range(rounds):
        for index, function in enumerate(functions):
            best[index] = min(best[index], timed(function, n))
    base, longer = {0: best[0], -1: best[1]}, best[2:]
    costs = []
    for group, times in enumerate(repeats):
        of = longer[group * count : (group + 1) * count]
        costs.append([max(0.0, (ns - base[min(times, 0)]) / (times * n)) for ns in of])
    json.dump({"lines": costs, "iteration": best[0] / n}, sys.stdout)


main(sys.argv[1], int(sys.argv[2]))
