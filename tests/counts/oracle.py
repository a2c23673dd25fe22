"""Count how often every instruction of a program ran, by a method of its own.

    python oracle.py PROGRAM.py                  # JSON on stdout
    python oracle.py --cross-check PROGRAM.py…   # opcode tracing against INSTRUCTION events (3.12+)

The program is imported as a module named by its stem from its own directory, then its `run()` is
called once; both are counted. Instructions are counted by opcode tracing (`sys.settrace`,
`threading.settrace`, `frame.f_trace_opcodes`), lines by 'line' trace events in a second process.
Printed: {"python", "codes": [{"qualname", "firstlineno", "column", "digest", "first_comparable",
"counts": {offset: n}, "disturbed": {offset: n}, "line_hits": {line: n}}]}. Every instruction of
every code object of the file is in `counts`, those that never ran with 0. `digest` is the first 16 hexadecimal digits of
the SHA-256 of `co_code + co_linetable`; `column` is that of the first instruction that has one.

What can be compared: offsets from `first_comparable` on, the first RESUME. Opcode events leave out
the prologue before it (COPY_FREE_VARS, MAKE_CELL, RETURN_GENERATOR) on 3.12+, and RESUME itself on
all versions; each RESUME is counted from the 'call' event that belongs to it instead.

On 3.13+ tracing changes what runs in one place: closing a generator that is suspended outside any
`try` only marks it finished, unless its RESUME is hidden by a 'line' event; then GeneratorExit is
really thrown and its implicit handler (CALL_INTRINSIC_1, RERAISE) runs. INSTRUCTION events do not
hide RESUME. Where the two methods differ, `counts` has the events' number and `disturbed` the
traced one; anything but that handler is refused.

Two settings make opcode tracing complete from the first instruction on. On 3.13+ assigning
`f_trace_opcodes` takes effect only if the frame already has `f_trace`; on 3.12 `sys.settrace`
turns opcode events on only if some frame had asked for them before.
"""

import argparse
import contextlib
import dis
import gc
import hashlib
import importlib
import json
import os
import sys
import threading
import types
from pathlib import Path


