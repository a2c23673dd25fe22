# outcome: exited 0
import os

for i in range(1000):
    i += 1  #= 1000
os._exit(0)
