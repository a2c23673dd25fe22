# exit: 1
# outcome: exited 9
import atexit
import os

for i in range(1000):
    i += 1  #= 1000
atexit.register(os._exit, 9)
