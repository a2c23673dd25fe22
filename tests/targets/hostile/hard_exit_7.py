# exit: 1
# outcome: exited 7
import os

for i in range(1000):
    i += 1  #= 1000
os._exit(7)
