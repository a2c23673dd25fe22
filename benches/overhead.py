"""What bytecost costs: ratios against the plain run and against bytesight, in one table.

    benches/setup_peers PEERS PYTHON...
    python benches/overhead.py --bytecost target/release/bytecost [--peers PEERS] PYTHON...

Rows, for each interpreter:
  natural   wall time of one call in the natural pass / in a plain process       (at most 1.05)
  count     the same for the count pass
  loop      seconds of a whole `bytecost run` of a 2,000-iteration loop          (under 1)
  bytesight seconds of bytesight's own profile of the same call                  (with --peers)
  large     share of a whole run of 2,000 code objects that is bookkeeping        (at most 0.10):
            neither the passes' own wall time nor start and imports, as in a plain process

Plain runs and bytecost runs alternate and medians are compared, since a shared machine drifts.
The exit status is 1 when a limit above does not hold.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import make_large

EXAMPLES = Path(__file__).parent.parent / "examples"
TARGETS = [
    ("nbody.py", "advance", "advance(make_bodies(), 1000)"),
    ("jsonish.py", "Parser.parse", "Parser(sample(600)).parse()"),
    ("simulation.py", "day", "day(2000)"),
    ("pipeline.py", "pipeline", "pipeline(2400)"),
    ("tokenizer.py", "weigh", "weigh(PROGRAM * 60)"),
]
NATURAL_LIMIT = 1.05
LOOP_LIMIT = 1.0
LARGE_LIMIT = 0.10

LOOP = """def loop(n):
    total = 0
    for i in range(n):
        if i % 3:
            total += i
        else:
            total -= 1
    return total
"""

# Makes a number of calls in a fresh process and prints the ns of each. A coroutine is run to its
# end under asyncio.run, as bytecost does it.
PLAIN = """
import asyncio, importlib.util, inspect, json, sys, time
path, call, calls = sys.argv[1], sys.argv[2], int(sys.argv[3])
sys.path.insert(0, path.rpartition("/")[0])
spec = importlib.util.spec_from_file_location("target", path)
target = importlib.util.module_from_spec(spec)
sys.modules["target"] = target
spec.loader.exec_module(target)
code = compile(call, "<call>", "eval")
times = []
for _ in range(calls):
    start = time.perf_counter_ns()
    value = eval(code, target.__dict__)
    if inspect.iscoroutine(value):
        asyncio.run(value)
    times.append(time.perf_counter_ns() - start)
json.dump(times, sys.stdout)
"""

BYTESIGHT = """
import sys
sys.path.insert(0, sys.argv[1])
from bytesight.profiler import BytecodeProfiler
from loop import loop
BytecodeProfiler().profile(loop, 2000)
"""


def output(command):
    """Standard output of a command; a SystemExit with what it said when it fails."""
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "PYTHON_JIT": "0"})
    if done.returncode:
        raise SystemExit(f"{' '.join(map(str, command))}\nended with {done.returncode}: {done.stderr.strip()[-800:]}")
    return done.stdout


def timed(command):
    """Standard output and wall seconds of a command."""
    start = time.perf_counter()
    text = output(command)
    return text, time.perf_counter() - start


def plain(python, path, call, calls):
    """ns of every call in a process of its own."""
    return json.loads(output([python, "-c", PLAIN, path, call, str(calls)]))


def profile(bytecost, python, path, qualname, call):
    """A whole run: its report and wall seconds."""
    command = [bytecost, "run", "--python", python, "--format", "json", "--call", call, f"{path}::{qualname}"]
    text, seconds = timed(command)
    return json.loads(text), seconds


def passes(report):
    """The passes of a report by kind: {"calls", "wall_ns", "call_ns"}."""
    found = {made["kind"]: made for made in report.get("passes", ())}
    workload = report.get("workload", {})
    if "natural" not in found and workload.get("natural_calls"):
        found["natural"] = {"calls": workload["natural_calls"], "wall_ns": workload["natural_ns"]}
    return found


def per_call(made, summary):
    """ns of one call of a pass: its median where the report has it and `summary` is the median."""
    if summary is statistics.median and made.get("call_ns"):
        return made["call_ns"]
    return made["wall_ns"] / made["calls"]


def ratios(bytecost, python, target, rounds):
    """Natural and count pass against the plain run; None for what the report does not say."""
    file, qualname, call = target
    path = str((EXAMPLES / file).resolve())
    natural, count = [], []
    calls = 20
    for _ in range(rounds):
        made = passes(profile(bytecost, python, path, qualname, call)[0])
        calls = made["natural"]["calls"] if "natural" in made else calls
        times = plain(python, path, call, calls)
        summary = statistics.median if made.get("natural", {}).get("call_ns") else statistics.fmean
        if "natural" in made:
            natural.append(per_call(made["natural"], summary) / summary(times))
        if "count" in made:
            # Few calls from a fresh process: compare with the first calls of one.
            counted = made["count"]["calls"]
            count.append(made["count"]["wall_ns"] / counted / statistics.fmean(times[:counted]))
    return (statistics.median(natural) if natural else None, statistics.median(count) if count else None)


def large(bytecost, python, folder, rounds):
    """Share of a whole run that is neither the workload nor what each pass's process needs, median."""
    make_large.write(folder)
    path = str(Path(folder, "large.py").resolve())
    once = statistics.median(plain(python, path, "run(20)", 3))
    call = f"run({max(20, round(20 * 1e9 / once))})"  # about a second bare
    shares = []
    for _ in range(rounds):
        text, whole = timed([python, "-c", PLAIN, path, call, "1"])
        start = whole - sum(json.loads(text)) / 1e9  # interpreter start, import of every module
        report, seconds = profile(bytecost, python, path, "run", call)
        walls = [made["wall_ns"] / 1e9 + start for made in passes(report).values()]
        shares.append(1 - sum(walls) / seconds)
    return statistics.median(shares)


