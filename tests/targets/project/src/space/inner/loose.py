from .beside import SIZE


def work():
    for i in range(SIZE):
        i += 1  # @loose
