"""Comprehensions: nested, filtered, with walrus, over closures, in class bodies, raising."""


def kinds(n):
    a = [x * 2 for x in range(n) if x % 2]
    b = {x % 3 for x in a}
    c = {x: y for x, y in zip(a, a[1:]) if x > 3 or y < 5}
    d = tuple(x for x in a)
    return len(a) + len(b) + len(c) + len(d)


def nested(n):
    grid = [[i * j for j in range(n)] for i in range(n)]
    flat = [cell for row in grid if row for cell in row if cell % 2 if cell > 3]
    return len(flat), [sum(x for x in row) for row in grid]


def walrus(rows):
    long = [size for row in rows if (size := len(row)) > 1]
    last = None
    any((last := row) for row in rows)
    while (row := rows.pop() if rows else None) is not None:
        last = row
    return long, last, size


def closures(n):
    adders = [lambda x, i=i: x + i for i in range(n)]
    late = [lambda: i for i in range(n)]
    return [add(1) for add in adders] + [read() for read in late]


def shadowed(x):
    y = [x for x in range(3)]
    return x, y


def raising(n):
    try:
        return [10 // (i - 3) for i in range(n)]
    except ZeroDivisionError:
        return None


class Table:
    sizes = [1, 2, 3]
    doubled = [size * 2 for size in sizes]
    pairs = {size: i for i, size in enumerate(sizes)}

    def spread(self):
        return [self.pairs[size] for size in self.sizes]


def unpacking(rows):
    return [first for first, *_ in rows], [{**row} for row in [{"a": 1}, {}]], [*(i for i in range(2)), *rows]


def conditional(n):
    return [i if i % 2 else -i if i % 3 else None for i in range(n) if not (i > 4 and i < 7)]


def run():
    kinds(12)
    nested(4)
    walrus(["abc", "d", "ef"])
    closures(3)
    shadowed(5)
    raising(2)
    raising(6)
    Table().spread()
    unpacking([(1, 2), "ab"])
    conditional(11)
