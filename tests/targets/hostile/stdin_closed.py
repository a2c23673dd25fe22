# outcome: completed
# stdin: numbers
import sys

sys.stdin.close()
for i in range(1000):
    i += 1  #= 1000
