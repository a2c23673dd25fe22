# exit: 1
# outcome: exited 1
import sys

for i in range(1000):
    i += 1  #= 1000
sys.exit("some text é")
