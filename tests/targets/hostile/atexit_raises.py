# outcome: completed
import atexit


@atexit.register
def last():
    raise ValueError("at exit")


for i in range(1000):
    i += 1  #= 1000
