"""Entry point of the helper: runs one workload under one instrument and writes what it saw.

    python boot.py JOB

JOB holds one `key<TAB>hexadecimal UTF-8` a line. Only modules that every interpreter has loaded
anyway, or that are written in C, are imported before the target: its imports must be its own.
The helper's functions look names up in private copies of the builtins and of the modules they use,
so that a target that deletes or replaces anything there cannot break a measurement.
"""

MAIN = dict(globals())  # what the interpreter itself puts into a program's namespace

import builtins
import sys

HERE = __file__[: -len("/boot.py")]
PRIVATE = dict(vars(builtins))
LOADED = {}


def copy(name, _import=builtins.__import__):
    """A module whose functions find the interpreter as it was before the target ran."""
    original = _import(name)
    made = LOADED[name] = type(sys)(name)
    space = made.__dict__
    space.update(vars(original), __builtins__=PRIVATE)
    for key, value in vars(original).items():
        if type(value) is type(copy) and value.__globals__ is vars(original):
            space[key] = type(copy)(value.__code__, space, key, value.__defaults__, value.__closure__)
            space[key].__kwdefaults__ = value.__kwdefaults__
    return made


def load(name, *_, _import=builtins.__import__, _open=open, **__):
    """Import a file beside this one into a module of its own; anything else as usual."""
    if not name.startswith("bytecost_"):
        return LOADED.get(name) or _import(name, *_, **__)
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
for name in ("time", "gc", "opcode", "os"):
    copy(name)
for name in ("binascii", "resource"):  # in C; not the target's doing that they are loaded
    known = name in sys.modules
    try:
        copy(name)
    except ImportError:
        continue
    if not known:
        del sys.modules[name]
OS = LOADED["os"]
OS.path = copy(OS.path.__name__)
OS.path.os = OS
if "genericpath" in sys.modules:
    OS.path.genericpath = copy("genericpath")
    OS.path.genericpath.os = OS
PRIVATE["__import__"] = load
JOB = read_job(sys.argv[1])
load("bytecost_main").main(JOB, MAIN)
