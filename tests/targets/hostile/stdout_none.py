# outcome: completed
import sys

print("seen")
sys.stdout.flush()
sys.stdout = sys.stderr = sys.stdin = None
print("not seen")
for i in range(1000):
    i += 1  #= 1000
