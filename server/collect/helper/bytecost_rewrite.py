"""Misses for 3.11: polls of the inline counters, called from the source itself.

A call is put at the head of every function body, loop body and comprehension clause, at positions
far beyond the file's last line. The instructions between polls must match the original's one for
one; where they do not, the code object reports nothing.
"""

import _thread
import ast
import builtins
import sys

import bytecost_files
import bytecost_misses
import bytecost_opcodes

FAR = 1_000_000  # lines from here on are the polls' own
POLL = "__bytecost_poll__"
EVERY = 30
MANY = 64  # frames of one code object that are counted at most
thread_count = _thread._count
CodeType = bytecost_files.CodeType


class Poller:
    """Compiles measured files with polls in them and keeps the books of every code object."""

    def __init__(self, run):
        self.run = run
        self.calibration = bytecost_misses.calibrate()
        self.left = []
        self.pairs = []
        self.sites = {}
        self.by_original = {}
        self.threads = 0

    def start(self):
        self.run.make_room(1)
        left, poll, deep = self.left, self.poll, bytecost_misses.deep
        getframe = sys._getframe

        def tick(index):
            count = left[index]
            if count:
                left[index] = count - 1
            else:
                left[index] = EVERY
                try:
                    deep()
                    poll(getframe(1))
                except RecursionError:  # before anything was read: at the next chance
                    left[index] = 0
            return True

        setattr(builtins, POLL, tick)

    def stop(self):
        for sites in self.sites.values():
            sites.poll()

    def poll(self, frame):
        """Read the counters; note how many frames may each be amid a run of their own."""
        code = frame.f_code
        sites = self.sites.get(id(code))
        if sites is None:
            return
        sites.poll()
        frames = 0
        while frame is not None and frames <= MANY:
            frames += frame.f_code is code
            frame = frame.f_back
        sites.frames = max(sites.frames, frames)
        threads = thread_count() + 1
        if threads > 1:
            sites.threads = max(sites.threads, threads)
            self.threads = max(self.threads, threads)

    def compile(self, data, path):
        """The code of a file with polls; the plain code where that cannot be compiled."""
        original = compile(data, path, "exec", dont_inherit=True)
        tree = Insert(self.left).visit(ast.parse(data, path))
        try:
            changed = compile(tree, path, "exec", dont_inherit=True)
        except (SyntaxError, ValueError, RecursionError):
            self.pair(original, original)
            return original
        self.pair(original, changed)
        return changed

    def pair(self, original, changed):
        """Match the sites of two code objects, and those of their nested ones."""
        if original.co_name == changed.co_name:
            offsets = matching(original, changed)
            sites = self.sites[id(changed)] = bytecost_misses.Sites(changed, self.calibration)
            self.by_original[id(original)] = (original, changed, offsets, sites)
            inner = [c for c in changed.co_consts if type(c) is CodeType]
            for one, other in zip((c for c in original.co_consts if type(c) is CodeType), inner):
                self.pair(one, other)

    def originals(self):
        """Module bodies as the file has them: these are reported, not the rewritten ones."""
        nested = {id(c) for o, *_ in self.by_original.values() for c in o.co_consts if type(c) is CodeType}
        return [o for key, (o, *_) in self.by_original.items() if key not in nested]

    def report(self, code):
        entry = self.by_original.get(id(code))
        if entry is None or entry[2] is None:
            return None
        _, _, offsets, sites = entry
        return {
            "sites": {offsets[offset]: found for offset, found in sites.report().items() if offset in offsets},
            "quiet": [offsets[offset] for offset in sites.quiet().values if offset in offsets],
            "threads": sites.threads,
            "frames": sites.frames,
        }


class Insert(ast.NodeTransformer):
    """Puts polls in; each scope has its own countdown."""

    def __init__(self, left):
        self.left = left
        self.scope = None
        self.line = FAR

    def call(self):
        self.line += 1
        place = {"lineno": self.line, "col_offset": 0, "end_lineno": self.line, "end_col_offset": 1}
        return ast.Call(ast.Name(POLL, ast.Load(), **place), [ast.Constant(self.scope, **place)], [], **place), place

    def statement(self):
        call, place = self.call()
        return ast.Expr(call, **place)

    def enter(self, node):
        outer, self.scope = self.scope, len(self.left)
        self.left.append(EVERY)
        self.generic_visit(node)
        return outer

    def visit_Module(self, node):
        self.enter(node)
        return node

    def function(self, node):
        outer = self.enter(node)
        at = 1 if ast.get_docstring(node, clean=False) is not None else 0
        node.body.insert(at, self.statement())
        self.scope = outer
        return node

    visit_FunctionDef = visit_AsyncFunctionDef = function

    def visit_ClassDef(self, node):
        self.scope = self.enter(node)
        return node

    def loop(self, node):
        self.generic_visit(node)
        node.body.insert(0, self.statement())
        return node

    visit_For = visit_AsyncFor = visit_While = loop

    def comprehension(self, node):
        outer = self.enter(node)
        node.generators[-1].ifs.insert(0, self.call()[0])
        self.scope = outer
        return node

    visit_ListComp = visit_SetComp = visit_DictComp = visit_GeneratorExp = comprehension


def matching(original, changed):
    """Offsets in `changed` to offsets in `original`, None when the instructions differ."""
    if original is changed:
        return {offset: offset for offset, _, _ in bytecost_opcodes.walk(original)}
    one = [(o, n) for o, n, _ in bytecost_opcodes.walk(original) if n != "EXTENDED_ARG"]
    lines = [place[0] for place in changed.co_positions()]
    other, called = [], False
    for offset, name, _ in bytecost_opcodes.walk(changed):
        if name == "EXTENDED_ARG":
            continue
        far = lines[offset // 2] is not None and lines[offset // 2] >= FAR
        # What takes the poll's value is the poll's too: a clause's jump has the comprehension's line.
        if not (far or called):
            other.append((offset, name))
        called = far and name == "CALL"
    if [n for _, n in one] != [n for _, n in other]:
        return None
    return {there: here for (here, _), (there, _) in zip(one, other)}
