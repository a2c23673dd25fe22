"""Prints the interpreter's opcode tables, and which opcode each live one stands for.

    python bytecost_tables.py
"""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import opcode

import bytecost_opcodes
import bytecost_wire


def standing_for():
    """Base opcode names by the names of the live forms that take their place."""
    bases = {form: family for family, forms in opcode._specializations.items() for form in forms}
    known = set(bytecost_opcodes.BASE)
    for text in bytecost_opcodes.NAMES.values():
        first = text.partition("__")[0]  # two in one: the first of them stands here
        plain = text.removeprefix("INSTRUMENTED_")
        for base in (first, plain):
            if base != text and base in known:
                bases.setdefault(text, base)
    return bases


tables = {"tables": bytecost_opcodes.tables(), "bases": standing_for()}
sys.stdout.write(bytecost_wire.encode(tables))