def main():
    parser = argparse.ArgumentParser(description="overhead of bytecost against the plain run and bytesight")
    parser.add_argument("--bytecost", required=True)
    parser.add_argument("--peers", help="folder made by setup_peers")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", help="comma separated: examples, loop, large")
    parser.add_argument("python", nargs="+")
    arguments = parser.parse_args()
    only = set((arguments.only or "examples,loop,large").split(","))
    rows, broken = [], []

    def row(version, what, value, limit=None, unit=""):
        text = "-" if value is None else f"{value:.2f}{unit}"
        rows.append((version, what, text, f"{limit:.2f}{unit}" if limit is not None else ""))
        if limit is not None and value is not None and value > limit:
            broken.append(f"{version} {what}: {text} is over {limit:.2f}{unit}")

    for python in arguments.python:
        version = output([python, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]).strip()
        with tempfile.TemporaryDirectory() as folder:
            if "examples" in only:
                for target in TARGETS:
                    natural, count = ratios(arguments.bytecost, python, target, arguments.rounds)
                    row(version, f"natural {target[0]}", natural, NATURAL_LIMIT, " x")
                    row(version, f"count {target[0]}", count, None, " x")
            if "loop" in only:
                path = Path(folder, "loop.py")
                path.write_text(LOOP, "utf-8")
                runs = [profile(arguments.bytecost, python, path, "loop", "loop(2000)")[1] for _ in range(arguments.rounds)]
                row(version, "loop bytecost", statistics.median(runs), LOOP_LIMIT, " s")
                if arguments.peers:
                    peer = Path(arguments.peers, version, "bin", "python")
                    if peer.exists():
                        row(version, "loop bytesight", timed([peer, "-c", BYTESIGHT, folder])[1], None, " s")
            if "large" in only:
                share = large(arguments.bytecost, python, Path(folder, "large"), min(arguments.rounds, 3))
                row(version, "large bookkeeping", share, LARGE_LIMIT)
    widths = [max(len(each[column]) for each in rows) for column in range(4)]
    print("python".ljust(max(6, widths[0])), "what".ljust(widths[1]), "value".rjust(max(5, widths[2])), "limit".rjust(max(5, widths[3])))
    for version, what, value, limit in rows:
        print(version.ljust(max(6, widths[0])), what.ljust(widths[1]), value.rjust(max(5, widths[2])), limit.rjust(max(5, widths[3])))
    for sentence in broken:
        print(sentence, file=sys.stderr)
    return int(bool(broken))


if __name__ == "__main__":
    sys.exit(main())
