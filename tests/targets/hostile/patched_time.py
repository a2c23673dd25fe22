# on: all
# outcome: completed
import time


def broken(*_):
    raise RuntimeError("no clock")


for name in ("perf_counter", "perf_counter_ns", "time", "time_ns", "monotonic", "monotonic_ns", "sleep"):
    setattr(time, name, broken)
for i in range(1000):
    i += 1  #= 1000
