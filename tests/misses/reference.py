"""Guard misses of tests/misses/programs.py, read at every boundary event and checked by the model.

    python reference.py PYTHON…          # compare known.json with reality on each interpreter
    python reference.py --write PYTHON…  # write known.json

`known.json`: version -> program -> every site that missed when `program(1000)` was called once in a
fresh process, as {"function", "op", "argument" (BINARY_OP only), "nth" of that opcode and argument
in the function, "line", "misses" by specialized form}. Sites that are not listed did not miss.

Between two boundary events of a code object (start, resume, yield, return, unwinding, backward
jump, handled exception) each of its instructions runs at most once, so no change of an inline
counter can be ambiguous. Each program runs in a fork of its own. Where model.py derives a number
from the operands, the number read must be that one; `known.json` says so with "derived".

3.11 has no monitoring: there the programs' `range` is one that reads the counters before each item.
No instruction runs more than 10 times between two items, and it takes 53 misses to go generic and
31 more executions to specialize again.
"""

import argparse
import dis
import importlib
import json
import opcode
import os
import subprocess
import sys
import types
from pathlib import Path

import model

HERE = Path(__file__).parent
KNOWN = HERE / "known.json"
VERSION = sys.version_info[:2]
BITS = 3 if VERSION >= (3, 15) else 4
INFORMATIONAL = ("RESUME", "JUMP_BACKWARD", "LOAD_CONST", "LOAD_FAST", "STORE_FAST", "GET_ITER")
FORMS = {
    form: base
    for base, forms in opcode._specializations.items()
    if base not in INFORMATIONAL
    for form in forms
    if not form.endswith("_ADAPTIVE")
}
NAMES = dis._all_opname
OLD = VERSION < (3, 12)  # cooldowns are plain numbers, the miss that empties one goes generic
FRESH = 53 if OLD else model.COOLDOWN


def codes_below(code):
    yield code
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from codes_below(constant)


class Sites:
    """The specializable instructions of one code object and what became of them."""

    def __init__(self, code):
        self.code = code
        seen = {}
        self.sites = {}
        for instruction in dis.get_instructions(code):
            if instruction.opname not in FORMS.values():
                continue
            sign = instruction.argrepr if instruction.opname == "BINARY_OP" else None
            nth = seen.get((instruction.opname, sign), 0)
            seen[instruction.opname, sign] = nth + 1
            self.sites[instruction.offset] = (instruction.opname, sign, nth, instruction.positions.lineno)
        self.misses = {offset: {} for offset in self.sites}
        self.last = self.read()

    def read(self):
        live = self.code._co_code_adaptive
        raw = {o: (NAMES[live[o]], int.from_bytes(live[o + 2 : o + 4], sys.byteorder)) for o in self.sites}
        return {o: (name, value if OLD and name in FORMS else value >> BITS) for o, (name, value) in raw.items()}

    def poll(self):
        now = self.read()
        if now == self.last:
            return
        for offset, (name, value) in now.items():
            name0, value0 = self.last[offset]
            if (name, value) == (name0, value0):
                continue
            if OLD:
                self.account_old(offset, name0, value0, name, value)
                continue
            found = 0
            if name0 in FORMS and not (name == name0 and value <= value0):
                if value0:
                    raise SystemExit(f"{self.code.co_name} {offset}: {name0} {value0} became {name} {value}")
                self.add(offset, name0, 1)  # the 53rd, which tried again
                found += 1
                value0 = model.COOLDOWN
            elif name0 not in FORMS:
                value0 = model.COOLDOWN
            if name in FORMS and value0 - value:
                self.add(offset, name, value0 - value)
                found += value0 - value
            if found > 2:
                raise SystemExit(f"{self.code.co_name} {offset}: {found} misses between two events")
        self.last = now

    def account_old(self, offset, name0, value0, name, value):
        if name0 in FORMS and name == name0 and value <= value0:
            found = {name0: value0 - value}
        elif name0 in FORMS and name not in FORMS:
            found = {name0: value0}
        elif name0 not in FORMS:
            found = {name: FRESH - value} if name in FORMS else {}
        else:
            found = {name0: FRESH}
        if sum(found.values()) > 10:
            raise SystemExit(f"{self.code.co_name} {offset}: {name0} {value0} became {name} {value}")
        for form, count in found.items():
            if count:
                self.add(offset, form, count)

    def add(self, offset, form, count):
        self.misses[offset][form] = self.misses[offset].get(form, 0) + count


