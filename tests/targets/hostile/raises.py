# exit: 1
# outcome: raised ValueError: no more
# note: natural pass is partial: the target raised ValueError: no more
total = 0
for i in range(1000):
    total += i  #= 1000


def fail(depth):
    if depth == 0:
        raise ValueError("no more")  #= 1
    fail(depth - 1)  #= 3


fail(3)
print("never")  #= 0
