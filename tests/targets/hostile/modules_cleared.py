# on: all
# outcome: completed
# stderr: any
import sys

for i in range(1000):
    i += 1  #= 1000
sys.modules.clear()
