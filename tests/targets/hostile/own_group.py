# outcome: completed
import os

for i in range(1000):
    i += 1  #= 1000
os.setpgid(0, 0)
print("done")
