# on: all
# outcome: completed
# note: started child processes
import os

for i in range(1000):
    i += 1  #= 1000
for hard in (False, True):
    child = os.fork()
    if child == 0:
        for i in range(300_000):
            i += 1  #= 0
        if hard:
            os._exit(0)
        raise SystemExit(0)
    os.waitpid(child, 0)
print("parent")
