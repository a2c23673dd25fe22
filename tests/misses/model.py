"""What the guard misses of a site must be, computed from the sequence of operands it meets.

A site is modelled as CPython 3.12+ runs it: generic with a countdown, or specialized for one key
with a cool-down of 52. A guard failure runs the generic instruction, which takes one off the
counter or, at zero, tries to specialize again (Python/specialize.c, pycore_backoff.h).
"""

COOLDOWN = 52


def restarted(backoff, version):
    """Countdown and backoff after a failed attempt at this backoff."""
    if version >= (3, 15):
        table = {0: (1, 1), 1: (6, 2), 2: (30, 3), 3: (126, 4), 4: (508, 5), 5: (2052, 6), 6: (8190, 6)}
        return table[backoff]
    return (2 ** (backoff + 1) - 1, backoff + 1) if backoff < 12 else (4095, 12)


def misses(keys, form_of, version, missing=()):
    """Guard failures by specialized form.

    `keys` is what the guard tells apart, one entry an execution; `form_of` the form each key
    specializes to, absent for those that cannot; keys in `missing` fail their own guard.
    """
    out = {}
    cached, value, backoff = None, 1, 1
    for key in keys:
        fails = cached is not None and (cached != key or key in missing)
        if cached is not None and not fails:
            continue
        if fails:
            form = form_of[cached]
            out[form] = out.get(form, 0) + 1
        if value > 0:
            value -= 1
        elif key in form_of:
            cached, value, backoff = key, COOLDOWN, 0
            if key in missing:
                out[form_of[key]] = out.get(form_of[key], 0) + 1
                value -= 1
        else:
            value, backoff = restarted(0 if fails else backoff, version)
            cached, value = None, value - 1
    return out


def cycle(keys):
    """The sequence a loop over `range(n)` with `keys[i % len(keys)]` feeds its site."""
    return lambda n: [keys[i % len(keys)] for i in range(n)]


NUMBERS = {"int": "ADD_INT", "float": "ADD_FLOAT", "str": "ADD_UNICODE"}
COMPARED = {"int": "INT", "float": "FLOAT", "str": "STR"}


def prefixed(prefix, table):
    return {key: prefix + form for key, form in table.items()}


def subscript(version):
    """Base opcode and form prefix of `a[b]`."""
    return ("BINARY_OP", "BINARY_OP_SUBSCR_") if version >= (3, 14) else ("BINARY_SUBSCR", "BINARY_SUBSCR_")


