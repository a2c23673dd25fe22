# outcome: completed
import sys
import warnings

for i in range(3):
    print("out", i)  #= 3
    print("err", i, file=sys.stderr)  #= 3
warnings.warn("careful")
for i in range(1000):
    i += 1  #= 1000
