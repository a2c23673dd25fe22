# outcome: completed
import os
import time

for i in range(1000):
    i += 1  #= 1000
if os.fork() == 0:
    time.sleep(60)
    open("outlived", "w").close()
