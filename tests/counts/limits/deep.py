"""Recursion to the limit, again and again: there the counting itself has few frames to work with."""


def matches(value, others):
    return value in (other + other for other in others)


def dive(depth, value):
    found = matches(value, (1, 2.5, "a", 2))
    for kind in (1, 2.5, "a"):
        kind + kind
    try:
        dive(depth + 1, value)
    except RecursionError:
        matches(value, (1, 2.5))
        raise
    return found


def run():
    for turn in range(20):
        try:
            dive(0, turn)
        except RecursionError:
            pass
