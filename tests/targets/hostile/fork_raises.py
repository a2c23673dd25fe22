# outcome: completed
import os

for i in range(1000):
    i += 1  #= 1000
child = os.fork()
if child == 0:
    raise ValueError("in the child")
print(os.waitpid(child, 0)[1])
