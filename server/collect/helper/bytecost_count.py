"""Exact executions and misses from monitoring events that disturb no specialization (3.12+).

Only transfers that are not fall-through are counted: where straight runs start (function start,
resumption, handler entry by the exception table) and where they end (jump, taken branch, return, yield, raise). The
executions of every instruction follow by flow conservation, which the reader of the result solves. Misses come from the inline
counters of specialized sites, polled often enough that no counter can wrap unseen; see
bytecost_misses.
"""

import _thread
import os
import sys
import time

import bytecost_copies
import bytecost_misses
import bytecost_opcodes
import bytecost_wire

monitoring = sys.monitoring
events = monitoring.events
DISABLE = monitoring.DISABLE
clock = time.perf_counter_ns
getpid = os.getpid
deep = bytecost_misses.deep
set_limit, get_limit = sys.setrecursionlimit, sys.getrecursionlimit
get_ident = _thread.get_ident
thread_count = _thread._count
EVERY = 48  # boundary events between two polls; below the cooldown, with room for a few threads
FEWER = 24  # with several threads, each may be amid a run of its own
NEVER = 1 << 62
FIRST_FLUSH = 1_000_000_000  # ns
DEEP = 100  # frames; more than any of ours needs
LET_GO = -1  # marks a FOR_ITER whose branch events are to be switched off
COUNTDOWN = 1  # index in a table that no instruction offset has


