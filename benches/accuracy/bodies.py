"""Loop bodies whose lines do not depend on each other, so that one can be repeated without the others noticing.

No line may keep another's object alive either: who lets go of it last pays for its end.
"""

MIXED = """
class B: pass
b = B(); b.x = 1.5; b.v = 2
d = {"k": 1}
L = list(range(100))
s = "abc"
def g(a): return a
---
x = b.x
y = b.x + b.v * 0.01
z = b.v % 7
w = "a" in s
q = d["k"]
r = L[5]
u = g(q)
v = len(L)
o = s.upper()
t = (q, r)
"""

HEAVY = """
import math
L = list(range(200))
d = {str(i): i for i in range(100)}
k = 12
---
a = sum(L)
c = sorted(L)
e = d.get("50")
f = max(L)
h = math.sqrt(2.0)
m = "%d-%d" % (k, k)
n = f"{k}-{k}"
o = k ** 40
p = L.index(60)
"""

CALLS = """
import operator
class C:
    def __init__(self): self.p = 1
    def m(self): return self.p
    @property
    def pr(self): return self.p
c = C()
def g(a, b=2, *, k=3): return a + b + k
def deep(n): return deep(n - 1) if n else 0
---
a = c.m()
b = c.pr
e = g(1)
f = g(1, k=4)
h = deep(4)
i = isinstance(c, C)
j = C()
k = operator.add(1, 2)
"""

ATTRIBUTES = """
class P:
    __slots__ = ("x", "y")
class Q:
    z = 3
    def m(self): return 1
p = P(); p.x = 1; p.y = 2
q = Q(); q.w = 4
r = Q(); r.w = q
class D:
    def __getattr__(self, name): return 1
e = D()
---
a = p.x + p.y
p.x = 5
b = q.w
q.w = 6
c = q.z
f = r.w.w
g = q.m
h = getattr(q, "w")
i = hasattr(p, "nope")
j = e.anything
"""

ALLOCATION = """
class N:
    def __init__(self, v): self.v = v
m, n = [], {}
---
a = [1, 2, 3, 4]
b = {"x": 1, "y": 2}
c = [0] * 50
d = {1, 2, 3}
e = N(1)
f = (m, n)
g = [i for i in (1, 2, 3)]
h = dict(x=1)
i = bytearray(64)
j = object()
"""

EXCEPTIONS = """
from contextlib import suppress
d = {}
def caught(key):
    try:
        return d[key]
    except KeyError:
        return None
def quiet(key):
    try:
        return key
    except KeyError:
        return None
def deep(n):
    if n: deep(n - 1)
    raise ValueError(n)
def outer():
    try:
        deep(3)
    except ValueError as error:
        return error
def final():
    try:
        return 1
    finally:
        len(d)
def silent(key):
    with suppress(KeyError): return d[key]
---
a = caught(1)
b = quiet(1)
c = outer()
e = final()
f = d.get(1, 0)
silent(2)
g = getattr(d, "nope", None)
h = 1 in d
"""

GENERATORS = """
def count():
    n = 0
    while True:
        n += 1
        yield n
def three():
    yield 1
    yield 2
    yield 3
def inner():
    yield from three()
g = count()
L = [1, 2, 3, 4, 5]
---
a = next(g)
b = sum(x for x in L)
c = list(three())
d = [x + 1 for x in L]
e = list(inner())
f = any(x > 3 for x in L)
h = list(map(abs, L))
i = {x: x for x in L}
j = max(L)
"""

STRINGS = """
s = "hello world"
n = 42
words = ["a", "bc", "def", "ghij"]
---
a = s + "!"
b = f"{n} and {s}"
c = " ".join(words)
d = s.split(" ")
e = s[2:7]
f = s.replace("o", "0")
g = str(n)
h = s.encode()
i = s == "hello worle"
j = "%s=%d" % (s, n)
k = s.startswith("he")
"""

BODIES = {
    "mixed": MIXED,
    "heavy": HEAVY,
    "calls": CALLS,
    "attributes": ATTRIBUTES,
    "allocation": ALLOCATION,
    "exceptions": EXCEPTIONS,
    "generators": GENERATORS,
    "strings": STRINGS,
}


# The same lines in a function that runs them a few times and returns: short-lived frames, seen from outside.
CALLED = "-called"
BODIES |= {name + CALLED: BODIES[name] for name in ("mixed", "strings", "attributes")}


def lines(name):
    """The lines of a body."""
    return BODIES[name].partition("---\n")[2].strip().splitlines()


def source(name, repeated=None, times=0):
    """A module with `kern(n)`, which runs the body n times.

    One line may stand there `times` times more; with -1 it does not, and all stand before the loop.
    """
    inside = [line for index, line in enumerate(lines(name)) for _ in range(1 + times * (index == repeated))]
    return looped(name, inside, lines(name) if times < 0 else [])


def looped(name, inside, before=()):
    """The module with these lines in its loop, and others before it."""
    setup = BODIES[name].partition("---\n")[0].strip()
    before = "".join(f"    {line}\n" for line in before)
    inside = "".join(f"        {line}\n" for line in inside)
    if name.endswith(CALLED):
        called = f"def work():\n{before}    for _ in (1, 2, 3, 4):\n{inside}"
        return f"{setup}\n{called}def kern(_):\n    for _ in range(_ // 4):\n        work()\n"
    return f"{setup}\ndef kern(_):\n    _ = range(_)\n{before}    for _ in _:\n{inside}"


def first_line(name):
    """Number of the body's first line in `source(name)`."""
    first = lines(name)[0]
    return source(name).splitlines().index(f"        {first}") + 1
