"""Runs the workload the way Python itself would have."""

import os
import sys
import time

clock = time.perf_counter_ns
CALL = "<call>"
ModuleType = type(sys)


def execute(run, transform):
    """Run the workload to its end; the exit status it asks for."""
    kind = run.one("kind")
    run.started = clock()
    try:
        {"call": calls, "doctest": calls, "script": script, "module": module, "pytest": pytest}[kind](run, transform)
    except SystemExit as exit:
        run.closed()
        return exited(run, exit)
    except BaseException as error:
        run.closed()
        if isinstance(error, MemoryError):
            run.reserve = None
        failed(run, error)
        return 1
    finally:
        run.closed()
        if run.wall_ns == 0:
            run.wall_ns = clock() - run.started
    return 0


def exited(run, exit):
    """What the interpreter makes of a SystemExit."""
    code = exit.code
    if code is None:
        status = 0
    elif isinstance(code, int):
        status = code & 0xFF
    else:
        status = 1
        try:
            print(code, file=sys.stderr)
        except Exception:
            pass
    if os.getpid() == run.pid:
        run.outcome = {"how": "exited", "status": status}
    return status


def failed(run, error):
    """Show the target's exception as the interpreter would, without our frames."""
    trace = error.__traceback__
    kept = trace
    while kept is not None and ours(kept.tb_frame.f_code.co_filename):
        kept = kept.tb_next
    error.__traceback__ = kept
    place = None
    while kept is not None:
        name = kept.tb_frame.f_code.co_filename
        if run.files.wanted(name):
            place = f"{name}:{kept.tb_lineno}"
        kept = kept.tb_next
    if place is None and isinstance(error, SyntaxError) and error.filename:
        place = f"{error.filename}:{error.lineno}"
    try:
        text = str(error)
        message = f"{type(error).__name__}: {text}" if text else type(error).__name__
    except Exception:
        message = type(error).__name__
    run.outcome = {"how": "raised", "exception": message.splitlines()[0][:500], "place": place}
    try:
        if isinstance(error, KeyboardInterrupt):
            raise SystemExit(130)
        sys.excepthook(type(error), error, error.__traceback__)
    except SystemExit:
        pass
    except BaseException:
        sys.__excepthook__(type(error), error, error.__traceback__)


def ours(name):
    """Frames between the interpreter's start and the target's first own frame."""
    here = os.path.dirname(__file__)
    return name.startswith(here) or name == CALL or "importlib" in name or name.endswith("runpy.py") or name == "<frozen runpy>"


def fresh_main(run, path=None):
    """A new, empty `__main__`, as a program finds it."""
    main = ModuleType("__main__")
    own = run.main
    main.__dict__.update(own, __doc__=None, __builtins__=sys.modules["builtins"])
    if "__annotations__" in own:
        main.__annotations__ = {}
    if path:
        main.__file__ = path
        main.__loader__ = type(own["__loader__"])("__main__", path)
    else:
        del main.__file__
    sys.modules["__main__"] = main
    return main


def compile_file(run, path, transform):
    with open(path, "rb") as file:
        data = file.read()
    if transform and run.files.wanted(path):
        return transform(data, path)
    try:
        return compile(data, path, "exec", dont_inherit=True)
    except (SyntaxError, ValueError) as error:
        if getattr(error, "filename", None) is None and b"\0" in data:
            line = data.count(b"\n", 0, data.index(b"\0")) + 1
            raise SyntaxError("source code cannot contain null bytes", (path, line, None, None)) from None
        raise


def put_first(folder):
    """Where `python` looks first, unless it was told not to."""
    if not sys.flags.safe_path:
        sys.path.insert(0, folder)


def script(run, transform):
    """`python FILE ARGS`."""
    path = run.one("file")
    sys.argv[:] = [run.one("argv0", path), *run.job.get("argv", ())]
    put_first(os.path.dirname(path))
    main = fresh_main(run, path)
    code = compile_file(run, path, transform)
    if run.files.wanted(path):
        run.files.add_tree(code)
    run.started = clock()
    run.opened()
    exec(code, main.__dict__)
    run.calls = 1
    run.wall_ns = clock() - run.started


def module(run, transform):
    """`python -m NAME ARGS`."""
    sys.argv[:] = [run.one("module"), *run.job.get("argv", ())]
    put_first(os.getcwd())
    fresh_main(run)
    import runpy

    run.started = clock()
    run.opened()
    runpy._run_module_as_main(run.one("module"))
    run.calls = 1
    run.wall_ns = clock() - run.started


def pytest(run, transform):
    """`python -m pytest SELECTION ARGS`, in this process, with plain asserts."""
    sys.argv[:] = ["pytest", run.one("selection"), *run.job.get("argv", ())]
    put_first(os.getcwd())
    fresh_main(run)
    try:
        from pytest import main
    except ImportError:
        raise SystemExit("bytecost: this interpreter has no pytest; install it there or name another with --python") from None
    options = ["--assert=plain", "-p", "no:cacheprovider", "-p", "no:xdist", "-p", "no:cov"]
    run.started = clock()
    run.opened()
    status = int(main([*options, run.one("selection"), *run.job.get("argv", ())]))
    run.wall_ns = clock() - run.started
    run.calls = 1
    if status:
        raise SystemExit(status)


