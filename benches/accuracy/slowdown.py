"""How much longer calls take while they are sampled.

    python benches/accuracy/slowdown.py --bytecost target/release/bytecost [--rates 5000,10000] PYTHON...

A target calls a function all the time and writes down how long each call took. The sampler, attached to it,
is halted and let go in turns of a few hundredths of a second: what is halted reads nothing. The median call of
each turn in which it sampled is compared with the mean of the medians just before and after, so that a machine
whose speed changes makes no difference unless it does so in step. Told are the median of these ratios and its
standard error.
"""

import argparse
import itertools
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import bodies

TURNS = 120
TURN_S = 0.03
# What is cut off both ends of a turn: a call goes over them, and the system takes a moment.
MARGIN_NS = 3_000_000
CALL_NS = 150_000
START_S = 0.7

LOOP = """
import runpy, sys, time
kern = runpy.run_path(sys.argv[1])["kern"]
clock = time.perf_counter_ns
kern(1000)
start = clock()
kern(1000)
n = max(1, 1000 * int(sys.argv[2]) // (clock() - start))
write = sys.stdout.write
while True:
    told = []
    for _ in range(200):
        start = clock()
        kern(n)
        told.append((start, clock()))
    write("".join("%d %d\\n" % one for one in told))
"""


def slowdown(run, python, path, turns=TURNS):
    """The ratio and its standard error; `run` is the command up to its options."""
    environment = {**os.environ, "PYTHON_JIT": "0", "PYTHONHASHSEED": "0"}
    with tempfile.TemporaryFile("w+") as log:
        target = subprocess.Popen([python, "-c", LOOP, path, str(CALL_NS)], stdout=log, env=environment)
        sampler = None
        # When it was halted and let go, alternately, by the clock that all processes have.
        moments = []
        try:
            time.sleep(START_S)
            command = [*run, "--quiet", "--pid", str(target.pid), "--time", "3600"]
            sampler = subprocess.Popen(command, stdout=subprocess.DEVNULL, env=environment)
            time.sleep(START_S)
            for to in itertools.islice(itertools.cycle((signal.SIGSTOP, signal.SIGCONT)), 2 * turns + 2):
                if sampler.poll() is not None:
                    raise SystemExit(f"{' '.join(map(str, command))} has ended")
                sampler.send_signal(to)
                moments.append(time.perf_counter_ns())
                time.sleep(TURN_S)
        finally:
            for process in filter(None, (sampler, target)):
                process.kill()
                process.wait()
        log.seek(0)
        calls = [tuple(map(int, line.split())) for line in log if line.count(" ") == 1 and line.endswith("\n")]
    medians = middles(calls, moments)
    # It was halted first.
    ratios = [
        2 * medians[index] / (medians[index - 1] + medians[index + 1])
        for index in range(1, len(medians) - 1, 2)
        if None not in medians[index - 1 : index + 2]
    ]
    middle = statistics.median(ratios)
    # Of a median, from the median of the deviations: a disturbed turn does not count.
    deviation = 1.4826 * statistics.median(abs(ratio - middle) for ratio in ratios)
    return middle, 1.2533 * deviation / len(ratios) ** 0.5


def middles(calls, moments):
    """The median call between each two moments; None where there is none."""
    found, at = [], 0
    for began, ended in itertools.pairwise(moments):
        took = []
        while at < len(calls) and calls[at][1] < ended - MARGIN_NS:
            if calls[at][0] > began + MARGIN_NS:
                took.append(calls[at][1] - calls[at][0])
            at += 1
        found.append(statistics.median(took) if took else None)
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bytecost", required=True, type=lambda path: str(Path(path).resolve()))
    parser.add_argument("--bodies", type=lambda text: text.split(","), default=list(bodies.BODIES))
    parser.add_argument("--rates", type=lambda text: text.split(","), default=["5000"])
    parser.add_argument("--turns", type=int, default=TURNS)
    parser.add_argument("python", nargs="+")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for python in arguments.python:
            for body in arguments.bodies:
                path = Path(folder) / f"{body}_body.py"
                path.write_text(bodies.source(body))
                told = []
                for rate in arguments.rates:
                    ratio, error = slowdown([arguments.bytecost, "run", "--rate", rate], python, path, arguments.turns)
                    told.append(f"{rate}/s {ratio:.4f} ± {error:.4f}")
                print(f"{Path(python).name:12} {body:18} {'  '.join(told)}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
