"""Loops for the JIT: one that closes, one that calls, one that no version traces as a whole."""


def callee(a):
    return a + 1


def closes(n):
    total = 0
    for i in range(n):
        total += i * 2
    return total


def calls(n):
    total = 0
    for i in range(n):
        total += callee(i)
    return total


def raises(n):
    caught = 0
    for i in range(n):
        try:
            raise ValueError(i)
        except ValueError:
            caught += 1
    return caught


def rarely(n):
    total = 0
    for i in range(n):
        if i % 50 == 0:
            total += i
        total -= 1
    return total


def main(n):
    return closes(n) + calls(n) + raises(n)
