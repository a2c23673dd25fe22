# on: all
# outcome: completed
import sys


def down(n):
    return down(n + 1)  # until the limit


def depth(n):
    try:
        return depth(n + 1)
    except RecursionError:
        return n


sys.setrecursionlimit(300)
print(depth(0))
for i in range(1000):
    i += 1  #= 1000
try:
    down(0)
except RecursionError as error:
    print(error)
