"""Operand types at the sites that the earlier passes marked, and at no others.

Reading the value stack needs an event before the instruction, which keeps the site generic: this
pass has a process of its own, and nothing of it but types is believed.
"""

import sys

import bytecost_kinds
import bytecost_opcodes
import bytecost_stack
import opcode

getframe = sys._getframe
MOST_EVENTS = 100_000 if hasattr(sys, "monitoring") else 5_000  # of a site; then it is let go
READINGS = 250  # of a site, spread over its executions until then
MOST_SHAPES = 24  # different shapes of a site that are kept apart
FULL = ("other types",)
Unreadable = bytecost_stack.Unreadable
BINARY = (("left", 2), ("right", 1))
SUBSCRIPT = (("container", 2), ("key", 1))
PLACES = {
    "BINARY_OP": BINARY,
    "COMPARE_OP": BINARY,
    "CONTAINS_OP": (("item", 2), ("container", 1)),
    "BINARY_SUBSCR": SUBSCRIPT,
    "STORE_SUBSCR": (("value", 3), ("container", 2), ("key", 1)),
    "LOAD_ATTR": (("owner", 1),),
    "LOAD_METHOD": (("owner", 1),),
    "STORE_ATTR": (("value", 2), ("owner", 1)),
    "LOAD_SUPER_ATTR": (("super", 3), ("class", 2), ("owner", 1)),
    "UNPACK_SEQUENCE": (("sequence", 1),),
    "TO_BOOL": (("object", 1),),
    "LOAD_GLOBAL": (),
}
SPECIAL = {  # role and the methods that would run in its stead, by opcode and operator
    "+": ("left", "add"),
    "-": ("left", "sub"),
    "*": ("left", "mul"),
    "/": ("left", "truediv"),
    "//": ("left", "floordiv"),
    "%": ("left", "mod"),
    "**": ("left", "pow"),
    "@": ("left", "matmul"),
    "<<": ("left", "lshift"),
    ">>": ("left", "rshift"),
    "&": ("left", "and"),
    "|": ("left", "or"),
    "^": ("left", "xor"),
    "<": ("left", "lt"),
    "<=": ("left", "le"),
    "==": ("left", "eq"),
    "!=": ("left", "ne"),
    ">": ("left", "gt"),
    ">=": ("left", "ge"),
}


def effect_of(name):
    number = opcode.opmap.get(name)
    if number is None:
        return 0
    return opcode.stack_effect(number, 0 if number in bytecost_stack.HAS_ARGUMENT else None)


def attribute_shift():
    """Low bits of an attribute's argument that are flags: the second name of a code object tells."""
    code = compile("a.b", "", "eval")
    for _, number, argument, _ in bytecost_stack.instructions(code):
        if bytecost_opcodes.BASE[number] == "LOAD_ATTR":
            return argument.bit_length() - 1
    return 0


EXTRA = effect_of("GET_ITER")  # slots above the iterator (3.15 keeps an index there)
SHIFT = attribute_shift()
OPERATORS = [symbol for _, symbol in getattr(opcode, "_nb_ops", ())]


def comparison(argument):
    """The operator of a COMPARE_OP: its number stands above as many flag bits as the version has."""
    shift = COMPARE_SHIFT
    return opcode.cmp_op[argument >> shift] if argument >> shift < len(opcode.cmp_op) else ""


def compare_shift():
    code = compile("a < b, a >= b", "", "eval")
    found = [a for _, number, a, _ in bytecost_stack.instructions(code) if bytecost_opcodes.BASE[number] == "COMPARE_OP"]
    for shift in range(8):
        if [argument >> shift for argument in found] == [0, 5]:
            return shift
    return 0


COMPARE_SHIFT = compare_shift()


