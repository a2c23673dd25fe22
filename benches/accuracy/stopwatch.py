"""Times of lines against a stopwatch in place, on programs as they are.

    python benches/accuracy/stopwatch.py --bytecost target/release/bytecost PYTHON [FILE...]

Each line of the target that is one simple statement is put between two readings of the clock, one line a
run, and an empty pair of readings beside it is taken off. What that is of an undisturbed call just before says
how much of the report's call it is, so that a machine whose speed changes makes no difference. What the report
says of the line, with what it calls, is divided by that. A line that calls itself again is too long by the
stopwatch, which counts it each time. Lines shorter than the readings themselves are measured badly by the
stopwatch, not by what is checked. FILEs have a `# bytecost: CALL` comment above a function; the examples do.
"""

import argparse
import ast
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

PROGRAMS = "nbody.py", "jsonish.py", "simulation.py", "tokenizer.py"
EXAMPLES = Path(__file__).parents[2] / "examples"
RUNS = 15
LEAST_SHARE = 0.01  # of the time: less is told by too few samples
SHORT_NS = 40  # about as long as a reading of the clock
WATCH = """
import json, statistics, sys, time
plain, sources = json.load(sys.stdin)
clock = time.perf_counter_ns
def ran(text):
    total = [0, 0]
    space = {"__name__": "watched", "_clock": clock, "_total": total}
    exec(compile(text, "<watched>", "exec"), space)
    start = clock()
    eval(CALL, space)
    return clock() - start, total[0] / max(1, total[1]), total[1]
def watched(line, empty):
    parts = []
    for _ in range(RUNS):
        whole, _, _ = ran(plain)
        _, with_it, times = ran(line)
        parts.append((with_it - ran(empty)[1]) / whole)
    return statistics.median(parts), times
json.dump([watched(*source) for source in sources], sys.stdout)
"""


def target(text):
    """The call in the comment, and the qualified name of the function below it."""
    before, _, rest = text.partition("# bytecost: ")
    call = rest.splitlines()[0]
    line = before.count("\n") + 1
    found = []

    def look(node, names):
        for child in ast.iter_child_nodes(node):
            named = isinstance(child, (ast.FunctionDef, ast.ClassDef))
            inner = [*names, child.name] if named else names
            if isinstance(child, ast.FunctionDef) and child.lineno > line:
                found.append((child.lineno, ".".join(inner)))
            look(child, inner)

    look(ast.parse(text), [])
    return call, min(found)[1]


def simple(text):
    """Lines of functions with one simple statement that stands alone."""
    kinds = ast.Assign, ast.AugAssign, ast.Expr
    functions = (node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef))
    nodes = [node for function in functions for node in ast.walk(function)]
    alone = [node for node in nodes if isinstance(node, kinds) and node.lineno == node.end_lineno]
    # What such a line makes runs elsewhere, or the line waits for others.
    others = {node.lineno for node in nodes if isinstance(node, (ast.Yield, ast.YieldFrom, ast.Await, ast.Lambda))}
    texts = {node.lineno for node in alone if isinstance(node.value, ast.Constant) and isinstance(node, ast.Expr)}
    return sorted({node.lineno for node in alone} - others - texts)


def watched(lines, line, empty):
    """The text with one line, or nothing beside it, between two readings."""
    text = lines[line - 1]
    indent = text[: len(text) - len(text.lstrip())]
    inner = "" if empty else f"{text.strip()}; "
    timed = f"{indent}_at = _clock(); {inner}_total[0] += _clock() - _at; _total[1] += 1"
    new = [timed, text] if empty else [timed]
    return "\n".join([*lines[: line - 1], *new, *lines[line:]])


def compare(program, python, path):
    """Line number, ns by bytecost, ns by the stopwatch, text."""
    text = path.read_text()
    path = path.resolve()
    call, name = target(text)
    command = [program, "run", "--quiet", "--python", python, "--format", "json", "--passes", "natural,sample,count"]
    environment = {**os.environ, "PYTHON_JIT": "0", "PYTHONHASHSEED": "0"}
    told = subprocess.run([*command, "--call", call, f"{path.name}::{name}"], cwd=path.parent, capture_output=True, check=True)
    report = json.loads(told.stdout)
    file = next(file for file in report["files"] if file["path"].endswith(path.name))
    by_line = {line["line"]: line for line in file["lines"]}
    counted = next(one["calls"] for one in report["passes"] if one["kind"] == "count")
    lines = text.splitlines()
    matters = lambda line: line.get("executions") and line["total_ns"] >= LEAST_SHARE * report["time"]["busy_ns"]
    chosen = [line for line in simple(text) if line in by_line and matters(by_line[line])]
    sources = [[watched(lines, line, False), watched(lines, line, True)] for line in chosen]
    script = f"RUNS = {RUNS}\nCALL = {call!r}\n{WATCH}"
    done = subprocess.run([python, "-c", script], input=json.dumps([text, sources]), capture_output=True, text=True, env=environment, check=True)
    for line, (part, times) in zip(chosen, json.loads(done.stdout)):
        if times >= 100:
            ns = part * report["time"]["busy_ns"] / counted
            yield line, by_line[line]["total_ns"] / by_line[line]["executions"], ns, lines[line - 1].strip()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bytecost", required=True, type=lambda path: str(Path(path).resolve()))
    parser.add_argument("python")
    parser.add_argument("file", nargs="*", type=Path, default=[EXAMPLES / name for name in PROGRAMS])
    arguments = parser.parse_args()
    ratios = []
    for path in arguments.file:
        print(path.name)
        for line, told, ns, text in compare(arguments.bytecost, arguments.python, path):
            long = ns >= SHORT_NS
            if long:
                ratios.append(told / ns)
            ratio = f"{told / ns:5.2f}" if long else "     "
            print(f"  {line:4}  {told:9.1f} ns  stopwatch {ns:9.1f} ns  {ratio}  {text[:60]}")
    if ratios:
        within = [sum(abs(ratio - 1) <= limit for ratio in ratios) for limit in (0.1, 0.25)]
        print(f"{len(ratios)} lines of {SHORT_NS} ns and more: ratio {statistics.median(ratios):.2f} at the median, "
              f"{within[0]} within 10 %, {within[1]} within 25 %")


if __name__ == "__main__":
    main()
