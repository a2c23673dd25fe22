"""Check tests/states/cases.json against what the public `dis` module shows.

    python check_with_dis.py PYTHON...        # every case, on each interpreter
    python check_with_dis.py --id NAME PYTHON # one case, printing what was observed

A case is a module (`source`), an expression (`call`) evaluated `calls` times in it, and for each
version where it applies the site and what becomes of it: the `nth` instruction of base opcode `op`
(with this `argument`, if given) of the code object `function`; its `state`, `form`, `executions` and
`misses` after exactly that many calls; `stable`, whether any of the next 240 calls changes state or
form (a cold site, a flapping one). A version that is missing compiles the code to something else.

An independent second opinion: it shares nothing with the product. The form and the inline
counter of a site come from `dis.get_instructions(code, adaptive=True, show_caches=True)`, read
after every single call; executions come from INSTRUCTION events (3.12+) or opcode tracing
(3.11) in another process. Each case runs in a fork, so no case sees another's types or globals.

How misses follow from the counter (Include/internal/pycore_backoff.h; pycore_code.h on 3.11): a
success sets it to 52 (3.11: 53), a failed guard takes one off, and the 53rd failure tries to
specialize again at once (3.11: after 31 more generic executions).
"""

import argparse
import dis
import json
import os
import subprocess
import sys
import types
from pathlib import Path

CASES = Path(__file__).with_name("cases.json")
VERSION = "%d.%d" % sys.version_info[:2]
OLD = sys.version_info < (3, 12)
BITS = 3 if sys.version_info >= (3, 15) else 4
FRESH = 53 if OLD else 52  # counter right after a success
MORE_CALLS = 240  # how far to look whether the state still changes
MATTERS = 0.01  # share of misses from which a site counts as deopting
UNREPORTED = ("RESUME", "JUMP_BACKWARD", "LOAD_CONST", "LOAD_FAST", "STORE_FAST", "EXTENDED_ARG")


def specialized_names():
    """Name of every specialized form -> its base opcode; the unreported families left out."""
    import opcode

    table = {}
    for base, forms in opcode._specializations.items():
        if base not in UNREPORTED:
            table.update((form, base) for form in forms if not form.endswith("_ADAPTIVE"))
    return table


FORMS = specialized_names()
FAMILIES = set(FORMS.values())


def find_code(code, qualname):
    """The last code object of this qualified name below `code`."""
    found = code if code.co_qualname == qualname else None
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            found = find_code(constant, qualname) or found
    return found


def find_site(code, want):
    """Offset of the instruction a case means."""
    nth = want["nth"]
    for instruction in dis.get_instructions(code):
        if instruction.opname == want["op"] and want.get("argument") in (None, instruction.argrepr):
            if nth == 0:
                return instruction.offset
            nth -= 1
    return None


def read_site(code, offset):
    """Live opcode name and first inline cache unit (None without one), and whether quickened."""
    quickened = not OLD
    name = counter = None
    instructions = iter(dis.get_instructions(code, adaptive=True, show_caches=True))
    for instruction in instructions:
        if instruction.opname == "RESUME_QUICK":
            quickened = True
        if instruction.offset == offset:
            name = instruction.opname
            if sys.version_info >= (3, 13):
                for _, _, data in instruction.cache_info or ():
                    counter = int.from_bytes(data[:2], sys.byteorder)
                    break
            else:
                following = next(instructions, None)
                if following is not None and following.argrepr.startswith("counter: "):
                    counter = int(following.argrepr.removeprefix("counter: "))
    return name, counter, quickened


class Watch:
    """Follows one site, read after every call."""

    def __init__(self, code, offset, base):
        self.code, self.offset, self.base = code, offset, base
        self.last = read_site(code, offset)
        self.misses = {}

    def left(self, reading):
        """Failures until the site may specialize again."""
        return reading[1] if OLD else (reading[1] >> BITS) + 1

    def step(self):
        before, now = self.last, read_site(self.code, self.offset)
        self.last = now
        was, is_ = before[0] in FORMS, now[0] in FORMS
        if is_:
            self.misses.setdefault(now[0], 0)
        if was and is_ and before[0] == now[0] and self.left(now) <= self.left(before):
            self.misses[now[0]] += self.left(before) - self.left(now)
            return
        if was:
            self.misses[before[0]] += self.left(before)
        if is_:
            self.misses[now[0]] += (FRESH if OLD else FRESH + 1) - self.left(now)

    def state(self, executions):
        name, counter, quickened = self.last
        total = sum(self.misses.values())
        if executions == 0:
            return "not-executed"
        if self.base not in FAMILIES:
            return "basic"
        if name in FORMS:
            if total < MATTERS * executions:
                return "specialized"
            return "polymorphic" if len(self.misses) > 1 else "deopting"
        if OLD:
            if name.endswith("_ADAPTIVE"):
                if total and counter & 15 == 5:
                    return "cooling"  # between the 53rd miss and the next attempt
                return "unspecialized" if counter else "cold"
            return "unspecialized" if quickened else "cold"
        # Backoff 1 is the initial one. Some refusals of LOAD_ATTR on 3.14+ leave the counter of a
        # success, backoff 0, with the generic opcode.
        return "cold" if counter & ((1 << BITS) - 1) == 1 else "unspecialized"


