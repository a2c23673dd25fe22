"""What an operand is, without running any code of the target: types, and kinds of attribute and callee.

Everything is looked up as the interpreter does it, in the dictionaries along the resolution order;
no attribute of the target's objects is asked for. Names and kinds leave this file, values do not.
"""

import bytecost_stack

FunctionType = type(lambda: 0)
BuiltinType = type(len)
ModuleType = type(bytecost_stack)
MethodType = type(bytecost_stack.Memory.word.__get__(1))
MethodDescriptor = type(str.join)
WrapperDescriptor = type(object.__init__)
MemberDescriptor = type(FunctionType.__globals__)
GetSetDescriptor = type(FunctionType.__code__)
ClassMethodDescriptor = type(dict.__dict__["fromkeys"])
TYPE = type.__dict__
mro_of, dict_of = TYPE["__mro__"].__get__, TYPE["__dict__"].__get__
name_of, flags_of = TYPE["__qualname__"].__get__, TYPE["__flags__"].__get__
module_of = TYPE["__module__"].__get__
dict_offset_of, basic_size_of = TYPE["__dictoffset__"].__get__, TYPE["__basicsize__"].__get__
module_dict = ModuleType.__dict__["__dict__"].__get__
function_code, function_defaults = FunctionType.__dict__["__code__"].__get__, FunctionType.__dict__["__defaults__"].__get__
function_keywords = FunctionType.__dict__["__kwdefaults__"].__get__
method_function = MethodType.__dict__["__func__"].__get__
method_self = MethodType.__dict__["__self__"].__get__
getter_of, setter_of = property.__dict__["fget"].__get__, property.__dict__["fset"].__get__
owner_of = MethodDescriptor.__dict__["__objclass__"].__get__
builtin_self = BuiltinType.__dict__["__self__"].__get__
builtin_name = BuiltinType.__dict__["__name__"].__get__
IMMUTABLE, HEAP, MANAGED_DICT, INLINE_VALUES = 1 << 8, 1 << 9, 1 << 4, 1 << 2  # Include/object.h
VARARGS, VARKEYWORDS, NESTED = 4, 8, 16  # co_flags
C_VARARGS, C_KEYWORDS, C_NOARGS, C_ONE, C_FAST = 1, 2, 4, 8, 0x80  # Include/methodobject.h
C_CLASS, C_STATIC, C_DEFINING = 0x10, 0x20, 0x200
COMPACT = 1 << 30  # ints of one digit are smaller (Include/cpython/longintrepr.h)
BASES = (int, float, complex, str, bytes, bytearray, list, tuple, dict, set, frozenset, BaseException, type, ModuleType)
ABSENT = object()
TYPE_GET = TYPE["__getattribute__"]


def type_name(kind):
    """The name of a type, with its module unless that is builtins."""
    name = name_of(kind)
    if kind is type(None):
        return "None"
    module = dict_of(kind).get("__module__") if flags_of(kind) & HEAP else module_of(kind)
    if type(module) is str and module not in ("builtins", "__main__"):
        return f"{module}.{name}"
    return name


def lookup(kind, name):
    """What a class has under a name, and the class of its resolution order that has it."""
    for base in mro_of(kind):
        found = dict_of(base).get(name, ABSENT)
        if found is not ABSENT:
            return found, base
    return ABSENT, None


def has_python(kind, name):
    """Whether a special method is written in Python."""
    found, _ = lookup(kind, name)
    return type(found) is FunctionType