def calls(run, transform):
    """Evaluate an expression in the namespace of the target's module, again and again."""
    path, name, root = run.one("file"), run.one("module"), run.one("import-root")
    sys.argv[:] = [path, *run.job.get("argv", ())]
    sys.path.insert(0, root)
    fresh_main(run)
    namespace = dict(vars(import_target(run, path, name, transform)))
    setup = run.one("setup")
    if setup:
        exec(compile(setup, "<setup>", "exec"), namespace)
    if run.one("kind") == "doctest":
        body, first = doctest_code(run.job["example"], namespace)
    else:
        body, first = call_code(run.one("call"), namespace)
    run.repeat(run, first, body)


def import_target(run, path, name, transform):
    """The module that the file is, under the name its own imports would give it."""
    import importlib.util

    if run.one("package") == "1":
        return importlib.import_module(name)
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None:  # a suffix the import system does not know
        from importlib.machinery import SourceFileLoader

        spec = importlib.util.spec_from_file_location(name, path, loader=SourceFileLoader(name, path))
    module = importlib.util.module_from_spec(spec)
    if name not in sys.modules:
        sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def call_code(expression, namespace):
    """A loop over the expression, and a function that evaluates it once.

    What the expression yields decides the loop: a coroutine is run, a generator exhausted.
    """
    source = f"lambda: (\n{expression}\n)"
    try:
        evaluate = eval(compile(source, CALL, "eval"), namespace)
    except SyntaxError as error:
        error.filename, error.text = "<call>", expression
        if error.lineno:
            error.lineno -= 1
        raise
    state = {}

    def first():
        state["consume"] = consume = consumer(evaluate, namespace)
        name = "_bytecost_consume" if consume else ""
        loop = f"def _bytecost_loop(_bytecost_it):\n for _bytecost_i in _bytecost_it:\n  {name}(\n{expression}\n)\n"
        namespace["_bytecost_consume"] = consume
        scope = {}
        exec(compile(loop, CALL, "exec"), namespace, scope)
        state["loop"] = scope["_bytecost_loop"]

    return (lambda it: state["loop"](it)), first


def consumer(evaluate, namespace):
    """Evaluate once; how to run to completion what came of it, None for a plain value."""
    value = evaluate()
    kind = type(value)
    if kind is type((lambda: (yield))()):
        exhaust(value)
        return exhaust
    if hasattr(kind, "__await__") and hasattr(kind, "send"):
        import asyncio

        asyncio.run(value)
        return asyncio.run
    if kind.__name__ == "async_generator":
        import asyncio

        async def drain(generator):
            async for _ in generator:
                pass

        def run_drain(generator):
            asyncio.run(drain(generator))

        run_drain(value)
        return run_drain
    return None


def exhaust(generator):
    for _ in generator:
        pass


def doctest_code(examples, namespace):
    """The examples of a docstring as one body; their output is not printed."""
    codes = [compile(source + "\n", "<doctest>", "single") for source in examples]

    def once():
        scope = dict(namespace)
        hook, sys.displayhook = sys.displayhook, ignore
        try:
            for code in codes:
                exec(code, scope)
        finally:
            sys.displayhook = hook

    def loop(it):
        for _ in it:
            once()

    return loop, once


def ignore(value):
    pass


def repeat(run, first, loop):
    """The first call with its output, then silent batches until the time or the calls are used up.

    Calls to warm up are not measured.
    """
    limit = int(run.one("calls", "0"))
    budget = int(run.one("budget-ns", "0"))
    warmed = int(run.one("warm-up-ns", "0"))
    if warmed:
        warm_up(run, first, loop, warmed)
    run.started = start = clock()
    run.opened()
    if not warmed:
        first()
        run.calls = 1
        run.first_ns = run.wall_ns = clock() - start
        silence()
    batch, last = 1, start
    while run.calls < limit and (budget == 0 or clock() - start < budget):
        batch = min(batch, limit - run.calls)
        began = clock()
        left = iter(range(batch))
        try:
            loop(left)
        except (Exception, SystemExit) as error:
            run.calls += batch - left.__length_hint__() - 1
            run.notes.append(f"call {run.calls + 1} raised {type(error).__name__}; the {run.calls} before it were measured")
            break
        took = clock() - began
        run.calls += batch
        run.wall_ns += took
        run.batches.append((batch, took))
        if began - last > 50_000_000:
            last = began
            done = (began - start) / budget if budget else run.calls / limit
            run.progress(min(done, 1.0))
        if took < 1_000_000:
            batch *= 2
        elif budget:
            batch = max(1, min(batch, int((budget - (clock() - start)) * batch / took)))


def warm_up(run, first, loop, budget):
    """Calls that are not measured: first ones are slow, and who looks from outside learns where to look."""
    run.warming()
    first()
    silence()
    start = clock()
    batch = 1
    while clock() - start < budget:
        try:
            loop(iter(range(batch)))
        except (Exception, SystemExit):  # it will come again, and be told
            break
        batch *= 2


def silence():
    """Only the first call's output is shown."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except Exception:
            pass
    try:
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, 1)
        os.dup2(null, 2)
        os.close(null)
    except OSError:
        pass
