"""Record what CPython itself says of failed attempts to specialize, function by function.

    PYTHON record.py pystats-3.13.json

PYTHON is built with `./configure --enable-pystats` (for the files here: 3.11.2, 3.12.3, 3.13.5, 3.14.4). Each
case of the file, `{"family", "source", "call"}`, is run alone in a process; `kinds` becomes the failed attempts
of its family by number of the failure kind (`server/cpython/spec-fail-kinds.json` names them). What
a process with an empty function shows is taken off: the recording itself fails at some sites.
"""

import json
import opcode
import os
import re
import shutil
import subprocess
import sys
import types

FOLDER = "/tmp/py_stats"  # where such a build writes
LINE = re.compile(r"\s*opcode\[(\w+)\]\.specialization\.failure_kinds\[(\d+)\] : (\d+)")
LINE_OF_3_11 = "opcode[{}].specialization.failure_kinds[{}] : {}"
CALLS = 400


def child(case):
    module = types.ModuleType("case")
    sys.modules["case"] = module
    exec(compile(case["source"], "case.py", "exec"), module.__dict__)
    code = compile(case["call"], "<call>", "eval")

    def loop():
        for _ in range(CALLS):
            eval(code, module.__dict__)

    if not hasattr(sys, "_stats_on"):
        return by_difference(loop)
    sys._stats_off()
    sys._stats_clear()
    sys._stats_on()
    loop()
    sys._stats_off()
    sys._stats_dump()


def by_difference(loop):
    """3.11 counts always, writes at the end only, and tells the counters of the moment."""
    import _opcode

    before = _opcode.get_specialization_stats()
    loop()
    after = _opcode.get_specialization_stats()
    os.makedirs(FOLDER, exist_ok=True)
    with open(os.path.join(FOLDER, "difference"), "w") as file:
        for family, counters in after.items():
            pairs = zip(before[family]["failure_kinds"], counters["failure_kinds"])
            for kind, (one, other) in enumerate(pairs):
                print(LINE_OF_3_11.format(family.upper(), kind, other - one), file=file)
    os._exit(0)


def run(case):
    shutil.rmtree(FOLDER, ignore_errors=True)
    os.makedirs(FOLDER)
    subprocess.run([sys.executable, __file__, "--one"], input=json.dumps(case), text=True, check=True)
    found = {}
    for name in os.listdir(FOLDER):
        with open(os.path.join(FOLDER, name)) as file:
            for line in file:
                match = LINE.match(line)
                if match:
                    # Until 3.12 the dump has numbers.
                    family = opcode.opname[int(match[1])] if match[1].isdigit() else match[1]
                    kinds = found.setdefault(family, {})
                    kinds[match[2]] = kinds.get(match[2], 0) + int(match[3])
    return found


def main():
    with open(sys.argv[1]) as file:
        cases = json.load(file)
    nothing = run({"source": "def f(): pass\n", "call": "f()"})
    for case in cases:
        family = case["family"]
        off = nothing.get(family, {})
        kinds = {kind: count - off.get(kind, 0) for kind, count in run(case).get(family, {}).items()}
        case["kinds"] = {kind: count for kind, count in kinds.items() if count > 0}
    with open(sys.argv[1], "w") as file:
        file.write("[\n" + ",\n".join(json.dumps(case) for case in cases) + "\n]\n")


if __name__ == "__main__":
    if sys.argv[1] == "--one":
        child(json.load(sys.stdin))
    else:
        main()
