"""Functions: recursion, closures, decorators, arguments, callbacks from C, names reused."""

import functools
import itertools
import operator

counter = 0


def fibonacci(n):
    return n if n < 2 else fibonacci(n - 1) + fibonacci(n - 2)


def deep(n):
    if n == 0:
        return 0
    return deep(n - 1) + 1


def is_even(n):
    return True if n == 0 else is_odd(n - 1)


def is_odd(n):
    return False if n == 0 else is_even(n - 1)


def make_counter(start):
    seen = start

    def step(by=1):
        nonlocal seen
        global counter
        seen += by
        counter += 1
        return seen

    def peek():
        return seen

    return step, peek


def closures():
    step, peek = make_counter(5)
    for by in (1, 2, 3):
        step(by)
    step()
    return peek()


def logged(prefix):
    def wrap(function):
        @functools.wraps(function)
        def inner(*args, **kwargs):
            return prefix, function(*args, **kwargs)

        return inner

    return wrap


@logged("a")
@logged("b")
def decorated(x, /, y=2, *rest, z, w=4, **others):
    return x + y + len(rest) + z + w + len(others)


def arguments():
    values = (1, 2, 3)
    options = {"z": 5, "k": 6}
    decorated(1, z=3)
    decorated(*values, *values, **options)
    decorated(1, 2, **options, w=0)
    try:
        decorated(1)
    except TypeError:
        return True


def from_c(n):
    def by_last(item):
        return item % 10

    items = sorted(range(n), key=by_last)
    items = list(map(lambda a, b: a - b, items, filter(lambda i: i % 3, items)))
    total = functools.reduce(lambda a, b: a + b, items, 0)
    groups = [(key, len(list(group))) for key, group in itertools.groupby(range(n), key=lambda i: i // 4)]
    return total, groups, max(items, key=abs), functools.partial(by_last, 37)()


class Ordered:
    made = 0

    def __init__(self, value):
        self.value = value
        type(self).made += 1

    def __lt__(self, other):
        return self.value < other.value

    def __eq__(self, other):
        return isinstance(other, Ordered) and self.value == other.value

    def __hash__(self):
        return hash(self.value)

    def __getattr__(self, name):
        if name == "missing":
            raise AttributeError(name)
        return name

    @property
    def doubled(self):
        return self.value * 2

    @classmethod
    def of(cls, *values):
        return [cls(value) for value in values]

    @staticmethod
    def twice(value):
        return value + value


def special_methods():
    items = sorted(Ordered.of(3, 1, 2))
    kept = set(items) | {Ordered(1)}
    names = [items[0].doubled, items[0].anything, getattr(items[0], "missing", None), hasattr(items[1], "missing")]
    return len(kept), names, Ordered.twice(4), Ordered(1) in items


pair = (lambda x: x + 1), (lambda x: x + 2); third = lambda x: (lambda y: x + y)(x)


def lambdas():
    return [function(n) for n in range(3) for function in (*pair, third)]


def same_name():
    return 1


first_same_name = same_name


def same_name():
    return 2


def redefined(n):
    results = []
    for i in range(n):
        if i % 2:
            def local():
                return i
        else:
            def local():
                return -i
        results.append(local())
    return results, same_name(), first_same_name()


def one(): return 1
def two(): return one() + one(); "unreachable"


def from_strings():
    space = {}
    exec("def inner(n):\n    return [i for i in range(n)]\nvalue = inner(4)", space)
    code = compile("outer + 1", "<none>", "eval")
    return space["value"], eval(code, {"outer": 1}), eval("(lambda: 3)()")


def in_class_body(n):
    class Local:
        kept = n
        total = 0
        for i in range(3):
            total += i
        if total > 2:
            def big(self):
                return __class__.kept
        else:
            def small(self):
                return 0

        class Inner:
            label = f"{n}"

    return Local().big(), Local.Inner.label


class Base:
    def greet(self, name):
        return f"hello {name!r:>8}"

    def __init_subclass__(cls, tag=None):
        cls.tag = tag


class Child(Base, tag="x"):
    def greet(self, name):
        return super().greet(name) + super(Child, self).greet(name)


def comparisons(n):
    kept = 0
    for i in range(n):
        if 2 < i <= 8 != 5:
            kept += 1
        if i in (1, 2, 3) and not (i is None or i == 2) or i > 9:
            kept += 1
        kept += 1 if 0 < i < 3 < n else 0
    return kept


def deletions():
    values = list(range(6))
    del values[0], values[-1:]
    table = {"a": 1}
    del table["a"]
    item = Ordered(1)
    del item.value
    local = 1
    del local
    try:
        return local
    except UnboundLocalError:
        return values


def unpacking():
    a, b, *c = range(5)
    (d, [e, f]), *g = [(1, [2, 3]), 4]
    a, b = b, a
    x = y = [*c, *g]
    x[0], y[-1] = y[-1], x[0]
    return {**{"a": a}, "b": b}, [d, e, f, *x]


def run():
    fibonacci(9)
    deep(200)
    is_even(7)
    closures()
    arguments()
    from_c(14)
    special_methods()
    lambdas()
    redefined(3)
    two()
    from_strings()
    in_class_body(3)
    Child().greet("you")
    comparisons(12)
    deletions()
    unpacking()
    operator.methodcaller("greet", "me")(Base())
