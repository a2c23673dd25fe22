# on: all
# exit: 1
# outcome: raised RecursionError: maximum recursion depth exceeded
def down(n):
    return down(n + 1)  #= 999


for i in range(1000):
    i += 1  #= 1000
down(0)