def load(case, want):
    """The module of a case, ready to be called: (code under test, offset, namespace, call)."""
    module = types.ModuleType("case")
    sys.modules["case"] = module
    body = compile(case["source"], "case.py", "exec")
    code = find_code(body, case["function"])
    offset = find_site(code, want)
    if offset is None:
        raise LookupError(f"no {want['op']} in {case['function']}")
    exec(body, module.__dict__)
    return code, offset, module.__dict__, compile(case["call"], "call.py", "eval")


def count(case, want):
    """How often the site ran."""
    code, offset, space, call = load(case, want)
    seen = 0
    starts = next(i.offset for i in dis.get_instructions(code) if i.opname == "RESUME") == offset
    if OLD:

        def trace(frame, event, _):
            nonlocal seen
            if frame.f_code is not code:
                return None
            frame.f_trace_opcodes = True
            if event == ("call" if starts else "opcode") and (starts or frame.f_lasti == offset):
                seen += 1
            return trace

        sys.settrace(trace)
    else:
        monitoring = sys.monitoring
        monitoring.use_tool_id(3, "count")

        def event(_, at):
            nonlocal seen
            if at == offset:
                seen += 1

        kind = monitoring.events.PY_START if starts else monitoring.events.INSTRUCTION
        monitoring.register_callback(3, kind, event)
        monitoring.set_local_events(3, code, kind)
    for _ in range(case["calls"]):
        eval(call, space)
    sys.settrace(None)
    return seen


def watch(case, want, executions):
    """State, form and misses after `calls` calls, and whether more calls change the first two."""
    code, offset, space, call = load(case, want)
    site = Watch(code, offset, want["op"])
    for _ in range(case["calls"]):
        eval(call, space)
        site.step()
    state = site.state(executions)
    form = site.last[0] if state in ("specialized", "deopting", "polymorphic") else None
    misses, forms = sum(site.misses.values()), dict(site.misses)
    stable = True
    for done in range(case["calls"] + 1, case["calls"] + MORE_CALLS + 1):
        eval(call, space)
        site.step()
        later = site.state(executions * done / case["calls"])
        stable = stable and later == state and (form is None or site.last[0] == form)
    return {"state": state, "form": form, "misses": misses, "misses_by_form": forms, "stable": stable}


def in_fork(function, *arguments):
    """Result of a function run in a child process; {"error": …} when it fails."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(read)
        try:
            result = function(*arguments)
        except BaseException as error:  # the parent reports it
            result = {"error": f"{type(error).__name__}: {error}"}
        os.write(write, json.dumps(result).encode())
        os._exit(0)
    os.close(write)
    with os.fdopen(read, "rb") as pipe:
        data = pipe.read()
    os.waitpid(child, 0)
    return json.loads(data) if data else {"error": "the child died"}


def observe(case, want):
    """Everything a case says about one version, as observed here."""
    body = compile(case["source"], "case.py", "exec")
    code = find_code(body, case["function"])
    offset = find_site(code, want)
    if offset is None:
        return {"error": f"no {want['op']} in {case['function']}"}
    position = next(i.positions for i in dis.get_instructions(code) if i.offset == offset)
    executions = in_fork(count, case, want)
    if isinstance(executions, dict):
        return executions
    result = in_fork(watch, case, want, executions)
    result.update(executions=executions, line=position.lineno, offset=offset)
    return result


def work(path, only):
    cases = json.loads(Path(path).read_text("utf-8"))
    out = {}
    for case in cases:
        want = case["expect"].get(VERSION)
        if want and (only is None or case["id"] == only):
            out[case["id"]] = observe(case, want)
    json.dump(out, sys.stdout)


def main():
    parser = argparse.ArgumentParser(description="check cases.json with the dis module")
    parser.add_argument("--cases", default=str(CASES))
    parser.add_argument("--id", help="only this case, printed")
    parser.add_argument("--worker", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("python", nargs="*")
    arguments = parser.parse_args()
    if arguments.worker:
        return work(arguments.cases, arguments.id)
    cases = json.loads(Path(arguments.cases).read_text("utf-8"))
    failed = False
    for python in arguments.python or [sys.executable]:
        asked = "import sys; print('%d.%d' % sys.version_info[:2])"
        version = subprocess.run([python, "-c", asked], capture_output=True, text=True, check=True).stdout.strip()
        command = [python, __file__, "--worker", "--cases", arguments.cases]
        command += ["--id", arguments.id] if arguments.id else []
        environment = {**os.environ, "PYTHON_JIT": "0", "PYTHONHASHSEED": "random"}
        seen = json.loads(subprocess.run(command, capture_output=True, text=True, check=True, env=environment).stdout)
        wrong = 0
        for case in cases:
            if case["id"] not in seen:
                continue
            want, got = case["expect"][version], seen[case["id"]]
            if arguments.id:
                print(version, got)
            keys = ("state", "form", "misses", "executions", "line", "stable")
            odd = [f"{key} {got.get(key)}, not {want.get(key)}" for key in keys if got.get(key) != want.get(key)]
            if odd:
                wrong += 1
                print(f"{version} {case['id']}: {got.get('error') or '; '.join(odd)}")
        print(f"{version}: {len(seen)} cases, {wrong} wrong")
        failed = failed or wrong > 0
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
