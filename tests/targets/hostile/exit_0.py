# outcome: exited 0
import sys

for i in range(1000):
    i += 1  #= 1000
print("out")
sys.exit(0)
