# on: all
# outcome: completed
from __future__ import annotations


def work(n: no_such_name) -> nor_this:
    for i in range(n):
        i += 1  #= 1000


work(1000)
print(work.__annotations__)
