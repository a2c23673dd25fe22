# on: all
# outcome: completed
# note: profile
import sys

calls = []


def profiler(frame, event, arg):
    calls.append(event)


def work(n):
    for i in range(n):
        i += 1  #= 1000


sys.setprofile(profiler)
work(1000)
