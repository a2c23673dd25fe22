"""Loops of every shape, and the ways out of them."""


def if_chain(n):
    total = 0
    for i in range(n):
        if i % 15 == 0:
            total += 3
        elif i % 5 == 0:
            total += 2
        elif i % 3 == 0:
            total -= 1
        else:
            continue
        total *= 1
    return total


def while_else(n):
    tries = 0
    while n > 1:
        tries += 1
        n = n // 2 if n % 2 == 0 else 3 * n + 1
        if tries > 40:
            break
    else:
        tries = -tries
    return tries


def for_else(rows, wanted):
    for row in rows:
        for cell in row:
            if cell == wanted:
                break
        else:
            continue
        break
    else:
        return None
    return row


def return_from_nested(n):
    for i in range(n):
        for j in range(i):
            while True:
                if i * j > 50:
                    return i, j
                break
    return None


def while_true(n):
    while True:
        n -= 1
        if n < 0:
            return n
        if n % 3:
            continue
        n -= 1


def empty_and_single():
    seen = 0
    for _ in ():
        seen += 100
    for _ in [1]:
        seen += 1
    for _ in range(0):
        seen += 100
    else:
        seen += 1
    while None:
        seen += 100
    return seen


def sources(n):
    total = 0
    for a, (b, *c) in zip(range(n), [(1, 2, 3), [4, 5], "xy"]):
        total += a + len(c) + (b == "x")
    for key, value in {"a": 1, "b": 2}.items():
        total += value if key != "a" else 0
    for char in "text":
        total += char in {"t", "x"}
    for index, _ in enumerate([None] * 3):
        total += index
    for item in iter(int, 1):
        total += 1
        if total > 20:
            break
    return total


def break_through_finally(n):
    log = 0
    for i in range(n):
        try:
            if i == 3:
                continue
            if i == 7:
                break
            log += 1
        finally:
            log += 10
    return log


def one_line(n):
    t = 0
    for i in range(n): t += i; t ^= 1
    while t > 3: t //= 2
    return t


def run():
    if_chain(47)
    for n in (1, 6, 27):
        while_else(n)
    for_else([[1, 2], [3, 4]], 3)
    for_else([[1, 2], [3, 4]], 9)
    return_from_nested(30)
    return_from_nested(2)
    while_true(20)
    empty_and_single()
    sources(3)
    break_through_finally(10)
    break_through_finally(2)
    one_line(15)
