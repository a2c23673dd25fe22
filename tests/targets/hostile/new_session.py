# outcome: completed
import os

for i in range(1000):
    i += 1  #= 1000
try:
    os.setsid()
except OSError:
    pass
