from ..base import BASE
from . import sibling


def work(n=BASE):
    for i in range(n):
        i += 1  # @worker
    sibling.help_out(n)
    return __name__
