"""One pass: prepare the process, run the workload, write the result whatever happens."""

import _signal
import _thread
import mmap
import os
import sys
import time

import bytecost_files
import bytecost_report
import bytecost_wire
import bytecost_workload

clock = time.perf_counter_ns
real_exit = os._exit
getpid = os.getpid
RESERVE = 32 << 20  # let go when the result is built, for a target that has used up its memory; never touched


class Run:
    """State of this pass, shared by the ways it can end."""

    def __init__(self, job, main):
        self.job = job
        self.main = main
        self.reserve = mmap.mmap(-1, RESERVE)
        self.pid = getpid()
        self.started = clock()
        self.calls = 0
        self.wall_ns = 0
        self.first_ns = None
        self.batches = []
        self.outcome = {"how": "completed"}
        self.notes = []
        self.written = False
        self.writing = _thread.allocate_lock()
        self.result = job["result"][0]
        self.progress_path = job["progress"][0]
        self.instrument = None
        self.window = None
        self.window_file(self.one("window"))
        self.build = bytecost_report.build
        self.repeat = bytecost_workload.repeat
        self.silence = bytecost_workload.silence
        include = job.get("include", [])
        self.files = bytecost_files.Files(job["root"][0], include, os.path.dirname(os.path.realpath(__file__)))

    def one(self, key, default=None):
        """The only value of a key."""
        return self.job.get(key, [default])[0]

    def window_file(self, path):
        """Where a sampler outside reads when to look: a byte of shared memory."""
        if path:
            with open(path, "r+b") as file:
                self.window = mmap.mmap(file.fileno(), 1)
            self.window[0] = ord("1")

    def warming(self):
        """The target's own code runs, but is not measured yet."""
        if self.window is not None:
            self.window[0] = ord("3")

    def opened(self):
        """The target's own code starts."""
        if self.window is not None:
            self.window[0] = ord("2")

    def closed(self):
        """The target's own code has ended."""
        if self.window is not None and getpid() == self.pid:
            self.window[0] = ord("1")

    def finish(self):
        """Stop the instrument and write the result, once; forked children write nothing."""
        if self.written or getpid() != self.pid:
            return
        self.written = True
        self.closed()
        if self.wall_ns == 0:
            self.wall_ns = clock() - self.started
        self.reserve = None
        if self.instrument:
            self.instrument.stop()
        try:
            self.write()
        except OSError:  # no room, or the target allows itself no files: the parent sees that there is none
            pass

    def write(self, partial=False):
        """Write what is known now, atomically. A partial result never replaces the whole one."""
        try:
            text = self.build(self, partial)
        except Exception as error:  # our own fault: say it where the parent looks, not to the target's stderr
            if partial:
                raise
            frame = error.__traceback__
            while frame.tb_next:
                frame = frame.tb_next
            where = f"{os.path.basename(frame.tb_frame.f_code.co_filename)}:{frame.tb_lineno}"
            text = bytecost_wire.encode({"error": f"{type(error).__name__}: {error} ({where})"})
        # Another thread may be amid a partial result, or this one when a signal came.
        temporary = f"{self.result}.{'part' if partial else 'last'}"
        fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            data = memoryview(text.encode("ascii"))
            while data:
                data = data[os.write(fd, data) :]
        finally:
            os.close(fd)
        if not (partial and self.written):
            os.replace(temporary, self.result)

    def write_partial(self):
        """What is known amid the run; never the target's trouble, and by one thread at a time."""
        if self.writing.acquire(False):
            try:
                self.write(partial=True)
            except Exception:
                pass
            finally:
                self.writing.release()

    def progress(self, fraction):
        """Tell the parent how far the calls are, 0 to 1."""
        try:
            fd = os.open(self.progress_path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            os.write(fd, f"{fraction:.4f} {self.calls}".encode("ascii"))
            os.close(fd)
        except OSError:
            pass


def main(job, own):
    run = Run(job, own)
    environ = sys.modules["os"].environ
    for entry in job.get("environment", ()):  # what was set for this start only
        name, found, value = entry.partition("=")
        if found:
            environ[name] = value
        else:
            environ.pop(name, None)
    crash_log(run)
    survive_limits(run)
    end_on_request(run)
    catch_hard_exit(run)
    finish_last(run)
    make = {
        "natural": natural,
        "sample": natural,
        "jit": natural,
        "count": count,
        "misses": misses,
        "pystats": pystats,
        "types": types,
        "events": events,
    }[run.one("pass")]
    transform = make(run)
    run.files.hook_imports(transform)
    raise SystemExit(bytecost_workload.execute(run, transform))


def natural(run):
    """No instrument at all."""
    return None


def count(run):
    """Exact executions: monitoring where there is any, else opcode tracing."""
    if hasattr(sys, "monitoring"):
        import bytecost_count as module
    else:
        import bytecost_trace as module
    run.instrument = module.Counter(run)
    run.instrument.start()
    return None


def misses(run):
    """Misses by polls at loop heads, for interpreters without monitoring."""
    import bytecost_rewrite

    run.instrument = bytecost_rewrite.Poller(run)
    run.instrument.start()
    return run.instrument.compile


def pystats(run):
    """What the interpreter counts itself, where it is built to."""
    import bytecost_pystats

    run.instrument = bytecost_pystats.Recorder(run)
    run.instrument.start()
    return None


def types(run):
    """Operand types at the sites that the job names."""
    import bytecost_types

    try:
        if hasattr(sys, "monitoring"):
            run.instrument = bytecost_types.Monitor(run)
        else:
            import bytecost_types_trace

            run.instrument = bytecost_types_trace.Tracer(run)
    except bytecost_types.Unreadable as reason:
        run.notes.append(f"operand types could not be read: {reason}")
        run.outcome = {"how": "completed"}
        run.finish()
        real_exit(0)
    run.instrument.start()
    return None


def events(run):
    """The events of one call in their order; no pass of a profile."""
    import bytecost_events

    run.instrument = recorder = bytecost_events.Recorder(run)
    run.build, run.repeat = recorder.build, recorder.repeat
    recorder.start()
    return None


def crash_log(run):
    """Let a fatal signal leave the Python frame it hit: C code, silent until then."""
    import faulthandler

    try:
        # A number, not a file object: that would warn of itself when the interpreter ends.
        run.crash_file = os.open(run.result + ".crash", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666)
        faulthandler.enable(run.crash_file, all_threads=False)
    except (OSError, ValueError, RuntimeError):
        pass


def survive_limits(run):
    """Keep the depth a target may recurse to what it would be without the frames of ours."""
    real_set, real_get = sys.setrecursionlimit, sys.getrecursionlimit
    ours = 0

    def make_room(frames):
        nonlocal ours
        ours += frames
        real_set(real_get() + frames)

    def setrecursionlimit(limit, /):
        if type(limit) is int and 0 < limit < 1 << 30:
            limit += ours
        real_set(limit)

    def getrecursionlimit():
        return real_get() - ours

    # This file's program, main, execute and what runs the workload; until 3.11, exec counts too.
    make_room(4 + (sys.version_info < (3, 12)))
    run.make_room = make_room
    sys.setrecursionlimit, sys.getrecursionlimit = setrecursionlimit, getrecursionlimit


def end_on_request(run):
    """SIGXCPU from the parent means the time is up: write what there is and go."""

    def time_up(signum, frame):
        if getpid() == run.pid:
            run.outcome = {"how": "timed-out", "seconds": float(run.one("deadline", "0"))}
            flush_output()
            run.finish()
        real_exit(124)

    if hasattr(_signal, "SIGXCPU"):
        _signal.signal(_signal.SIGXCPU, time_up)


def catch_hard_exit(run):
    """os._exit skips every other way to write the result."""

    def _exit(status):
        if getpid() == run.pid:
            code = status & 0xFF if type(status) is int else 1
            run.outcome = {"how": "exited", "status": code}
            run.finish()
        real_exit(status)

    sys.modules["os"]._exit = _exit


def flush_output():
    """What the target has printed must not be lost."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except Exception:
            pass


def finish_last(run):
    """Write the result after the target's own exit functions, even if it empties their list."""
    import atexit

    def keep(function):
        def emptied():
            function()
            atexit.register(run.finish)

        return emptied

    run_all = atexit._run_exitfuncs

    def _run_exitfuncs():
        atexit.unregister(run.finish)
        run_all()

    atexit.register(run.finish)
    atexit._clear, atexit._run_exitfuncs = keep(atexit._clear), keep(_run_exitfuncs)
