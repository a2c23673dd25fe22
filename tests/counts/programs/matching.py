"""match statements over every kind of pattern."""

from dataclasses import dataclass


@dataclass
class Point:
    x: int
    y: int


class Color:
    RED = 1
    BLUE = 2


def describe(value):
    match value:
        case None | True | False:
            return "constant"
        case Color.RED:
            return "red"
        case int(n) if n > 100:
            return "large"
        case int() | float():
            return "number"
        case Point(x=0, y=0):
            return "origin"
        case Point(x, y) if x == y:
            return "diagonal"
        case Point():
            return "point"
        case []:
            return "empty"
        case [("a" | "b") as letter, *_]:
            return letter
        case [first, [second, third], *rest]:
            return first, second, third, rest
        case [_, _]:
            return "pair"
        case {"kind": "move", "by": [dx, dy], **rest}:
            return dx, dy, rest
        case {"kind": str(kind)}:
            return kind
        case str() as text:
            return text
        case _:
            return None


def no_case(value):
    match value:
        case 1:
            return 1
        case 2:
            return 2
    return 0


def in_loop(values):
    total = 0
    for value in values:
        match value:
            case (0, _):
                continue
            case (1, x):
                total += x
            case (2, _):
                break
        total += 1
    return total


def run():
    values = [None, True, 1, 500, 7, 2.5, Point(0, 0), Point(2, 2), Point(1, 2), [], ["a", 1], ["c", [1, 2], 3]]
    values += [[1, 2], {"kind": "move", "by": [1, 2], "at": 3}, {"kind": "stop"}, {}, "text", b"bytes", [1, 2, 3]]
    for value in values:
        describe(value)
    for value in (1, 2, 3):
        no_case(value)
    in_loop([(0, 1), (1, 5), (3, 3), (2, 0), (1, 1)])
    in_loop([])
