# exit: 1
# outcome: exited 0
# note: was not made: its process left no result
import os

for i in range(1000):
    i += 1
print("before", flush=True)
os.execv("/bin/echo", ["echo", "another program"])
