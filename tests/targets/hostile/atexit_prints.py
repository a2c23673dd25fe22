# on: all
# outcome: completed
import atexit


def last(n):
    for i in range(n):
        i += 1  #= 1000
    print("at exit")


atexit.register(last, 1000)
print("body")
