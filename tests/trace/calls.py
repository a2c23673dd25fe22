"""Calls whose traces are compared."""

import collections


def scale(n):
    total = 0
    for i in range(n):
        if i % 10:
            total += i
        else:
            total += i * 2
    return total


def some_more(n):
    return [scale(k) for k in range(n)] + [len(str(n)), min(3, n)]


def count_down(n):
    while n:
        yield n
        n -= 1


def consume():
    return sum(k * k for k in count_down(4)), list(count_down(2)), next(count_down(1))


def check(value):
    assert value, "no value"


def fail():
    raise ValueError("Help")


def example():
    pass
    check(1)
    check("Hello")
    pass
    fail()
    check(5.0)


def caught():
    try:
        example()
    except ValueError as error:
        text = str(error)
    else:
        text = ""
    finally:
        text += "!"
    try:
        {}["a"]
    except KeyError:
        pass
    return text


class Account:
    rate = 2

    def __init__(self, owner):
        self.owner = owner
        self.entries = []

    def __iter__(self):
        for entry in self.entries:
            yield entry

    def __getattr__(self, name):
        if name == "total":
            return sum(self)
        raise AttributeError(name)

    @property
    def interest(self):
        return self.total * self.rate


def accounts():
    account = Account("ann")
    account.entries += [1, 2, 3]
    return account.interest, hasattr(account, "nothing")


def fibonacci(n):
    return n if n < 2 else fibonacci(n - 1) + fibonacci(n - 2)


def recursion():
    return fibonacci(6)


def library():
    found = collections.Counter("abracadabra")
    first, *rest = found.most_common(2)
    match first:
        case (str() as letter, int() as number):
            return letter * number
    with open(__file__) as file:
        return len(file.read())


def delegate():
    found = yield from count_down(3)
    yield found


def delegated():
    return [*delegate()], {k: v for k, v in zip("ab", count_down(2))}


def heavy(data):
    total = 0
    ordered = sorted(data)
    total += ordered[0]
    return total
