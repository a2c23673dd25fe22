"""Operand types by opcode tracing, for 3.11, which has no monitoring."""

import sys

import bytecost_trace
import bytecost_types

real_settrace = sys.settrace


class Tracer(bytecost_types.Reader):
    """Traces the code objects that have sites to read, until each site was read often enough."""

    calibration = None
    foreign = None

    def __init__(self, run):
        super().__init__(run)
        bytecost_types.check(self, lambda reader: bytecost_types.observe_probes(reader, self.probe))
        self.done = set()
        self.tracing = bytecost_trace.Counter(run)
        self.tracing.discover = self.discover

    def probe(self, function, sites, callback, arguments):
        code = function.__code__
        failed = []

        def trace(frame, event, arg):
            if frame.f_code is not code:
                return None
            frame.f_trace_opcodes, frame.f_trace_lines = True, False
            if event == "opcode" and frame.f_lasti in sites:
                try:
                    callback(frame, frame.f_lasti)
                except bytecost_types.Unreadable as error:
                    failed.append(error)
            return trace

        real_settrace(trace)
        try:
            function(*arguments)
        finally:
            real_settrace(None)
        if failed:
            raise failed[0]

    def start(self):
        self.tracing.start()

    def stop(self):
        self.tracing.stop()
        self.run.notes[:] = [note for note in self.run.notes if "recursion limit" not in note]

    def discover(self, code):
        """The local trace function of a code object, None when it has nothing to read."""
        done = self.done
        if id(code) in done or not self.run.files.wanted(code.co_filename):
            return None
        plan = self.plans.get(id(code))
        if plan is None:
            plan = self.plan(code)
            if not plan:
                return None
            self.run.files.add_loose(code)
        tracing, key, read = self.tracing, id(code), self.read
        tracing.resumes.setdefault(key, ())
        open_sites = set(plan)

        def local(frame, event, arg):
            if event == "opcode":
                offset = frame.f_lasti
                if offset in open_sites:
                    site = plan[offset]
                    try:
                        if site.due():
                            read(site, frame)
                    except RecursionError:  # no room here: at a later execution
                        pass
                    if site.events >= bytecost_types.MOST_EVENTS:
                        open_sites.discard(offset)
                        if not open_sites:
                            done.add(key)
                            tracing.locals.pop(key, None)
            if not open_sites:
                frame.f_trace_opcodes = False
                return None
            return local

        return tracing.locals.setdefault(key, local)
