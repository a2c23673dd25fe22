# on: all
# outcome: completed
import sys


def tracer(frame, event, arg):
    return tracer


def work(n):
    for i in range(n):
        i += 1  #= 2000


sys.settrace(tracer)
work(1000)
sys.settrace(None)
work(1000)
print(sys.gettrace())
