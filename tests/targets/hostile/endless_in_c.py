# run: --time 1 FILE
# plain: no
# outcome: timed-out
import time

for i in range(1000):
    i += 1  #= 1000
time.sleep(1000)
