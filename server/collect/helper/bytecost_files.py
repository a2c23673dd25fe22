"""Which files are measured, what they contained when loaded, and which code objects are theirs."""

import gc
import os
import sys

import _frozen_importlib_external as external
from _io import open_code

CodeType = type((lambda: 0).__code__)
FunctionType = type(lambda: 0)
SEP = os.sep
MOST_STRINGS = 1000  # they are kept alive, so that no identity comes twice
# Folders that hold installed packages, not the user's own code.
INSTALLED = (f"{SEP}site-packages{SEP}", f"{SEP}dist-packages{SEP}")


class Files:
    """The measured files of a run. `trees` are module bodies, whose constants hold the rest."""

    def __init__(self, root, include, helper):
        self.root = root
        self.helper = helper
        self.wanted_by_name = {}
        self.full_names = {}
        self.trees = []
        self.tree_ids = set()
        self.loose = {}
        self.contents = {}
        self.strings = {}
        self.start = os.getcwd()
        self.skip = self.skipped_folders()
        self.match = None
        if include:
            import fnmatch
            import re

            pattern = "|".join(
                fnmatch.translate(glob if os.path.isabs(glob) else os.path.join(root, glob)) for glob in include
            )
            self.match = re.compile(pattern).match

    def skipped_folders(self):
        """The interpreter's own folders, where they lie inside the workspace (a .venv)."""
        inside = self.root.rstrip(SEP) + SEP
        folders = {sys.prefix, sys.base_prefix, sys.exec_prefix, os.path.dirname(os.__file__)}
        return tuple(f + SEP for f in map(os.path.realpath, folders) if (f + SEP).startswith(inside) and f + SEP != inside)

    def wanted(self, name):
        """Whether code of the file `name` (a co_filename) is measured."""
        answer = self.wanted_by_name.get(name)
        if answer is None:
            answer = self.wanted_by_name[name] = self.decide(name)
        return answer

    def full(self, name):
        """Absolute, symlink-free path of a co_filename."""
        path = self.full_names.get(name)
        if path is None:
            path = self.full_names[name] = os.path.realpath(os.path.join(self.start, name))
        return path

    def decide(self, name):
        if name.startswith("<"):
            return False
        path = self.full(name)
        if path.startswith(self.helper):
            return False
        if self.match:
            return self.match(path) is not None
        if not path.startswith(self.root.rstrip(SEP) + SEP):
            return False
        return not (path.startswith(self.skip) or any(part in path for part in INSTALLED))

    def add_tree(self, code):
        """A module body, as loaded from its file."""
        self.keep(code.co_filename)
        self.trees.append(code)
        self.add_ids(code)

    def add_ids(self, code):
        self.tree_ids.add(id(code))
        for constant in code.co_consts:
            if type(constant) is CodeType:
                self.add_ids(constant)

    def add_loose(self, code):
        """A code object that some other loader, or compile(), made."""
        if id(code) not in self.tree_ids and id(code) not in self.loose:
            self.loose[id(code)] = code
            self.keep(code.co_filename)

    def keep(self, name):
        """Remember the bytes of a file as they are now."""
        path = self.full(name)
        if path not in self.contents:
            try:
                with open_code(path) as file:
                    self.contents[path] = file.read()
            except (OSError, ValueError):
                self.contents[path] = None

    def hook_imports(self, transform=None):
        """Record the code of each measured file as the import system loads it."""
        original = external.SourceLoader.get_code

        def get_code(loader, fullname):
            path = loader.get_filename(fullname)
            if not self.wanted(path):
                return original(loader, fullname)
            if transform is None:
                code = original(loader, fullname)
            else:
                code = transform(loader.get_data(path), path)
            self.add_tree(code)
            return code

        # Under this name the import system drops the frame from tracebacks, as it does its own.
        get_code.__code__ = get_code.__code__.replace(co_filename="<frozen importlib._bootstrap_external>")
        external.SourceLoader.get_code = get_code

    def find_loose(self):
        """Functions and generators alive now whose code no import hook has seen."""
        attributes = {FunctionType: "__code__"}
        attributes[type((lambda: (yield))())] = "gi_code"
        for thing in gc.get_objects():
            attribute = attributes.get(type(thing))
            if attribute is not None:
                code = getattr(thing, attribute)
                if self.wanted(code.co_filename):
                    self.add_loose(code)
                    self.add_nested(code)

    def note_string(self, code):
        """Code without a file that a measured file called, as dataclasses and named tuples make it.

        To be called from what an instrument's callback calls, when the code starts.
        """
        name = code.co_filename
        if name[:1] == "<" and name[:8] != "<frozen " and len(self.strings) < MOST_STRINGS:
            caller = sys._getframe(3).f_back
            if caller is not None and self.wanted(caller.f_code.co_filename):
                self.strings[id(code)] = code

    def add_nested(self, code):
        for constant in code.co_consts:
            if type(constant) is CodeType and id(constant) not in self.tree_ids:
                self.add_loose(constant)
                self.add_nested(constant)

    def from_text(self, path):
        """Identities of the code objects that the file's text compiles to, to recognize strays."""
        data = self.contents.get(path)
        found = set()
        if data is None:
            return found
        try:
            codes = [compile(data, path, "exec", dont_inherit=True)]
        except (SyntaxError, ValueError):
            return found
        while codes:
            code = codes.pop()
            found.add(identity(code))
            codes.extend(c for c in code.co_consts if type(c) is CodeType)
        return found

    def changed(self, path):
        """Whether the file on disk is no longer what was loaded."""
        try:
            with open_code(path) as file:
                return file.read() != self.contents[path]
        except (OSError, ValueError):
            return True


def identity(code):
    """What tells code objects of one file apart."""
    return (
        code.co_qualname,
        code.co_firstlineno,
        code.co_code,
        code.co_linetable,
        code.co_names,
        code.co_consts,
    )
