"""Exceptions raised, caught, chained, re-raised, swallowed, and crossing frames."""

import contextlib


class Stop(Exception):
    pass


def at_depth(depth, kind):
    if depth == 0:
        raise kind(depth)
    return at_depth(depth - 1, kind) + 1


def crossing(n):
    caught = 0
    for i in range(n):
        try:
            at_depth(i % 4, Stop if i % 2 else KeyError)
        except Stop as stop:
            caught += stop.args[0]
        except (KeyError, ValueError):
            caught += 10
    return caught


def all_clauses(n):
    score = 0
    for i in range(n):
        try:
            score += 12 // (i % 4)
            if i % 5 == 0:
                raise ValueError(i)
        except ZeroDivisionError:
            score += 1
        except ValueError as error:
            score += len(error.args)
        else:
            score += 2
        finally:
            score += 3
    return score


def chained(n):
    causes = 0
    for i in range(n):
        try:
            try:
                {}[i]
            except KeyError as error:
                if i % 2:
                    raise Stop(i) from error
                raise
        except Stop as stop:
            causes += stop.__cause__ is not None
        except KeyError as error:
            causes += error.__context__ is None
    return causes


def finally_returns(n):
    try:
        if n:
            raise Stop
        return "body"
    except Stop:
        return "except"
    finally:
        n = 0


def cleanup_order(log):
    try:
        try:
            raise Stop
        finally:
            log.append("inner")
    except Stop:
        log.append("outer")
    finally:
        log.append("last")
    return log


class Quiet:
    def __init__(self, swallow):
        self.swallow = swallow

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        return self.swallow and kind is not None


def with_blocks(n):
    done = 0
    for i in range(n):
        with Quiet(True) as quiet, contextlib.suppress(KeyError):
            if i % 3 == 0:
                raise KeyError(i)
            if i % 3 == 1:
                raise Stop(i)
            done += quiet.swallow
        with Quiet(False):
            if i % 4:
                continue
            done += 1
    return done


def with_return(n):
    for i in range(n):
        with Quiet(True):
            if i == 2:
                return i
            raise Stop
    return None


def with_propagates():
    try:
        with Quiet(False):
            raise Stop
    except Stop:
        return True


@contextlib.contextmanager
def managed(log):
    log.append("in")
    try:
        yield len(log)
    except Stop:
        log.append("stop")
    finally:
        log.append("out")


def with_generator(log):
    with managed(log) as size:
        log.append(size)
    with managed(log):
        raise Stop
    return log


def groups(n):
    seen = []
    for i in range(n):
        try:
            if i % 3 == 0:
                raise ExceptionGroup("both", [ValueError(1), KeyError(2)])
            if i % 3 == 1:
                raise ExceptionGroup("one", [TypeError(3), ValueError(4)])
            raise KeyError(5)
        except* ValueError as group:
            seen.append(len(group.exceptions))
        except* (KeyError, TypeError) as group:
            seen.extend(group.exceptions)
        else:
            seen.append(None)
        finally:
            seen.append(0)
    return len(seen)


def group_leftover():
    try:
        try:
            raise ExceptionGroup("mixed", [ValueError(1), OSError(2)])
        except* ValueError:
            pass
    except ExceptionGroup as rest:
        return len(rest.exceptions)


def bare_raise_outside():
    try:
        raise
    except RuntimeError:
        return 1


def asserts(n):
    failed = 0
    for i in range(n):
        try:
            assert i % 3, f"multiple {i}"
        except AssertionError:
            failed += 1
    return failed


def deleted_name():
    error = 1
    try:
        raise Stop
    except Stop as error:
        pass
    try:
        return error
    except UnboundLocalError:
        return None


def run():
    crossing(13)
    all_clauses(21)
    chained(6)
    finally_returns(0)
    finally_returns(1)
    cleanup_order([])
    with_blocks(13)
    with_return(5)
    with_propagates()
    with_generator([])
    groups(7)
    group_leftover()
    bare_raise_outside()
    asserts(7)
    deleted_name()