def code_objects(code):
    """`code` and every code object below it, outermost first."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from code_objects(constant)


class Counter:
    """Counts of one run. A key belongs to one thread, so that no increment is lost between two."""

    def __init__(self, path):
        self.path = str(path)
        self.module = None
        self.hits = {}

    def hit(self, code, where):
        if code.co_name == "<module>":
            self.module = code
        key = (threading.get_ident(), id(code), where)
        self.hits[key] = self.hits.get(key, 0) + 1

    def total(self, code):
        """Summed over threads: where -> hits, of one code object."""
        out = {}
        for (_, owner, where), hits in self.hits.items():
            if owner == id(code):
                out[where] = out.get(where, 0) + hits
        return out


def load_and_run(path):
    sys.path.insert(0, str(path.parent))
    sys.dont_write_bytecode = True
    gc.disable()  # a collection inside a trace function would run finalizers unseen
    sys.modules.pop(path.stem, None)  # of an earlier method in this process
    importlib.import_module(path.stem).run()


def trace_opcodes(path):
    """Executions by opcode and 'call' events."""
    counter = Counter(path)
    resumes = {}
    entering = {}  # frame id -> its RESUME, until it is known not to be a throw()

    def trace(frame, event, _):
        code = frame.f_code
        if code.co_filename != counter.path:
            return None
        if event == "call":
            frame.f_trace = trace
            frame.f_trace_opcodes = True
            if id(code) not in resumes:
                resumes[id(code)] = {i.offset for i in dis.get_instructions(code) if i.opname == "RESUME"}
            at = frame.f_lasti
            if at < 0:  # 3.11: not yet at the RESUME
                at = min(resumes[id(code)])
            if at in resumes[id(code)]:
                entering[id(frame)] = at
        elif event == "exception":
            entering.pop(id(frame), None)
        elif event == "opcode":
            at = entering.pop(id(frame), None)
            if at is not None:
                counter.hit(code, at)
            if frame.f_lasti not in resumes[id(code)]:
                counter.hit(code, frame.f_lasti)
        return trace

    sys._getframe().f_trace_opcodes = True
    threading.settrace(trace)
    sys.settrace(trace)
    try:
        load_and_run(path)
    finally:
        sys.settrace(None)
        threading.settrace(None)
    return counter


def trace_lines(path):
    """Executions of lines by 'line' events."""
    counter = Counter(path)

    def trace(frame, event, _):
        if frame.f_code.co_filename != counter.path:
            return None
        if event == "line":
            counter.hit(frame.f_code, frame.f_lineno)
        return trace

    threading.settrace(trace)
    sys.settrace(trace)
    try:
        load_and_run(path)
    finally:
        sys.settrace(None)
        threading.settrace(None)
    return counter


def instruction_events(path):
    """Executions by INSTRUCTION, PY_START and PY_RESUME events (3.12+)."""
    counter = Counter(path)
    monitoring = sys.monitoring
    events = monitoring.events
    resumes = {}

    def entered(code, offset):
        if code.co_filename != counter.path:
            return monitoring.DISABLE
        counter.hit(code, offset)

    def instruction(code, offset):
        if code.co_filename != counter.path:
            return monitoring.DISABLE
        if id(code) not in resumes:
            resumes[id(code)] = {i.offset for i in dis.get_instructions(code) if i.opname == "RESUME"}
        if offset not in resumes[id(code)]:
            counter.hit(code, offset)

    monitoring.use_tool_id(3, "oracle")
    monitoring.register_callback(3, events.INSTRUCTION, instruction)
    monitoring.register_callback(3, events.PY_START, entered)
    monitoring.register_callback(3, events.PY_RESUME, entered)
    monitoring.set_events(3, events.INSTRUCTION | events.PY_START | events.PY_RESUME)
    try:
        load_and_run(path)
    finally:
        monitoring.set_events(3, 0)
        monitoring.free_tool_id(3)
    return counter


def describe(counter, kind):
    """The counter as plain data, one entry per code object, keyed the same in every process."""
    out = []
    for code in code_objects(counter.module):
        instructions = list(dis.get_instructions(code))
        hits = counter.total(code)
        entry = {
            "qualname": code.co_qualname,
            "firstlineno": code.co_firstlineno,
            "column": next((i.positions.col_offset for i in instructions if i.positions.col_offset is not None), None),
            "digest": hashlib.sha256(code.co_code + code.co_linetable).hexdigest()[:16],
            "first_comparable": next((i.offset for i in instructions if i.opname == "RESUME"), 0),
        }
        if kind == "lines":
            entry["line_hits"] = {str(line): hits[line] for line in sorted(hits, key=str) if line is not None}
        else:
            entry["counts"] = {str(i.offset): hits.pop(i.offset, 0) for i in instructions}
            entry["names"] = {str(i.offset): i.opname for i in instructions}
            if hits:
                raise SystemExit(f"{code.co_qualname}: hits off an instruction start: {hits}")
        out.append(entry)
    return out


def in_child(method, path, kind):
    """Result of a counting method run in a fresh process; its output goes to stderr."""
    if sys.platform == "emscripten":  # no processes there: one method after the other in this one
        with contextlib.redirect_stdout(sys.stderr):
            return json.loads(json.dumps(describe(method(path), kind)))
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(read)
        os.dup2(2, 1)
        status = 1
        try:
            data = json.dumps(describe(method(path), kind)).encode()
            with os.fdopen(write, "wb") as pipe:
                pipe.write(data)
            status = 0
        except BaseException:
            sys.excepthook(*sys.exc_info())
        os._exit(status)
    os.close(write)
    with os.fdopen(read, "rb") as pipe:
        data = pipe.read()
    _, status = os.waitpid(child, 0)
    if status:
        raise SystemExit(f"{path}: the counted run failed")
    return json.loads(data)


def same(path):
    """Traced codes with the events' counts merged in, and every difference of the two methods."""
    codes = in_child(trace_opcodes, path, "counts")
    differences = []
    for code in codes:
        code["disturbed"] = {}
    if sys.version_info >= (3, 12):
        for code, events in zip(codes, in_child(instruction_events, path, "counts"), strict=True):
            for offset, traced in code["counts"].items():
                seen = events["counts"][offset]
                if int(offset) >= code["first_comparable"] and seen != traced:
                    name = code["names"][offset]
                    differences.append((code["qualname"], offset, name, traced, seen))
                    code["disturbed"][offset] = traced
                    code["counts"][offset] = seen
    return codes, differences


def refused(differences):
    """Differences that closing a suspended generator under tracing does not explain."""
    return [d for d in differences if d[2] not in ("CALL_INTRINSIC_1", "RERAISE") or d[3] < d[4]]


def count(path):
    codes, differences = same(path)
    if refused(differences):
        raise SystemExit(f"{path}: the two methods differ: {refused(differences)}")
    for code, lines in zip(codes, in_child(trace_lines, path, "lines"), strict=True):
        del code["names"]
        code["line_hits"] = lines["line_hits"]
    return {"python": "%d.%d" % sys.version_info[:2], "codes": codes}


def cross_check(path):
    """Differences of the two counting methods, printed; how many are not explained."""
    codes, differences = same(path)
    for qualname, offset, name, traced, events in differences:
        print(f"{path.name} {qualname} {offset} {name}: traced {traced}, events {events}")
    hits = [n for code in codes for offset, n in code["counts"].items() if int(offset) >= code["first_comparable"]]
    print(f"{path.name}: {len(hits)} instructions, {sum(hits)} executions, {len(refused(differences))} unexplained")
    return len(refused(differences))


def main():
    parser = argparse.ArgumentParser(description="count instruction executions of a program by tracing")
    parser.add_argument("--cross-check", action="store_true")
    parser.add_argument("program", nargs="+")
    arguments = parser.parse_args()
    paths = [Path(program).resolve() for program in arguments.program]
    if arguments.cross_check:
        return int(sum(cross_check(path) for path in paths) > 0)
    for path in paths:
        json.dump(count(path), sys.stdout)
        print()
    return 0


if __name__ == "__main__":
    sys.exit(main())
