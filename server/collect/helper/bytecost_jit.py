"""The executors of code objects: which instructions are inside the JIT's traces, and where those can be left."""

from bisect import bisect_right
from gc import get_objects
from sys import getsizeof
from types import FunctionType

ENDS = ("_JUMP_TO_TOP", "_EXIT_TRACE", "_DEOPT", "_DYNAMIC_EXIT", "_JUMP_TO_JUMP_TARGET")
EXITS = ("_EXIT_TRACE", "_DYNAMIC_EXIT")
EXIT = 16  # bytes of an exit's record
FRAMES = 100  # deepest call inside a trace


class Unreadable(Exception):
    """An executor does not look as it should."""


def add(records, notes):
    """Gives every record of a code object what executors have of it, as `jit`."""
    try:
        from _opcode import get_executor
    except ImportError:
        return
    for record in records:
        record["jit"] = {"executors": [], "sites": {}, "exits": []}
    found = []
    for record in records:
        code = record["object"]
        for offset in range(0, len(record["code"]), 2):
            try:
                executor = get_executor(code, offset)
            except ValueError:  # none there
                continue
            except RuntimeError:  # a build without tier 2
                return
            if executor is not None:
                found.append((executor, record, offset))
    if not found:
        return
    reader = spans = None
    try:
        reader = Reader(type(found[0][0]))
        spans = Spans(records, reader.bytecode)
    except Unreadable as reason:
        notes.append(f"executors are shown without their instructions: {reason}")
    seen = {id(executor) for executor, _, _ in found}
    for executor, record, offset in found:
        describe(record, offset, executor, reader, spans, notes)
    # Those that begin at an exit of another are entered by no instruction.
    at = 0
    while reader and at < len(found):
        executor, record, _ = found[at]
        at += 1
        for owner, unit, _, following in leaves(record, executor, reader, spans):
            if following is not None and id(following) not in seen:
                seen.add(id(following))
                found.append((following, owner, 2 * unit))
                describe(owner, 2 * unit, following, reader, spans, notes, side=True)


def main_part(uops):
    """Index of the last uop before the stubs of exits."""
    return next((at for at, uop in enumerate(uops) if uop[0] in ENDS), len(uops) - 1)


def describe(record, offset, executor, reader, spans, notes, side=False):
    """One executor, its uops by instruction, and its exits by where they go on."""
    uops = list(executor)
    end = main_part(uops)
    try:
        code = executor.get_jit_code()
    except (AttributeError, RuntimeError):  # a build that interprets uops
        code = None
    stubs = [uop[0] for uop in uops[end:]]
    record["jit"]["executors"].append(
        {
            "offset": offset,
            "side": side,
            "uops": end + 1,
            "bytes": len(code) if code else None,
            "valid": bool(executor.is_valid()) if hasattr(executor, "is_valid") else None,
            "closed": any(uop[0] == "_JUMP_TO_TOP" for uop in uops[: end + 1]),
            "exits": sum(name in EXITS for name in stubs),
            "deopts": sum(name.startswith("_DEOPT") for name in stubs),
            "errors": sum(name.startswith("_ERROR_POP_N") for name in stubs),
        }
    )
    if not spans:
        return
    seen = {}
    try:
        for at, current, unit in walk(record, executor, reader, spans):
            if at <= end and current is not None and unit and 2 * unit < len(current["code"]):
                known = seen.setdefault((id(current), 2 * unit), [current, 0])
                known[1] += 1
    except Unreadable as reason:
        note = f"executors are shown without their instructions: {reason}"
        if note not in notes:
            notes.append(note)
        return
    for (_, offset), (owner, count) in seen.items():
        sites = owner["jit"]["sites"]
        known = sites.setdefault(offset, [0, 0])
        known[0] += 1
        known[1] += count
    for owner, unit, counters, following in leaves(record, executor, reader, spans):
        owner["jit"]["exits"].append([2 * unit, *counters, following is not None])


