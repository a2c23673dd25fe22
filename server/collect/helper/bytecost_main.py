"""One pass: prepare the process, run the workload, write the result whatever happens."""

import _signal
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


class Run:
    """State of this pass, shared by the ways it can end."""

    def __init__(self, job):
        self.job = job
        self.pid = getpid()
        self.started = clock()
        self.calls = 0
        self.wall_ns = 0
        self.first_ns = None
        self.batches = []
        self.outcome = {"how": "completed"}
        self.notes = []
        self.written = False
        self.result = job["result"][0]
        self.progress_path = job["progress"][0]
        self.instrument = None
        include = job.get("include", [])
        self.files = bytecost_files.Files(job["root"][0], include, os.path.dirname(os.path.realpath(__file__)))

    def one(self, key, default=None):
        """The only value of a key."""
        return self.job.get(key, [default])[0]

    def finish(self):
        """Stop the instrument and write the result, once; forked children write nothing."""
        if self.written or getpid() != self.pid:
            return
        self.written = True
        if self.wall_ns == 0:
            self.wall_ns = clock() - self.started
        if self.instrument:
            self.instrument.stop()
        self.write()

    def write(self, partial=False):
        """Write what is known now, atomically. A partial result never replaces the whole one."""
        try:
            text = bytecost_report.build(self, partial)
        except Exception as error:
            if partial:
                return  # other threads go on meanwhile: the one before stays
            # Our own fault: say it where the parent looks, not to the target's stderr.
            frame = error.__traceback__
            while frame.tb_next:
                frame = frame.tb_next
            where = f"{os.path.basename(frame.tb_frame.f_code.co_filename)}:{frame.tb_lineno}"
            text = bytecost_wire.encode({"error": f"{type(error).__name__}: {error} ({where})"})
        temporary = self.result + (".part" if partial else ".whole")
        fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            data = memoryview(text.encode("ascii"))
            while data:
                data = data[os.write(fd, data) :]
        finally:
            os.close(fd)
        if not (partial and self.written):
            os.replace(temporary, self.result)

    def progress(self, fraction):
        """Tell the parent how far the calls are, 0 to 1."""
        try:
            fd = os.open(self.progress_path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            os.write(fd, f"{fraction:.4f} {self.calls}".encode("ascii"))
            os.close(fd)
        except OSError:
            pass


def main(job):
    run = Run(job)
    for entry in job.get("environment", ()):  # what was set for this start only
        name, found, value = entry.partition("=")
        if found:
            os.environ[name] = value
        else:
            os.environ.pop(name, None)
    crash_log(run)
    survive_limits()
    end_on_request(run)
    catch_hard_exit(run)
    import atexit

    atexit.register(run.finish)
    make = {"natural": natural, "count": count, "misses": misses}[run.one("pass")]
    transform = make(run)
    run.files.hook_imports(transform)
    status = bytecost_workload.execute(run, transform)
    if getpid() != run.pid:
        sys.exit(status)
    # A target that emptied the list of exit functions has dropped ours too.
    if atexit._ncallbacks() == 0:
        wait_for_threads()
        run.finish()
    sys.exit(status)


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


def crash_log(run):
    """Let a fatal signal leave the Python frame it hit: C code, silent until then."""
    import faulthandler

    try:
        run.crash_file = open(run.result + ".crash", "wb", buffering=0)
        faulthandler.enable(run.crash_file, all_threads=False)
    except (OSError, ValueError, RuntimeError):
        pass


def survive_limits():
    """Keep the depth a target may recurse to what it would be without the frames below it."""
    depth, frame = 0, sys._getframe()
    while frame:
        depth, frame = depth + 1, frame.f_back
    depth += 3  # execute, run and the exec below the target's first frame
    real_set, real_get = sys.setrecursionlimit, sys.getrecursionlimit

    def setrecursionlimit(limit, /):
        if type(limit) is int and 0 < limit < 1 << 30:
            limit += depth
        real_set(limit)

    def getrecursionlimit():
        return real_get() - depth

    setrecursionlimit(real_get())
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

    os._exit = _exit


def flush_output():
    """What the target has printed must not be lost."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except Exception:
            pass


def wait_for_threads():
    """As the interpreter does at exit."""
    threading = sys.modules.get("threading")
    if threading is not None:
        threading._shutdown()
