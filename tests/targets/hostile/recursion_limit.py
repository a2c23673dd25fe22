# on: all
# outcome: completed
import sys


def down(n):
    if n == 0:
        return 0
    return 1 + down(n - 1)  #= 1000


sys.setrecursionlimit(60)
for i in range(20):
    down(50)
print(sys.getrecursionlimit())
