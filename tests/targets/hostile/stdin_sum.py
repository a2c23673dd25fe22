# on: all
# outcome: completed
# stdin: numbers
import sys

total = 0
for line in sys.stdin:
    total += int(line)  #= 1000
print(total)
