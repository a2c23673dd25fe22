# on: all
# outcome: completed
import sys


def down(n):
    return down(n + 1)  #= 299


def depth(n):
    try:
        return depth(n + 1)  #= 299
    except RecursionError:
        return n  #= 1


def helper(n):
    return n


def helped(n):
    helper(n)
    return helped(n + 1)


sys.setrecursionlimit(300)
print(depth(0))
for i in range(1000):
    i += 1  #= 1000
for function in (down, helped):
    try:
        function(0)
    except RecursionError as error:
        print(error)
for i in range(1000):
    i += 1  #= 1000