def derived(version):
    """Sites whose misses follow from the program: (code, base opcode, argument or None, nth) -> misses."""
    n = CALLS
    add = prefixed("BINARY_OP_", NUMBERS)
    own = {"cat": "INSTANCE_VALUE", "dog": "INSTANCE_VALUE", "newt": "SLOT"}
    own_load, own_store = prefixed("LOAD_ATTR_", own), prefixed("STORE_ATTR_", own)
    method = {"cat": "LOAD_ATTR_METHOD_WITH_VALUES", "dog": "LOAD_ATTR_METHOD_WITH_VALUES", "newt": "LOAD_ATTR_METHOD_NO_DICT"}
    abs_form = "CALL_NO_KW_BUILTIN_O" if version < (3, 13) else "CALL_BUILTIN_O"
    call = {"first": "CALL_PY_EXACT_ARGS", "second": "CALL_PY_EXACT_ARGS", "abs": abs_form}
    base, prefix = subscript(version)
    rows = prefixed(prefix, {"list": "LIST_INT", "tuple": "TUPLE_INT", "dict": "DICT"})
    sign = "[]" if version >= (3, 14) else None
    store = {"list": "STORE_SUBSCR_LIST_INT", "dict": "STORE_SUBSCR_DICT"}
    unpack = {"list": "UNPACK_SEQUENCE_LIST", "tuple": "UNPACK_SEQUENCE_TWO_TUPLE"}
    speak = dict.fromkeys(own, "CALL_PY_EXACT_ARGS")
    two = cycle(["int", "float"])

    def late(n):
        return [("newt" if i > n // 2 else "cat") for i in range(n)]

    def down(_):
        return [("int" if depth % 2 else "float") for _ in range(n // 10) for depth in range(9, -1, -1)]

    def up(_):
        return [("int" if depth % 2 else "float") for _ in range(n // 10) for depth in range(10)]

    table = {
        ("add_kinds", "BINARY_OP", "+", 0): (cycle(["int", "float", "str"]), add),
        ("add_phases", "BINARY_OP", "+", 0): (lambda n: [("int", "float", "str")[i * 3 // n] for i in range(n)], add),
        ("add_mostly_int", "BINARY_OP", "-", 0): (
            cycle(["int"] * 19 + ["float"]),
            {"int": "BINARY_OP_SUBTRACT_INT", "float": "BINARY_OP_SUBTRACT_FLOAT"},
        ),
        ("add_unspecializable", "BINARY_OP", "+", 0): (
            lambda n: ["none" if i % 4 == 1 and i < n // 2 else "int" for i in range(n)],
            add,
        ),
        ("attr_two", "LOAD_ATTR", None, 0): (cycle(["cat", "dog"]), own_load),
        ("attr_three", "LOAD_ATTR", None, 0): (cycle(["cat", "dog", "newt"]), own_load),
        ("store_two", "STORE_ATTR", None, 0): (cycle(["cat", "dog"]), own_store),
        ("method_two", "LOAD_ATTR", None, 0): (cycle(["cat", "dog"]), method),
        ("method_two", "CALL", None, 3): (cycle(["cat", "dog"]), speak),
        ("method_late", "LOAD_ATTR", None, 0): (late, method),
        ("method_late", "CALL", None, 3): (late, speak),
        ("call_two", "CALL", None, 1): (cycle(["first", "second"]), call),
        ("call_mixed", "CALL", None, 1): (cycle(["first", "abs", "second", "first"]), call),
        ("subscript_kinds", base, sign, 1): (cycle(["list", "tuple", "dict"]), rows),
        ("store_subscript_kinds", "STORE_SUBSCR", None, 0): (cycle(["list", "dict"]), store),
        ("unpack_kinds", "UNPACK_SEQUENCE", None, 0): (cycle(["list", "tuple"]), unpack),
        ("compare_kinds", "COMPARE_OP", None, 0): (cycle(["int", "float", "str"]), prefixed("COMPARE_OP_", COMPARED)),
        ("in_comprehension", "BINARY_OP", "+", 0): (two, add),
        ("generated", "BINARY_OP", "+", 0): (two, add),
        ("descend", "BINARY_OP", "+", 0): (down, add),
        ("unwind", "BINARY_OP", "+", 0): (up, add),
        ("several_on_a_line", "BINARY_OP", "+", 0): (two, add),
        ("several_on_a_line", "BINARY_OP", "*", 0): (two, {"int": "BINARY_OP_MULTIPLY_INT", "float": "BINARY_OP_MULTIPLY_FLOAT"}),
        ("several_on_a_line", "BINARY_OP", "-", 0): (two, {"int": "BINARY_OP_SUBTRACT_INT", "float": "BINARY_OP_SUBTRACT_FLOAT"}),
    }
    # Every new key of the module's dict makes a new keys version.
    table["globals_change", "LOAD_GLOBAL", None, 2] = (
        lambda n: [i // 4 for i in range(n)],
        dict.fromkeys(range(n), "LOAD_GLOBAL_MODULE"),
    )
    # An item, then the end, of a list; the same of a tuple.
    loop = {"list": "FOR_ITER_LIST", "tuple": "FOR_ITER_TUPLE"}
    table["iterate_kinds", "FOR_ITER", None, 1] = (lambda n: cycle(["list", "list", "tuple", "tuple"])(2 * n), loop)
    if version >= (3, 13):
        truth = {"int": "TO_BOOL_INT", "str": "TO_BOOL_STR", "list": "TO_BOOL_LIST", "none": "TO_BOOL_NONE", "bool": "TO_BOOL_BOOL"}
        table["truth_kinds", "TO_BOOL", None, 0] = (cycle(["int", "str", "list", "none", "bool"]), truth)
        bags = {"set": "CONTAINS_OP_SET", "dict": "CONTAINS_OP_DICT"}
        table["contains_kinds", "CONTAINS_OP", None, 0] = (cycle(["set", "dict"]), bags)
    out = {site: misses(keys(n), form_of, version) for site, (keys, form_of) in table.items()}
    if version >= (3, 15):
        product = {"int": "BINARY_OP_MULTIPLY_INT"}
        out["overflow", "BINARY_OP", "*", 0] = misses(["int"] * n, product, version, missing=("int",))
    return out


CALLS = 1000
"""The argument every program is called with."""

PROGRAMS = """add_kinds add_phases add_mostly_int add_unspecializable attr_two attr_three store_two method_two
method_late call_two call_mixed subscript_kinds store_subscript_kinds unpack_kinds truth_kinds contains_kinds
compare_kinds in_comprehension in_generator in_recursion in_exceptions globals_change iterate_kinds overflow
several_on_a_line""".split()
