"""Entry point of the helper: runs one workload under one instrument and writes what it saw.

    python boot.py JOB

JOB holds one `key<TAB>hexadecimal UTF-8` a line. Only modules that every interpreter has loaded
anyway, or that are written in C, are imported before the target: its imports must be its own.
The helper's functions look names up in a private copy of the builtins, so that a target that
deletes or replaces builtins cannot break a measurement.
"""

import builtins
import sys

HERE = __file__[: -len("/boot.py")]
PRIVATE = dict(vars(builtins))
LOADED = {}


def load(name, *_, _import=builtins.__import__, _open=open, **__):
    """Import a file beside this one into a module of its own; anything else as usual."""
    if not name.startswith("bytecost_"):
        return _import(name, *_, **__)
    if name not in LOADED:
        path = f"{HERE}/{name}.py"
        with _open(path, encoding="utf-8") as file:
            code = compile(file.read(), path, "exec", dont_inherit=True)
        module = LOADED[name] = type(sys)(name)
        module.__dict__.update(__builtins__=PRIVATE, __file__=path)
        exec(code, module.__dict__)
    return LOADED[name]


def read_job(path):
    """A mapping of key to list of strings."""
    job = {}
    with open(path, encoding="ascii") as file:
        for line in file:
            key, _, value = line.rstrip("\n").partition("\t")
            job.setdefault(key, []).append(bytes.fromhex(value).decode("utf-8", "surrogateescape"))
    return job


if sys.path and sys.path[0] == HERE:
    del sys.path[0]  # absent already under -P and PYTHONSAFEPATH
PRIVATE["__import__"] = load
JOB = read_job(sys.argv[1])
load("bytecost_main").main(JOB)
