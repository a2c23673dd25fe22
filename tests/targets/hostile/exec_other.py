# exit: 0
# outcome: exited 0
# note: was not made
import os

for i in range(1000):
    i += 1
print("before", flush=True)
os.execv("/bin/echo", ["echo", "another program"])
