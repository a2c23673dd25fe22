"""Exact executions by opcode tracing, for 3.11, which has no monitoring.

Tracing switches specialization off, so this pass says nothing about states or misses.
"""

import _thread
import sys

import bytecost_opcodes
import bytecost_wire

real_settrace, real_gettrace, real_setprofile, real_getprofile = sys.settrace, sys.gettrace, sys.setprofile, sys.getprofile
real_setlimit, real_getlimit = sys.setrecursionlimit, sys.getrecursionlimit
real_start_thread = _thread.start_new_thread
OURS = 4  # levels from a frame of the target to inside a C function that its trace function calls
ROOM = 6  # levels beyond the target's limit
DEEP = 100  # more than any of ours needs


class Counter:
    """Executions by offset for each code object, straight from the opcode events."""

    calibration = None

    def __init__(self, run):
        self.run = run
        self.tables = {}
        self.codes = {}
        self.locals = {}
        self.foreign = None

    def start(self):
        self.run.make_room(ROOM)
        self.keep_tracing()
        self.tracer = self.make_tracer()
        real_settrace(self.tracer)

    def stop(self):
        if real_gettrace() is None:
            self.run.notes.append(
                "CPython 3.11 ends tracing where no frame is left for the trace function, at the recursion "
                "limit: executions after that were not counted"
            )
        real_settrace(None)

    def keep_tracing(self):
        """A trace function of the target's would replace ours: it is noted, not installed."""
        wished = [None]

        def settrace(function, /):
            wished[0] = function
            if function is not None:
                self.foreign = "sys.settrace"

        def start_new_thread(function, args, kwargs=None, /):
            def traced(*args, **kwargs):
                real_settrace(self.tracer)
                return function(*args, **kwargs)

            return real_start_thread(traced, args, kwargs or {})

        sys.settrace, sys.gettrace = settrace, lambda: wished[0]
        _thread.start_new_thread = _thread.start_new = start_new_thread
        threading = sys.modules.get("threading")
        if threading is not None:
            threading._start_new_thread = start_new_thread

    def make_tracer(self):
        tables, functions = self.tables, self.locals
        discover, refuse = self.discover, self.refuse

        def tracer(frame, event, arg):
            code = frame.f_code
            key = id(code)
            limit = real_getlimit()
            try:
                real_setlimit(limit - ROOM + OURS)  # refused, when as many levels are in use
            except RecursionError:
                refuse()
            real_setlimit(limit)
            function = functions.get(key)
            if function is None:
                real_setlimit(limit + DEEP)
                function = discover(code)
                real_setlimit(limit)
                if function is None:
                    return None
            if event == "call":  # at a RESUME, which has no opcode event of its own
                at = frame.f_lasti
                if at in resumes[key]:  # else an exception is thrown in, at a yield
                    tables[key][at] += 1
            frame.f_trace_opcodes = True
            frame.f_trace_lines = False
            return function

        resumes = self.resumes = {}
        return tracer

    def refuse(self):
        """Raise what the interpreter would have raised without the room that we took for ourselves.

        An exception ends tracing; the profile event of the frame that it leaves begins it again.
        """
        others = real_getprofile()

        def rearm(frame, event, arg):
            real_settrace(self.tracer)
            real_setprofile(others)

        real_setprofile(rearm)
        raise RecursionError("maximum recursion depth exceeded")

    def discover(self, code):
        """The local trace function of a code object, None when it is not measured."""
        name = code.co_filename
        files = self.run.files
        if not files.wanted(name):
            files.note_string(code)
            return None
        key = id(code)
        files.add_loose(code)
        # Other threads may be here for the same code: the first of each wins.
        self.codes.setdefault(key, code)
        self.resumes.setdefault(key, resume_offsets(code))
        table = self.tables.setdefault(key, [0] * len(code.co_code))

        def local(frame, event, arg):
            if event == "opcode":
                table[frame.f_lasti] += 1
            return local

        return self.locals.setdefault(key, local)

    def report(self, code):
        key = id(code)
        table = self.tables.get(key)
        if table is None or self.codes[key] is not code:
            return None
        return {
            "executions": bytecost_wire.Numbers([n for pair in enumerate(table) if pair[1] for n in pair]),
        }


def resume_offsets(code):
    """Where frames start and go on; the prologue before the first has no events."""
    return {offset for offset, name, _ in bytecost_opcodes.walk(code) if name == "RESUME"} or {0}
