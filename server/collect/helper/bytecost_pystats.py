"""What CPython itself counts on a build with --enable-pystats, told apart by function (3.12+).

Its counters are of the whole process. They are read wherever another function goes on: what rose
since then is of the one that ran. They are on only while the target runs: our own attempts to
specialize are never among them.
"""

import _thread
import sys

import _opcode
import bytecost_misses

monitoring = sys.monitoring
events = monitoring.events
getframe = sys._getframe
thread_count = _thread._count
deep = bytecost_misses.deep
read_report = _opcode.get_specialization_stats
STARTS = ("PY_START", "PY_RESUME", "PY_THROW")
ENDS = ("PY_RETURN", "PY_YIELD", "PY_UNWIND")
BEFORE_KINDS = 6  # counters before those by kind: success, failure, hit, deferred, miss, deopt
SUCCESS, FAILURE = 0, 1
PAIRS = 257  # counters behind them: executions, and pairs with each opcode


class Recorder:
    """Failed attempts to specialize, by code object, family and number of the kind."""

    def __init__(self, run):
        self.run = run
        self.threads = 0
        self.found = {}
        self.codes = {}
        self.stopped = False
        self.name = str(b"bytecost", "ascii")  # an object of its own, to know our tool by
        self.tool = next((tool for tool in (4, 3, 1, 2, 0, 5) if monitoring.get_tool(tool) is None), None)
        if self.tool is None:
            raise SystemExit("bytecost: every monitoring tool id is taken at start")
        monitoring.use_tool_id(self.tool, self.name)
        sys._stats_off()
        self.peek, self.look = quick() or slow()
        sys._stats_clear()
        self.kinds = self.look()

    def start(self):
        self.run.make_room(1)
        started, ended = self.callbacks()
        mask = 0
        for names, callback in ((STARTS, started), (ENDS, ended)):
            for name in names:
                monitoring.register_callback(self.tool, getattr(events, name), callback)
                mask |= getattr(events, name)
        monitoring.set_events(self.tool, mask)
        sys._stats_on()

    def callbacks(self):
        """What is called when a function starts or goes on, and when one ends or waits.

        What runs between the last instruction of the target and the first of ours without counters,
        and the other way round, are calls of `next` alone: it is the one way to call a C function
        without arguments that every version specializes.
        """
        off, on = iter(sys._stats_off, self), iter(sys._stats_on, self)
        peek, settle = self.peek, self.settle
        seen, running = peek(), None

        def started(code, offset, *_, next=next, off=off, on=on):
            nonlocal seen, running
            next(off)
            now = peek()
            if now != seen:
                seen = now
                settle(running)
            running = code
            next(on)

        def ended(code, offset, *_, next=next, off=off, on=on):
            nonlocal seen, running
            next(off)
            now = peek()
            if now != seen:
                seen = now
                settle(code)
            # Below this callback and the frame that ends.
            try:
                running = getframe(2).f_code
            except ValueError:
                running = None
            next(on)

        return started, ended

    def settle(self, code):
        """Attempts have failed since the last event: they are of this code object."""
        try:
            deep()
        except RecursionError:  # no room: the next event finds them, perhaps of another function
            return
        threads = thread_count()
        if threads:
            self.threads = max(self.threads, threads + 1)
        kinds = self.look()
        before, self.kinds = self.kinds, kinds
        if code is None or not self.run.files.wanted(code.co_filename):
            return
        key = id(code)
        if key not in self.codes:
            self.codes[key] = code
            self.found[key] = {}
            self.run.files.add_loose(code)
        found = self.found[key]
        for family, now in kinds.items():
            then = before.get(family)
            if now == then:
                continue
            by_kind = found.setdefault(family, {})
            for kind, (old, new) in enumerate(zip(then, now)):
                if new > old:
                    by_kind[kind] = by_kind.get(kind, 0) + new - old

    def stop(self):
        """No more events; the counters are left as a process without statistics has them."""
        if self.stopped:
            return
        self.stopped = True
        sys._stats_off()
        if monitoring.get_tool(self.tool) is self.name:
            monitoring.set_events(self.tool, 0)
        else:
            self.run.notes.append("the target took over bytecost's monitoring tool; pystats were not told apart after that")
        sys._stats_clear()  # else they are printed when the process ends
        if self.threads:
            self.run.notes.append(
                f"pystats of up to {self.threads} threads at once cannot be told apart by function and are left out"
            )

    def report(self, code):
        """Failed attempts of a code object; None where several threads mixed them."""
        if self.threads:
            return None
        return {"failures": self.found.get(id(code), {})}


def numbers(report):
    """Attempts that ended well, and that did not: the first too may have counted a kind of failure."""
    return tuple([stats[which] for which in ("success", "failure") for stats in report.values()])


def slow():
    """How much has been tried until now, and failures by family and kind; by the interpreter's own report, which
    takes some 30 µs and on 3.12 leaves families out."""

    def peek():
        return numbers(read_report())

    def look():
        return {family.upper(): stats["failure_kinds"] for family, stats in read_report().items()}

    return peek, look


def quick():
    """The same from where the interpreter keeps them, in 1 µs; None where they are not found there.

    `_Py_stats` points to the counters while they are on; those by opcode stand first
    (`Include/cpython/pystats.h`). A site that fails now must show there as it does in the report.
    """
    try:
        import _ctypes
        import opcode
        from _operator import itemgetter

        class Address(_ctypes._SimpleCData):
            _type_ = "P"

        class Number(_ctypes._SimpleCData):
            _type_ = "Q"

        sys._stats_on()
        program = _ctypes.dlopen(None, 0)
        try:
            pointer = _ctypes.dlsym(program, "_Py_stats")
        except OSError:
            pointer = _ctypes.dlsym(program, "_py_stats")  # until 3.12
        address = Address.from_address(pointer).value
        for _ in range(64):
            fail(7, 2)
        sys._stats_off()
        report = read_report()
        kinds = len(next(iter(report.values()))["failure_kinds"])
        stride = BEFORE_KINDS + kinds + PAIRS

        def picker(families):
            starts = [opcode.opmap[family] * stride for family in families]
            return itemgetter(*[start + which for which in (SUCCESS, FAILURE) for start in starts])

        counters = (Number * (256 * stride)).from_address(address)
        view = memoryview(counters).cast("B").cast("Q")
        told = picker([family.upper() for family in report])(view)
        families = [family for family in opcode._specializations if family in opcode.opmap]
        pick = picker(families)
        ranges = []
        for family in families:
            start = opcode.opmap[family] * stride + BEFORE_KINDS
            ranges.append((family, start, start + kinds))
    except (ImportError, AttributeError, KeyError, ValueError, TypeError, OSError):
        sys._stats_off()
        return None
    expected = numbers(report)
    if not any(expected) or told != expected:
        return None

    def peek():
        return pick(view)

    def look():
        return {family: tuple(view[start:end]) for family, start, end in ranges}

    return peek, look


def fail(a, b):
    """No version specializes this."""
    return a % b