class Site:
    """What was seen at one instruction."""

    def __init__(self, name, argument, slots, depth, executions, keywords):
        self.name = name
        self.argument = argument
        self.slots, self.depth = slots, depth
        self.keywords = keywords
        self.operator = ""
        self.attribute = ""
        self.shapes = {}
        self.callees = {}
        self.versions = {}
        self.last = None
        self.unread = 0
        self.events = 0
        self.step = max(1, min(executions or MOST_EVENTS, MOST_EVENTS) // READINGS)
        self.next = 1
        self.seed = 12345
        self.places = places(name, argument)
        if name == "BINARY_OP" and argument < len(OPERATORS):
            self.operator = OPERATORS[argument].rstrip("=") if OPERATORS[argument] != "[]" else "[]"
            if self.operator == "[]":
                self.places = SUBSCRIPT
        elif name == "COMPARE_OP":
            self.operator = comparison(argument)

    def due(self):
        """Whether to read now. Steps vary, so that no rhythm of the program's hides a type."""
        self.events += 1
        if self.events < self.next:
            return False
        if self.step == 1:
            self.next = self.events + 1
        else:
            self.seed = seed = (self.seed * 1103515245 + 12345) & 0x7FFFFFFF
            self.next = self.events + 1 + (seed >> 8) % (2 * self.step - 1)
        return True


def places(name, argument):
    """Roles of the operands and how far below the top they stand."""
    if name in ("CALL", "PRECALL", "CALL_KW"):
        above = name == "CALL_KW"  # the keywords' names
        found = (("callable", argument + 2 + above), ("self", argument + 1 + above))
        return (*found, ("first", argument + above)) if argument else found
    if name == "FOR_ITER":
        return (("iterator", 1 + EXTRA),)
    if name == "SEND":
        return (("receiver", 2 + EXTRA),)
    return PLACES.get(name)


class Reader:
    """Reads sites; shared by both ways to get an event before an instruction."""

    def __init__(self, run):
        if not getattr(sys, "_is_gil_enabled", lambda: True)():
            raise Unreadable("threads without a lock could change what is being read")
        self.run = run
        self.stack = bytecost_stack.Stack()
        self.kinds = bytecost_kinds.Kinds(self.stack.memory)
        self.wished = {}
        for line in run.job.get("site", ()):
            path, qualname, first, length, sites = line.split("\t")
            wish = self.wished.setdefault((path, qualname, int(first), int(length)), {})
            for part in sites.split(","):
                offset, executions = part.split(":")
                wish[int(offset)] = int(executions)
        self.plans = {}
        self.codes = {}

    def plan(self, code):
        """The sites of a code object to read; None when there are none."""
        key = (self.run.files.full(code.co_filename), code.co_qualname, code.co_firstlineno, len(code.co_code))
        wish = self.wished.get(key)
        if wish is None:
            return None
        depths = bytecost_stack.depths(code)
        slots = bytecost_stack.slots_of(code)
        plan, keywords = {}, False
        for offset, number, argument, _ in bytecost_stack.instructions(code):
            name = bytecost_opcodes.BASE[number]
            if name == "KW_NAMES":
                keywords = True
            if offset in wish and depths.get(offset) is not None and places(name, argument) is not None:
                site = Site(name, argument, slots, depths[offset], wish[offset], keywords or name == "CALL_KW")
                if name in ("LOAD_ATTR", "LOAD_METHOD", "STORE_ATTR"):
                    site.attribute = code.co_names[argument >> (SHIFT if name == "LOAD_ATTR" else 0)]
                elif name == "LOAD_GLOBAL":
                    site.attribute = code.co_names[argument >> 1]
                plan[offset] = site
            if name == "CALL":
                keywords = False
        self.codes[id(code)] = code  # kept: an identity must not come twice
        self.plans[id(code)] = plan
        return plan

    def read(self, site, frame):
        """Note what the operands are."""
        things = self.stack.read(frame, site.slots, site.depth, [place for _, place in site.places])
        if things is None:
            site.unread += 1
            return
        shape = self.shape(site, frame, things)
        if shape is None:
            return
        count = site.shapes.get(shape)
        if count is None and len(site.shapes) >= MOST_SHAPES:
            shape = (FULL, "", ())
            count = site.shapes.get(shape)
        site.shapes[shape] = (count or 0) + 1

    def shape(self, site, frame, things):
        """Names of the operands' types, the kind of attribute or callee, further facts."""
        out = []
        kinds = self.kinds
        name = site.name
        if name in ("CALL", "PRECALL", "CALL_KW"):
            return self.call(site, things, out)
        names = []
        for (role, _), thing in zip(site.places, things):
            if type(thing) is bytecost_stack.Mark:
                site.unread += 1
                return None
            if role not in ("super", "class", "value"):
                names.append(kinds.operand(role, thing, out))
        kind = ""
        if name in ("LOAD_ATTR", "LOAD_METHOD", "STORE_ATTR"):
            thing = things[-1]
            kind = kinds.attribute(thing, site.attribute, out, name == "STORE_ATTR")
            if name == "LOAD_METHOD" or name == "LOAD_ATTR" and SHIFT and site.argument & 1:
                out.append("owner:called")
            asked = thing if "owner:class" in out else type(thing)
            version = kinds.version(asked)
            if version and site.versions.setdefault(id(asked), version) != version:
                site.versions[id(asked)] = version
                out.append("owner:version-changed")
            self.same(site, "owner", id(thing if "owner:class" in out else type(thing)), out)
        elif name == "LOAD_SUPER_ATTR":
            out.append("super:builtin" if things[0] is super else "super:other")
        elif name == "LOAD_GLOBAL":
            kind = self.global_name(site, frame, out)
        elif name == "UNPACK_SEQUENCE":
            out.append("sequence:python" if kinds.is_python(type(things[0])) else "sequence:c")
        elif name in ("FOR_ITER", "SEND"):
            kinds.special(site.places[0][0], things[0], ("__next__",), out)
        elif name == "TO_BOOL":
            kinds.special("object", things[0], ("__bool__", "__len__"), out)
        elif name == "CONTAINS_OP":
            kinds.special("container", things[1], ("__contains__", "__iter__"), out)
        elif name == "STORE_SUBSCR":
            kinds.special("container", things[1], ("__setitem__",), out)
        elif site.places is SUBSCRIPT:
            self.subscript(things, out)
        else:
            self.operation(site, things, out)
        return (tuple(names), kind, tuple(out))

    def operation(self, site, things, out):
        left, right = things
        found = SPECIAL.get(site.operator)
        if found:
            method = found[1]
            reverse = {"lt": "gt", "le": "ge", "gt": "lt", "ge": "le"}.get(method, method)
            self.kinds.special("left", left, (f"__{method}__", f"__i{method}__"), out)
            self.kinds.special("right", right, (f"__{reverse}__", f"__r{method}__"), out)
        if type(left) is type(right) is int and site.operator in ("+", "-", "*"):
            small = -bytecost_kinds.COMPACT < left < bytecost_kinds.COMPACT
            if small and -bytecost_kinds.COMPACT < right < bytecost_kinds.COMPACT:
                total = left + right if site.operator == "+" else left - right if site.operator == "-" else left * right
                if not -bytecost_kinds.COMPACT < total < bytecost_kinds.COMPACT:
                    out.append("result:big")

    def subscript(self, things, out):
        container, key = things
        if type(container) in (list, tuple, str) and type(key) is int and key >= len(container):
            out.append("key:beyond")
        if type(container) is str and type(key) is int and -len(container) <= key < len(container):
            if container[key] > "\x7f":
                out.append("result:non-ascii")
        found, _ = bytecost_kinds.lookup(type(container), "__getitem__")
        if type(found) is bytecost_kinds.FunctionType:
            out.append("container:defines")
            code = bytecost_kinds.function_code(found)
            if code.co_argcount != 2 or code.co_kwonlyargcount or code.co_flags & 12:
                out.append("container:complex")

    def global_name(self, site, frame, out):
        space = frame.f_globals
        if type(space) is not dict:
            out.append("globals:subclass")
            return ""
        if not site.shapes and len(space) < 100_000:
            for key in space:
                if type(key) is not str:
                    site.last = "globals:other-keys"
                    break
        if site.last:
            out.append(site.last)
        return "global" if site.attribute in space else "builtin"

    def call(self, site, things, out):
        first, second = things[:2]
        thing, itself = (second, bytecost_stack.NULL) if first is bytecost_stack.NULL else (first, second)
        if type(thing) is bytecost_stack.Mark:
            site.unread += 1
            return None
        bound = itself is not bytecost_stack.NULL
        if site.keywords:
            out.append("call:keywords")
        if bound and type(thing) is bytecost_kinds.MethodType:
            out.append("callee:with-exit")  # nothing else calls a method object as if it were none
        given = site.argument + bound
        if not bound and len(things) > 2:
            itself = things[2]
        kind = self.kinds.callee(thing, itself, given, site.keywords, out)
        known = bytecost_kinds.function_code(thing) if type(thing) is bytecost_kinds.FunctionType else thing
        if type(thing) is bytecost_kinds.MethodType:
            known = bytecost_kinds.method_function(thing)
        key = id(known)
        if type(thing) is bytecost_kinds.BuiltinType:
            key = bytecost_kinds.builtin_name(thing)  # bound anew each time it is taken from an object
        self.same(site, "callee", key, out)
        label = bytecost_kinds.type_name(thing if kind.endswith("class") else type(thing))
        return ((label,), kind, tuple(out))

    def same(self, site, role, key, out):
        """A number for each class or callee: two may have one name."""
        number = site.callees.setdefault(key, min(len(site.callees), 9))
        out.append(f"{role}#{number}")

    def report(self, code):
        plan = self.plans.get(id(code))
        if not plan or self.codes[id(code)] is not code:
            return None
        types = {}
        for offset, site in plan.items():
            rows = [[list(names), kind, list(out), count] for (names, kind, out), count in list(site.shapes.items())]
            if rows:
                types[offset] = rows
        return {"types": types}


def check(reader, run_probe):
    """Read a site of our own, and refuse to go on unless it comes out right."""
    seen = run_probe(reader)
    if seen != [("int", "list"), ("int", "list"), ("bool", "str")]:
        raise Unreadable("a trial reading came out wrong")


def probe_code():
    """Two sites at different depths, and the first local to look for."""

    def probe(sentinel, number):
        return [sentinel, "a", number * sentinel, (sentinel, number * sentinel)]

    def other(sentinel, number):
        return number * sentinel

    return probe, other


def observe_probes(reader, at_operation):
    """Run both probes with `at_operation(code, offset, callback)` reporting each BINARY_OP."""
    probe, other = probe_code()
    seen = []
    for function, number, sentinel in ((probe, 2, []), (other, True, "sentinel")):
        code = function.__code__
        depths = bytecost_stack.depths(code)
        slots = bytecost_stack.slots_of(code)
        sites = {o for o, n, _, _ in bytecost_stack.instructions(code) if bytecost_opcodes.BASE[n] == "BINARY_OP"}

        def callback(frame, offset):
            if reader.stack.locals_at is None:
                reader.stack.learn(frame, code, sentinel, depths[offset])
            things = reader.stack.read(frame, slots, depths[offset], (2, 1))
            if things is not None and things[1] is sentinel:
                seen.append((type(things[0]).__name__, type(things[1]).__name__))

        at_operation(function, sites, callback, (sentinel, number))
    return seen


class Monitor(Reader):
    """By INSTRUCTION events, switched off one by one (3.12+)."""

    def __init__(self, run):
        super().__init__(run)
        self.monitoring = sys.monitoring
        self.name = str(b"bytecost-types", "ascii")
        self.tool = next((tool for tool in (4, 3, 1, 2, 0, 5) if sys.monitoring.get_tool(tool) is None), None)
        if self.tool is None:
            raise Unreadable("every monitoring tool id is taken")
        sys.monitoring.use_tool_id(self.tool, self.name)
        check(self, lambda reader: observe_probes(reader, self.probe))

    def probe(self, function, sites, callback, arguments):
        monitoring, event = self.monitoring, self.monitoring.events.INSTRUCTION
        failed = []

        def instruction(code, offset):
            if offset not in sites:
                return monitoring.DISABLE
            try:
                callback(getframe(1), offset)
            except Unreadable as error:
                failed.append(error)

        monitoring.register_callback(self.tool, event, instruction)
        monitoring.set_local_events(self.tool, function.__code__, event)
        function(*arguments)
        monitoring.set_local_events(self.tool, function.__code__, 0)
        monitoring.register_callback(self.tool, event, None)
        if failed:
            raise failed[0]

    def start(self):
        self.run.make_room(1)
        monitoring, events = self.monitoring, self.monitoring.events
        disable = monitoring.DISABLE
        plans, read = self.plans, self.read

        def started(code, offset):
            try:
                self.discover(code)
            except RecursionError:  # no room here: at its next start
                return None
            return disable

        def instruction(code, offset):
            site = plans[id(code)].get(offset)
            if site is None or site.events >= MOST_EVENTS:
                return disable
            try:
                if site.due():
                    read(site, getframe(1))
            except RecursionError:  # no room here: at a later execution
                pass

        monitoring.register_callback(self.tool, events.PY_START, started)
        monitoring.register_callback(self.tool, events.INSTRUCTION, instruction)
        monitoring.set_events(self.tool, events.PY_START)

    def discover(self, code):
        if id(code) in self.plans or not self.run.files.wanted(code.co_filename):
            return
        if self.plan(code):
            self.run.files.add_loose(code)
            self.monitoring.set_local_events(self.tool, code, self.monitoring.events.INSTRUCTION)

    def stop(self):
        if self.monitoring.get_tool(self.tool) is self.name:
            self.monitoring.set_events(self.tool, 0)
            for code in self.codes.values():
                self.monitoring.set_local_events(self.tool, code, 0)
