# on: 3.12 3.13 3.14 3.15
# outcome: completed
import sys


def work(n):
    for i in range(n):
        i += 1  #= 2000


work(1000)
sys.monitoring.restart_events()
work(1000)
