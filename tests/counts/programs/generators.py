"""Generators: send, throw, close, delegation, abandonment."""

import gc


def accumulate():
    total = 0
    while True:
        try:
            value = yield total
        except KeyError:
            total = 0
            continue
        finally:
            total += 0
        if value is None:
            return total
        total += value


def driven():
    adder = accumulate()
    next(adder)
    adder.send(3)
    adder.send(4)
    adder.throw(KeyError)
    adder.send(5)
    try:
        adder.send(None)
    except StopIteration as stop:
        return stop.value


def numbers(n):
    try:
        for i in range(n):
            got = yield i
            if got:
                yield -got
    finally:
        n = 0


def closed_early():
    source = numbers(10)
    next(source)
    next(source)
    source.close()
    source.close()
    return list(source)


def closed_unstarted():
    numbers(3).close()


def thrown_unstarted():
    try:
        numbers(3).throw(ValueError)
    except ValueError:
        return True


def delegating(n):
    result = yield from numbers(n)
    yield from (1, 2)
    yield from [result]
    return n


def delegation():
    seen = list(delegating(4))
    half = delegating(4)
    next(half)
    seen.append(half.send(9))
    try:
        half.throw(KeyError)
    except KeyError:
        seen.append("gone")
    closing = delegating(2)
    next(closing)
    closing.close()
    return seen


def tree(depth):
    if depth:
        yield from tree(depth - 1)
        yield depth
        yield from tree(depth - 1)


def swallowed_stop():
    source = iter([1, 2])
    got = []
    while True:
        try:
            got.append(next(source))
        except StopIteration:
            break
    return got + [next(iter(()), "default")]


def stop_inside():
    def leaking():
        yield 1
        raise StopIteration

    try:
        list(leaking())
    except RuntimeError as error:
        return type(error.__cause__).__name__


def abandoned(n):
    for _ in range(n):
        source = numbers(5)
        next(source)
        del source
    loose = numbers(5)
    for value in loose:
        if value == 2:
            break
    loose = None


def cycle_collected():
    def selfish(box):
        try:
            yield box
        finally:
            box.clear()

    box = []
    box.append(selfish(box))
    next(box[0])
    del box
    gc.collect()


def expressions(n):
    squares = (i * i for i in range(n) if i % 2)
    first = next(squares)
    rest = sum(squares)
    any(i > 3 for i in range(n))
    all(i < 3 for i in range(n))
    return first, rest, max((a, b) for a in range(2) for b in range(3) if a != b)


def refuses_close():
    def stubborn():
        try:
            yield 1
        except GeneratorExit:
            yield 2

    source = stubborn()
    next(source)
    try:
        source.close()
    except RuntimeError:
        return True


def run():
    driven()
    closed_early()
    closed_unstarted()
    thrown_unstarted()
    delegation()
    list(tree(4))
    swallowed_stop()
    stop_inside()
    abandoned(3)
    cycle_collected()
    expressions(9)
    refuses_close()