class Kinds:
    """Facts about operands, as short words: `left:big`, `owner:property`."""

    def __init__(self, memory):
        self.memory = memory
        self.dealloc_at = 6 * memory.size  # PyTypeObject: head, name, sizes, tp_dealloc
        self.dealloc = self.probe_dealloc()
        self.dict_state = self.probe_dicts()
        self.reads_flags = self.probe_flags()
        self.version_at = self.probe_version()

    def probe_dealloc(self):
        """What frees instances of classes written in Python; None when that cannot be told."""

        class One:
            pass

        class Other:
            __slots__ = ("x",)

        head = object.__basicsize__ - 2 * self.memory.size
        self.dealloc_at += head
        read = {self.memory.word(id(kind) + self.dealloc_at) for kind in (One, Other)}
        others = {self.memory.word(id(kind) + self.dealloc_at) for kind in (int, dict, FunctionType)}
        return read.pop() if len(read) == 1 and not read & others else None

    def is_python(self, kind):
        """Whether a class was made by a class statement or a call of a metaclass."""
        if self.dealloc is None:
            return bool(flags_of(kind) & HEAP)
        return self.memory.word(id(kind) + self.dealloc_at) == self.dealloc

    def probe_dicts(self):
        """How an instance keeps its attributes, found by what must be seen of four instances."""

        class Plain:
            def __init__(self):
                self.x = 1

        class Listed(list):
            pass

        fresh, asked, replaced, listed = Plain(), Plain(), Plain(), Listed()
        listed.x = 1
        held = asked.__dict__
        replaced.__dict__ = {"x": 1}
        for state in (self.state_embedded, self.state_tagged, self.state_apart):
            try:
                if (state(fresh), state(asked), state(replaced)) in (
                    ("inline", "dict", "dict"),
                    ("inline", "inline-dict", "dict"),
                ):
                    del held
                    return state
            except (ValueError, OverflowError):
                continue
        return None

    def state_embedded(self, thing):
        """3.13+: values behind the object, while valid; a pointer to the dict three words before."""
        kind = type(thing)
        memory = self.memory
        pointer = memory.word(id(thing) - 3 * memory.size)
        if flags_of(kind) & INLINE_VALUES and memory.byte(id(thing) + basic_size_of(kind) + 3) == 1:
            return "inline-dict" if pointer else "inline"
        return "dict"

    def state_tagged(self, thing):
        """3.12: one word for both, its low bit tells values from a dict."""
        return "inline" if self.memory.word(id(thing) - 3 * self.memory.size) & 1 else "dict"

    def state_apart(self, thing):
        """3.11: a pointer to values before the pointer to the dict."""
        return "inline" if self.memory.word(id(thing) - 4 * self.memory.size) else "dict"

    def probe_flags(self):
        """Whether the calling convention of C functions is where it should be."""
        return (
            self.convention(len) == C_ONE
            and self.convention(print) == C_FAST | C_KEYWORDS
            and self.convention(str.upper) == C_NOARGS
            and self.convention(dict.update) == C_VARARGS | C_KEYWORDS
        )

    def convention(self, function):
        """METH_ flags of a C function or method."""
        memory = self.memory
        after = object.__basicsize__
        at = after if type(function) is BuiltinType else after + 3 * memory.size
        table = memory.word(id(function) + at)
        wanted = C_VARARGS | C_KEYWORDS | C_NOARGS | C_ONE | C_FAST | C_CLASS | C_STATIC | C_DEFINING
        return memory.half(table + 2 * memory.size) & wanted

    def probe_version(self):
        """Where a type keeps its version tag, from one that a cache of ours holds."""

        class Probe:
            __slots__ = ("x",)

        def read(thing):
            return thing.x

        probe = Probe()
        probe.x = 1
        code = read.__code__
        for _ in range(64):
            read(probe)
        live = code._co_code_adaptive
        for at, number in enumerate(code.co_code):
            if at % 2 == 0 and live[at] != number and at + 8 <= len(live):
                tag = int.from_bytes(live[at + 4 : at + 8], "little")
                if tag:
                    for offset in range(16, 600, 4):
                        if self.memory.half(id(Probe) + offset) == tag:
                            return offset
        return None

    def version(self, kind):
        """Version tag of a type: 0 when it has none."""
        return None if self.version_at is None else self.memory.half(id(kind) + self.version_at)

    def operand(self, role, thing, out):
        """Name of an operand's type; what matters besides goes to `out`."""
        kind = type(thing)
        if kind is int:
            if not -COMPACT < thing < COMPACT:
                out.append(f"{role}:big")
            if thing < 0:
                out.append(f"{role}:negative")
        elif kind not in BASES and kind is not bool:
            for base in BASES:
                if base in mro_of(kind):
                    out.append(f"{role}:subclass-of-{base.__name__}")
                    break
            if type(kind) is not type and any(name_of(meta) in ("EnumType", "EnumMeta") for meta in mro_of(type(kind))):
                out.append(f"{role}:enum")
            if self.is_python(kind):
                out.append(f"{role}:python")
        return type_name(kind)

    def special(self, role, thing, names, out):
        """Which of these special methods are written in Python; `python-any` for any of them."""
        kind = type(thing)
        if any(has_python(kind, name) for name in names):
            out.append(f"{role}:defines")

    def instance_dict(self, thing, out):
        """How the instance keeps its attributes."""
        kind = type(thing)
        flags = flags_of(kind)
        if flags & MANAGED_DICT:
            if self.dict_state is None:
                return
            out.append(f"owner:{self.dict_state(thing)}")
        elif dict_offset_of(kind):
            out.append("owner:own-dict")
        else:
            out.append("owner:no-dict")

    def attribute(self, thing, name, out, store):
        """The kind of an attribute of an object, as the interpreter would find it."""
        kind = type(thing)
        version = self.version(kind)
        if version == 0:
            out.append("owner:no-version")
        if kind is super:
            return "super"
        if ModuleType in mro_of(kind):
            return self.module_attribute(thing, kind, name, out)
        if type in mro_of(kind):
            return self.class_attribute(thing, kind, name, out)
        if has_python(kind, "__getattribute__"):
            out.append("owner:getattribute")
        if lookup(kind, "__getattr__")[0] is not ABSENT:
            out.append("owner:getattr")
        if store and has_python(kind, "__setattr__"):
            out.append("owner:setattr")
        self.instance_dict(thing, out)
        found, base = lookup(kind, name)
        if found is ABSENT:
            return "instance"
        return self.found(found, base, out)

    def found(self, found, base, out):
        """The kind of what a class has under a name."""
        kind = type(found)
        if kind is FunctionType:
            return "method"
        if kind in (MethodDescriptor, WrapperDescriptor):
            return "builtin-method"
        if kind is property:
            getter = getter_of(found)
            if type(getter) is not FunctionType:
                out.append("owner:c-getter")
            return "property"
        if kind is MemberDescriptor:
            return "slot" if self.is_python(base) else "c-member"
        if kind is GetSetDescriptor:
            return "c-getset"
        if kind is staticmethod:
            return "staticmethod"
        if kind is classmethod:
            return "classmethod"
        if kind is ClassMethodDescriptor:
            return "c-classmethod"
        name = type_name(kind)
        if name in ("functools.cached_property",) or name_of(kind) == "cached_property":
            return "cached-property"
        if name_of(kind) == "_tuplegetter":
            return "namedtuple-field"
        if name in ("enum.property", "types.DynamicClassAttribute"):
            return "enum-property"
        if lookup(kind, "__set__")[0] is not ABSENT or lookup(kind, "__delete__")[0] is not ABSENT:
            out.append("owner:python-descriptor" if has_python(kind, "__set__") else "owner:c-descriptor")
            return "data-descriptor"
        if lookup(kind, "__get__")[0] is not ABSENT:
            return "descriptor"
        if not flags_of(kind) & IMMUTABLE:
            out.append("owner:mutable-value")
        return "class-attribute"

    def module_attribute(self, thing, kind, name, out):
        if kind is not ModuleType:
            out.append("owner:module-subclass")
        space = module_dict(thing)
        if "__getattr__" in space:
            out.append("owner:module-getattr")
        return "module" if name in space else "module-missing"

    def class_attribute(self, thing, kind, name, out):
        if kind is not type:
            out.append("owner:metaclass")
            for hook, plain in (("__getattr__", ABSENT), ("__getattribute__", TYPE_GET)):
                if lookup(kind, hook)[0] is not plain:
                    out.append("owner:metaclass-hook")
            if any(name_of(meta) in ("EnumType", "EnumMeta") for meta in mro_of(kind)):
                out.append("owner:enum-class")
        out.append("owner:class")
        if self.version(thing) == 0:
            out.append("owner:class-no-version")
        found, base = lookup(thing, name)
        if found is ABSENT:
            found, base = lookup(kind, name)
            if base is type:
                out.append("owner:of-type")
            return "absent" if found is ABSENT else "metaclass-attribute"
        own, _ = lookup(kind, name)
        if own is not ABSENT:
            if lookup(type(own), "__set__")[0] is ABSENT:
                out.append("owner:has-it-too")
            return "metaclass-attribute"
        return self.found(found, base, out)

    def callee(self, thing, itself, given, keywords, out):
        """The kind of a callee and the shape of its signature."""
        kind = type(thing)
        if kind is FunctionType:
            return self.function(thing, given, keywords, out, "function")
        if kind is MethodType:
            inner = method_function(thing)
            if type(inner) is FunctionType:
                return self.function(inner, given + 1, keywords, out, "method")
            return "bound-callable"
        if kind in (BuiltinType, MethodDescriptor):
            self.c_callee(thing, kind, itself, out)
            return "builtin"
        if type in mro_of(kind):
            return self.called_class(thing, kind, given, keywords, out)
        name = type_name(kind)
        if name == "functools.partial":
            return "partial"
        if name == "functools._lru_cache_wrapper":
            return "cache-wrapper"
        if has_python(kind, "__call__"):
            return "callable-object"
        return "c-object"

    def function(self, function, given, keywords, out, kind):
        code = function_code(function)
        if code.co_flags & (VARARGS | VARKEYWORDS) or code.co_kwonlyargcount:
            out.append("callee:complex")
        elif given < code.co_argcount and not keywords:
            out.append("callee:defaults-omitted")
        if code.co_flags & NESTED:
            out.append("callee:nested")
        return kind

    def c_callee(self, thing, kind, itself, out):
        if self.reads_flags:
            flags = self.convention(thing)
            if flags & C_NOARGS and kind is BuiltinType:
                out.append("callee:c-noargs")
            if not flags & (C_NOARGS | C_ONE | C_FAST):
                out.append("callee:c-varargs")
            if flags & C_DEFINING:
                out.append("callee:c-defining-class")
            if flags & (C_CLASS | C_STATIC) and kind is BuiltinType:
                out.append("callee:c-classmethod")
        if kind is MethodDescriptor and owner_of(thing) in mro_of(type(itself)) and type(itself) is not owner_of(thing):
            out.append("callee:on-subclass")
        if kind is BuiltinType and type(builtin_self(thing)) is not ModuleType:
            out.append("callee:bound-builtin")

    def called_class(self, thing, kind, given, keywords, out):
        if not self.is_python(thing):
            return "c-class"
        if any(name_of(meta) in ("EnumType", "EnumMeta") for meta in mro_of(kind)):
            return "enum-class"
        if kind is not type:
            out.append("callee:metaclass")
        if tuple in mro_of(thing) and lookup(thing, "_fields")[0] is not ABSENT:
            return "namedtuple-class"
        new = lookup(thing, "__new__")[0]
        if type(new) in (staticmethod, FunctionType):
            out.append("callee:python-new")
        if any(base in mro_of(thing) for base in BASES):
            out.append("callee:builtin-base")
        init, _ = lookup(thing, "__init__")
        if type(init) is not FunctionType:
            out.append("callee:no-init")
        else:
            before = len(out)
            self.function(init, given + 1, keywords, out, "class")
            out[before:] = [fact.replace("callee:", "callee:init-") for fact in out[before:]]
        if not flags_of(thing) & MANAGED_DICT:
            out.append("callee:slots")
        return "class"
