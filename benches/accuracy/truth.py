"""What each line of a body costs, without a profiler: it stands in a loop more often, and the loop gets longer.

    PYTHON truth.py BODY ROUNDS

Prints JSON: `lines`, for each number of repeats the ns of each line.

A loop with a line more is timed next to the same loop without, and the ratio is what counts: a machine whose
speed changes meanwhile changes both. Of the ratios of all rounds the median is taken.
"""

import json
import statistics
import sys
import time

import bodies

REPEATS = (-1, 2, 4, 6, 8)
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
    changes = [(line, times) for times in REPEATS for line in range(count)]
    variants = [compiled(name, *change) for change in changes]
    # What stands before the loop may cost in it, too: a longer table of handlers on 3.11.
    bases = {times: compiled(name, None, times) for times in (0, -1)}
    of = [min(times, 0) for _, times in changes]
    for function in [*variants, *bases.values()]:
        for _ in range(3):
            function(100)
    n = max(10, ITERATION_NS * 100 // timed(bases[0], 100))
    ratios = [[] for _ in variants]
    least = dict.fromkeys(bases, float("inf"))
    for _ in range(rounds):
        for told, variant, base in zip(ratios, variants, of):
            alone = timed(bases[base], n)
            told.append(timed(variant, n) / alone)
            least[base] = min(least[base], alone)
    more = [statistics.median(told) - 1 for told in ratios]
    costs = [max(0.0, ratio * least[base] / n / times) for ratio, base, (_, times) in zip(more, of, changes)]
    json.dump({"lines": [costs[start : start + count] for start in range(0, len(costs), count)]}, sys.stdout)


main(sys.argv[1], int(sys.argv[2]))
