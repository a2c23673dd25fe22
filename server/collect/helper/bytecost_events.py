"""The ordered events of one call, and what each of its instructions takes.

The call is made untraced first, so that what is traced is not a first call. Then it is traced once
for its events and, if it may be repeated, again for its times: between two events of a traced call
only one instruction runs, and the instrument's own part is known from a sled of empty ones.
"""

import gc
import sys
import time

import bytecost_wire

clock = time.perf_counter_ns
real_settrace, real_gettrace = sys.settrace, sys.gettrace
CALL, LINE, INSTRUCTION, RETURN, EXCEPTION = range(5)
KINDS = {"call": CALL, "line": LINE, "opcode": INSTRUCTION, "return": RETURN, "exception": EXCEPTION}
ROOM = 6  # levels of recursion that a trace function takes
HIDDEN = 8  # added to the kind of an event outside of the target's calls
SLED = 500
PLAIN_NS = 100_000_000  # for the calls without instrument
WORKLOAD = "<call>"
SLEDS = "<sled>"


def instrument():
    """The trace function, where it is told of instructions (3.12 does not do so reliably), else monitoring."""
    tracing = Tracing()
    seen = []

    def probe():
        pass

    tracing.record(lambda kind, *_: seen.append(kind) or True)
    probe()
    tracing.stop()
    return tracing if INSTRUCTION in seen or not hasattr(sys, "monitoring") else Monitoring()


class Tracing:
    """By sys.settrace."""

    def __init__(self):
        self.tracer = None

    def begin(self, tracer):
        self.tracer = tracer
        real_settrace(tracer)

    def stop(self):
        """Whether it was there until now."""
        kept = real_gettrace() is self.tracer
        real_settrace(None)
        return kept

    def record(self, handle):
        def tracer(frame, event, arg):
            if event == "exception":
                wanted = handle(EXCEPTION, frame.f_code, 0, arg[0])
            else:
                wanted = handle(KINDS[event], frame.f_code, frame.f_lineno if event == "line" else frame.f_lasti)
            if not wanted:
                return None
            frame.f_trace_lines = frame.f_trace_opcodes = True
            return tracer

        self.begin(tracer)

    def clock(self, known, found, begins, ends):
        saw, began, ended = found.append, begins.append, ends.append

        def tracer(frame, event, arg):
            now = clock()
            entry = known.get(id(frame.f_code))
            if entry is None or entry[1] < 0:
                return None
            frame.f_trace_lines = frame.f_trace_opcodes = True
            saw(KINDS[event])
            saw(frame.f_lineno if event == "line" else frame.f_lasti)
            began(now)
            ended(clock())
            return tracer

        self.begin(tracer)


class Monitoring:
    """By sys.monitoring."""

    EVENTS = (
        ("PY_START", CALL),
        ("PY_RESUME", CALL),
        ("PY_THROW", CALL),
        ("LINE", LINE),
        ("INSTRUCTION", INSTRUCTION),
        ("PY_RETURN", RETURN),
        ("PY_YIELD", RETURN),
        ("PY_UNWIND", RETURN),
        ("RAISE", EXCEPTION),
    )

    def __init__(self):
        monitoring = self.monitoring = sys.monitoring
        self.tool = next(tool for tool in range(5, -1, -1) if monitoring.get_tool(tool) is None)
        monitoring.use_tool_id(self.tool, "bytecost")
        self.on = False

    def begin(self, callback):
        events = 0
        for name, kind in self.EVENTS:
            event = getattr(self.monitoring.events, name)
            self.monitoring.register_callback(self.tool, event, callback(kind))
            events |= event
        self.on = True
        self.monitoring.set_events(self.tool, events)

    def stop(self):
        """Whether it was there until now."""
        kept, self.on = self.on, False
        self.monitoring.set_events(self.tool, 0)
        return kept

    def record(self, handle):
        def callback(kind):
            if kind == EXCEPTION:
                return lambda code, value, error: handle(kind, code, 0, type(error))
            return lambda code, value, *_: handle(kind, code, value)

        self.begin(lambda kind: quiet(callback(kind)))

    def clock(self, known, found, begins, ends):
        saw, began, ended = found.append, begins.append, ends.append

        def callback(kind):
            def noted(code, value, *_):
                now = clock()
                entry = known.get(id(code))
                if entry is not None and entry[1] >= 0:
                    saw(kind)
                    saw(value)
                    began(now)
                    ended(clock())

            return noted

        self.begin(callback)


def quiet(function):
    """What a callback returns could be read as a wish to switch the event off."""

    def callback(*arguments):
        function(*arguments)

    return callback