class Counter:
    """Tables by id of code object: an even index counts starts at that offset, an odd one ends at the
    offset before it; index 1 counts down to the next poll."""

    def __init__(self, run):
        self.run = run
        self.tables = {}
        self.codes = {}
        self.raises = {}
        self.handlers = {}
        self.active = {}
        self.sites = {}
        self.thrown = set()
        self.threads = 0
        self.stopped = False
        self.name = str(b"bytecost", "ascii")  # an object of its own, to know our tool by
        self.tool = self.free_tool()
        self.right_only = hasattr(events, "BRANCH_RIGHT")
        self.calibration = bytecost_misses.calibrate()
        self.flush_at = 1 << 8
        self.flush_due = clock() + FIRST_FLUSH
        self.flushing = _thread.allocate_lock()
        self.polls = 0

    def free_tool(self):
        for tool in (4, 3, 1, 2, 0, 5):
            if monitoring.get_tool(tool) is None:
                monitoring.use_tool_id(tool, self.name)
                return tool
        raise SystemExit("bytecost: every monitoring tool id is taken at start")

    def start(self):
        # A callback is one frame: where the target may enter none, the callback that would count it fails.
        self.run.make_room(2 if bytecost_copies.FREE_THREADED else 1)
        callbacks = self.callbacks()
        if bytecost_copies.FREE_THREADED:
            callbacks = one_at_a_time(callbacks)
        local = ["PY_RESUME", "PY_RETURN", "PY_YIELD", "JUMP", "BRANCH_RIGHT" if self.right_only else "BRANCH"]
        # No EXCEPTION_HANDLED: when its callback fails, as at the recursion limit, CPython enters the
        # same handler again for ever. The exception table tells where a raise leads.
        everywhere = ["PY_START", "RAISE", "RERAISE", "PY_THROW"]
        self.local = 0
        for name in local:
            self.local |= getattr(events, name)
        mask = 0
        for name in everywhere:
            mask |= getattr(events, name)
        for name in local + everywhere:
            monitoring.register_callback(self.tool, getattr(events, name), callbacks[name])
        monitoring.set_events(self.tool, mask)

    def stop(self):
        """No more events; a last poll of every site."""
        if self.stopped:
            return
        self.stopped = True
        if monitoring.get_tool(self.tool) is self.name:
            monitoring.set_events(self.tool, 0)
            for code in list(self.codes.values()):
                monitoring.set_local_events(self.tool, code, 0)
        else:
            self.run.notes.append("the target took over bytecost's monitoring tool; counts end there")
        for sites in self.sites.values():
            sites.poll()

    def discover(self, code):
        """The table of a code object seen for the first time, None when it is not measured."""
        name = code.co_filename
        files = self.run.files
        if not files.wanted(name):
            files.note_string(code)
            return None
        key = id(code)
        table = [0] * (len(code.co_code) + 2)
        sites = bytecost_copies.sites(code, self.calibration)
        table[COUNTDOWN] = EVERY if sites.offsets else NEVER
        if not self.right_only:
            for offset in sites.for_iters:
                table[offset + 1] = LET_GO
        files.add_loose(code)
        monitoring.set_local_events(self.tool, code, self.local)
        # Other threads may be here for the same code. What its table leads to comes before the
        # table, the table after the events: who finds one has all.
        self.codes.setdefault(key, code)
        self.sites.setdefault(key, sites)
        self.raises.setdefault(key, {})
        self.handlers.setdefault(key, handlers(code))
        return self.tables.setdefault(key, table)

    def poll(self, code, table):
        """Read the site counters of a code object; restart its countdown."""
        deep()
        sites = self.sites[id(code)]
        if sites.offsets:
            threads = thread_count()
            if threads:
                self.threads = max(self.threads, threads + 1)
                sites.threads = max(sites.threads, threads + 1)
            sites.poll(table, FEWER if threads else EVERY)
        else:
            table[COUNTDOWN] = NEVER
        self.polls += 1
        if self.polls >= self.flush_at:
            self.flush()

    def flush(self):
        """Now and then, so that a crash leaves something; at most a fiftieth of the time goes here."""
        run = self.run
        if not self.flushing.acquire(False):
            return  # another thread is at it
        self.flush_at = NEVER  # for good in a forked child
        if run.pid != getpid():
            return
        before = clock()
        if before < self.flush_due:
            per_poll = (before - run.started) / self.polls
            self.flush_at = self.polls + min(int((self.flush_due - before) / max(per_poll, 1)), self.polls) + 1
            self.flushing.release()
            return
        run.write_partial()
        after = clock()
        self.flush_due = after + 50 * (after - before)
        self.flush_at = self.polls + (1 << 8)
        self.flushing.release()

    def callbacks(self):
        """The event callbacks, closures over the table of the code object seen last."""
        tables, all_raises, all_handlers = self.tables, self.raises, self.handlers
        discover, poll, thrown = self.discover, self.poll, self.thrown
        current = table = None
        # From a branch to the instruction after it.
        gap = 2 + 2 * bytecost_opcodes.caches_of(bytecost_opcodes.opcode.opmap["POP_JUMP_IF_FALSE"])

        # The same lines stand in each callback: a call to share them would cost more than they do.
        # `table` and `current` are set with no call between them: no other thread comes in between.
        def py_start(code, offset):
            nonlocal current, table
            if code is not current:
                found = tables.get(id(code))
                if found is None:
                    limit = get_limit()
                    set_limit(limit + DEEP)
                    found = discover(code)
                    try:
                        set_limit(limit)
                    except RecursionError:  # at the very limit: it may go a little deeper from here on
                        pass
                    if found is None:
                        return DISABLE
                table = found
                current = code
            table[offset] += 1
            left = table[1]
            if left:
                table[1] = left - 1
            else:
                try:
                    poll(code, table)
                except RecursionError:  # no room here: at the next event
                    pass

        def py_resume(code, offset):
            nonlocal current, table
            if code is not current:
                found = tables[id(code)]
                table = found
                current = code
            table[offset] += 1
            left = table[1]
            if left:
                table[1] = left - 1
            else:
                try:
                    poll(code, table)
                except RecursionError:  # no room here: at the next event
                    pass

        def py_return(code, offset, value):
            nonlocal current, table
            if code is not current:
                found = tables[id(code)]
                table = found
                current = code
            table[offset + 1] += 1
            left = table[1]
            if left:
                table[1] = left - 1
            else:
                try:
                    poll(code, table)
                except RecursionError:  # no room here: at the next event
                    pass

        def py_yield(code, offset, value):
            nonlocal current, table
            if code is not current:
                found = tables[id(code)]
                table = found
                current = code
            table[offset + 1] += 1

        def jump(code, source, target):
            nonlocal current, table
            if code is not current:
                found = tables[id(code)]
                table = found
                current = code
            table[source + 1] += 1
            left = table[1]
            if left:
                table[1] = left - 1
            else:
                try:
                    poll(code, table)
                except RecursionError:  # no room here: at the next event
                    pass

        def branch(code, source, target):
            """3.12 and 3.13: both outcomes are told, the taken one leads further on."""
            nonlocal current, table
            if code is not current:
                found = tables[id(code)]
                table = found
                current = code
            if target - source > gap:
                if table[source + 1] < 0:
                    return DISABLE
                table[source + 1] += 1
            elif table[source + 1] < 0:
                return DISABLE

        def branch_right(code, source, target):
            """3.14+: taken branches only, the other outcome falls through."""
            nonlocal current, table
            if code is not current:
                found = tables[id(code)]
                table = found
                current = code
            table[source + 1] += 1

        # Exceptions are rare: these look their code object up each time. Each `+=` is free of calls.
        def throw(code, offset, error):
            if id(code) in tables:
                thrown.add((get_ident(), id(code)))

        def raised(code, offset, error):
            key = id(code)
            ends = all_raises.get(key)
            if ends is None:
                return
            trace = error.__traceback__
            # A StopIteration that FOR_ITER or SEND swallows has no entry for this frame.
            here = trace is not None and trace.tb_frame.f_code is code
            if thrown and (get_ident(), key) in thrown:
                thrown.discard((get_ident(), key))  # a throw into a generator: its run ended at the yield
            elif here:
                last = trace.tb_lasti
                ends.setdefault(last, 0)
                ends[last] += 1
            if here:  # CPython looks the handler up by the event's offset, true or not
                target = all_handlers[key].get(offset)
                if target is not None:
                    found = tables[key]
                    found[target] += 1
                    left = found[1]
                    if left:
                        found[1] = left - 1
                    else:
                        try:
                            poll(code, found)
                        except RecursionError:  # no room here: at the next event
                            pass

        def reraised(code, offset, error):
            key = id(code)
            ends = all_raises.get(key)
            if ends is not None:
                ends.setdefault(offset, 0)
                ends[offset] += 1
                target = all_handlers[key].get(offset)
                if target is not None:
                    found = tables[key]
                    found[target] += 1
                    left = found[1]
                    if left:
                        found[1] = left - 1
                    else:
                        try:
                            poll(code, found)
                        except RecursionError:  # no room here: at the next event
                            pass

        return {
            "PY_START": py_start,
            "PY_RESUME": py_resume,
            "PY_RETURN": py_return,
            "PY_YIELD": py_yield,
            "JUMP": jump,
            "BRANCH": branch,
            "BRANCH_RIGHT": branch_right,
            "PY_THROW": throw,
            "RAISE": raised,
            "RERAISE": reraised,
        }

    def report(self, code):
        """What was counted for a code object, None if it never started."""
        key = id(code)
        table = self.tables.get(key)
        if table is None or self.codes[key] is not code:
            return None
        sites = self.sites[key]
        return {
            "runs": bytecost_wire.Numbers(
                [n for pair in enumerate(table) if pair[1] > 0 and pair[0] != COUNTDOWN for n in pair]
            ),
            "raises": dict(self.raises[key]),
            "active": self.active.get(key, {}),
            "sites": sites.report(),
            "quiet": sites.quiet(),
            "copies": sites.copies(),
            "threads": sites.threads,
        }

    def look_at_frames(self):
        """Where frames that have not ended stand: their runs end there for now."""
        self.active = {}
        for frame in sys._current_frames().values():
            while frame is not None:
                if id(frame.f_code) in self.tables:
                    at = self.active.setdefault(id(frame.f_code), {})
                    at[frame.f_lasti] = at.get(frame.f_lasti, 0) + 1
                frame = frame.f_back


def one_at_a_time(callbacks):
    """The same for threads that no lock of the interpreter's keeps apart."""
    lock = _thread.RLock()
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=lock._at_fork_reinit)

    def apart(callback):
        def call(*event):
            with lock:
                return callback(*event)

        return call

    return {name: apart(callback) for name, callback in callbacks.items()}


def handlers(code):
    """Where an exception at each offset leads, if it is handled."""
    out = {}
    for start, length, target, _, _ in bytecost_opcodes.exception_table(code):
        out.update(dict.fromkeys(range(start, start + length, 2), target))
    return out
