"""Other profilers on the same bodies, as far as benches/setup_peers has installed them.

Each tool here is a function of the file, the body's name and the seconds to measure for; it gives the
cost of each line of the body, in whatever unit, or None when it had nothing to say.
"""

import collections
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import bodies

ITERATIONS = 3000
BYTESIGHT_ITERATIONS = 4  # it traces each call 1,500 times over

LOOP = """
import runpy, sys, time
kern = runpy.run_path(sys.argv[1])["kern"]
end = time.perf_counter() + float(sys.argv[2])
while time.perf_counter() < end:
    kern(3000)
"""

LINE_PROFILER = """
import json, runpy, sys, time
from line_profiler import LineProfiler
space = runpy.run_path(sys.argv[1])
kern = space["kern"]
profiler = LineProfiler(space.get("work", kern))
end = time.perf_counter() + float(sys.argv[2])
while time.perf_counter() < end:
    profiler.runcall(kern, 3000)
timings = profiler.get_stats().timings
json.dump({line: ticks for rows in timings.values() for line, hits, ticks in rows}, sys.stdout)
"""

BYTESIGHT = """
import json, sys
sys.path.insert(0, sys.argv[1].rpartition("/")[0])
from bytesight.events import CallEvent, OpcodeEvent, ReturnEvent, StopEvent
from bytesight.profiler import BytecodeProfiler
module = __import__(sys.argv[1].rpartition("/")[2][:-3])
kern = module.kern
profiler = BytecodeProfiler(debug=False)
profiler.calibrate_opcode_overhead()
profiler.profile(kern, int(sys.argv[2]))
times = iter(profiler.calculate_trace_times())
within = 2 if hasattr(module, "work") else 1
lines, depth, line = {}, 0, None
for event in profiler.events:
    if isinstance(event, CallEvent):
        depth += 1
    elif isinstance(event, ReturnEvent):
        depth -= 1
    elif isinstance(event, (OpcodeEvent, StopEvent)):
        if depth == within and getattr(event, "lineno", None):
            line = event.lineno
        lines[line] = lines.get(line, 0) + next(times)
json.dump(lines, sys.stdout)
"""


def installed(folder, python):
    """The tools that work under this interpreter, by name."""
    minor = subprocess.check_output([python, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"], text=True).strip()
    inside = str((folder / minor / "bin" / "python").absolute())
    found = {}
    if has(inside, "line_profiler"):
        found["line_profiler"] = lambda path, body, seconds: by_lines(inside, LINE_PROFILER, path, body, seconds)
    if has(inside, "bytesight"):
        found["bytesight"] = lambda path, body, seconds: by_lines(inside, BYTESIGHT, path, body, BYTESIGHT_ITERATIONS)
    py_spy = folder / "py-spy" / "bin" / "py-spy"
    if py_spy.exists():
        found["py-spy"] = lambda path, body, seconds: spied(python, py_spy, path, body, seconds)
    if has(python, "profiling.sampling"):
        found["profiling.sampling"] = lambda path, body, seconds: sampled(python, path, body, seconds, "1khz", ())
        found["... --blocking"] = lambda path, body, seconds: sampled(python, path, body, seconds, "10khz", ("--blocking",))
    return found


def has(python, module):
    if not Path(python).exists():
        return False
    return subprocess.run([python, "-c", f"import {module}"], capture_output=True).returncode == 0


def by_lines(python, script, path, body, argument):
    done = subprocess.run([python, "-c", script, path, str(argument)], capture_output=True, text=True)
    if done.returncode:
        print(f"    {done.stderr.strip().splitlines()[-1]}", file=sys.stderr)
        return None
    told = {int(line): cost for line, cost in json.loads(done.stdout).items() if line.isdigit()}
    return of_body(told, body)


def of_body(costs, body):
    first = bodies.first_line(body)
    return [costs.get(first + index, 0) for index in range(len(bodies.lines(body)))]


def spied(python, py_spy, path, body, seconds):
    """py-spy stops the process to look."""
    return watched(
        python,
        path,
        body,
        seconds,
        lambda pid, out: [py_spy, "record", "-p", pid, "-d", str(round(seconds)), "-r", "1000", "-f", "raw", "-o", out],
    )


def sampled(python, path, body, seconds, rate, options):
    return watched(
        python,
        path,
        body,
        seconds,
        lambda pid, out: [
            python, "-m", "profiling.sampling", "attach", "-d", str(round(seconds)), "-r", rate,
            *options, "--collapsed", "-o", out, pid,
        ],
    )  # fmt: skip


def watched(python, path, body, seconds, command):
    """Costs from collapsed stacks that a tool writes of a running process."""
    with tempfile.TemporaryDirectory() as folder:
        out = str(Path(folder) / "stacks")
        environment = {**os.environ, "PYTHON_JIT": "0", "PYTHONHASHSEED": "0"}
        target = subprocess.Popen([python, "-c", LOOP, path, str(seconds + 6)], env=environment)
        try:
            time.sleep(1)
            done = subprocess.run(command(str(target.pid), out), capture_output=True, text=True)
            if not os.path.exists(out):
                print(f"    {(done.stderr or done.stdout).strip()[-200:]}", file=sys.stderr)
                return None
            text = Path(out).read_text()
        finally:
            target.kill()
            target.wait()
    return collapsed(text, body)


def collapsed(text, body):
    """A line of the body costs every stack in which its function stands on it."""
    function = "work" if body.endswith(bodies.CALLED) else "kern"
    costs = collections.Counter()
    for entry in text.splitlines():
        stack, _, count = entry.rpartition(" ")
        found = [int(line) for line in re.findall(rf"\b{function}(?: \([^)]*)?:(\d+)", stack)]
        if found:
            costs[found[-1]] += int(count)
    return of_body(costs, body)
