# on: all
# run: --time 1 FILE
# plain: no
# outcome: timed-out
# A C call that goes on whatever signal comes: it is killed after a while.
for i in range(1000):
    i += 1
b"x" * (1 << 28) in b"x" * (1 << 28) + b"y"
max(iter(lambda: 1, 0))
