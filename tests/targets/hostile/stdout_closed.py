# outcome: completed
# exit: 0
import sys

print("seen")
sys.stdout.close()
for i in range(1000):
    i += 1  #= 1000
