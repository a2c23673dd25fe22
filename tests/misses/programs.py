"""Functions whose guard misses are known: each feeds its sites a fixed sequence of operands."""


class Cat:
    def __init__(self):
        self.x = 1

    def speak(self):
        return 1


class Dog:
    def __init__(self):
        self.y = 0
        self.x = 2

    def speak(self):
        return 2


class Newt:
    __slots__ = ("x",)

    def __init__(self):
        self.x = 3

    def speak(self):
        return 3


def add_kinds(n):
    values = (1, 2.5, "a")
    for i in range(n):
        value = values[i % 3]
        value + value


def add_phases(n):
    values = (1, 2.5, "a")
    for i in range(n):
        value = values[i * 3 // n]
        value + value


def add_mostly_int(n):
    values = (1,) * 19 + (2.5,)
    for i in range(n):
        value = values[i % 20]
        value - value


def add_unspecializable(n):
    values = (1, None, 2, 3)
    misfits = 0
    for i in range(n):
        value = values[i % 4] if i < n // 2 else 4
        try:
            value + value
        except TypeError:
            misfits += 1
    return misfits


def attr_two(n):
    pets = (Cat(), Dog())
    for i in range(n):
        pets[i % 2].x


def attr_three(n):
    pets = (Cat(), Dog(), Newt())
    for i in range(n):
        pets[i % 3].x


def store_two(n):
    pets = (Cat(), Dog())
    for i in range(n):
        pets[i % 2].x = i


def method_two(n):
    pets = (Cat(), Dog())
    for i in range(n):
        pets[i % 2].speak()


def method_late(n):
    pets = (Cat(), Newt())
    for i in range(n):
        pets[i > n // 2].speak()


def first(value):
    return value


def second(value):
    return value


def call_two(n):
    functions = (first, second)
    for i in range(n):
        functions[i % 2](i)


def call_mixed(n):
    functions = (first, abs, second, first)
    for i in range(n):
        functions[i % 4](i)


def subscript_kinds(n):
    rows = ([1, 2], (3, 4), {0: 5})
    for i in range(n):
        row = rows[i % 3]
        row[0]


def store_subscript_kinds(n):
    rows = ([1, 2], {0: 5})
    for i in range(n):
        row = rows[i % 2]
        row[0] = i


def unpack_kinds(n):
    rows = ([1, 2], (3, 4))
    for i in range(n):
        a, b = rows[i % 2]
    return a, b


def truth_kinds(n):
    values = (1, "", [], None, True)
    true = 0
    for i in range(n):
        if values[i % 5]:
            true += 1
    return true


def contains_kinds(n):
    bags = ({1, 2}, {1: 2})
    found = 0
    for i in range(n):
        if 1 in bags[i % 2]:
            found += 1
    return found


def compare_kinds(n):
    values = (1, 2.5, "a")
    same = 0
    for i in range(n):
        value = values[i % 3]
        if value == value:
            same += 1
    return same


def in_comprehension(n):
    values = (1, 2.5)
    return [values[i % 2] + values[i % 2] for i in range(n)]


def generated(n):
    values = (1, 2.5)
    for i in range(n):
        value = values[i % 2]
        yield value + value


def in_generator(n):
    for _ in generated(n):
        pass


def descend(depth):
    value = 1 if depth % 2 else 2.5
    value + value
    if depth:
        descend(depth - 1)


def in_recursion(n):
    for _ in range(n // 10):
        descend(9)


def unwind(depth):
    value = 1 if depth % 2 else 2.5
    if depth:
        unwind(depth - 1)
    value + value
    if depth == 9:
        raise KeyError


def in_exceptions(n):
    for _ in range(n // 10):
        try:
            unwind(9)
        except KeyError:
            pass


limit = 1


def globals_change(n):
    space = globals()
    for i in range(n):
        if i % 4 == 0:
            space[f"key{i}"] = i
        limit


def iterate_kinds(n):
    rows = ([1], (2,))
    for i in range(n):
        for _ in rows[i % 2]:
            pass


def overflow(n):
    big = 1 << 20
    for _ in range(n):
        big * big


def several_on_a_line(n):
    values = (1, 2.5)
    for i in range(n):
        value = values[i % 2]; (value + value) * value - value
