import threading


class Slots:
    __slots__ = ("x",)

    def __init__(self):
        self.x = 1


class Plain:
    def __init__(self):
        self.x = 2


def get(thing):
    return thing.x  #= attribute


def work(n):
    one, other = Slots(), Plain()
    total = 0
    for i in range(n):
        thing = one if i % 40 else other  #= remainder
        total += get(thing)  #= call
    return total


def add(n, one, both):
    both.wait()  # both live at once: one that comes later would go on with the other's copy
    total = one
    for _ in range(n):
        total = total + one
    return total


def run(*threads):
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def threads(n):
    run(*[threading.Thread(target=work, args=(n,)) for _ in range(3)])


def differ(n):
    both = threading.Barrier(2)
    run(*[threading.Thread(target=add, args=(n, one, both)) for one in (1, 1.0)])
