# on: 3.12 3.13 3.14 3.15
# outcome: completed
import sys

monitoring = sys.monitoring
lines = []
monitoring.use_tool_id(monitoring.PROFILER_ID, "mine")
monitoring.register_callback(monitoring.PROFILER_ID, monitoring.events.LINE, lambda *a: lines.append(a))


def work(n):
    for i in range(n):
        i += 1  #= 1000


monitoring.set_local_events(monitoring.PROFILER_ID, work.__code__, monitoring.events.LINE)
work(1000)
print(len(lines))
