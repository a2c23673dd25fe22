"""Runs `kern.main` with the JIT on and prints the executors of its functions: an independent look.

    PYTHON_JIT=1 python executors.py FOLDER CALLS
"""

import json
import sys

sys.path.insert(0, sys.argv[1])
import kern
from _opcode import get_executor

for _ in range(int(sys.argv[2])):
    kern.main(20000)
found = {}
for name in ("callee", "closes", "calls", "raises", "main"):
    code = getattr(kern, name).__code__
    for offset in range(0, len(code.co_code), 2):
        try:
            executor = get_executor(code, offset)
        except ValueError:
            continue
        names = [uop[0] for uop in executor]
        ends = [at for at, uop in enumerate(names) if uop in ("_JUMP_TO_TOP", "_EXIT_TRACE", "_DEOPT")]
        try:
            size = len(executor.get_jit_code())
        except RuntimeError:  # uops are interpreted
            size = 0
        stubs = names[ends[0] :]
        found[f"{name} {offset}"] = [
            ends[0] + 1,
            "_JUMP_TO_TOP" in names,
            size,
            [stubs.count(stub) for stub in ("_EXIT_TRACE", "_DEOPT", "_ERROR_POP_N")],
        ]
print(json.dumps(found))
