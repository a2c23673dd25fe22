"""The running interpreter's own opcode tables, whatever it calls them."""

from operator import itemgetter  # noqa: F401  used by bytecost_misses: C code, safe from the target

import opcode

BASE = opcode.opname[:256]  # 3.12 and later append pseudo instructions, which no code object has
CACHES = opcode._inline_cache_entries
BY_NAME = hasattr(CACHES, "get")  # a list by number until 3.12, a mapping by name since 3.13
# Rewritten at their first execution, once and for all: no adaptive counter of theirs means a miss.
ONE_WAY = ("RESUME", "JUMP_BACKWARD", "LOAD_CONST", "STORE_FAST", "LOAD_FAST", "EXTENDED_ARG")
FAMILIES = {
    family: tuple(form for form in forms if not form.endswith("_ADAPTIVE"))
    for family, forms in opcode._specializations.items()
    if family not in ONE_WAY
}


def all_names():
    """Names of every opcode, specialized and instrumented ones included, by number."""
    names = {number: text for number, text in enumerate(BASE) if not text.startswith("<")}
    specialized = getattr(opcode, "_specialized_opmap", None)
    if specialized is not None:
        names.update({number: text for text, number in specialized.items()})
    else:  # until 3.12 they fill the free numbers in order (Lib/dis.py)
        free = [number for number, text in enumerate(BASE) if text.startswith("<")]
        names.update(zip(free, opcode._specialized_instructions))
    return names


NAMES = all_names()
SPECIALIZED = {
    number: text for number, text in NAMES.items() if any(text in forms for forms in FAMILIES.values())
}
BASE_NUMBERS = {number for number, text in enumerate(BASE) if text in FAMILIES}
OLD = any(text.endswith("_ADAPTIVE") for text in NAMES.values())  # 3.11: adaptive forms of their own
if OLD:
    BASE_NUMBERS |= {number for number, text in NAMES.items() if text.endswith("_ADAPTIVE")}


def name(number):
    return NAMES.get(number) or f"<{number}>"


def is_base(number):
    return number in BASE_NUMBERS


def caches_of(number):
    if BY_NAME:
        return CACHES.get(BASE[number], 0)
    return CACHES[number]


def walk(code):
    """Offset, base opcode name and number of cache units of each instruction."""
    bytecode = code.co_code
    offset, end = 0, len(bytecode)
    while offset < end:
        number = bytecode[offset]
        caches = caches_of(number)
        yield offset, BASE[number], caches
        offset += 2 + 2 * caches


def exception_table(code):
    """Its entries (InternalDocs/exception_handling.md): start, length, handler, depth there, whether the offset is pushed."""
    table = iter(code.co_exceptiontable)

    def number(first):
        value = first & 63
        while first & 64:
            first = next(table)
            value = value << 6 | first & 63
        return value

    for first in table:
        start = 2 * number(first)
        length = 2 * number(next(table))
        target = 2 * number(next(table))
        packed = number(next(table))
        yield start, length, target, packed >> 1, packed & 1


def tables():
    """Everything a reader needs to decode this interpreter's bytecode."""
    return {
        "names": NAMES,
        "base": {number: text for number, text in enumerate(BASE) if not text.startswith("<")},
        "caches": {text: caches_of(number) for number, text in enumerate(BASE) if caches_of(number)},
        "families": FAMILIES,
        "have_argument": opcode.HAVE_ARGUMENT,
        "hasarg": list(getattr(opcode, "hasarg", ())),
        "jump_relative": list(opcode.hasjrel),
        "jump_absolute": list(opcode.hasjabs),
        "names_of": list(opcode.hasname),
        "locals": list(opcode.haslocal) + list(opcode.hasfree),
        "constants": list(opcode.hasconst),
        "comparisons": list(opcode.cmp_op),
        "binary_operators": [symbol for _, symbol in getattr(opcode, "_nb_ops", ())],
        "intrinsics_1": list(getattr(opcode, "_intrinsic_1_descs", ())),
        "intrinsics_2": list(getattr(opcode, "_intrinsic_2_descs", ())),
    }
