"""Functions to be called in every way; each marked line tells how often its function worked."""

import contextlib
import functools

LIMIT = 100


def plain(n=100):
    for i in range(n):
        i += 1  # @plain


def needs(n, m):
    for i in range(n + m):
        i += 1  # @needs


# bytecost: directed(200)
def directed(n):
    """
    >>> directed(7)
    """
    for i in range(n):
        i += 1  # @directed


def configured(n):
    """
    >>> configured(7)
    """
    for i in range(n):
        i += 1  # @configured


def configured_setup(n):
    for i in range(n):
        i += 1  # @configured_setup


def documented(n):
    """
    >>> documented(500)
    >>> for size in (10, 20):
    ...     documented(size)
    """
    for i in range(n):
        i += 1  # @documented


def generator(n=100):
    for i in range(n):
        yield i  # @generator


async def coroutine(n=100):
    for i in range(n):
        i += 1  # @coroutine


async def stream(n=100):
    for i in range(n):
        yield i  # @stream


def tracing(function):
    @functools.wraps(function)
    def wrapper(*arguments):
        return function(*arguments)  # @wrapper

    return wrapper


@tracing
def decorated(n=100):
    for i in range(n):
        i += 1  # @decorated


@functools.lru_cache(maxsize=None)
def cached(n=100):
    for i in range(n):
        i += 1  # @cached


@contextlib.contextmanager
def manager(n=100):
    for i in range(n):
        i += 1  # @manager
    yield


def outer(n=10):
    def inner(m):
        for i in range(m):
            i += 1  # @inner

    for _ in range(n):
        inner(10)  # @outer


class Shape:
    def __init__(self, n=100):
        self.n = n

    def method(self):
        for i in range(self.n):
            i += 1  # @method

    @staticmethod
    def static(n=100):
        for i in range(n):
            i += 1  # @static

    @classmethod
    def made(cls, n=100):
        for i in range(n):
            i += 1  # @made

    @property
    def area(self):
        for i in range(self.n):
            i += 1  # @area
        return 1

    @functools.cached_property
    def slow(self):
        for i in range(self.n):
            i += 1  # @slow
        return 1

    class Inner:
        def deep(self):
            for i in range(LIMIT):
                i += 1  # @deep

    def __private(self):
        for i in range(self.n):
            i += 1  # @private

    def __call__(self):
        for i in range(self.n):
            i += 1  # @call


def printing(n=100):
    print("printed", n)
    for i in range(n):
        i += 1  # @printing


def reading():
    import sys

    return sys.stdin.read()


def fails(n=100):
    for i in range(n):
        i += 1  # @fails
    raise ValueError("every time")


CALLS = []


def fails_later(n=100):
    CALLS.append(n)
    for i in range(n):
        i += 1  # @fails_later
    if len(CALLS) == 2:
        raise ValueError("the second time")


def exits(n=100):
    for i in range(n):
        i += 1  # @exits
    raise SystemExit(4)



def accents_é(n=100):
    for i in range(n):
        i += 1  # @accents
