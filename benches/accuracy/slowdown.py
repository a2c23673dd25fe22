"""How much longer calls take while they are sampled.

    python benches/accuracy/slowdown.py --bytecost target/release/bytecost [--rates 5000,10000] PYTHON...

A target calls a function all the time and writes down how long each call took; the sampler attaches and
leaves in turns. Each turn's median call is compared with the mean of the medians just before and after it,
so that what else the machine does cancels out unless it comes and goes with the sampler. Told are the
median of these ratios and its standard error.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import bodies

ROUNDS = 20
SAMPLED_S = 0.4
# After the sampler has left.
FREE_S = 0.4
# What is cut off both ends of a span, where a process starts or ends.
MARGIN_NS = 50_000_000

LOOP = """
import runpy, sys, time
kern = runpy.run_path(sys.argv[1])["kern"]
clock = time.perf_counter_ns
while True:
    start = clock()
    kern(3000)
    end = clock()
    print(end, end - start, flush=True)
"""


def slowdown(run, python, path, rounds=ROUNDS):
    """The ratio and its standard error; `run` is the command up to its options."""
    environment = {**os.environ, "PYTHON_JIT": "0", "PYTHONHASHSEED": "0"}
    with tempfile.TemporaryFile("w+") as log:
        target = subprocess.Popen([python, "-c", LOOP, path], stdout=log, env=environment)
        spans = []
        try:
            time.sleep(1)
            for _ in range(rounds):
                began = time.perf_counter_ns()
                sampler = [*run, "--quiet", "--pid", str(target.pid), "--time", str(SAMPLED_S)]
                subprocess.run(sampler, check=True, stdout=subprocess.DEVNULL, env=environment)
                # Attaching and the report are not sampling; both clocks are the system's.
                ended = time.perf_counter_ns()
                middle = (began + ended) // 2
                half = int(SAMPLED_S * 0.3e9)
                spans.append((middle - half, middle + half))
                time.sleep(FREE_S)
                spans.append((ended + MARGIN_NS, time.perf_counter_ns() - MARGIN_NS))
        finally:
            target.kill()
            target.wait()
        log.seek(0)
        calls = [tuple(map(int, line.split())) for line in log if line.count(" ") == 1 and line.endswith("\n")]
    medians = [statistics.median([took for at, took in calls if began < at < ended]) for began, ended in spans]
    # Spans go by turns, a sampled one first.
    ratios = [
        2 * medians[index] / (medians[index - 1] + medians[index + 1]) for index in range(2, len(medians) - 1, 2)
    ]
    middle = statistics.median(ratios)
    # Of a median, from the median of the deviations: a disturbed turn does not count.
    deviation = 1.4826 * statistics.median(abs(ratio - middle) for ratio in ratios)
    return middle, 1.2533 * deviation / len(ratios) ** 0.5


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bytecost", required=True, type=lambda path: str(Path(path).resolve()))
    parser.add_argument("--bodies", type=lambda text: text.split(","), default=list(bodies.BODIES))
    parser.add_argument("--rates", type=lambda text: text.split(","), default=["5000"])
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("python", nargs="+")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for python in arguments.python:
            for body in arguments.bodies:
                path = Path(folder) / f"{body}_body.py"
                path.write_text(bodies.source(body))
                told = []
                for rate in arguments.rates:
                    ratio, error = slowdown([arguments.bytecost, "run", "--rate", rate], python, path, arguments.rounds)
                    told.append(f"{rate}/s {ratio:.4f} ± {error:.4f}")
                print(f"{Path(python).name:12} {body:18} {'  '.join(told)}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
