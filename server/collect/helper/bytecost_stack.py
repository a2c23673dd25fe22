"""The value stack of a running frame, read from memory at an instruction of known depth.

Nothing about the layout is taken for granted: offsets are found by looking for what must be there,
and a probe whose operands are known has to come out right before anything of the target is read.
"""

import sys

import bytecost_opcodes
import opcode

try:
    import _ctypes
except ImportError:
    _ctypes = None

getframe = sys._getframe
HAS_ARGUMENT = frozenset(getattr(opcode, "hasarg", ())) or frozenset(range(opcode.HAVE_ARGUMENT, 256))
JUMPS = frozenset(opcode.hasjrel) | frozenset(opcode.hasjabs)
STOPS = frozenset(
    "JUMP_BACKWARD JUMP_FORWARD RETURN_VALUE RETURN_CONST RERAISE RAISE_VARARGS "
    "JUMP_BACKWARD_NO_INTERRUPT INTERPRETER_EXIT".split()
)
LATE = frozenset(("END_ASYNC_FOR",))  # its argument names where it came from, not where it goes


class Mark:
    """What a slot holds instead of an object."""


NULL, TAGGED = Mark(), Mark()


class Unreadable(Exception):
    """Why the stack of this interpreter is not read."""


class Memory:
    """Words and objects by address; no call of it is an event to an audit hook."""

    def __init__(self):
        if _ctypes is None:
            raise Unreadable("this interpreter has no _ctypes")

        class Word(_ctypes._SimpleCData):
            _type_ = "P"

        class Byte(_ctypes._SimpleCData):
            _type_ = "B"

        class Half(_ctypes._SimpleCData):
            _type_ = "I"

        class Object(_ctypes._SimpleCData):
            _type_ = "O"

        def reader(kind):
            class Pointer(_ctypes._Pointer):
                _type_ = kind

            pointer = Pointer(kind())
            return pointer, Word.from_address(_ctypes.addressof(pointer))

        self.size = _ctypes.sizeof(Word)
        self.words, self.words_at = reader(Word)
        self.bytes, self.bytes_at = reader(Byte)
        self.halves, self.halves_at = reader(Half)
        self.objects, self.objects_at = reader(Object)
        self.cell = Word()
        self.cell_address = _ctypes.addressof(self.cell)

    def word(self, address):
        self.words_at.value = address
        return self.words[0] or 0

    def half(self, address):
        """A 32-bit unsigned number."""
        self.halves_at.value = address
        return self.halves[0]

    def byte(self, address):
        self.bytes_at.value = address
        return self.bytes[0]

    def object(self, pointer):
        """The object at an address that is known to hold one."""
        self.cell.value = pointer
        self.objects_at.value = self.cell_address
        return self.objects[0]


def instructions(code):
    """Offset, base opcode, argument and offset of the next instruction."""
    bytecode = code.co_code
    offset, argument = 0, 0
    while offset < len(bytecode):
        number = bytecode[offset]
        after = offset + 2 + 2 * bytecost_opcodes.caches_of(number)
        argument = argument << 8 | bytecode[offset + 1]
        if bytecost_opcodes.BASE[number] == "EXTENDED_ARG":
            yield offset, number, argument, after
            offset = after
            continue
        yield offset, number, argument, after
        argument = 0
        offset = after


def effect(name, number, argument, jump):
    """What an instruction does to the depth of the stack."""
    if "PRECALL" in opcode.opmap:  # 3.11 tells of both together what CALL alone does
        if name == "PRECALL":
            return 0
        if name == "CALL":
            return -1 - argument
    return opcode.stack_effect(number, argument, jump=jump)


def depths(code):
    """Depth of the value stack before each instruction that can be reached; None where two ways
    to one instruction disagree, as they must not."""
    known = {offset: (number, argument, after) for offset, number, argument, after in instructions(code)}
    out = {}
    entries = bytecost_opcodes.exception_table(code)
    work = [(0, 0)] + [(target, depth + 1 + lasti) for _, _, target, depth, lasti in entries]
    while work:
        offset, depth = work.pop()
        if offset in out:
            if out[offset] != depth:
                out[offset] = None
            continue
        if offset not in known:
            continue
        out[offset] = depth
        number, argument, after = known[offset]
        name = bytecost_opcodes.BASE[number]
        if name == "EXTENDED_ARG":
            work.append((after, depth))
            continue
        if name == "RETURN_GENERATOR":
            work.append((after, depth + 1))
            continue
        argument = argument if number in HAS_ARGUMENT else None
        if name not in STOPS:
            work.append((after, depth + effect(name, number, argument, False)))
        if number in JUMPS and name not in LATE:
            distance = -2 * argument if "BACKWARD" in name else 2 * argument
            work.append((after + distance, depth + effect(name, number, argument, True)))
    return out


def slots_of(code):
    """Number of slots before the value stack: locals, cells, free variables."""
    count = 0
    while True:
        try:
            code._varname_from_oparg(count)
        except IndexError:
            return count
        count += 1


class Stack:
    """Reads the slots below the top of a frame's value stack."""

    def __init__(self):
        self.memory = Memory()
        # PyFrameObject: the object's head, f_back, f_frame (Include/internal/pycore_frame.h).
        self.frame_at = object.__basicsize__ + self.memory.size
        self.locals_at = None
        self.top_at = None  # where the frame keeps its stack pointer, from 3.14 on
        self.count_at = None  # where it keeps the depth, on 3.11
        self.tags = 0

    def learn(self, frame, code, sentinel, depth):
        """Find the locals and the stack pointer in a frame whose first local is `sentinel`."""
        memory, size = self.memory, self.memory.size
        inner = memory.word(id(frame) + self.frame_at)
        words = [memory.word(inner + size * index) for index in range(16)]
        if not any(word & ~3 == id(code) for word in words):
            raise Unreadable("the frame is not where it was in other versions")
        for index, word in enumerate(words):
            if word & ~3 == id(sentinel):
                self.locals_at = size * index
                # Low bits mark borrowed references where the interpreter has them.
                break
        else:
            raise Unreadable("the frame's locals were not found")
        base = inner + self.locals_at
        slots = slots_of(code)
        top = base + size * (slots + depth)
        heads = range(self.locals_at // size)
        self.top_at = next((size * index for index in heads if words[index] == top), None)
        if self.top_at is None:
            halves = range(0, self.locals_at, 4)
            found = [at for at in halves if memory.half(inner + at) == slots + depth]
            self.count_at = found[-1] if len(found) == 1 else None

    def read(self, frame, slots, depth, places):
        """The objects at these distances from the top (1 is the top itself); NULL or TAGGED for
        slots without an object; None when the stack is not as deep as it should be."""
        memory, size = self.memory, self.memory.size
        inner = memory.word(id(frame) + self.frame_at)
        base = inner + self.locals_at
        if self.top_at is not None and memory.word(inner + self.top_at) != base + size * (slots + depth):
            return None
        if self.count_at is not None and memory.half(inner + self.count_at) != slots + depth:
            return None
        out = []
        for place in places:
            bits = memory.word(base + size * (slots + depth - place))
            if bits & 3 == 3:
                out.append(TAGGED)
            elif bits & ~3 == 0:
                out.append(NULL)
            else:
                out.append(memory.object(bits & ~3))
        return out
