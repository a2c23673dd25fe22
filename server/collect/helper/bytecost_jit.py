"""The executors of code objects: which instructions are inside the JIT's traces, and where those can be left."""

from bisect import bisect_right
from sys import getsizeof

ENDS = ("_JUMP_TO_TOP", "_EXIT_TRACE", "_DEOPT", "_DYNAMIC_EXIT", "_JUMP_TO_JUMP_TARGET")
FRAMES = 100  # deepest call inside a trace


class Unreadable(Exception):
    """An executor does not look as it should."""


def add(records, notes):
    """Gives every record of a code object what executors have of it, as `jit`."""
    try:
        from _opcode import get_executor
    except ImportError:
        return
    reader = None
    spans = None
    for record in records:
        record["jit"] = {"executors": [], "sites": {}}
    for record in records:
        code = record["object"]
        for offset in range(0, len(record["code"]), 2):
            try:
                executor = get_executor(code, offset)
            except ValueError:  # none there
                continue
            except RuntimeError:  # a build without tier 2
                return
            if executor is None:
                continue
            if spans is None:
                try:
                    reader = Reader()
                    spans = Spans(records, reader.bytecode)
                except Unreadable as reason:
                    notes.append(f"executors are shown without their instructions: {reason}")
                    spans = ()
            describe(record, offset, executor, reader, spans, notes)


def describe(record, offset, executor, reader, spans, notes):
    """One executor, and its uops by instruction."""
    uops = list(executor)
    end = next((at for at, uop in enumerate(uops) if uop[0] in ENDS), len(uops) - 1)
    code = executor.get_jit_code() if hasattr(executor, "get_jit_code") else None
    exits = [uop for uop in uops[end:] if uop[0] in ("_EXIT_TRACE", "_DYNAMIC_EXIT")]
    record["jit"]["executors"].append(
        {
            "offset": offset,
            "uops": end + 1,
            "bytes": len(code) if code else None,
            "valid": bool(executor.is_valid()) if hasattr(executor, "is_valid") else None,
            "closed": any(uop[0] == "_JUMP_TO_TOP" for uop in uops[: end + 1]),
            "exits": len(exits),
        }
    )
    if not spans:
        return
    try:
        exiting = reader.exiting(executor, uops)
    except Unreadable as reason:
        note = f"executors are shown without their instructions: {reason}"
        if note not in notes:
            notes.append(note)
        return
    seen = {}
    current, unit, callers = record, None, []
    for at, (name, _, target, operand) in enumerate(uops[: end + 1]):
        if name.startswith("_SET_IP") or name.startswith("_CHECK_VALIDITY_AND_SET_IP"):
            current, unit = spans.find(operand)
        elif exiting[at]:
            stub = target & 0xFFFF or target >> 16
            # Where a trace goes on is not always where it was: then it is the instruction before.
            if end < stub < len(uops) and uops[stub][0] != "_EXIT_TRACE":
                unit = stub_unit(uops, stub)
        elif target:
            unit = target
        if current is not None and unit and 2 * unit < len(current["code"]):
            key = (id(current), 2 * unit)
            known = seen.setdefault(key, [current, 0])
            known[1] += 1
        if name.startswith("_PUSH_FRAME"):
            if len(callers) < FRAMES:
                callers.append(current)
            current = unit = None  # the next instruction pointer says whose
        elif name.startswith(("_RETURN_VALUE", "_RETURN_GENERATOR", "_YIELD_VALUE")):
            current, unit = callers.pop() if callers else None, None
    for (_, offset), (owner, count) in seen.items():
        sites = owner["jit"]["sites"]
        known = sites.setdefault(offset, [0, 0])
        known[0] += 1
        known[1] += count


def stub_unit(uops, at):
    """The code unit that an exit's stub is for."""
    name, _, target, operand = uops[at]
    return operand if name.startswith("_ERROR_POP_N") else target


class Spans:
    """Code objects by the addresses of their bytecode."""

    def __init__(self, records, bytecode):
        self.starts, self.records = [], []
        for start, record in sorted(((id(record["object"]) + bytecode, record) for record in records), key=first):
            self.starts.append(start)
            self.records.append(record)

    def find(self, address):
        """The record and code unit of an instruction pointer."""
        at = bisect_right(self.starts, address) - 1
        if at >= 0:
            offset = address - self.starts[at]
            if offset < len(self.records[at]["code"]):
                return self.records[at], offset // 2
        return None, None


def first(pair):
    return pair[0]


class Reader:
    """The uops of an executor as they lie in memory: only there is told which have exits."""

    def __init__(self):
        try:
            from ctypes import string_at
        except ImportError:
            raise Unreadable("this interpreter has no ctypes") from None
        self.string_at = string_at
        own = compile("a.b(c)[d] + e % f", "<layout>", "eval")  # never runs: its bytecode stays as it is
        live = own._co_code_adaptive
        inside = string_at(id(own), getsizeof(own))
        self.bytecode = inside.find(live)
        if self.bytecode < 0 or inside.find(live, self.bytecode + 1) >= 0:
            raise Unreadable("the bytecode of a code object was not found in it")

    def exiting(self, executor, uops):
        """For each uop whether its target is a place in the executor instead of an instruction."""
        header = object.__basicsize__
        word = self.word
        start = word(id(executor) + header + 8, 8)  # after the size of a variable-sized object
        for size in (24, 16):
            if start % 8 == 0 and 1 << 12 < start < 1 << 47 and self.fits(executor, start, size, uops):
                return [word(start + size * at, 2) >> 15 == 1 for at in range(len(uops))]
        raise Unreadable("the uops of an executor do not have the form that is known")

    def fits(self, executor, start, size, uops):
        # Uops follow the executor's head or lie in memory of their own; the first words tell which.
        numbers = {}
        data = self.string_at(start, size * len(uops))
        for at, (name, oparg, target, operand) in enumerate(uops):
            uop = data[size * at : size * at + size]
            number = int.from_bytes(uop[:2], "little") & 0x7FFF
            told = (
                int.from_bytes(uop[2:4], "little"),
                int.from_bytes(uop[4:8], "little"),
                int.from_bytes(uop[8:16], "little"),
            )
            if told != (oparg, target, operand) or numbers.setdefault(number, name) != name:
                return False
        return True

    def word(self, address, size):
        return int.from_bytes(self.string_at(address, size), "little")