def measure(program):
    """Misses of every site of the module in one run of one program."""
    module = importlib.import_module("programs")
    watched = {}
    for value in vars(module).values():
        if isinstance(value, types.FunctionType):
            watched.update((id(code), Sites(code)) for code in codes_below(value.__code__))
    run = run_old if OLD else run_monitored
    run(module, program, watched)
    out = []
    for sites in watched.values():
        sites.poll()
        for offset, (name, sign, nth, line) in sites.sites.items():
            if sites.misses[offset]:
                out.append([sites.code.co_qualname, name, sign, nth, line, sites.misses[offset]])
    return out


def run_old(module, program, watched):
    """The program with a `range` that polls."""

    def polled(*arguments):
        for item in range(*arguments):
            for sites in watched.values():
                sites.poll()
            yield item

    module.range = polled
    getattr(module, program)(model.CALLS)


def run_monitored(module, program, watched):
    """The program with a poll at every boundary event."""
    monitoring = sys.monitoring
    events = monitoring.events

    def boundary(code, *_):
        if id(code) in watched:
            watched[id(code)].poll()

    everywhere = ("EXCEPTION_HANDLED", "PY_UNWIND", "PY_THROW")
    here = ("PY_START", "PY_RESUME", "PY_RETURN", "PY_YIELD", "JUMP")
    monitoring.use_tool_id(3, "reference")
    for name in everywhere + here:
        monitoring.register_callback(3, getattr(events, name), boundary)
    for sites in watched.values():
        monitoring.set_local_events(3, sites.code, sum(getattr(events, name) for name in here))
    monitoring.set_events(3, sum(getattr(events, name) for name in everywhere))
    for sites in watched.values():
        sites.last = sites.read()
    getattr(module, program)(model.CALLS)
    monitoring.set_events(3, 0)


def work():
    """Every program of this version: its missing sites, with the model's word where it has one."""
    sys.path.insert(0, str(HERE))
    sys.dont_write_bytecode = True
    expected = {} if OLD else model.derived(VERSION)
    out = {}
    for program in model.PROGRAMS:
        read, write = os.pipe()
        child = os.fork()
        if child == 0:
            try:
                os.write(write, json.dumps(measure(program)).encode())
            finally:
                os._exit(0)
        os.close(write)
        with os.fdopen(read, "rb") as pipe:
            data = pipe.read()
        os.waitpid(child, 0)
        out[program] = []
        for qualname, name, sign, nth, line, misses in json.loads(data):
            derived = expected.get((qualname, name, sign, nth))
            if derived is not None and derived != misses:
                raise SystemExit(f"{qualname} {name} {sign or ''}: read {misses}, derived {derived}")
            entry = {"function": qualname, "op": name, "nth": nth, "line": line, "misses": misses}
            if sign:
                entry["argument"] = sign
            if derived is not None:
                entry["derived"] = True
            out[program].append(entry)
        for site, misses in expected.items():
            reached = {entry["function"] for entry in out[program]} | {program}
            if misses and site[0] == program and site[0] in reached:
                found = any((e["function"], e["op"], e.get("argument"), e["nth"]) == site for e in out[program])
                if not found:
                    raise SystemExit(f"{site}: derived {misses}, read none")
    json.dump(out, sys.stdout)


def main():
    parser = argparse.ArgumentParser(description="known guard misses")
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--worker", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("python", nargs="*")
    arguments = parser.parse_args()
    if arguments.worker:
        return work()
    known = {} if arguments.write else json.loads(KNOWN.read_text("utf-8"))
    wrong = 0
    for python in arguments.python:
        asked = "import sys; print('%d.%d' % sys.version_info[:2])"
        version = subprocess.run([python, "-c", asked], capture_output=True, text=True, check=True).stdout.strip()
        run = subprocess.run([python, __file__, "--worker"], capture_output=True, text=True, env={**os.environ, "PYTHON_JIT": "0"})
        if run.returncode:
            raise SystemExit(f"{version}: {run.stderr}")
        seen = json.loads(run.stdout)
        if arguments.write:
            known[version] = seen
        different = [program for program in seen if seen[program] != known[version].get(program)]
        wrong += len(different)
        sites = [site for program in seen.values() for site in program]
        total = sum(sum(site["misses"].values()) for site in sites)
        derived = sum("derived" in site for site in sites)
        print(f"{version}: {len(sites)} sites, {derived} derived, {total} misses; {len(different)} programs differ {different}")
    if arguments.write:
        lines = []
        for version, programs in known.items():
            rows = []
            for program, sites in programs.items():
                entries = ",\n".join("   " + json.dumps(site) for site in sites)
                rows.append(f"  {json.dumps(program)}: [\n{entries}\n  ]" if sites else f"  {json.dumps(program)}: []")
            lines.append(f" {json.dumps(version)}: {{\n" + ",\n".join(rows) + "\n }")
        KNOWN.write_text("{\n" + ",\n".join(lines) + "\n}\n", "utf-8")
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
