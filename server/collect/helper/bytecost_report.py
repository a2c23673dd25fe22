"""The result of a pass, as JSON: raw bytes and raw counts; decoding them is the reader's work."""

import gc
import os
import sys
from binascii import crc32

import bytecost_copies
import bytecost_files
import bytecost_opcodes
import bytecost_wire

try:
    import resource
except ImportError:
    resource = None

CodeType = bytecost_files.CodeType
FORMAT = 1


def build(run, partial):
    """The whole result as text."""
    files, notes = run.files, list(run.notes)
    instrument = run.instrument
    if instrument is None:
        if not partial:
            gc.unfreeze()  # what the target froze is not among the collector's objects
        files.find_loose()
    trees = instrument.originals() if hasattr(instrument, "originals") else files.trees
    if hasattr(instrument, "look_at_frames"):
        instrument.look_at_frames()
    codes = []
    for tree in trees:
        add(codes, tree, -1, "tree")
    known = {id(record["object"]) for record in codes}
    strays = {}
    for code in list(files.loose.values()):
        if id(code) not in known:
            path = files.full(code.co_filename)
            if path not in strays:
                strays[path] = texts_of(files, path)
            origin = "text" if bytecost_files.identity(code) in strays[path] else "stray"
            add(codes, code, -1, origin, nested=False)
    if run.one("pass") == "jit" and not partial:
        import bytecost_jit

        bytecost_jit.add(codes, notes)
    differing = []
    for record in codes:
        code = record.pop("object")
        if record.pop("differs"):
            differing.append(record["qualname"])
        record["counts"] = instrument.report(code) if instrument else None
        record["path"] = files.full(code.co_filename)
    if differing and instrument is None:
        names = ", ".join(differing[:5]) + (" and others" if len(differing) > 5 else "")
        notes.append(f"each thread specializes a copy of its own on this build, and not all alike in {names}: shown is the copy that ran furthest")
    if instrument is None and (sys.gettrace() or sys.getprofile()):
        notes.append("the target left a trace or profile function on; states may be hidden")
    return bytecost_wire.encode(
        {
            "format": FORMAT,
            "pass": run.one("pass"),
            "partial": partial,
            "outcome": run.outcome,
            "calls": run.calls,
            "wall_ns": run.wall_ns,
            "first_ns": run.first_ns,
            "batches": [list(batch) for batch in run.batches],
            "notes": notes,
            "children": had_children(),
            "threads": getattr(instrument, "threads", 0),
            "string_codes": len(files.strings),
            "foreign_instrument": getattr(instrument, "foreign", None),
            "calibration": getattr(instrument, "calibration", None),
            "tables": bytecost_opcodes.tables(),
            "files": [describe(files, path, data) for path, data in list(files.contents.items())],
            "codes": codes,
        }
    )


def had_children():
    """Whether a child process has ended: even the shortest one has touched memory."""
    if resource is None:
        times = os.times()
        return times.children_user + times.children_system > 0
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_minflt > 0


def texts_of(files, path):
    """Like Files.from_text; a warning that the compiler repeats is not the user's."""
    try:
        import warnings

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return files.from_text(path)
    except Exception:
        return files.from_text(path)


def add(codes, code, parent, origin, nested=True):
    index = len(codes)
    adaptive, differs = bytecost_copies.live(code)
    codes.append(
        {
            "object": code,
            "differs": differs,
            "address": id(code),
            "parent": parent,
            "origin": origin,
            "name": code.co_name,
            "qualname": code.co_qualname,
            "first_line": code.co_firstlineno,
            "flags": code.co_flags,
            "code": code.co_code,
            "adaptive": adaptive,
            "lines": code.co_linetable,
            "exceptions": code.co_exceptiontable,
            "names": list(code.co_names),
            "locals": local_names(code),
            "constants": [short(constant) for constant in code.co_consts],
        }
    )
    if nested:
        for constant in code.co_consts:
            if type(constant) is CodeType:
                add(codes, constant, index, origin)


def local_names(code):
    """Names by slot: locals, cells that are no locals, free variables (Objects/codeobject.c)."""
    names = list(code.co_varnames)
    names += [name for name in code.co_cellvars if name not in names]
    return names + list(code.co_freevars)


def short(constant):
    """A constant as dis would show it, cut to a line's width."""
    if type(constant) is CodeType:
        return f"<code {constant.co_name}>"
    if type(constant) in (str, bytes) and len(constant) > 60:
        constant = constant[:57] + type(constant)(b"..." if type(constant) is bytes else "...")
    try:
        text = repr(constant)
    except ValueError:  # an int beyond the limit for conversion to text
        text = "<int>"
    return text if len(text) <= 60 else text[:57] + "..."


def describe(files, path, data):
    """A file: whether it still is what was loaded; its decoded text when the disk cannot give it."""
    record = {"path": path, "changed": False, "readable": data is not None, "bytes": None, "text": None, "identity": None}
    if data is None:
        return record
    record["identity"] = f"{len(data)} {crc32(data)}"
    record["changed"] = files.changed(path)
    if record["changed"]:
        record["bytes"] = data
    encoding = declared_encoding(data)
    if encoding not in ("utf-8", "utf8", "utf_8", "utf-8-sig"):
        try:
            record["text"] = data.decode(encoding)
        except (LookupError, UnicodeDecodeError):
            record["text"] = data.decode("utf-8", "replace")
    return record


def declared_encoding(data):
    """The encoding cookie of a source file (PEP 263), UTF-8 when there is none."""
    if data.startswith(b"\xef\xbb\xbf"):
        return "utf-8"
    for line in data.split(b"\n", 2)[:2]:
        line = line.strip(b" \t\f\r")
        if line[:1] != b"#":
            if line:
                break
            continue
        for mark in (b"coding:", b"coding="):
            at = line.find(mark)
            if at >= 0:
                name = line[at + len(mark) :].strip(b" \t")
                end = 0
                while end < len(name) and (name[end : end + 1].isalnum() or name[end : end + 1] in b"-_."):
                    end += 1
                return name[:end].decode("ascii", "replace").lower()
    return "utf-8"
