# outcome: completed
import os

os.umask(0o777)
for i in range(1000):
    i += 1  #= 1000
