# on: all
# outcome: completed
# stderr: any
import os

print("before", flush=True)
os.closerange(0, 256)
for i in range(1000):
    i += 1  #= 1000
