"""Live bytecode where each thread has a copy of its own: builds without the global interpreter lock, 3.14+.

A code object keeps an array of its copies, by a number that a thread has while it lives; the first is its
own (`_PyCodeArray` in Include/cpython/code.h). They go only when a program calls
`sys._clear_internal_caches`. Everywhere else a code object has one bytecode.
"""

import sys

import bytecost_misses
import bytecost_opcodes

SETTLES = 8  # reads until two are alike
FREE_THREADED = "free-threading build" in sys.version
CodeType = type((lambda: None).__code__)
MOST = 1 << 12  # threads; a larger number is taken for none


class Copies:
    """Reads copies from memory."""

    def __init__(self):
        import bytecost_stack

        ctypes = bytecost_stack._ctypes
        self.memory = bytecost_stack.Memory()
        self.size = self.memory.size
        # The bytecode ends the object, the array's address stands before it (Include/cpython/code.h).
        self.bytecode_at = CodeType.__basicsize__
        self.array_at = self.bytecode_at - self.size
        self.pointers = {}

        class Byte(ctypes._SimpleCData):
            _type_ = "c"

        def reader(length):
            kind = type("Bytes", (ctypes.Array,), {"_type_": Byte, "_length_": length})
            pointer = type("Pointer", (ctypes._Pointer,), {"_type_": kind})(kind())

            class Word(ctypes._SimpleCData):
                _type_ = "P"

            return pointer, Word.from_address(ctypes.addressof(pointer))

        self.reader = reader

    def read(self, address, length):
        """That many bytes."""
        pointer, at = self.pointers.get(length) or self.pointers.setdefault(length, self.reader(length))
        at.value = address
        return pointer.contents.raw

    def check(self):
        """Whether it is as told above, shown by a function that this thread has run."""

        def probe():
            return 1

        probe()
        code = probe.__code__
        array = self.memory.word(id(code) + self.array_at)
        if array < 1 << 16 or array % self.size:
            return False
        return 0 < self.memory.word(array) < MOST and self.memory.word(array + self.size) == id(code) + self.bytecode_at

    def addresses(self, code):
        """Where its copies are; 0 where a thread has none."""
        size, word = self.size, self.memory.word
        while True:
            array = word(id(code) + self.array_at)
            number = word(array)
            words = self.read(array, size * (1 + number if number < MOST else 1))
            # Another thread may have put a longer one in its place: what was read may be anything then.
            if word(id(code) + self.array_at) == array:
                return [int.from_bytes(words[at : at + size], sys.byteorder) for at in range(size, len(words), size)]

    def all(self, code):
        """What each copy holds, by the number of its thread."""
        length = len(code.co_code)
        return {index: self.read(at, length) for index, at in enumerate(self.addresses(code)) if at}


def found():
    """A reader, or None where threads share the bytecode or it cannot be read."""
    if not FREE_THREADED or sys.version_info < (3, 14):
        return None
    try:
        copies = Copies()
        return copies if copies.check() else None
    except Exception:
        return None


COPIES = found()


def live(code):
    """The live bytecode of the copy that was executed furthest, and whether others specialized otherwise."""
    own = code._co_code_adaptive
    if COPIES is None:
        return own, False
    copies = COPIES.all(code)
    if len(copies) < 2:
        return own, False
    fresh = code.replace()._co_code_adaptive
    copies[0] = own
    ran = [copy for copy in copies.values() if copy != fresh]
    if not ran:
        return own, False
    furthest = max(ran, key=lambda copy: sum(map(int.__ne__, copy, fresh)))
    return furthest, differ(code, ran, fresh)


def differ(code, copies, fresh):
    """Whether a site became another form in another copy, or could not be specialized there."""
    sites = bytecost_misses.Sites(code, bytecost_misses.calibrate())
    for offset in sites.offsets:
        became = set()
        for copy in copies:
            failed = sites.raw(copy, offset) & sites.backoff > sites.raw(fresh, offset) & sites.backoff
            if copy[offset] != fresh[offset] or failed:
                became.add(copy[offset])
        if len(became) > 1:
            return True
    return False


def settled(read):
    """What is read twice alike: a thread writes an opcode and its counter one after the other. It cannot go on
    for long while another one polls, as its own next event waits for that."""
    live = read()
    for _ in range(SETTLES):
        before, live = live, read()
        if live == before:
            break
    return live


def sites(code, calibration):
    """What watches the sites of a code object."""
    if COPIES is None:
        return bytecost_misses.Sites(code, calibration)
    return Sites(code, calibration)


class Sites:
    """The sites of all copies, like those of one."""

    def __init__(self, code, calibration):
        self.code, self.calibration = code, calibration
        own = bytecost_misses.Sites(code, calibration)
        # Nothing has run yet: so begins every copy.
        self.fresh = own.state[0] if own.offsets else b""
        own.live = lambda: settled(lambda: code._co_code_adaptive)
        self.own = own
        # By the number of a thread and the address of its copy, as a copy can go and another come.
        self.others = {}
        self.offsets, self.for_iters = own.offsets, own.for_iters
        self.threads = 1

    def poll(self, table=None, every=0):
        if not self.offsets:
            return
        if table is not None:
            table[1] = every
        self.own.poll()
        length = len(self.code.co_code)
        for index, address in enumerate(COPIES.addresses(self.code)):
            if not index or not address:
                continue
            sites = self.others.get((index, address))
            if sites is None:
                sites = bytecost_misses.Sites(self.code, self.calibration, lambda: self.fresh)
                sites.live = lambda at=address: settled(lambda: COPIES.read(at, length))
                self.others[index, address] = sites
            sites.poll()

    def report(self):
        return self.own.report()

    def quiet(self):
        return self.own.quiet()

    def copies(self):
        """What the others tell."""
        return [sites.report() for sites in self.others.values()]
