"""How right the times per line are: bytecost and its peers against the truth, in one table.

    benches/setup_peers PEERS PYTHON...
    python benches/accuracy/accuracy.py --bytecost target/release/bytecost [--peers PEERS] PYTHON...

The truth is what a line adds to a loop when it stands there several times (truth.py). Each number is the
total variation distance between the lines' shares as a tool tells them and as the truth has them: 0 is
right, 1 has nothing in common. A line's time includes the functions it calls.

  floor      how far the truths of single numbers of repeats are from their mean: lines of a few
             nanoseconds overlap in the processor
  again      how far two truths are from each other, measured before and after the profilers
  place      how far the truth is from another: a stopwatch around each line in its place (inplace.py), and
             what its lines add up to as a part of the loop. In brackets behind each distance of bytecost's
             and the sampling peers': that to this other truth
  bytecost   2 s of sampling, 5,000 times a second; peers are compared with the mean of its runs (at most floor + 0.05)
  slow       the target while it is sampled, against the times in between, with its
             standard error (slowdown.py)                                    (at most 1.02)
  torn       samples that fell between instructions                  (at most 1 in 10,000)
  traced     times taken by tracing, as where sampling is impossible

The exit status is 1 when a limit does not hold, or when a peer is nearer to the truth.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import bodies
import peers
import slowdown

HERE = Path(__file__).parent
BEYOND_FLOOR = 0.05
COARSE_NS = 20
COARSE_LIMIT = 0.05
SLOWER = 1.02
TORN = 1e-4
PROCESSES = 8
# Those that take long to trace tell the same each time.
REPEATED = ("py-spy", "profiling.sampling", "... --blocking")


def output(command, **options):
    """Standard output of a command; a SystemExit with what it said when it fails."""
    environment = {**os.environ, "PYTHON_JIT": "0", "PYTHONHASHSEED": "0"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, **options)
    if done.returncode:
        raise SystemExit(f"{' '.join(map(str, command))}\nended with {done.returncode}: {done.stderr.strip()[-800:]}")
    return done.stdout


def shares(costs):
    whole = sum(costs)
    return [cost / whole for cost in costs] if whole else [0.0] * len(costs)


def mean(vectors):
    return [statistics.fmean(values) for values in zip(*vectors)]


def distance(one, other):
    """Total variation of two lists of shares."""
    return sum(abs(a - b) for a, b in zip(one, other)) / 2


class Truth:
    """Costs of a body's lines by repetition, in several processes: one half before what is judged by them, one after."""

    def __init__(self, python, body, rounds):
        self.command = [python, HERE / "truth.py", body, str(rounds)]
        self.watch = [python, HERE / "inplace.py", body, str(rounds)]
        self.halves = []
        self.watched = []
        self.more()

    def more(self):
        """Measures a half."""
        self.halves.append([json.loads(output(self.command))["lines"] for _ in range(PROCESSES // 2)])
        self.watched += [json.loads(output(self.watch)) for _ in range(PROCESSES // 4)]
        self.in_place = mean([one["lines"] for one in self.watched])
        by_repeats = middles([one for half in self.halves for one in half])
        self.costs = mean(by_repeats)
        self.shares = shares(self.costs)
        self.floor = statistics.fmean(distance(shares(costs), self.shares) for costs in by_repeats)
        first, last = (shares(mean(middles(half))) for half in (self.halves[0], self.halves[-1]))
        self.again = distance(first, last)


def middles(told):
    """For each number of repeats and line the median of several processes: one may be disturbed for as long as it lives."""
    return [[statistics.median(values) for values in zip(*of_repeats)] for of_repeats in zip(*told)]


def bytecost(run, python, path, body, seconds, times="sample"):
    """Shares of the body's lines, the share of torn samples, and how they were obtained."""
    command = [*run, "--python", python, "--format", "json", "--time", str(seconds), "--passes"]
    # A trace is bounded.
    iterations = peers.ITERATIONS if times == "sample" else peers.ITERATIONS // 10
    call = ["--call", f"kern({iterations})", f"{path}::kern"]
    report = json.loads(output([*command, f"natural,{times}", *call], cwd=path.parent))
    time = report.get("time")
    if not time and times == "trace":
        return None  # no call went the way of the one before
    if not time:
        raise SystemExit(f"bytecost has no times: {report['notes']}")
    first = bodies.first_line(body)
    file = next(file for file in report["files"] if file["path"] == path.name)
    totals = {line["line"]: line["total_ns"] or 0.0 for line in file["lines"]}
    costs = [totals.get(first + index, 0.0) for index in range(len(bodies.lines(body)))]
    return {
        "shares": shares(costs),
        "torn": time["torn_samples"] / max(1, time["samples"] or 0),
        "method": time["method"],
        "samples": time["samples"],
    }


def measure(arguments, python, folder):
    """A row for each body."""
    version = output([python, "-c", "import platform; print(platform.python_version())"]).strip()
    found = peers.installed(arguments.peers, python) if arguments.peers else {}
    rows = []
    for body in arguments.bodies:
        path = Path(folder) / f"{body}_body.py"
        path.write_text(bodies.source(body))
        truth = Truth(python, body, arguments.rounds)
        run = [arguments.bytecost, "run", "--rate", str(arguments.rate)]
        runs, others = [], {}
        for _ in range(arguments.runs):
            runs.append(bytecost(run, python, path, body, arguments.seconds))
            for name, tool in found.items():
                if name in REPEATED or name not in others:
                    costs = tool(path, body, arguments.seconds)
                    others.setdefault(name, []).extend([shares(costs)] if costs else [])
        truth.more()
        traced = bytecost(run, python, path, body, arguments.seconds, "trace")
        row = {
            "python": version,
            "body": body,
            "line_ns": statistics.median(truth.costs),
            "least_ns": min(truth.costs),
            "floor": truth.floor,
            "again": truth.again,
            "bytecost": [distance(run["shares"], truth.shares) for run in runs],
            "slow": slowdown.slowdown(run, python, path, arguments.turns),
            "torn": max(run["torn"] for run in runs),
            "method": runs[0]["method"],
            "samples": runs[0]["samples"],
            "traced": traced and distance(traced["shares"], truth.shares),
            "peers": {
                name: [distance(one, truth.shares) for one in told] for name, told in others.items() if told
            },
            "place": distance(truth.in_place, truth.shares),
            "place_sum": statistics.fmean(one["sum"] for one in truth.watched),
            "bytecost_place": [distance(run["shares"], truth.in_place) for run in runs],
            "peers_place": {
                name: [distance(one, truth.in_place) for one in told]
                for name, told in others.items()
                if name in REPEATED and told
            },
        }
        rows.append(row)
        show(row)
        if arguments.verbose:
            for index, line in enumerate(bodies.lines(body)):
                told = " ".join(f"{run['shares'][index]:6.3f}" for run in runs)
                print(f"    {truth.costs[index]:8.1f} ns {truth.shares[index]:6.3f}  {told}  {line}")
    return rows


def beside(told, watched):
    """Distances, with those to the truth in place in brackets where it was measured."""
    if watched is None:
        return " ".join(f"{one:.3f}" for one in told)
    return " ".join(f"{one:.3f} [{other:.3f}]" for one, other in zip(told, watched))


def show(row):
    traced = "-" if row["traced"] is None else f"{row['traced']:.3f}"
    others = "  ".join(f"{name} {beside(told, row['peers_place'].get(name))}" for name, told in row["peers"].items())
    print(
        f"{row['python']:8} {row['body']:11} {row['line_ns']:7.1f} ns  floor {row['floor']:.3f}  again {row['again']:.3f}  "
        f"place {row['place']:.3f} of {row['place_sum']:.2f}  "
        f"bytecost {beside(row['bytecost'], row['bytecost_place'])} ({row['method']})  slow {row['slow'][0]:.3f} ± {row['slow'][1]:.3f}  torn {row['torn']:.1e}  traced {traced}  {others}",
        flush=True,
    )


def broken(row):
    """Limits that a row does not keep."""
    worst = max(row["bytecost"])
    if worst > row["floor"] + BEYOND_FLOOR:
        yield f"{worst:.3f} from the truth, more than {BEYOND_FLOOR} beyond its floor"
    # Where lines are long, a stopwatch is the better truth.
    worst = max(row["bytecost_place"])
    if row["least_ns"] >= COARSE_NS and worst > COARSE_LIMIT:
        yield f"{worst:.3f} from the truth where all lines take {COARSE_NS} ns and more"
    if row["method"] == "sampled":
        ratio, error = row["slow"]
        if ratio - 2 * error > SLOWER:
            yield f"{ratio:.3f} ± {error:.3f} times as slow while sampled"
        if row["torn"] > TORN:
            yield f"{row['torn']:.1e} of the samples torn"
    for place in ("", "_place"):
        for name, told in row[f"peers{place}"].items():
            if statistics.fmean(told) < statistics.fmean(row[f"bytecost{place}"]):
                truth = "the truth in place" if place else "the truth"
                yield f"{name} is nearer to {truth}: {statistics.fmean(told):.3f}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bytecost", required=True, type=lambda path: str(Path(path).resolve()))
    parser.add_argument("--peers", type=Path)
    parser.add_argument("--bodies", type=lambda text: text.split(","), default=list(bodies.BODIES))
    parser.add_argument("--rounds", type=int, default=20, help="timings of each variant")
    parser.add_argument("--runs", type=int, default=2, help="runs of bytecost for each body")
    parser.add_argument("--turns", type=int, default=slowdown.TURNS, help="turns of the slowdown's measurement")
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--rate", type=int, default=5_000, help="samples a second")
    parser.add_argument("--verbose", action="store_true", help="show every line")
    parser.add_argument("--json", type=Path, help="write the rows here")
    parser.add_argument("python", nargs="+")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        rows = [row for python in arguments.python for row in measure(arguments, python, folder)]
    if arguments.json:
        arguments.json.write_text(json.dumps(rows, indent=1))
    faults = [f"{row['python']} {row['body']}: {fault}" for row in rows for fault in broken(row)]
    print("\n".join(faults) or "every limit holds")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
