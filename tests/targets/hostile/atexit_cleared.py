# on: all
# outcome: completed
import atexit

atexit.register(print, "never")
atexit._clear()
for i in range(1000):
    i += 1  #= 1000
atexit.register(print, "once")
