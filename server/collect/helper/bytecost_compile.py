"""Compiles texts and prints their code objects and the interpreter's opcode tables; runs nothing of them.

    python bytecost_compile.py JOB

JOB holds `path<TAB>hexadecimal` and `text<TAB>hexadecimal` in turn. A text that does not compile has no code objects.
"""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import bytecost_opcodes
import bytecost_report
import bytecost_wire


def read(path):
    """Paths and texts in their order."""
    values = {"path": [], "text": []}
    with open(path, encoding="ascii") as file:
        for line in file:
            key, _, value = line.rstrip("\n").partition("\t")
            values[key].append(bytes.fromhex(value))
    return zip((path.decode("utf-8", "surrogateescape") for path in values["path"]), values["text"])


codes = []
for path, text in read(sys.argv[1]):
    first = len(codes)
    try:
        bytecost_report.add(codes, compile(text, path, "exec", dont_inherit=True), -1, "tree")
    except (SyntaxError, ValueError, RecursionError, MemoryError, OverflowError):
        del codes[first:]
    for record in codes[first:]:
        del record["object"]
        record.update(path=path, counts=None)
sys.stdout.write(bytecost_wire.encode({"tables": bytecost_opcodes.tables(), "codes": codes}))
