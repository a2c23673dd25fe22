"""What each line of a body costs, without a profiler: it stands in a loop more often, and the loop gets longer.

    PYTHON truth.py BODY ROUNDS

Prints JSON: `ways`, how the line was repeated (how often more, -1 for not at all; beside itself or apart), and
`lines`, for each way the ns of each line.

A loop with a line more is timed next to the same loop without, and the ratio is what counts: a machine whose
speed changes meanwhile changes both. Of the ratios of all rounds the median is taken.
"""

import json
import statistics
import sys
import time

import bodies

REPEATS = (-1, 2, 4, 6, 8)
APART = (2, 4, 6)
CALLED_REPEATS = REPEATS[1:]  # taken away from a loop of four it would stand before each
ITERATION_NS = 300_000  # how long one timed call is to be


def compiled(name, changed=None):
    space = {}
    exec(compile(bodies.source(name, changed), "<body>", "exec"), space)
    return space["kern"]


def timed(function, n, clock=time.perf_counter_ns):
    start = clock()
    function(n)
    return clock() - start


def main(name, rounds):
    count = len(bodies.lines(name))
    repeats = CALLED_REPEATS if name.endswith(bodies.CALLED) else REPEATS
    ways = [(times, False) for times in repeats] + [(times, True) for times in APART]
    variants = [compiled(name, bodies.Changed(line, *way)) for way in ways for line in range(count)]
    # What stands before the loop may cost in it, too: a longer table of handlers on 3.11.
    bases = {False: compiled(name), True: compiled(name, bodies.Changed(None, 0, True))}
    of = [bases[is_apart or times < 0] for times, is_apart in ways for _ in range(count)]
    for function in [*variants, *bases.values()]:
        for _ in range(3):
            function(100)
    n = max(10, ITERATION_NS * 100 // timed(bases[False], 100))
    ratios = [[] for _ in variants]
    least = float("inf")
    for _ in range(rounds):
        for told, variant, base in zip(ratios, variants, of):
            alone = timed(base, n)
            told.append(timed(variant, n) / alone)
            least = min(least, alone)
    iteration = least / n
    costs = []
    for group, (times, is_apart) in enumerate(ways):
        more = bodies.more(name, times, is_apart)
        own = ratios[group * count : (group + 1) * count]
        costs.append([max(0.0, (statistics.median(told) - 1) * iteration / more) for told in own])
    json.dump({"ways": ways, "lines": costs, "iteration": iteration}, sys.stdout)


main(sys.argv[1], int(sys.argv[2]))