class Recorder:
    """Events of the frames that are wanted, in the order in which they come."""

    foreign = None
    calibration = None
    threads = 0

    def __init__(self, run):
        self.run = run
        self.limit = int(run.one("limit"))
        self.depth = int(run.one("depth", "0")) or sys.maxsize - 1
        self.qualname = run.one("qualname")
        self.most = 3 * (2 * self.limit + 1_000_000)
        self.everything = run.one("everything") == "1"
        self.budget = int(run.one("times-ns", "0"))
        self.codes = []
        self.known = {}
        self.events = []
        self.types = []
        self.cut = False
        self.instrument = None
        self.times = None
        self.figures = {}

    def start(self):
        self.run.make_room(ROOM)
        self.instrument = instrument()
        if self.run.one("kind") not in ("call", "doctest"):
            self.instrument.record(self.handler())

    def stop(self):
        self.instrument.stop()

    def wanted(self, code):
        """Its number, below 0 for code that is left out."""
        name = code.co_filename
        left_out = name == WORKLOAD or name.startswith(self.run.files.helper)
        if left_out or not (self.everything or self.run.files.wanted(name)):
            index = -1
        else:
            index = len(self.codes)
        self.codes.append(code)  # kept alive: no other gets its identity
        self.known[id(code)] = (code, index)
        return index

    def handler(self):
        """A function that notes an event; whether more are wanted of its frame.

        What happens before and after the target's own calls is noted as hidden: the time of the
        whole is needed to know the time of its parts.
        """
        known, put = self.known, self.events.append
        depth, left = 0 if self.qualname else 1, self.limit  # all of a program is inside
        deepest = self.depth + depth

        def handle(kind, code, value, error=None):
            nonlocal depth, left
            entry = known.get(id(code))
            index = entry[1] if entry else self.wanted(code)
            if index < 0 or self.cut:
                return False
            if kind == CALL and (depth or self.is_target(code)):
                depth += 1
            hidden = 0 if 0 < depth <= deepest else HIDDEN
            if kind == INSTRUCTION and not hidden:
                if left == 0:
                    self.cut = True
                    self.instrument.stop()
                    return False
                left -= 1
            if kind == EXCEPTION:
                self.types.append(named(error))
                value = len(self.types) - 1
            put(kind + hidden)
            put(index)
            put(value)
            if len(self.events) > self.most:
                self.cut = True
                self.instrument.stop()
                return False
            if kind == RETURN and depth:
                depth -= 1
            return True

        return handle

    def is_target(self, code):
        return code.co_qualname == self.qualname and self.run.files.full(code.co_filename) == self.run.one("file")

    def repeat(self, run, first, loop):
        """One call as it is, one for the events, and as many for the times as there is time for."""
        run.started = begin = clock()
        try:
            first()
        except Exception:  # the way there is worth a trace too
            run.silence()
            self.once(lambda _: first(), lambda: self.instrument.record(self.handler()))
            raise
        run.calls = 1
        run.first_ns = run.wall_ns = clock() - begin
        run.silence()
        self.once(loop, lambda: self.instrument.record(self.handler()))
        run.calls += 1
        if self.budget and not self.cut:
            collecting = gc.isenabled()
            gc.disable()
            try:
                self.measure(loop)
            finally:
                if collecting:
                    gc.enable()

    def once(self, loop, begin):
        """One call under the instrument."""
        try:
            begin()
            loop(iter((0,)))
        except Exception as error:
            self.run.outcome = {"how": "raised", "exception": f"{type(error).__name__}: {error}"[:500], "place": None}
        finally:
            kept = self.instrument.stop()
        if not kept and not self.cut:
            self.foreign = "sys.settrace"

    def measure(self, loop):
        """The least time of each instruction over the repeats, ns, without the instrument's part."""
        plain = self.plain(loop)
        kinds = [kind & ~HIDDEN for kind in self.events[0::3]]
        if plain is None or INSTRUCTION not in kinds:
            return
        overhead = self.overhead()
        expected = [self.events[i + 2] for i in range(0, len(self.events), 3)]
        best, repeats, others, spent = None, 0, 0, clock()
        # The first pair of repeats may find no time left: the least of one is still a measurement.
        while repeats + others < 1000 and (repeats + others < 2 or clock() - spent < self.budget):
            found, begins, ends = self.clocked(loop)
            self.run.calls += 1
            if not same(found, kinds, expected):
                others += 1
                if others > 5 and others > repeats:
                    break
                continue
            repeats += 1
            took = durations(kinds, begins, ends, overhead)
            best = took if best is None else list(map(min, best, took))
        if best is None:
            self.run.notes.append("no times: the call took another way each time it was repeated")
            return
        best = [max(ns, 0.0) for ns in best]
        total = sum(best)
        if not total:
            return
        scale = plain / total
        self.times = [round(ns * scale, 3) for ns in best]
        self.figures = {"plain_ns": plain, "repeats": repeats, "others": others, "event_ns": overhead[INSTRUCTION, INSTRUCTION], "scale": scale}
        if others:
            self.run.notes.append(f"{others} of {repeats + others} repeats took another way and are left out of the times")

    def plain(self, loop):
        """The least time of a call without instrument, ns: of batches long enough for the clock."""
        batch, best, begin = 1, None, clock()
        while best is None or clock() - begin < PLAIN_NS:
            start = clock()
            try:
                loop(iter(range(batch)))
            except Exception:
                return None
            took = clock() - start
            self.run.calls += batch
            best = took / batch if best is None else min(best, took / batch)
            if took < 1_000_000:
                batch *= 2
        return best

    def clocked(self, loop):
        """One call: what happened, and when the instrument began and ended at each event."""
        found, begins, ends = [], [], []
        self.once(loop, lambda: self.instrument.clock(self.known, found, begins, ends))
        return found, begins, ends

    def overhead(self):
        """What the instrument adds between two events, ns, by their kinds.

        Learned from what takes next to nothing: instructions in one line, empty lines, empty calls.
        """
        learned = {}
        for source in (
            "def sled(x):\n " + "x = x; " * SLED,
            "def sled(x):\n" + " pass\n" * SLED,
            "def empty(): pass\ndef sled(x):\n" + " empty()\n" * SLED,
        ):
            space = {}
            exec(compile(source, SLEDS, "exec"), space)
            sled = space["sled"]
            for function in (sled, space.get("empty", sled)):
                code = function.__code__
                self.known[id(code)] = (code, len(self.codes))
                self.codes.append(code)
            self.learn(sled, learned)
        return learned

    def learn(self, sled, learned):
        def loop(it):
            for _ in it:
                sled(1)

        best, bare, kinds = None, None, []
        for _ in range(20):
            start = clock()
            loop(range(10))
            took = (clock() - start) / 10
            bare = took if bare is None else min(bare, took)
            found, begins, ends = self.clocked(loop)
            gaps = [after - before for before, after in zip(ends, begins[1:])]
            if best is None or len(best) == len(gaps):
                best = gaps if best is None else list(map(min, best, gaps))
                kinds = found[0::2]
        pairs = {}
        for pair, gap in zip(zip(kinds, kinds[1:]), best):
            if pair not in learned:
                pairs.setdefault(pair, []).append(gap)
        # What the sled itself takes is shared among the new gaps.
        number = sum(map(len, pairs.values()))
        for pair, gaps in pairs.items():
            learned[pair] = max(sum(gaps) / len(gaps) - bare / number, 0.0)

    def build(self, run, partial):
        """The result as text."""
        import dis

        codes = []
        for code in self.codes:
            index = self.known[id(code)][1]
            if index < 0 or code.co_filename == SLEDS:
                codes.append(None)
                continue
            codes.append(
                {
                    "path": run.files.full(code.co_filename) if code.co_filename[:1] != "<" else code.co_filename,
                    "qualname": code.co_qualname,
                    "first_line": code.co_firstlineno,
                    "instructions": [describe(found) for found in dis.get_instructions(code)],
                }
            )
        return bytecost_wire.encode(
            {
                "partial": partial,
                "outcome": run.outcome,
                "calls": run.calls,
                "first_ns": run.first_ns,
                "notes": run.notes,
                "foreign_instrument": self.foreign,
                "cut": self.cut,
                "codes": codes,
                "types": self.types,
                "events": bytecost_wire.Numbers(list(self.events)),
                "times": self.times,
                "figures": self.figures or None,
            }
        )


def named(kind):
    """Qualified name of an exception's type."""
    try:
        return str(kind.__qualname__)
    except Exception:
        return "<exception>"


def describe(found):
    """An instruction as `dis` shows it: offset, name, argument, its text, its line, whether jumps lead there."""
    line = found.positions.lineno if found.positions else None
    return [found.offset, found.opname, found.arg, found.argrepr, line, bool(found.is_jump_target)]


def same(found, kinds, expected):
    """Whether a repeat is what was recorded."""
    if len(found) != 2 * len(kinds):
        return False
    for i, kind in enumerate(kinds):
        if found[2 * i] != kind or kind != EXCEPTION and found[2 * i + 1] != expected[i]:
            return False
    return True


def durations(kinds, begins, ends, overhead):
    """What runs between an instruction's event and the next one's, ns: a return or the start of a call counts to it."""
    took, last = [], len(kinds) - 1
    usual = overhead[INSTRUCTION, INSTRUCTION]
    for i, kind in enumerate(kinds):
        if kind == INSTRUCTION:
            took.append(0.0)
        if took and i < last:
            took[-1] += begins[i + 1] - ends[i] - overhead.get((kind, kinds[i + 1]), usual)
    return took
