# exit: 1
# outcome: exited 7
# on: all
# Found without looking it up in `os`: nothing of ours stands in the way.
import posix

for i in range(1000):
    i += 1
posix._exit(7)