def walk(record, executor, reader, spans):
    """Each uop with the code object and code unit it is of; a stub has those of the first uop that uses it."""
    uops = list(executor)
    exiting = reader.exiting(executor, uops)
    end = main_part(uops)
    current, unit, callers = record, None, []
    users = {}
    for at, (name, _, target, operand) in enumerate(uops[: end + 1]):
        if name.startswith("_SET_IP") or name.startswith("_CHECK_VALIDITY_AND_SET_IP"):
            current, unit = spans.find(operand)
        elif exiting[at]:
            for stub in (target & 0xFFFF, target >> 16):
                users.setdefault(stub, current)
            stub = target & 0xFFFF or target >> 16
            # Where a trace goes on is not always where it was: then it is the instruction before.
            if end < stub < len(uops) and uops[stub][0] != "_EXIT_TRACE":
                unit = stub_unit(uops, stub)
        elif target and name not in EXITS:
            unit = target
        yield at, current, unit
        if name.startswith("_PUSH_FRAME"):
            if len(callers) < FRAMES:
                callers.append(current)
            current, unit = spans.called(operand), None  # or the next instruction pointer says whose
        elif name.startswith(("_RETURN_VALUE", "_RETURN_GENERATOR", "_YIELD_VALUE")):
            current, unit = callers.pop() if callers else None, None
    for at in range(end + 1, len(uops)):
        yield at, users.get(at), None


def leaves(record, executor, reader, spans):
    """Exits: the code object and code unit where each goes on, its counter, and the executor that it enters."""
    if not spans:
        return
    uops = list(executor)
    try:
        for at, owner, _ in walk(record, executor, reader, spans):
            if uops[at][0] == "_EXIT_TRACE" and owner is not None:
                unit, counters, following = reader.exit(executor, uops[at])
                if 2 * unit < len(owner["code"]):
                    yield owner, unit, counters, following
    except Unreadable:
        return


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
        self.codes = {id(record["object"]): record for record in records}
        functions = (one for one in get_objects() if type(one) is FunctionType)
        self.functions = {id(one): id(one.__code__) for one in functions}

    def find(self, address):
        """The record and code unit of an instruction pointer."""
        at = bisect_right(self.starts, address) - 1
        if at >= 0:
            offset = address - self.starts[at]
            if offset < len(self.records[at]["code"]):
                return self.records[at], offset // 2
        return None, None

    def called(self, address):
        """The record of a function or, with the lowest bit set, of a code object; 3.15 names neither."""
        return self.codes.get(address - 1 if address & 1 else self.functions.get(address))


def first(pair):
    return pair[0]


class Reader:
    """The uops of an executor as they lie in memory: only there is told which have exits."""

    def __init__(self, kind):
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
        # Exits name executors by address: only what the collector knows as one is taken for one.
        self.known = {id(one): one for one in get_objects() if type(one) is kind}

    def exiting(self, executor, uops):
        """For each uop whether its target is a place in the executor instead of an instruction."""
        header = object.__basicsize__
        word = self.word
        start = word(id(executor) + header + 8, 8)  # after the size of a variable-sized object
        for size in (24, 16):
            if start % 8 == 0 and 1 << 12 < start < 1 << 47 and self.fits(executor, start, size, uops):
                return [word(start + size * at, 2) >> 15 == 1 for at in range(len(uops))]
        raise Unreadable("the uops of an executor do not have the form that is known")

    def exit(self, executor, uop):
        """Where an exit goes on, in code units, the words of its counter, and its executor."""
        first = id(executor) + type(executor).__basicsize__
        end = id(executor) + getsizeof(executor)
        # 3.13 has the number of the exit instead of its address.
        address = uop[3] or first + EXIT * (uop[2] & 0xFFFF)
        if address < first or address + EXIT > end or (address - first) % EXIT:
            raise Unreadable("an exit is not where it should be")
        words = self.string_at(address, EXIT)
        word = int.from_bytes
        counters = (word(words[4:6], "little"), word(words[6:8], "little"))
        return word(words[:4], "little"), counters, self.known.get(word(words[8:], "little"))

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
