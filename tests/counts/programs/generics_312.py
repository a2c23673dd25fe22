"""Syntax of 3.12: type parameters, type aliases, nested f-strings."""

from collections.abc import Callable

type Pair[T] = tuple[T, T]
type Tree = list[Tree] | int


class Stack[T]:
    def __init__(self, *items: T) -> None:
        self.items: list[T] = list(items)

    def pop(self, default: T | None = None) -> T | None:
        return self.items.pop() if self.items else default

    def map[U](self, function: Callable[[T], U]) -> "Stack[U]":
        return Stack(*(function(item) for item in self.items))


def first[T: (int, str), *Ts](items: list[T], *rest: *Ts) -> T:
    for item in items:
        return item
    raise ValueError


def leaves(tree: Tree) -> int:
    return sum(leaves(branch) for branch in tree) if isinstance(tree, list) else 1


def bound[**P, R](function: Callable[P, R]) -> Callable[P, R]:
    def inner(*args: P.args, **kwargs: P.kwargs) -> R:
        return function(*args, **kwargs)

    return inner


@bound
def label(value: int) -> str:
    return f"{f"{value:>{value + 3}}"!r} {', '.join(f"{i}" for i in range(value))}"


def run():
    stack = Stack(1, 2, 3).map(lambda item: item * 2)
    while stack.pop() is not None:
        pass
    first([1, 2], "x")
    try:
        first([])
    except ValueError:
        pass
    leaves([1, [2, 3, [4]], []])
    [label(n) for n in range(4)]
    Pair.__value__
    Tree.__value__
    bound.__type_params__
