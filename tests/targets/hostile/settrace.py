# on: all
# outcome: completed
# note: trace
import sys


def tracer(frame, event, arg):
    return tracer


def work(n):
    for i in range(n):
        i += 1  #= 1000


sys.settrace(tracer)
work(1000)
